"""Tell the local gateway what was applied, and wait until that is what it serves."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from stackyard.commands.session import Session
from stackyard.errors import ToolError
from stackyard.local import daemons
from stackyard.local.deployment import render_deployment
from stackyard.tools.holding import write_atomically
from stackyard.tools.http import get
from stackyard.tools.live import Live, LiveServer

PATIENCE = 15.0
"""Seconds that the gateway gets to take a deployment."""


def tell_gateway(session: Session, endpoint: str, outputs: Mapping[str, Any], live: Mapping[str, Live]) -> str:
    """Give the gateway the applied API where it has another, and return its address once it serves it.

    The address is empty while no gateway runs; the next one reads what is written here. Raises ToolError for a gateway
    that does not take it, with its own words.
    """
    keyed = any(facts["api_key"] for facts in outputs["services"].values())
    keys = session.aws.describe_keys(outputs["api_id"]) if keyed else []
    wanted_secrets = {arn for each in live.values() if isinstance(each, LiveServer) for arn in each.secrets.values()}
    secrets = session.aws.read_secrets(wanted_secrets)
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
    while _served(gateway.url) != wanted:
        if time.monotonic() > until:
            raise ToolError(
                "the local gateway does not take the deployment",
                f"after {PATIENCE:g} s it serves another",
                detail=daemons.tail(session.layout.daemon_log(daemons.GATEWAY)),
                command="inv down && inv up",
            )
        time.sleep(0.02)
    return gateway.url


def _served(url: str) -> str:
    """Return the id of the deployment that a gateway serves; empty when it does not say."""
    answer = get(f"{url}/_stackyard/status", 5)
    try:
        return str(json.loads(answer.text)["deployment"])
    except (ValueError, KeyError, TypeError):
        return ""
