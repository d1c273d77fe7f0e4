"""An ASGI application as a Lambda function behind a REST API.

Owns the translation of proxy events (format 1.0; AWS: "Input format of a Lambda function for proxy integration") into
ASGI's scope and messages, and of the answer back. The application's lifespan is entered once for a process, while
Lambda still counts it as the function's start: what it opens is there for every request.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from servicekit.front import Front
from servicekit.websockets import decline, is_handshake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Scope

_ASGI = {"version": "3.0", "spec_version": "2.4"}
# What is readable in a function's answer as it is; all else goes base64-encoded, and API Gateway decodes it.
_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded")
_TEXT_SUFFIXES = ("+json", "+xml")
_START_SECONDS = 8  # Lambda ends a start after 10 s without a word of what it waited for

# An application may come without servicekit's front: a handshake is declined before it, under its own ids.
_DECLINING = Front(decline, "/")

_HOST = re.compile(rb"([A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_PORT = re.compile(rb"[0-9]{1,5}")
_HTTPS, _HIGHEST_PORT = 443, 65535

_log = logging.getLogger("servicekit.lambda")


class LambdaAdapter:
    """A function for the Lambda runtime: takes an event and a context, returns what API Gateway expects."""

    def __init__(self, app: ASGIApp, *, flush: Callable[[], object] | None = None) -> None:
        """Enter the application's lifespan, if it has one; ``flush`` is called after every request.

        Raises RuntimeError when the application does not start.
        """
        self._app, self._flush = app, flush
        self._loop = asyncio.new_event_loop()
        self._lifespan = _Lifespan(app, self._loop)
        try:
            self._state = self._lifespan.start()
        except BaseException:
            self._loop.close()
            raise

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Serve one request.

        Raises ValueError for an event that no REST API sent.
        """
        scope = self._scope(event, context)
        exchange = _Exchange(scope, _body(event))
        self._loop.run_until_complete(exchange.run(_DECLINING if is_handshake(scope) else self._app))
        if self._flush is not None:
            self._flush()
        return exchange.answer()

    def close(self) -> None:
        """Leave the application's lifespan. Lambda ends a process without asking for it; tests do ask."""
        try:
            self._lifespan.stop()
        finally:
            self._loop.close()

    def _scope(self, event: dict[str, Any], context: object) -> Scope:
        try:
            path: str = event["path"] or "/"
            method, caller = event["httpMethod"], _caller(event["requestContext"])
        except (KeyError, TypeError):
            keys = ", ".join(event) or "nothing"
            message = f"not a request of a REST API (payload format 1.0): the event has {keys}"
            raise ValueError(message) from None
        headers = _headers(event)
        values = dict(headers)
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": method,
            "scheme": "http" if values.get(b"x-forwarded-proto") == b"http" else "https",
            "path": unquote(path) if "%" in path else path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": _query(event),
            "headers": headers,
            "client": (caller, 0),
            "server": _server(values),
            "aws.event": event,
            "aws.context": context,
        }
        if self._state:
            scope["state"] = self._state.copy()
        return scope


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self._scope = scope
        self._body: bytes | None = body
        self._status = 0
        self._headers: Iterable[tuple[bytes, bytes]] = ()
        self._parts: list[bytes] = []
        self._complete = False
        self._done: asyncio.Event | None = None

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self._receive, self._send)
        except Exception:  # noqa: BLE001  whatever it is, the client gets an answer and the log the reason
            _log.exception("%s %s failed", self._scope["method"], self._scope["path"])
            self._fail()
        else:
            if not self._complete:
                _log.error("%s %s was not answered in full", self._scope["method"], self._scope["path"])
                self._fail()

    def answer(self) -> dict[str, Any]:
        single: dict[str, str] = {}
        many: dict[str, list[str]] = {}
        for raw_name, raw_value in self._headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            if name in many:
                many[name].append(value)
            elif name in single:
                many[name] = [single.pop(name), value]
            else:
                single[name] = value
        body = b"".join(self._parts)
        text = _as_text(body, single)
        return {
            "statusCode": self._status,
            "headers": single,
            "multiValueHeaders": many,
            "body": base64.b64encode(body).decode() if text is None else text,
            "isBase64Encoded": text is None,
        }

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._complete:
            self._done = self._done or asyncio.Event()
            await self._done.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and not self._status:
            self._status, self._headers = message["status"], message.get("headers", ())
        elif kind == "http.response.body" and self._status and not self._complete:
            self._parts.append(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                self._complete = True
                if self._done is not None:
                    self._done.set()
        else:
            error = f"unexpected ASGI message {kind}"
            raise RuntimeError(error)

    def _fail(self) -> None:
        # An answer that is complete stands: Starlette raises again what it has answered, for servers to log.
        if not self._complete:
            self._status, self._parts = 500, [b"Internal Server Error"]
            self._headers = ((b"content-type", b"text/plain; charset=utf-8"),)


class _Lifespan:
    """The application's startup and, where anyone asks, its shutdown."""

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> dict[str, Any]:
        state: dict[str, Any] = {}
        self._task = self._loop.create_task(self._run({"type": "lifespan", "asgi": _ASGI, "state": state}))
        message = self._tell("lifespan.startup")
        if message["type"] != "lifespan.startup.complete":
            error = f"the application did not start: {message.get('message') or 'it gave no reason'}"
            raise RuntimeError(error)
        return state

    def stop(self) -> None:
        if self._task is None or self._task.done():
            return
        message = self._tell("lifespan.shutdown")
        if message["type"] != "lifespan.shutdown.complete":
            _log.error("the application did not shut down: %s", message.get("message", ""))

    async def _run(self, scope: Scope) -> None:
        try:
            await self._app(scope, self._inbox.get, self._outbox.put)
        except Exception as error:  # noqa: BLE001  it is the reason that is told
            # An application that knows no lifespan says so by raising, before it took anything (ASGI: "Lifespan").
            unknown = not self._inbox.empty()
            kind = "lifespan.startup.complete" if unknown else "lifespan.startup.failed"
            self._outbox.put_nowait({"type": kind, "message": repr(error)})

    def _tell(self, kind: str) -> Message:
        self._inbox.put_nowait({"type": kind})
        try:
            return self._loop.run_until_complete(asyncio.wait_for(self._outbox.get(), _START_SECONDS))
        except TimeoutError:
            return {"type": f"{kind}.failed", "message": f"{kind} took over {_START_SECONDS} s"}


def _caller(request: Mapping[str, Any]) -> str:
    identity: Mapping[str, Any] = request.get("identity") or {}
    return identity.get("sourceIp") or ""


def _headers(event: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the request's headers as a server would: names in lower case, repeated ones side by side."""
    many: Mapping[str, list[str] | None] = event.get("multiValueHeaders") or {}
    if many:
        return [(_name(name), value.encode()) for name, values in many.items() for value in values or ()]
    single: Mapping[str, str] = event.get("headers") or {}
    return [(_name(name), value.encode()) for name, value in single.items()]


def _name(header: str) -> bytes:
    return header.lower().encode("latin-1")


def _query(event: Mapping[str, Any]) -> bytes:
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    return urlencode(parameters, doseq=True).encode() if parameters else b""


def _server(headers: Mapping[bytes, bytes]) -> tuple[str, int]:
    # Starlette makes URLs of it where it does not like the Host header: nothing may stand here that is no URL's.
    found = _HOST.fullmatch(headers.get(b"host", b""))
    host, port = found.groups() if found else (b"localhost", None)
    given = port or headers.get(b"x-forwarded-port", b"")
    number = int(given) if _PORT.fullmatch(given) else _HTTPS
    return host.decode(), number if number <= _HIGHEST_PORT else _HTTPS


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if not body:
        return b""
    if not event.get("isBase64Encoded"):
        return body.encode()
    return binascii.a2b_base64(body)


def _as_text(body: bytes, headers: Mapping[str, str]) -> str | None:
    if not body:
        return ""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind.startswith(_TEXT) or kind.endswith(_TEXT_SUFFIXES)) or "content-encoding" in headers:
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
