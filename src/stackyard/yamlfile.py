"""Read a YAML file so that Python and Terraform cannot disagree on what it says, and every key knows its line.

PyYAML and Terraform's ``yamldecode`` read the same files. Where they would differ (a key given twice, ``yes``, a date,
a number that only one of them takes for a number) the file is refused rather than read in two ways. So is what neither
file needs and a person cannot see through: aliases, tags, keys without a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from stackyard.errors import ConfigError, MissingError
from stackyard.words import printable

Key = tuple[str | int, ...]

_NUMBER_ELSEWHERE = re.compile(r"^[-+]?(0[xo])?[.\d][\d_.eE:+-]*$")
_PLAIN_NUMBER = re.compile(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")
_BREAK_ELSEWHERE = re.compile("[\x85\u2028\u2029]")
_TRUTH_ELSEWHERE = re.compile(r"^(y|n|yes|no|on|off)$", re.IGNORECASE)


_FAST: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's content: ``data`` as plain Python values, ``lines`` the line of each key, counted from 1."""

    path: Path
    data: Mapping[str, object]
    lines: Mapping[Key, int]

    def line_of(self, key: Key) -> int | None:
        """Return the line of a key, or of the nearest key around it that the file has."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key[:-1]
        return None


def read_yaml(path: Path, shown: str) -> YamlFile:
    """Read one mapping from a file; ``shown`` is how errors name it.

    Raises ConfigError for what is not YAML or not one mapping, MissingError for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingError(shown, "there is no such file") from error
    except OSError as error:
        raise MissingError(shown, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _refuse(shown, "is not UTF-8 text", fix="Save it as UTF-8.") from error
    odd = _BREAK_ELSEWHERE.search(text)
    if odd:
        where, code = f"{shown}:{text.count(chr(10), 0, odd.start()) + 1}", f"{ord(odd[0]):04x}"
        why = f"has the character U+{code.upper()}, which YAML readers disagree on"
        raise _refuse(where, why, fix=f'Write it as "\\u{code}" in double quotes, or take it out.')
    lines: dict[Key, int] = {}
    try:
        # Parsing is nearly all that this takes, so the values come from the nodes that were looked at.
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise _refuse(shown, "is empty", fix="It must hold keys and values, like `kind: lambda`.")
        if not isinstance(node, yaml.MappingNode):
            raise _refuse(shown, "must hold keys and values, like `kind: lambda`, at its top level")
        _walk(node, (), lines, shown, set())
        data: object = loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType]  (its stub has no types)
    except RecursionError as error:
        raise _refuse(shown, "is nested too deeply") from error
    except yaml.YAMLError as error:
        raise _broken(shown, error) from error
    except ValueError as error:
        raise _refuse(shown, f"holds a value that is none: {error}", fix="Quote it to mean text.") from error
    return YamlFile(path, cast("Mapping[str, object]", data), lines)


def skim_yaml(path: Path, shown: str) -> Mapping[str, object]:
    """Read a mapping ten times faster, without lines and without the questions that `read_yaml` asks.

    For who wants a key or two of a file that others check. Raises as `read_yaml` does where nothing can be made of it.
    """
    try:
        data: object = yaml.load(path.read_bytes(), Loader=_FAST)  # noqa: S506  (the safe one, in C)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return read_yaml(path, shown).data
    return cast("Mapping[str, object]", data) if isinstance(data, dict) else read_yaml(path, shown).data


def _refuse(where: str, why: str, fix: str = "", detail: str = "") -> ConfigError:
    return ConfigError(where, why, fix=fix, detail=detail, command="inv services")


def _broken(shown: str, error: yaml.YAMLError) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}"
        why = f"is not valid YAML: {error.problem or error.context}"
        return _refuse(where, why, fix=f"Mend line {mark.line + 1}.", detail=_snippet(mark))
    words = " ".join(str(error).split())
    return _refuse(shown, f"is not valid YAML: {printable(words)}")


def _snippet(mark: yaml.Mark) -> str:
    """Return the line at fault with a sign below the place; nothing for the end of the file."""
    snippet = mark.get_snippet() or ""
    return snippet if snippet.strip(" ^\n") else ""


def _walk(node: yaml.Node, key: Key, lines: dict[Key, int], shown: str, seen: set[int]) -> None:
    """Note the line of every key, and refuse what is not read alike everywhere."""
    here = f"{shown}:{node.start_mark.line + 1}"
    if id(node) in seen:
        raise _refuse(here, f"`{dotted(key)}` is an alias (`*`) of something above", fix="Write it out.")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
        for name_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            inner = (*key, _check_key(name_node, shown))
            line = name_node.start_mark.line + 1
            if inner in lines:
                why = f"`{dotted(inner)}` is given twice, first in line {lines[inner]}"
                raise _refuse(f"{shown}:{line}", why, fix="Keep one of them.")
            lines[inner] = line
            _walk(value_node, inner, lines, shown, seen)
    elif isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
        for index, item in enumerate(cast("list[yaml.Node]", node.value)):
            lines[*key, index] = item.start_mark.line + 1
            _walk(item, (*key, index), lines, shown, seen)
    elif isinstance(node, yaml.ScalarNode):
        _check_scalar(node, key, here)
    else:
        raise _refuse(here, f"`{dotted(key)}` has the tag `{node.tag}`", fix="Remove the tag.")


def _check_key(node: yaml.Node, shown: str) -> str:
    """Return a key. Raises ConfigError for one that is not text to every reader."""
    where = f"{shown}:{node.start_mark.line + 1}"
    if node.tag == "tag:yaml.org,2002:merge":
        raise _refuse(where, "merge keys (`<<`) are easily misread", fix="Write out what is merged.")
    if not isinstance(node, yaml.ScalarNode):
        raise _refuse(where, "a list or a mapping stands where a key must", fix="Make it one word.")
    value = printable(cast("str", node.value))
    if node.tag != "tag:yaml.org,2002:str" or (node.style is None and _reads_otherwise(node.value)):
        raise _refuse(where, f"the key `{value}` is not text", fix=f'Quote it: "{value}".')
    return cast("str", node.value)


def _reads_otherwise(text: str) -> bool:
    """Tell whether a plain text is a number or a truth value to another reader."""
    return bool(_NUMBER_ELSEWHERE.match(text) or _TRUTH_ELSEWHERE.match(text))


def _check_scalar(node: yaml.ScalarNode, key: Key, where: str) -> None:
    """Refuse a scalar that Python and Terraform read as different things, and one that is nothing."""
    value, tag = cast("str", node.value), node.tag.removeprefix("tag:yaml.org,2002:")
    if tag == "null":
        raise _refuse(where, f"`{dotted(key)}` has no value", fix="Give it one, or remove the key.")
    if node.style is not None:
        alike = tag == "str"
    elif tag in {"int", "float"}:
        alike = bool(_PLAIN_NUMBER.match(value))
    elif tag == "bool":
        alike = not _TRUTH_ELSEWHERE.match(value)
    else:
        alike = tag == "str" and not _reads_otherwise(value)
    if not alike:
        why = f"`{dotted(key)}` is `{printable(value)}`, which YAML readers disagree on"
        fix = f'Quote it to mean text ("{printable(value)}"), or write true, false or a plain decimal number.'
        raise _refuse(where, why, fix=fix)


def dotted(key: Key) -> str:
    """Write a key as people do: ``overrides.prod.memory``."""
    return ".".join(printable(str(part)) for part in key)
