"""What the local gateway is told: the applied API and the functions behind it, as the embedded AWS holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stackyard.project import Target
from stackyard.services import FOLDER
from stackyard.tools.aws import EMULATED_KEY, LiveFunction

SHARED = "src/servicekit"


def render_deployment(
    target: Target,
    outputs: Mapping[str, Any],
    functions: Mapping[str, LiveFunction],
    keys: Sequence[Mapping[str, Any]],
    endpoint: str,
) -> str:
    """Write the gateway's input from the applied state's outputs and the live functions, by service."""
    data: dict[str, Any] = {
        "project": target.project,
        "stage": outputs["stage"],
        "api_id": outputs["api_id"],
        "account": target.account,
        "region": target.region,
        "openapi": json.loads(outputs["openapi"]),
        "throttle": {"rate": target.throttle.rate, "burst": target.throttle.burst},
        "api_keys": list(keys),
        "aws": {"endpoint_url": endpoint, "access_key_id": EMULATED_KEY, "secret_access_key": EMULATED_KEY},
        "functions": {live.alias_arn: _function(service, live) for service, live in functions.items()},
    }
    # The same deployment has the same id, so that the gateway swaps exactly when something changed.
    data["id"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps(data, indent=1)


def _function(service: str, live: LiveFunction) -> dict[str, Any]:
    folder = f"{FOLDER}/{service}"
    return {
        "service": service,
        "name": live.name,
        "version": live.version,
        "folder": folder,
        "watch": [folder, SHARED],
        "pythonpath": [folder, SHARED],
        "handler": live.handler,
        "memory": live.memory,
        "timeout": live.timeout,
        "environment": dict(live.environment),
        "concurrency": live.concurrency,
        "log_group": live.log_group,
    }


def local_urls(url: str, stage: str, paths: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what to show at the end of ``inv up``: name and address of each service and of its documentation."""
    base = url.rstrip("/")
    rows: list[tuple[str, str]] = []
    for name, path in paths:
        prefix = base + path.rstrip("/")
        rows += [(name, prefix + "/"), (f"{name} docs", f"{prefix}/docs"), (f"{name} health", f"{prefix}/health")]
    return [*rows, ("as on execute-api", f"{base}/{stage}/")]
