"""The application that a service starts from.

Owns the assembly: FastAPI with health, problems, ids and paths around it. Knows no route of its own beside health's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from servicekit.front import Front
from servicekit.health import add_health
from servicekit.logs import configure_logs
from servicekit.problems import HANDLERS, SCHEMA
from servicekit.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send

    from servicekit.auth import Guard
    from servicekit.health import Check

DOCS = ("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json")
"""Where FastAPI describes a service."""

_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "Problem", "content": {"application/problem+json": {"schema": SCHEMA}}}
}


class _Service(FastAPI):
    _front: Front | None = None
    _guard: Guard | None = None
    _public: Collection[str] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._front is None:
            await super().__call__(scope, receive, send)
        else:
            await self._front(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, with what the guard asks for."""
        described = self.openapi_schema is not None
        document = super().openapi()
        if self._guard is not None and not described:
            from servicekit.auth import describe  # noqa: PLC0415  only services with `auth` need it

            describe(document, self._guard.scopes, self._public)
        return document

    def put_behind(self, settings: Settings, public: Collection[str], headers: Mapping[str, str | None]) -> None:
        serve: ASGIApp = super().__call__
        if settings.service_auth is not None:
            from servicekit.auth import guard  # noqa: PLC0415  only services with `auth` pay for it

            self._public, self._guard = public, guard(serve, settings, public)
            serve = self._guard
        self._front = Front(serve, settings.service_path, settings.service_cors, headers)


def create_app(  # noqa: PLR0913  all but the settings by name
    settings: Settings | None = None,
    *,
    title: str | None = None,
    version: str = "0.1.0",
    description: str = "",
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
    checks: Mapping[str, Check] | None = None,
    check_timeout: float = 2.0,
    public: Collection[str] = DOCS,
    headers: Mapping[str, str | None] | None = None,
) -> FastAPI:
    """Create a service's application and set up the process's logs.

    Args:
        settings: What the service knows of itself; read from the environment when not given.
        title: Title of the OpenAPI document; the service's name when not given.
        version: Version in the OpenAPI document.
        description: Markdown, shown by ``/docs``.
        lifespan: As FastAPI's; entered once for a process, on Lambda too.
        checks: What ``/readiness`` asks, by name: functions, plain or async, that raise or return False when what they
            look at is not there.
        check_timeout: Seconds that each check may take.
        public: Paths that need no token in a service with ``auth``, beside health's; each is one path, not what it
            begins with.
        headers: Security headers that are to be otherwise (`servicekit.headers`); None leaves one out. What an answer
            says itself goes before both.

    Raises SettingsError when a variable is wrong.

    """
    settings = settings or Settings.from_environ()
    configure_logs(settings)
    app = _Service(
        title=title or settings.service_name,
        version=version,
        description=description,
        lifespan=lifespan,
        exception_handlers=HANDLERS,
        responses=_RESPONSES,
    )
    add_health(app, settings, checks or {}, check_timeout)
    app.put_behind(settings, public, headers or {})
    return app
