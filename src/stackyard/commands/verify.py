"""Observe again after a deploy: what runs is what was planned, and it answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stackyard.commands.cluster import find_service
from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.local import daemons
from stackyard.tools.http import get
from stackyard.tools.live import Live

PATIENCE = 30.0
"""Seconds that a service gets to answer its health endpoint after a deploy."""

BROKEN_PATIENCE = 3.0
"""Seconds that a service gets once it was seen to fail (502): long enough for a reload that was under way."""


def find_all_live(session: Session, services: Mapping[str, Mapping[str, Any]]) -> dict[str, Live]:
    """Return what runs for each deployed service. Raises ToolError for one that is not there."""
    found: dict[str, Live] = {}

    def ask(service: str) -> Live | None:
        return find_service(session, str(services[service]["kind"]), service)

    with ThreadPoolExecutor(8) as pool:
        for service, live in zip(services, pool.map(ask, services), strict=True):
            if live is None:
                raise ToolError(
                    f"{services[service]['resource']} is not there",
                    "though Terraform says that it applied it",
                    command=f"inv deploy --env {session.target.name}",
                )
            found[service] = live
    return found


def verify_digests(live: Mapping[str, Live], digests: Mapping[str, str]) -> list[str]:
    """Say which services run another image than the planned one."""
    return [
        f"{service} runs {live[service].digest}, planned was {digest}"
        for service, digest in digests.items()
        if service in live and live[service].digest != digest
    ]


def verify_health(session: Session, url: str, services: Mapping[str, Mapping[str, Any]]) -> bool:
    """Ask every service's health endpoint through the gateway until it answers, and print the result.

    Raises ToolError that names the services that do not.
    """
    # A service behind a key answers nobody without one: that it refuses is the sign that it is reached.
    good = {name: {403} if facts["api_key"] else {200} for name, facts in services.items()}
    addresses = {name: f"{url.rstrip('/')}{str(facts['path']).rstrip('/')}/health" for name, facts in services.items()}
    until = time.monotonic() + PATIENCE

    def ask(name: str) -> str:
        patience = until
        while True:
            answer = get(addresses[name], 10)
            if answer.status in good[name]:
                return ""
            if answer.status == 502:
                patience = min(patience, time.monotonic() + BROKEN_PATIENCE)
            if time.monotonic() > patience:
                return f"{addresses[name]} answers {answer.status or 'nothing'}: {answer.text[:200]}"
            time.sleep(0.1)

    with ThreadPoolExecutor(8) as pool:
        failures = [failure for failure in pool.map(ask, addresses) if failure]
    if failures:
        if not session.target.emulated:
            raise ToolError(
                "deployed, but not healthy", "; ".join(failures), command=f"inv doctor --env {session.target.name}"
            )
        raise ToolError(
            "deployed, but not healthy",
            "; ".join(failures),
            fix="The gateway's last lines stand above; mend the service, then",
            command="inv up",
            detail=daemons.tail(session.layout.daemon_log(daemons.GATEWAY), 40),
        )
    session.screen.note(f"healthy: {', '.join(addresses) or 'no services'}")
    return True
