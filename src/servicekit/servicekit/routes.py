"""What an application's own routes say, included routers and mounted applications among them.

Owns the walk over them. Calls none, and knows nothing of requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.routing import iter_route_contexts
from starlette.routing import Host, Mount, WebSocketRoute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp


def websocket_paths(app: ASGIApp) -> tuple[str, ...]:
    """Return the paths of an application's WebSocket routes, as they are written."""
    return tuple(dict.fromkeys(path for path, route in _walk(_routes(app), "") if isinstance(route, WebSocketRoute)))


def answers(app: ASGIApp, path: str) -> bool:
    """Tell whether an application has a route written for exactly ``path``.

    A route that catches everything does not count: it is there for what nobody thought of.
    """
    for found, route in _walk(_routes(app), ""):
        if isinstance(route, Mount):
            if found and (path == found or path.startswith(f"{found}/")) and not route.routes:
                return True
        elif found == path and not isinstance(route, WebSocketRoute):
            return True
    return False


def _routes(app: object) -> Sequence[BaseRoute]:
    return getattr(app, "routes", ())


def _walk(routes: Sequence[BaseRoute], ahead: str) -> Iterator[tuple[str, BaseRoute]]:
    for context in iter_route_contexts(routes):
        route = context.original_route
        path = ahead + (context.path or "")
        yield path, route
        if isinstance(route, Mount | Host):
            yield from _walk(route.routes, path if isinstance(route, Mount) else ahead)
