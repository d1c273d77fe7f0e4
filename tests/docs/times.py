"""How long each step of the typed pages took, and the table of it in getting started."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from stackyard.marked import place
from tests.docs.typist import Step
from tests.documents import ROOT

PAGE = "docs/guides/getting-started.md"
BEGIN, END = "<!-- times: made by `nox -s docs -- --write-times` -->", "<!-- end of times -->"
TAKEN = pytest.StashKey[dict[str, Sequence[Step]]]()


def keep_times(config: pytest.Config, page: str, steps: Sequence[Step]) -> None:
    """Remember a page's steps until all pages are typed."""
    config.stash.setdefault(TAKEN, {})[page] = steps


def render_times(taken: dict[str, Sequence[Step]]) -> str:
    """Return the table: page, what was typed, seconds."""
    rows = [
        f"| {page.removeprefix('docs/guides/').removesuffix('.md')} | {name_step(step)} | {step.seconds:.1f} |"
        for page, steps in taken.items()
        for step in steps
    ]
    day, cores = datetime.now(UTC).strftime("%Y-%m-%d"), len(os.sched_getaffinity(0))
    total = sum(step.seconds for steps in taken.values() for step in steps)
    said = f"On {day}, on {cores} cores, with the packages in uv's cache; {total:.0f} s in all."
    return "\n".join([said, "", "| Page | Typed | Seconds |", "|---|---|---:|", *rows])


def name_step(step: Step) -> str:
    """Return the commands of a step, shortened, as code."""
    lines = [re.sub(r"\s+# .*", "", line) for line in step.block.text.strip().splitlines()]
    said = "; ".join(lines)
    return f"`{said if len(said) <= 96 else said[:95] + '…'}`".replace("|", "\\|")


def write_times(taken: dict[str, Sequence[Step]]) -> None:
    """Write the table into its page."""
    path = ROOT / PAGE
    path.write_text(place(path.read_text(encoding="utf-8"), BEGIN, END, render_times(taken)), encoding="utf-8")
