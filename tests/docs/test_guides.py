"""Every shell block of the guides that no other test runs, typed in the order of each page, in one project."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.docs.test_typed import TYPED
from tests.docs.typist import Typist, fresh_clone, git
from tests.documents import Block, read_blocks

PAGES = sorted({block.page for block in read_blocks() if block.executed and block.page not in TYPED})


@pytest.fixture(scope="module")
def typist(tmp_path_factory: pytest.TempPathFactory) -> Generator[Typist]:
    """Somebody in a clone whose system is up."""
    with fresh_clone(tmp_path_factory.mktemp("guides")) as made:
        made.type([Block("the beginning", 0, "bash", f"uv run inv up --detach --port {made.port}\n")])
        yield made


@pytest.mark.parametrize("page", PAGES)
def test_a_guide_can_be_followed(page: str, typist: Typist) -> None:
    """Each block ends well and prints what the page says; what the page changed is taken back afterwards."""
    before = len(typist.steps)
    try:
        typist.type([block for block in read_blocks() if block.page == page])
    finally:
        typist.leave()
        git(typist.root, "checkout", "--quiet", ".")
        git(typist.root, "clean", "--quiet", "--force", "-d", "--exclude=uv.lock")
    assert len(typist.steps) > before
