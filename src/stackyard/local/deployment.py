"""What the local gateway is told: the applied API and what runs behind it, as the embedded AWS holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stackyard.addresses import FOLDER
from stackyard.project import Target
from stackyard.tools.aws import EMULATED_KEY
from stackyard.tools.live import Live, LiveFunction, LiveServer

SHARED = "src/servicekit"


def render_deployment(
    target: Target,
    outputs: Mapping[str, Any],
    live: Mapping[str, Live],
    keys: Sequence[Mapping[str, Any]],
    endpoint: str,
    secrets: Mapping[str, str] | None = None,
) -> str:
    """Write the gateway's input from the applied state's outputs and what is live, by service.

    ``secrets`` are the values, by ARN, of what the servers' platforms put into their environments.
    """
    services = outputs["services"]
    data: dict[str, Any] = {
        "project": target.project,
        "stage": outputs["stage"],
        "api_id": outputs["api_id"],
        "account": target.account,
        "region": target.region,
        "openapi": json.loads(outputs["openapi"]),
        "stage_variables": outputs.get("stage_variables") or {},
        "throttle": {"rate": target.throttle.rate, "burst": target.throttle.burst},
        "api_keys": list(keys),
        "aws": {"endpoint_url": endpoint, "access_key_id": EMULATED_KEY, "secret_access_key": EMULATED_KEY},
        "functions": {
            each.alias_arn: _function(service, each) for service, each in live.items() if isinstance(each, LiveFunction)
        },
        "servers": {
            services[service]["target"]: _server(service, services[service]["kind"], each, secrets or {})
            for service, each in live.items()
            if isinstance(each, LiveServer)
        },
    }
    # The same deployment has the same id, so that the gateway swaps exactly when something changed.
    data["id"] = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps(data, indent=1)


def _function(service: str, live: LiveFunction) -> dict[str, Any]:
    return {
        **_places(service),
        "name": live.name,
        "version": live.version,
        "handler": live.handler,
        "memory": live.memory,
        "timeout": live.timeout,
        "environment": dict(live.environment),
        "concurrency": live.concurrency,
        "log_group": live.log_group,
    }


def _server(service: str, kind: str, live: LiveServer, secrets: Mapping[str, str]) -> dict[str, Any]:
    return {
        **_places(service),
        "kind": kind,
        "version": live.version,
        "app": live.app,
        "memory": live.memory,
        "environment": {**live.environment, **{name: secrets[arn] for name, arn in live.secrets.items()}},
        "log_group": live.log_group,
    }


def _places(service: str) -> dict[str, Any]:
    folder = f"{FOLDER}/{service}"
    return {
        "service": service,
        "folder": folder,
        "watch": [folder, SHARED],
        "pythonpath": [folder, SHARED],
    }


def local_urls(url: str, stage: str, paths: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what to show at the end of ``inv up``: name and address of each service and of its documentation."""
    base = url.rstrip("/")
    rows: list[tuple[str, str]] = []
    for name, path in paths:
        prefix = base + path.rstrip("/")
        rows += [(name, prefix + "/"), (f"{name} docs", f"{prefix}/docs"), (f"{name} health", f"{prefix}/health")]
    return [*rows, ("as on execute-api", f"{base}/{stage}/")]
