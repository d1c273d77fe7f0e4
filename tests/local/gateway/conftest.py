"""Real gateways with real workers, for the tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from applications import FAR, RAW
from gateway_lab import ECHO, KEY, SAY, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A gateway of this test's own, not yet started."""
    found = Lab(tmp_path)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running gateway with two services: ``/`` answers with its event, ``/say`` with what it was sent."""
    found = Lab(tmp_path_factory.mktemp("mirror"))
    found.service("echo", ECHO, path="/")
    found.service("say", SAY)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running gateway: ``/far`` tells what it was sent or says what it is told, others for one purpose each."""
    lab = Lab(tmp_path_factory.mktemp("far"))
    seen = {"SEEN": str(lab.root / "seen")}
    lab.server("far", FAR)
    lab.server("late", FAR, millis=500, environment=seen)
    lab.server("keyed", FAR, api_key=True)
    lab.server("crowd", FAR)
    lab.server("raw", RAW)
    lab.service("near", ECHO)
    lab.extra = {"api_keys": [KEY]}
    lab.start()
    yield lab
    lab.stop()
