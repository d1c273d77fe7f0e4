"""A deployed environment, asked everything at once: ``pytest tests/smoke --env dev [--service api]``.

Finds what is deployed when tests are collected, sends all requests side by side when the first test wants an answer,
and ends with a table of what was answered in how many ms. An environment that does not run ends the session with the
error's own exit code.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import httpx
import pytest

from stackyard.errors import StackyardError
from stackyard.screen import Screen
from tests.smoke.deployed import Deployed, find_deployed

PATIENCE = 30.0
"""Seconds for one answer: a cold start and then some; also how long a throttled request is tried again."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one service; ``name`` says it for people."""

    service: Deployed
    name: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Answers = dict[tuple[str, str], httpx.Response | httpx.HTTPError]

_ANSWERS = pytest.StashKey[Answers]()
_DEPLOYED = pytest.StashKey[list[Deployed]]()
_PROBES = pytest.StashKey[list[Probe]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the environment and the services."""
    group = parser.getgroup("smoke")
    group.addoption("--env", default="local", help="the environment (local)")
    group.addoption("--service", action="append", default=[], help="only this service; can be given again")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Find what is deployed before anything is collected; end here where that is nothing."""
    try:
        deployed(session.config)
    except StackyardError as error:
        lines = [str(error), error.fix, f"run: {error.command}" if error.command else ""]
        pytest.exit("\n  ".join(line for line in lines if line), error.exit_code)


def deployed(config: pytest.Config) -> list[Deployed]:
    """Return what is deployed, found once. Raises StackyardError."""
    if _DEPLOYED not in config.stash:
        environment = cast("str", config.getoption("--env", "local"))
        wanted = cast("list[str]", config.getoption("--service", []))
        config.stash[_DEPLOYED] = find_deployed(environment, wanted)
    return config.stash[_DEPLOYED]


def plan(config: pytest.Config, probe: Probe) -> Probe:
    """Note a question to be asked."""
    config.stash.setdefault(_PROBES, []).append(probe)
    return probe


@pytest.fixture(scope="session")
def answers(pytestconfig: pytest.Config) -> Answers:
    """Every answer, or why there is none, by the names of service and probe."""
    probes = pytestconfig.stash[_PROBES]
    # Proxies are for the world, not for this machine.
    proxied = not probes[0].service.emulated
    with httpx.Client(timeout=PATIENCE, trust_env=proxied) as client, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(partial(_ask, client), probes))
    pytestconfig.stash[_ANSWERS] = {
        (probe.service.name, probe.name): each for probe, each in zip(probes, found, strict=True)
    }
    return pytestconfig.stash[_ANSWERS]


def _ask(client: httpx.Client, probe: Probe) -> httpx.Response | httpx.HTTPError:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            answer = client.get(probe.service.url + probe.path, headers=dict(probe.headers))
        except httpx.HTTPError as error:
            return error
        # That the gateway has a limit says nothing against the service.
        if answer.status_code != 429 or time.monotonic() > until:
            return answer
        time.sleep(0.2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was answered."""
    rows: list[list[str]] = []
    for (service, name), answer in config.stash.get(_ANSWERS, Answers()).items():
        if isinstance(answer, httpx.Response):
            rows.append([service, name, str(answer.status_code), f"{answer.elapsed.total_seconds() * 1000:.1f}"])
        else:
            rows.append([service, name, type(answer).__name__, ""])
    if rows:
        text = io.StringIO()
        Screen(out=text).table(["SERVICE", "ASKED", "ANSWER", "MS"], rows)
        terminalreporter.write_line("")
        terminalreporter.write(text.getvalue())
