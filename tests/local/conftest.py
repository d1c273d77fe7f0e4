"""A copy of this checkout with an environment of its own, for the tests of the whole system."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer

from tests.local.project import Project, copy_project, find_uv, free_port, install
from tests.turns import Turns
from tests.waiting import until

TOGETHER = (
    "test_page.py",
    "test_console_page.py",
    "test_kinds.py",
    "test_locks.py",
    "test_change.py",
    "test_rollouts.py",
    "test_workflows.py",
    "test_recovery.py",
    "test_journey.py",
)
"""Files whose tests share one system."""

LONG = ("test_journey", "test_killed", "test_releases", "test_rollouts", "test_kinds.py", "test_change", "test_locks")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Turns:
    """Leave a file's tests together where they share one system."""
    return Turns(config, log, [(name,) for name in TOGETHER])


def pytest_configure() -> None:
    """Let Ctrl-C reach what is started here, where a shell's `&` or nohup has said to ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take minutes, so that none of them is left alone at the end."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONG))


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with api alone, its lock and an environment of its own, made once for each worker.

    Not once for all: `inv up` writes into it, and processes of other workers would meet it half written.
    """
    root = tmp_path_factory.mktemp("installed") / "project"
    copy_project(root, "api")
    install(root)
    return root


@contextlib.contextmanager
def running(installed: Path, root: Path, *services: str) -> Generator[Project]:
    """Give a project of its own, with the shared environment; nothing of it is left running."""
    copy_project(root, *services)
    if services == ("api",):
        shutil.copy2(installed / "uv.lock", root)
    (root / ".venv").symlink_to(installed / ".venv")
    made = Project(root, installed / ".venv/bin/inv", free_port(), {"UV": find_uv()})
    yield made
    made.run("down")
    until(lambda: not made.processes(), f"the end of {made.processes()}", 20)


@pytest.fixture
def project(installed: Path, tmp_path: Path) -> Generator[Project]:
    """A project of the test's own, with the service api alone."""
    with running(installed, tmp_path / "project", "api") as made:
        yield made


@pytest.fixture
def shipped(installed: Path, tmp_path: Path) -> Generator[Project]:
    """A project of the test's own, with the three services that a clone has."""
    with running(installed, tmp_path / "project") as made:
        yield made


@pytest.fixture(scope="module")
def shared(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Project]:
    """A project for a module's tests together, with the service api alone."""
    with running(installed, tmp_path_factory.mktemp("shared") / "project", "api") as made:
        yield made
