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
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.types import Receive, Scope, Send

    from servicekit.health import Check

_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "Problem", "content": {"application/problem+json": {"schema": SCHEMA}}}
}


class _Service(FastAPI):
    _front: Front | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._front is None:
            await super().__call__(scope, receive, send)
        else:
            await self._front(scope, receive, send)

    def put_behind(self, settings: Settings) -> None:
        self._front = Front(super().__call__, settings.service_path, settings.service_cors)


def create_app(
    settings: Settings | None = None,
    *,
    title: str | None = None,
    version: str = "0.1.0",
    description: str = "",
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[Any]] | None = None,
    checks: Mapping[str, Check] | None = None,
    check_timeout: float = 2.0,
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
    app.put_behind(settings)
    return app
