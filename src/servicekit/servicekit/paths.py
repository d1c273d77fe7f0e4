"""Where a service stands in its public URL.

Owns the split of a public path into what lies ahead (stage, a custom domain's base path), the service's own path, and
the route. Every service is sent its full public path without the stage; ASGI's ``root_path`` is set from it, so that
routes are written without a prefix and links, redirects and ``/docs`` still come out right.
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

_AHEAD = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._~-]*)*")


def place(scope: Scope, service_path: str) -> None:
    """Set ``root_path`` and ``path`` of an HTTP or WebSocket scope.

    ``service_path`` is the service's public path. A path outside of it (a health check straight at the container) is
    left as it is, so that the route still matches.
    """
    path: str = scope["path"]
    event = scope.get("aws.event")
    if event is not None:
        ahead = ahead_of(unquote(_text(event.get("requestContext", {}).get("path"))), path)
        base = _base_path(event, path)
    else:
        ahead = ahead_of(unquote(_header(scope)), path)
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


def _header(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == PUBLIC_PATH_HEADER.encode():
            return value.decode("latin-1")
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
