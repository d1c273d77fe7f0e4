"""The way in for an application that servicekit did not make.

Owns what an existing application is given from outside: path, ids, tokens checked, the access line, health,
and security headers if it wants them. Its own code, routes,
middleware, lifespan and errors stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from starlette.routing import Route

from servicekit.front import Front
from servicekit.health import probes
from servicekit.logs import configure_logs
from servicekit.problems import HANDLERS
from servicekit.routes import answers
from servicekit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.applications import Starlette
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from servicekit.health import Check

_FASTAPIS = {http_exception_handler, request_validation_exception_handler}


class Adopted:
    """An application as a service: ``app`` is what was adopted."""

    def __init__(
        self,
        app: Starlette,
        settings: Settings,
        endpoints: Mapping[str, Route],
        *,
        public: Collection[str],
        headers: Mapping[str, str | None] | None,
    ) -> None:
        self.app = app
        self._endpoints = endpoints
        serve: ASGIApp = self._serve
        if settings.service_auth is not None:
            from servicekit.auth import guard  # noqa: PLC0415  only services with `auth` pay for it

            serve = guard(serve, settings, public)
        self._front = Front(serve, settings.service_path, settings.service_cors, headers)

    @property
    def routes(self) -> list[BaseRoute]:
        """The application's own routes."""
        return self.app.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or enter the application's lifespan."""
        await self._front(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            endpoint = self._endpoints.get(path.removeprefix(scope["root_path"]))
            if endpoint is not None:
                await endpoint.handle(scope, receive, send)
                return
        await self.app(scope, receive, send)


def adopt(
    app: Starlette,
    settings: Settings | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
    check_timeout: float = 2.0,
    problems: bool = False,
    logs: bool = True,
    public: Collection[str] = (),
    headers: Mapping[str, str | None] | None = None,
) -> Adopted:
    """Make a service of an existing FastAPI or Starlette application.

    Its routes win: a health endpoint is added only where the application has no route of that very path, and ahead of
    its middleware, since who asks for health has no credentials. A ``root_path`` that was given to it is taken out,
    because servicekit finds it for each request.

    Args:
        app: The application. Nothing of it is copied.
        settings: What the service knows of itself; read from the environment when not given.
        checks: What ``/readiness`` asks, as for `create_app`.
        check_timeout: Seconds that each check may take.
        problems: Whether errors that the application has no handler for are answered as problem details instead of
            in FastAPI's own form, which its callers may depend on.
        logs: Whether the process's logs become servicekit's JSON lines. Without it the application's own logging
            stays, and the access line goes wherever that sends it.
        public: Paths that need no token in a service with ``auth``, as for `create_app`; none beside health's.
        headers: Security headers, as for `create_app`: a mapping, be it empty, has them added to answers that lack
            them. Without it there are none: pages that were made without them may not work with them.

    Raises SettingsError when a variable is wrong.

    """
    settings = settings or Settings.from_environ()
    if logs:
        configure_logs(settings)
    if isinstance(app, FastAPI):
        app.root_path = ""
    if problems:
        _answer_problems(app)
    endpoints = probes(settings, checks or {}, check_timeout).items()
    own = {path: Route(path, endpoint) for path, endpoint in endpoints if not answers(app, path)}
    return Adopted(app, settings, own, public=public, headers=headers)


def _answer_problems(app: Starlette) -> None:
    for kind, ours in HANDLERS.items():
        theirs = app.exception_handlers.get(kind)
        if kind is Exception and 500 in app.exception_handlers:
            continue
        if theirs is None or theirs in _FASTAPIS:
            app.exception_handlers[kind] = ours
