"""What every request passes first and last: path, ids, headers, the access line, the net for errors no one expected.

Plain ASGI around the whole application, so that errors in middleware and OpenTelemetry's spans are inside of it.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from starlette.requests import Request

from servicekit.context import REQUEST_ID_HEADER, enter, leave, read_context
from servicekit.cors import share
from servicekit.headers import SecurityHeaders
from servicekit.health import PROBES
from servicekit.paths import place
from servicekit.problems import log_unhandled, unhandled
from servicekit.websockets import decline, is_handshake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from servicekit.cors import Cors

_PASSED = "servicekit.front"

_log = logging.getLogger("servicekit.access")


class Front:
    """An ASGI application in front of another."""

    def __init__(
        self,
        app: ASGIApp,
        service_path: str,
        cors: Cors | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> None:
        """Stand in front of ``app``; ``headers`` are what `SecurityHeaders` takes, without them there are none."""
        self._app = app if cors is None else share(app, cors)
        self._service_path = service_path
        self._headers = None if headers is None else SecurityHeaders(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; anything else, and what a mounted application gets, is handed on untouched."""
        if scope["type"] not in ("http", "websocket") or _PASSED in scope:
            await self._app(scope, receive, send)
            return
        scope[_PASSED] = True
        context = read_context(scope)
        place(scope, self._service_path)
        token = enter(context)
        try:
            if scope["type"] == "http":
                app = decline if is_handshake(scope) else self._app
                await _Exchange(scope, send, context.request_id, self._headers).run(app, receive)
            else:
                await self._app(scope, receive, send)
        finally:
            leave(token)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, send: Send, request_id: str, headers: SecurityHeaders | None) -> None:
        self._scope, self._send, self._request_id, self._headers = scope, send, request_id, headers
        self._start = time.perf_counter()
        self._status: int | None = None
        self._logged = False

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        try:
            await app(self._scope, receive, self._pass)
        except Exception as error:
            if self._status is None:
                response = await unhandled(Request(self._scope), error)
                await response(self._scope, receive, self._pass)
            elif not self._logged:
                raise
            else:
                # Starlette raises again what it has answered, for servers to log: here it gets its ids.
                log_unhandled(self._scope, error)
        finally:
            self._log_access()

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = list(message.get("headers", ()))
            if self._headers is not None:
                headers += self._headers.missing(self._scope, headers)
            headers.append((REQUEST_ID_HEADER.encode(), self._request_id.encode()))
            message = {**message, "headers": headers}
        await self._send(message)
        # Inside OpenTelemetry's span, which ends once this returns: the access line carries its ids.
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._log_access()

    def _log_access(self) -> None:
        if self._logged:
            return
        self._logged = True
        path: str = self._scope["path"]
        probe = path.removeprefix(self._scope["root_path"]) in PROBES
        quiet = probe and self._status is not None and self._status < 400
        level = logging.DEBUG if quiet else logging.INFO
        if _log.isEnabledFor(level):
            fields = {
                "method": self._scope["method"],
                "path": path,
                "status": self._status,
                "duration_ms": round((time.perf_counter() - self._start) * 1000, 2),
            }
            _log.log(level, "%s %s %s", fields["method"], path, self._status, extra=fields)
