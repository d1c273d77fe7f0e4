"""``inv github-report``: one comment on a pull request, or one issue, made of the reports that jobs left in a folder.

Observe (the folder, what GitHub has of ours), decide (write, write anew, close), do it. What is ours is found by an
invisible line, and only where a job wrote it: anybody can write that line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stackyard.errors import MissingError
from stackyard.project import read_project
from stackyard.reports import Section, mark, read_expected, render_report
from stackyard.screen import Screen
from stackyard.tools.github import GitHub, find_run
from stackyard.tools.process import Runner

BOT = "github-actions[bot]"
"""As whom the jobs of all workflows write."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Where the report is now, and what was done for that."""

    done: Literal["written", "changed", "closed", "nothing"]
    url: str


def read_sections(folder: Path, expected: str) -> list[Section]:
    """Read the reports of a folder, ``<environment>.md`` each. Raises MissingError for a list that is none."""
    files = {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.md")} if folder.is_dir() else {}
    try:
        names = read_expected(expected, files)
    except (ValueError, TypeError) as error:
        raise MissingError("--expect", f"{expected!r} is no JSON list", command="inv github-facts") from error
    return [Section(name, files.get(name)) for name in names]


def report(root: Path, screen: Screen, runner: Runner, title: str, folder: Path, expected: str, pull: int) -> Reported:
    """Bring GitHub's comment on a pull request, or with 0 its issue, to what the reports say. Raises StackyardError."""
    github = GitHub(runner, read_project(root).repository)
    sections = read_sections(folder, expected)
    body = render_report(title, sections, find_run(os.environ))
    done = _comment(github, title, body, pull) if pull else _raise(github, title, body, sections)
    screen.note(f"{done.done} {done.url}".rstrip())
    return done


def find_ours(items: Iterable[dict[str, Any]], title: str) -> dict[str, Any] | None:
    """Return the comment or issue that a job wrote under this title, the first."""
    begin = mark(title)
    for item in items:
        if (
            str(item.get("body") or "").startswith(begin)
            and item["user"]["login"] == BOT
            and "pull_request" not in item
        ):
            return item
    return None


def _comment(github: GitHub, title: str, body: str, pull: int) -> Reported:
    ours = find_ours(github.read_all(f"issues/{pull}/comments?per_page=100"), title)
    if ours is None:
        return Reported("written", github.send("POST", f"issues/{pull}/comments", {"body": body})["html_url"])
    github.send("PATCH", f"issues/comments/{ours['id']}", {"body": body})
    return Reported("changed", ours["html_url"])


def _raise(github: GitHub, title: str, body: str, sections: Iterable[Section]) -> Reported:
    """Open, change or close the issue; what a failed job could not find out closes none."""
    texts = [section.text for section in sections]
    found, unknown = any(text and text.strip() for text in texts), None in texts
    ours = find_ours(github.read_all("issues?state=open&creator=github-actions%5Bbot%5D&per_page=100"), title)
    if ours is None:
        if not found:
            return Reported("nothing", "")
        return Reported("written", github.send("POST", "issues", {"title": title, "body": body})["html_url"])
    if found or unknown:
        github.send("PATCH", f"issues/{ours['number']}", {"body": body})
        return Reported("changed", ours["html_url"])
    github.send("PATCH", f"issues/{ours['number']}", {"body": body, "state": "closed", "state_reason": "completed"})
    return Reported("closed", ours["html_url"])
