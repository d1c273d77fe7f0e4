"""The option that writes the times of the typed pages down."""

from __future__ import annotations

import pytest

from tests.docs.times import TAKEN, render_times, write_times


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--write-times``."""
    parser.addoption("--write-times", action="store_true", help="write the seconds of each step into getting started")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the seconds of each step."""
    if taken := config.stash.get(TAKEN, None):
        terminalreporter.write_line(render_times(taken))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write them down where that was asked for, and nothing failed."""
    taken = session.config.stash.get(TAKEN, None)
    if taken and exitstatus == 0 and session.config.getoption("--write-times"):
        write_times(taken)
