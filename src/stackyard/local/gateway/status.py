"""What may be asked of the gateway itself, below ``/_stackyard/``: its status here, all else of the console."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from typing import TYPE_CHECKING, Protocol

from stackyard.local.gateway.message import Request
from stackyard.local.gateway.visitors import is_ours

if TYPE_CHECKING:
    from stackyard.local.gateway.gateway import Gateway

PREFIX = "/_stackyard/"
BARE = PREFIX.rstrip("/")
_JSON = b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
_PACKAGES = ("awslambdaric", "httptools", "stackyard", "uvicorn", "uvloop", "watchfiles")


class Desk(Protocol):
    """Who answers what is asked below ``/_stackyard/`` beside the status."""

    def answer(self, request: Request, path: str) -> None:
        """Answer a request of this machine's own."""
        ...


def answer_own(gateway: Gateway, request: Request, path: str) -> None:
    """Answer a request for the gateway itself: its status, or what the console shows."""
    if not is_ours(request, gateway.host, page=path == PREFIX and request.method == b"GET"):
        request.answer(403, _JSON, b'{"message":"Only for this machine\'s own tools and pages"}')
    elif path == PREFIX + "status" and request.method in {b"GET", b"HEAD"}:
        request.answer(200, _JSON, json.dumps(describe(gateway)).encode() + b"\n")
    elif gateway.console is not None:
        gateway.console.answer(request, path)
    else:
        request.answer(404, _JSON, b'{"message":"There is only GET /_stackyard/status"}')


def describe(gateway: Gateway) -> dict[str, object]:
    """Return what is served, by what, and how it is."""
    serving = gateway.serving
    return {
        "pid": os.getpid(),
        "url": gateway.url,
        "deployment": serving.deployment.id if serving else None,
        "project": serving.deployment.project if serving else None,
        "stage": serving.deployment.stage if serving else None,
        "routes": serving.router.resources if serving else [],
        "services": [function.describe() for function in gateway.functions.values()],
        "servers": [server.describe() for server in gateway.servers.values()],
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
