"""How tests that take minutes share a machine's cores."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class Turns(LoadScopeScheduling):
    """Give the next test to who is free, but the tests of some files, which share something dear, to one.

    The mark `xdist_group` would say the same, but pytest 9.2 does not take the names that pytest-xdist 3.8 makes of it.
    """

    def __init__(self, config: pytest.Config, log: Producer, together: Sequence[Sequence[str]]) -> None:
        """``together`` are groups of files, by the ends of their names."""
        super().__init__(config, log)
        self._together = [tuple(group) for group in together]

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((group[0] for group in self._together if file.endswith(group)), nodeid)
