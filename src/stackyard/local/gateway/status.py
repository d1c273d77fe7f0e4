"""What the tools may ask of a running gateway: ``GET /_stackyard/status``.

Answers this machine's own tools only: a page in a browser, or a name that was made to point here, learns nothing.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from typing import TYPE_CHECKING

from stackyard.local.gateway.message import Request

if TYPE_CHECKING:
    from stackyard.local.gateway.gateway import Gateway

PREFIX = "/_stackyard/"
_OURS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_JSON = b"Content-Type: application/json\r\nCache-Control: no-store\r\n"
_PACKAGES = ("awslambdaric", "httptools", "stackyard", "uvicorn", "uvloop", "watchfiles")


def answer_status(gateway: Gateway, request: Request, path: str) -> None:
    """Answer a request of our own tools."""
    if not _is_local(request, gateway.host):
        request.answer(403, _JSON, b'{"message":"Only for this machine\'s own tools"}')
    elif path != PREFIX + "status" or request.method not in {b"GET", b"HEAD"}:
        request.answer(404, _JSON, b'{"message":"There is only GET /_stackyard/status"}')
    else:
        request.answer(200, _JSON, json.dumps(describe(gateway)).encode() + b"\n")


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


def _is_local(request: Request, bound: str) -> bool:
    """Return whether a request names this machine as its host and does not come from a page of another origin."""
    host = (request.header(b"host") or b"").decode("latin-1").lower()
    name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
    if name not in _OURS and name != bound:
        return False
    origin = request.header(b"origin")
    return origin is None or origin.decode("latin-1").lower() == f"http://{host}"
