"""``inv open``: a service in the browser, its documentation, its page in AWS's console, or the dashboard.

On the laptop the console is the local gateway's own.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence

from stackyard.commands.applied import read_applied
from stackyard.commands.session import Session
from stackyard.consoles import console_url, dashboard_url
from stackyard.errors import ConfigError, MissingError
from stackyard.local.daemons import GATEWAY, find_daemon

WHAT = ("service", "docs", "console", "dashboard")


def open_address(session: Session, names: Sequence[str], what: str, *, show: bool) -> str:
    """Print an address, and have a browser show it if ``show``. Raises StackyardError."""
    url = find_address(session, names, what)
    session.screen.data(url)
    if show and not webbrowser.open(url):
        session.screen.warn("no browser here; the address stands above")
    return url


def find_address(session: Session, names: Sequence[str], what: str) -> str:
    """Return what would be opened. Raises ConfigError for what makes no sense, MissingError for what is not there."""
    target = session.target
    command = f"inv open --env {target.name} --help"
    if what not in WHAT:
        raise ConfigError(f"--what {what}", f"is none of {', '.join(WHAT)}", command=command)
    if len(names) > 1:
        raise ConfigError(" ".join(names), "one service at a time", command=command)
    if what == "dashboard" and target.emulated:
        raise MissingError(
            "the laptop has no dashboard", "it belongs to AWS", command=f"inv status --env {target.name}"
        )
    if what == "console" and target.emulated:
        return _find_console(session)
    if what == "dashboard":
        return dashboard_url(target)
    applied = read_applied(session)
    services = applied.services
    unknown = [name for name in names if name not in services]
    if unknown:
        raise MissingError(
            f"there is no service {unknown[0]} in {target.name}",
            f"there are {', '.join(services)}",
            command="inv services",
        )
    owner = next((name for name, facts in services.items() if facts["path"] == "/"), next(iter(services)))
    name = names[0] if names else owner
    if what == "console":
        return console_url(target, str(services[name]["kind"]), name)
    if not applied.url:
        raise MissingError("the local gateway is not running", command="inv up")
    return applied.url + str(services[name]["path"]).rstrip("/") + ("/docs" if what == "docs" else "/")


def _find_console(session: Session) -> str:
    gateway = find_daemon(session.layout, GATEWAY)
    if gateway is None:
        raise MissingError("the local gateway is not running", command="inv up")
    if not gateway.console:
        raise MissingError("the console is off", "`inv up` was told --no-console", command="inv down && inv up")
    return gateway.console
