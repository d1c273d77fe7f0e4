"""What is written about plans and drift where people read it: pull requests and issues, in Markdown.

A report names resources and attributes and holds no value of any: what Terraform marks as sensitive, and what it does
not know to be, cannot be in it. Pure: where a report goes is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LIMIT = 60_000
"""Characters of a comment or an issue; GitHub takes 65,536."""

SHOWN = 100
"""Resources that are listed one by one."""

_ACTIONS = {
    "create": "create",
    "import": "import",
    "update": "change",
    "replace": "**replace**",
    "delete": "**destroy**",
    "move": "rename",
    "remove": "forget",
}


def render_plan(
    summary: str, changes: Sequence[Mapping[str, str]], missing: Sequence[str] = (), cost: Sequence[str] = ()
) -> str:
    """Write what a deploy would do to one environment.

    ``missing`` are the tags of images that it would build, ``cost`` what changes in a month's cost, in sentences.
    """
    lines = [f"**{summary}**"]
    if cost:
        lines += ["", f"Cost: {cost[0]}", *(f"- {line}" for line in cost[1:])]
    if missing:
        lines += ["", f"Images to build: {', '.join(_code(tag) for tag in missing)}"]
    rows = [(change, _ACTIONS[change["action"]]) for change in changes if change["action"] in _ACTIONS]
    if rows:
        lines += ["", "<details><summary>Resources</summary>", "", "| | |", "|---|---|"]
        for change, action in rows[:SHOWN]:
            reason = f" ({change['reason'].replace('_', ' ')})" if change.get("reason") else ""
            lines.append(f"| {action} | {_code(change['address'])}{reason} |")
        if len(rows) > SHOWN:
            lines.append(f"| | and {len(rows) - SHOWN} more |")
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def render_drift(sentences: Sequence[str], command: str) -> str:
    """Write what was changed past Terraform in one environment, and what mends it; nothing where nothing was."""
    if not sentences:
        return ""
    lines = [f"- {_code(sentence)}" for sentence in sentences[:SHOWN]]
    if len(sentences) > SHOWN:
        lines.append(f"- and {len(sentences) - SHOWN} more")
    mend = f"{_code(command)} brings back what the project's files say. What shall stay goes into them."
    return "\n".join(["Changed past Terraform:", "", *lines, "", mend]) + "\n"


@dataclass(frozen=True, slots=True)
class Section:
    """What one environment's job left behind: its report, empty where there is nothing to say, None where it failed."""

    environment: str
    text: str | None


def read_expected(text: str, found: Iterable[str]) -> list[str]:
    """Return the environments that a report is about, in order: those expected (a JSON list), or all that are there."""
    if not text:
        return sorted(found)
    parsed: object = json.loads(text)
    if not isinstance(parsed, list):
        raise TypeError("not a list")
    return [str(name) for name in parsed]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  (JSON)


def mark(title: str) -> str:
    """Return the invisible line by which a comment or an issue of ours is found again."""
    return f"<!-- stackyard: {title} -->"


def render_report(title: str, sections: Sequence[Section], run: str) -> str:
    """Write the comment or issue about all environments; ``run`` is the workflow run's address, or nothing."""
    lines = [mark(title), f"## {title}"]
    for section in sections:
        failed = "Nothing is known: its job failed, or was not let through."
        text = failed if section.text is None else section.text.strip() or "nothing"
        lines += ["", f"### {_code(section.environment)}", "", text]
    if run:
        lines += ["", f"[The run]({run})"]
    whole = "\n".join(lines) + "\n"
    return whole if len(whole) <= LIMIT else f"{whole[:LIMIT]}\n\n… too long for this place; the rest is in the run.\n"


def _code(text: str) -> str:
    """Show text as it is: no Markdown, HTML or name of a person in it counts."""
    return f"`{text.replace('`', chr(39)).replace('|', '/').replace(chr(10), ' ')}`"
