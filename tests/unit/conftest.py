"""Unit tests cannot touch the world: starting a process or opening a socket fails the test that does it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import settings

from stackyard.testing import Printed, ScriptedRunner, printed_screen
from tests.unit.folder import Folder

# The same examples in every run: what fails here fails for everybody.
settings.register_profile("unit", deadline=None, derandomize=True, database=None, max_examples=200)
settings.load_profile("unit")

# boto3's first import opens a socket, to see whether there is IPv6; that is no test's doing.
import_module("stackyard.tools.aws")

STARTERS = ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen", "execv", "execve", "execvp", "execvpe")


def _refuse(what: str) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail(f"a unit test tried to {what}; use ScriptedRunner, or make it a contract test")

    return refuse


@pytest.fixture(autouse=True)
def no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse processes and sockets; a socket made from a file descriptor (a pair, for an event loop) stays possible."""
    monkeypatch.setattr(subprocess.Popen, "__init__", _refuse("start a process"))
    for name in STARTERS:
        monkeypatch.setattr(os, name, _refuse("start a process"))
    open_socket = socket.socket.__init__

    def open_pair_only(
        self: socket.socket, family: int = -1, kind: int = -1, proto: int = -1, fileno: int | None = None
    ) -> None:
        if fileno is None:
            pytest.fail("a unit test tried to open a socket; make it a contract test")
        open_socket(self, family, kind, proto, fileno)

    monkeypatch.setattr(socket.socket, "__init__", open_pair_only)


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Take away what the machine says about Terraform, AWS and uv, and give the test a home of its own."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "TF_", "STACKYARD_", "XDG_")) or name == "UV":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A project folder with a stackyard.yaml and no services."""
    return Folder(tmp_path / "project")


@pytest.fixture
def runner() -> Generator[ScriptedRunner]:
    """A scripted runner; what it expected must have been called when the test ends."""
    with ScriptedRunner() as scripted:
        yield scripted


@pytest.fixture
def printed() -> Printed:
    """A screen that is no terminal, and what it shows."""
    return printed_screen()
