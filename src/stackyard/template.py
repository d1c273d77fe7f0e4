"""Renders the template: a tree of files and the answers of a project in, the project's tree out. Pure.

What is left out, marked and replaced is data of the template itself (`RULES` in its tree), so that one version of this
module renders any version of the template. A version is rendered the same whenever it is: an upgrade is the three-way
merge of two renderings and what the project has made of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from string import Template
from typing import Any, cast

import yaml
from pydantic import Field, ValidationError

from stackyard.answers import FILE, Answers, Record, write_record
from stackyard.errors import ConfigError
from stackyard.models import FileModel
from stackyard.project import FILE as PROJECT

HOME = "src/stackyard/templates/project"
RULES = f"{HOME}/rules.yaml"
LAID_OVER = f"{HOME}/files/"
"""What lies below takes the place of the template's own file of the same path, or is added."""

FORMAT = 1
"""Of the rules; a template with a higher one needs an `inv upgrade` that came later."""

PLAIN = "100644"
SERVICES = "src/services"
EMPTY = f"{SERVICES}/.gitkeep"
"""Where no service is left: git keeps no empty folder, and tests are looked for in it."""

_LINE = re.compile(r"\s+# template-only$")
_BEGIN = re.compile(r"^\s*(#|<!--) template-only: begin\b")
_END = re.compile(r"^\s*(#|<!--) template-only: end\b")
_PLACE = re.compile(r'^( +([a-z0-9-]+): \{account: )"[0-9]{12}"')


class Replaced(FileModel):
    """One line that is another in every project."""

    line: str = Field(description="A pattern for the whole line.")
    by: str = Field(description="What stands there instead.")


class Rules(FileModel):
    """What of the template is not for projects. Paths are patterns: `*` is any text, a folder is all that it holds."""

    format: int = Field(description="Which `inv upgrade` understands it.")
    home: str = Field(default="", description="Where the template is published, where that is known.")
    samples: list[str] = Field(description="The services that are left out where samples are.")
    dropped: list[str] = Field(description="What tests, measures and publishes the template itself.")
    kept: list[str] = Field(description="What of that stays all the same.")
    marked: list[str] = Field(description="Files with lines or blocks marked `template-only`.")
    replaced: dict[str, list[Replaced]] = Field(default_factory=dict, description="Lines of files.")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a tree: how git has it, or a new text."""

    mode: str
    blob: str = ""
    text: str | None = None


Tree = Mapping[str, File]
"""Files by path."""


def parse_rules(text: str) -> Rules:
    """Read a template's rules. Raises ConfigError for what is not for this version of `inv upgrade`."""
    try:
        data: object = yaml.safe_load(text)
        found = cast("dict[str, Any]", data).get("format") if isinstance(data, dict) else None
        if isinstance(found, int) and found > FORMAT:
            why = f"its rules have the format {found}, and this version knows {FORMAT}"
            raise ConfigError("this version of the template is too new", why, fix="Upgrade to an earlier one first.")
        return Rules.model_validate(data)
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(RULES, f"is not what was expected: {error}") from error


def find_texts(tree: Tree, rules: Rules) -> dict[str, str]:
    """Return the blobs whose text `render` must be given, by path."""
    wanted = {PROJECT, *rules.marked, *rules.replaced, *(path for path in tree if path.startswith(LAID_OVER))}
    return {path: tree[path].blob for path in sorted(wanted) if path in tree}


def render(tree: Tree, texts: Mapping[str, str], rules: Rules, record: Record) -> dict[str, File]:
    """Return the tree of a project. Raises ConfigError for a mark without its other half.

    Args:
        tree: The template's files.
        texts: The texts of those that `find_texts` names.
        rules: The template's own.
        record: What the project answered, and what it is made from; it becomes a file of its own.

    """
    answers = record.answers
    never = [HOME, *(rules.samples if answers.samples == "remove" else [])]
    rendered = {
        path: file
        for path, file in tree.items()
        if not is_below(path, never) and (is_below(path, rules.kept) or not is_below(path, rules.dropped))
    }
    for path in [path for path in rules.marked if path in rendered]:
        rendered[path] = File(tree[path].mode, text=drop_marked(texts[path], path))
    for path, lines in rules.replaced.items():
        if path in rendered:
            text = rendered[path].text
            rendered[path] = File(tree[path].mode, text=replace_lines(texts[path] if text is None else text, lines))
    for path in (path for path in tree if path.startswith(LAID_OVER)):
        text = Template(texts[path]).substitute(project=answers.project, repository=answers.repository)
        rendered[path.removeprefix(LAID_OVER)] = File(tree[path].mode, text=text)
    rendered[PROJECT] = File(tree[PROJECT].mode, text=render_project(texts[PROJECT], answers))
    rendered[FILE] = File(PLAIN, text=write_record(record))
    if not any(path.startswith(f"{SERVICES}/") for path in rendered):
        rendered[EMPTY] = File(PLAIN, text="")
    return rendered


def is_below(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path is what one of the patterns names, or below that."""
    return any(fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*") for pattern in patterns)


def drop_marked(text: str, shown: str) -> str:
    """Leave out lines that end in ``# template-only``, and what stands between its ``begin`` and ``end``."""
    kept: list[str] = []
    within = False
    for line in text.splitlines(keepends=True):
        if _BEGIN.match(line) or _END.match(line):
            if within == bool(_BEGIN.match(line)):
                raise ConfigError(shown, "has a mark `template-only` without its other half")
            within = not within
        elif not within and not _LINE.search(line.rstrip("\n")):
            kept.append(line)
    if within:
        raise ConfigError(shown, "has a mark `template-only` without its other half")
    return "".join(kept)


def replace_lines(text: str, lines: Iterable[Replaced]) -> str:
    """Put other lines for those that match."""
    for each in lines:
        text = re.sub(f"^(?:{each.line})$", lambda _, by=each.by: by, text, flags=re.MULTILINE)
    return text


def render_project(text: str, answers: Answers) -> str:
    """Put a project's answers into ``stackyard.yaml``; its other lines stay.

    An environment without an account keeps the one that it has; one that the file does not have is added.
    """
    given = {"project": answers.project, "repository": answers.repository, "region": answers.region}
    missing = dict(answers.accounts)
    lines: list[str] = []
    last = 0
    for line in text.splitlines():
        key, _, _ = line.partition(":")
        place = _PLACE.match(line)
        if key in given:
            line = f"{key}: {given[key]}"  # noqa: PLW2901  (the line as it will be)
        elif place:
            last = len(lines) + 1
            account = missing.pop(place[2], None)
            if account:
                line = f'{place[1]}"{account}"{line[place.end() :]}'  # noqa: PLW2901  (as above)
        lines.append(line)
    lines[last:last] = [f'  {name}: {{account: "{account}"}}' for name, account in missing.items()]
    return "\n".join(lines) + "\n"
