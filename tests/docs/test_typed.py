"""README and getting started, typed literally on a fresh clone in a shell that has HOME and PATH and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.times import keep_times
from tests.docs.typist import fresh_clone
from tests.documents import ROOT, find_blocks

TYPED = ("README.md", "docs/guides/getting-started.md")


@pytest.mark.parametrize("page", TYPED)
def test_a_newcomer_gets_through(page: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Every block works in the order of the page, and prints what the page says; then Ctrl-C ends all of it."""
    with fresh_clone(tmp_path) as typist:
        typist.type(find_blocks(page, (ROOT / page).read_text(encoding="utf-8")))
        for background in typist.running:
            assert background.interrupt() == 130, "".join(background.lines)
    assert len(typist.steps) > 4
    keep_times(pytestconfig, page, typist.steps)
