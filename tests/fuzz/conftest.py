"""One gateway with services that write down what reaches them, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stackyard.local.gateway.recorder import ROOM
from tests.fuzz.client import talk
from tests.fuzz.recorders import FUNCTION, SEEN, SERVER, Record
from tests.local import conftest as whole_system
from tests.local.gateway.gateway_lab import KEY, Lab
from tests.waiting import until

SLACK = 24 * 1024 * 1024 + ROOM
"""Bytes that a process may have grown by after all of a module's tests: caches, what the allocator keeps, and what the
console shows."""

installed = whole_system.installed


@dataclass
class Target:
    """A running gateway, what is known of its services, and what it took when it began."""

    lab: Lab
    record: Record
    memory: int = 0
    files: int = 0
    pid: int = field(default=0)

    def __post_init__(self) -> None:
        self.pid = self.lab.status()["pid"]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.lab.port

    def resident(self) -> int:
        """Return the bytes of memory that the gateway holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096

    def open_files(self) -> int:
        """Return how many files and sockets the gateway holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def check_well(self) -> None:
        """Insist that a plain request is served by each service, and reaches it once. Raises AssertionError."""
        self.record.take()
        for service in ("near", "afar"):
            plain = talk(self.port, f"GET /{service}/plain HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), answers=1)
            assert plain.statuses == [200]
            [seen] = [each for each in self.record.take() if each.target == f"/{service}/plain"]
            assert (seen.service, seen.verb, seen.fault) == (service, "GET", "")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A gateway with ``/near`` (Lambda), ``/afar`` and ``/keyed`` (behind HTTP); afterwards it is as it was.

    That is: no traceback and no bug in what it printed, its files closed, its memory given back.
    """
    lab = Lab(tmp_path_factory.mktemp("target"))
    seen = lab.root / "seen"
    environment = {SEEN: str(seen)}
    lab.service("near", FUNCTION, environment=environment)
    lab.server("afar", SERVER, environment=environment)
    lab.server("keyed", SERVER, environment=environment, api_key=True)
    lab.extra = {"api_keys": [KEY]}
    lab.start()
    found = Target(lab, Record(seen))
    try:
        found.check_well()
        found.memory, found.files = found.resident(), found.open_files()
        yield found
        found.check_well()
        assert "Traceback" not in lab.screen(), lab.screen()
        assert "a bug" not in lab.screen(), lab.screen()
        # The pool of connections to a server may have grown; those of clients are gone.
        until(lambda: found.open_files() <= found.files + 8, "its files are closed", 15)
        assert found.resident() - found.memory < SLACK
    finally:
        lab.stop()
