"""What is deployed, as a page draws it: the API, its routes, the services behind them and how they are.

Pure but for the looks at services; the document that was applied is the only source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from stackyard.local.gateway.integration import HttpTarget
from stackyard.local.gateway.mock import MockTarget

if TYPE_CHECKING:
    from stackyard.local.gateway.functions import Function
    from stackyard.local.gateway.gateway import Gateway
    from stackyard.local.gateway.routes import Method
    from stackyard.local.gateway.servers import Server


class RouteView(TypedDict):
    """One method of one resource; ``verb`` is ``ANY`` for all, ``service`` empty where the gateway answers."""

    verb: str
    path: str
    service: str
    key: bool
    timeout: float


class ServiceView(TypedDict):
    """One service as deployed, and how it is. Memory in MiB."""

    name: str
    kind: str
    path: str
    version: str
    memory: int
    group: str
    state: str
    trouble: str
    requests: int
    starts: int
    waiting: int
    processes: list[tuple[int, str]]


class System(TypedDict):
    """All that is served. ``rate`` in requests a second."""

    project: str
    stage: str
    region: str
    api: str
    deployment: str
    address: str
    rate: float | None
    burst: int | None
    keys: int
    emulator: str
    routes: list[RouteView]
    services: list[ServiceView]


def describe_system(gateway: Gateway) -> System | None:
    """Return what is served now; None while nothing is."""
    serving = gateway.serving
    if serving is None:
        return None
    deployment = serving.deployment
    routes = [_route(gateway, verb, method) for verb, method in serving.router.methods]
    throttle = deployment.throttle
    return {
        "project": deployment.project,
        "stage": deployment.stage,
        "region": deployment.region,
        "api": deployment.api_id,
        "deployment": deployment.id,
        "address": gateway.url,
        "rate": throttle.rate if throttle else None,
        "burst": throttle.burst if throttle else None,
        "keys": len(serving.gate.callers),
        "emulator": deployment.aws.endpoint_url if deployment.aws else "",
        "routes": sorted(routes, key=lambda each: (each["path"], each["verb"])),
        "services": sorted(_services(gateway, routes), key=lambda each: each["name"]),
    }


def _route(gateway: Gateway, verb: str, method: Method) -> RouteView:
    target = method.target
    service = ""
    if isinstance(target, HttpTarget):
        service = server.definition.service if (server := gateway.servers.get(target.server)) else ""
    elif not isinstance(target, MockTarget):
        service = function.definition.service if (function := gateway.functions.get(target)) else ""
    return {
        "verb": "ANY" if verb == "*" else verb,
        "path": method.resource,
        "service": service,
        "key": method.needs_key,
        "timeout": method.timeout,
    }


def _services(gateway: Gateway, routes: list[RouteView]) -> list[ServiceView]:
    return [
        *(_service(each, "lambda", each.invocations, each.cold_starts, routes) for each in gateway.functions.values()),
        *(
            _service(each, each.definition.kind, each.requests, each.starts, routes)
            for each in gateway.servers.values()
        ),
    ]


def _service(each: Function | Server, kind: str, requests: int, starts: int, routes: list[RouteView]) -> ServiceView:
    definition = each.definition
    return {
        "name": definition.service,
        "kind": kind,
        "path": min((route["path"] for route in routes if route["service"] == definition.service), key=len, default=""),
        "version": definition.version,
        "memory": definition.memory,
        "group": definition.log_group,
        "state": each.state,
        "trouble": each.trouble,
        "requests": requests,
        "starts": starts,
        "waiting": each.waiting,
        "processes": each.processes,
    }
