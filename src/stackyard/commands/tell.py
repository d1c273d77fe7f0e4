"""Tell the local gateway what was applied, and wait until that is what it serves."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.local import daemons
from stackyard.local.deployment import render_deployment
from stackyard.tools.apikeys import describe_keys
from stackyard.tools.holding import write_atomically
from stackyard.tools.http import get
from stackyard.tools.live import Live, LiveServer
from stackyard.tools.secrets import read_secrets

PATIENCE = 15.0
"""Seconds that the gateway gets to take a deployment."""
_POLL = 0.05
"""Seconds between two questions to it; each costs a deploy 2 ms of CPU time."""
STARTING_PATIENCE = 60.0
"""Seconds that the new processes of services behind HTTP get; the old ones serve until then."""


def tell_gateway(session: Session, endpoint: str, outputs: Mapping[str, Any], live: Mapping[str, Live]) -> str:
    """Give the gateway the applied API where it has another, and return its address once new processes serve it.

    The address is empty while no gateway runs; the next one reads what is written here. Raises ToolError for a gateway
    that does not take it, with its own words.
    """
    keyed = any(facts["api_key"] for facts in outputs["services"].values())
    keys = describe_keys(session.aws, outputs["api_id"]) if keyed else []
    wanted_secrets = {arn for each in live.values() if isinstance(each, LiveServer) for arn in each.secrets.values()}
    secrets = read_secrets(session.aws, wanted_secrets)
    text = render_deployment(session.target, outputs, live, keys, endpoint, secrets)
    try:
        known = session.layout.deployment.read_text(encoding="utf-8")
    except OSError:
        known = ""
    if text != known:
        write_atomically(session.layout.deployment, text)
    gateway = daemons.find_daemon(session.layout, daemons.GATEWAY)
    if gateway is None:
        return ""
    wanted, until = json.loads(text)["id"], time.monotonic() + PATIENCE
    while _status(gateway.url).get("deployment") != wanted:
        if time.monotonic() > until:
            raise ToolError(
                "the local gateway does not take the deployment",
                f"after {PATIENCE:g} s it serves another",
                detail=daemons.tail(session.layout.daemon_log(daemons.GATEWAY)),
                command="inv down && inv up",
            )
        time.sleep(_POLL)
    until = time.monotonic() + STARTING_PATIENCE
    while _is_starting(_status(gateway.url)) and time.monotonic() < until:
        time.sleep(_POLL)
    return gateway.url


def _status(url: str) -> Mapping[str, Any]:
    """Return what a gateway says of itself; nothing when it does not."""
    try:
        status = json.loads(get(f"{url}/_stackyard/status", 5).text)
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", status) if isinstance(status, dict) else {}


def _is_starting(status: Mapping[str, Any]) -> bool:
    """Tell whether a process is on its way, so that its service may still be served by the one before."""
    servers = status.get("servers", [])
    return any(process["state"] == "starting" for server in servers for process in server["processes"])
