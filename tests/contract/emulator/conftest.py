"""An emulator whose rollouts a test moves on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.contract.conftest import Emulator
from tests.minutes import RolloutClock


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> RolloutClock:
    """The rollouts' clock, which stands still."""
    return RolloutClock(tmp_path_factory.mktemp("clock") / "minutes")


@pytest.fixture(scope="module")
def paced(start_emulator: Callable[..., Emulator], clock: RolloutClock) -> Iterator[Emulator]:
    """An emulator whose rollouts go by that clock."""
    running = start_emulator(env=clock.environment)
    yield running
    running.daemon.stop()
