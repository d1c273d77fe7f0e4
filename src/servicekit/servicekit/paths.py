"""Where a service stands in its public URL.

Owns the split of a public path into what lies ahead (stage, a custom domain's base path), the service's own path, and
the route; and which host stands before it. Every service is sent its full public path without the stage; ASGI's
``root_path`` is set from it, so that routes are written without a prefix and links, redirects and ``/docs`` still come
out right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

PUBLIC_PATH_HEADER = "x-stackyard-path"
"""The header in which the gateway's HTTP integrations pass ``context.path`` on.

The gateway overwrites what a client sends under this name. Where a client can reach the service without the gateway,
it can choose what stands ahead of the path in links of the answer to its own request, in the form of plain segments,
and nothing else. On Lambda the header is ignored: the event says it.
"""

PUBLIC_HOST_HEADER = "x-stackyard-host"
"""The header in which they pass ``context.domainName`` on, since ``Host`` names the integration (AWS: "How can I
forward the host header with private integration for an API Gateway REST API?").

A client that reaches the service without the gateway can choose it, as it could choose ``Host``. On Lambda it is not
looked at.
"""

_AHEAD = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._~-]*)*")

_HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_TELLING = (b"x-stackyard-", b"x-forwarded-")
_PORTS = {"http": 80, "https": 443}


def place(scope: Scope, service_path: str) -> None:
    """Set ``root_path`` and ``path`` of an HTTP or WebSocket scope, and the host where the gateway says it.

    ``service_path`` is the service's public path. A path outside of it (a health check straight at the container) is
    left as it is, so that the route still matches.
    """
    path: str = scope["path"]
    event = scope.get("aws.event")
    if event is not None:
        ahead = ahead_of(unquote(_text(event.get("requestContext", {}).get("path"))), path)
        base = _base_path(event, path)
    else:
        told = _told(scope)
        ahead = ahead_of(unquote(told.get(PUBLIC_PATH_HEADER.encode(), b"").decode("latin-1")), path)
        _put_host(scope, told)
        base = scope.get("root_path", "")
    own = "" if service_path == "/" else service_path
    rest = path.removeprefix(base) or "/"
    scope["root_path"] = ahead + base + own
    if rest == own or rest.startswith(own + "/"):
        # Never an empty route path: Starlette would answer it with a redirect to the same path with a slash, which
        # the gateway takes for the same resource again.
        scope["path"] = scope["root_path"] + (rest[len(own) :] or "/")
    else:
        scope["path"] = rest


def ahead_of(public: str, path: str) -> str:
    """Return what ``public`` has before ``path`` (both decoded); empty where one does not end with the other."""
    whole, tail = public.rstrip("/"), path.rstrip("/")
    ahead = whole.removesuffix(tail)
    return ahead if whole.endswith(tail) and _AHEAD.fullmatch(ahead) else ""


def _base_path(event: Mapping[str, Any], path: str) -> str:
    # A custom domain's base path is part of the event's ``path``, but not of the resource and its proxy parameter.
    resource = _text(event.get("resource"))
    parameters: dict[str, object] = event.get("pathParameters") or {}
    proxy = _text(parameters.get("proxy"))
    if not resource or ("{proxy+}" in resource and not proxy):
        return ""
    return ahead_of(path, unquote(resource.replace("{proxy+}", proxy)))


def _told(scope: Scope) -> dict[bytes, bytes]:
    return {name: value for name, value in scope["headers"] if name.startswith(_TELLING)}


def _put_host(scope: Scope, told: Mapping[bytes, bytes]) -> None:
    """Make the public address the request's own, so that absolute links and redirects lead to the gateway."""
    host = told.get(PUBLIC_HOST_HEADER.encode(), b"")
    if not _HOST.fullmatch(host):
        return
    scheme = "http" if told.get(b"x-forwarded-proto") == b"http" else "https"
    given = told.get(b"x-forwarded-port", b"")
    told_port = int(given) if given.isdigit() and len(given) <= 5 else 0
    port = told_port if 0 < told_port <= 65535 else _PORTS[scheme]
    public = host if port == _PORTS[scheme] else b"%s:%d" % (host, port)
    if scope["type"] == "http":
        scope["scheme"] = scheme
    if not host.startswith(b"["):
        # Starlette makes URLs of it where it does not like the header, and cannot of brackets around no address.
        scope["server"] = (host.decode(), port)
    scope["headers"] = [(b"host", public), *((name, value) for name, value in scope["headers"] if name != b"host")]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
