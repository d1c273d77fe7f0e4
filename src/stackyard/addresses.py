"""Where a service is reached: its folder, its public path, its port on the load balancer.

Knows names and texts only, not the model of ``service.yaml``: what merely adds a folder need not pay for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from stackyard.names import LOCAL

FOLDER = "src/services"
FILE = "service.yaml"

PATH = r"^/([a-z0-9][a-z0-9_-]*)?$"
"""A public path: the root, or one segment."""
PATH_LENGTH = 128

LISTENERS = 50
"""Of one Network Load Balancer (Elastic Load Balancing: quotas for your Network Load Balancers)."""

RESOURCES = 300
"""Of one REST API (API Gateway: Quotas for configuring and running a REST API)."""

RESERVED_PATHS = {
    f"/{LOCAL}": "is the stage of the laptop's own gateway",
    "/ping": "is API Gateway's own health check",
    "/sping": "is API Gateway's own health check",
    **dict.fromkeys(("/health", "/liveness", "/readiness", "/docs", "/openapi.json"), "is every service's own"),
}
"""API Gateway: Amazon API Gateway important notes. A service there would hide what the owner of / answers itself."""


def default_path(name: str) -> str:
    """Return the public path of a service that names none."""
    return "/" if name == "api" else f"/{name}"


def find_path_clashes(paths: Iterable[tuple[str, str]]) -> list[str]:
    """Say which services, as name and path, claim the same path. Compared as the gateway does, to the letter."""
    owners: dict[str, str] = {}
    problems: list[str] = []
    for name, path in paths:
        if path in RESERVED_PATHS:
            problems.append(f"{FOLDER}/{name}/{FILE}: the path {path} {RESERVED_PATHS[path]}; give another")
        other = owners.setdefault(path, name)
        if other != name:
            what = "both own /" if path == "/" else f"both have the path {path}"
            problems.append(
                f"{FOLDER}/{other}/{FILE} and {FOLDER}/{name}/{FILE} {what}; give one of them another `path`"
            )
    return problems


def find_crowding(services: Iterable[tuple[str, bool]]) -> list[str]:
    """Say that the API has no room for all services, each its path and whether it answers /services.json.

    An API's resources are its root, every service's path, all below that, and the list of services.
    """
    found = list(services)
    needed = len({"/", *(path for path, _ in found)}) + len(found) + sum(catalog for _, catalog in found)
    if needed <= RESOURCES:
        return []
    return [f"{len(found)} services need {needed} resources of the API, about two each; one API has {RESOURCES}"]


def listener_port(name: str) -> int:
    """Return the port of the load balancer that leads to a private service. Terraform computes the same."""
    return 10000 + int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 40000


def find_port_clashes(names: Iterable[str]) -> list[str]:
    """Say which private services share a port of the load balancer, or that it has too many."""
    owners: dict[int, str] = {}
    problems: list[str] = []
    private = list(names)
    for name in private:
        other = owners.setdefault(listener_port(name), name)
        if other != name:
            problems.append(
                f"{FOLDER}/{other} and {FOLDER}/{name} get the same port of the load balancer from their names; "
                "rename one of them"
            )
    if len(private) > LISTENERS:
        problems.append(f"{len(private)} services of kinds ecs and eks; one load balancer has {LISTENERS} listeners")
    return problems
