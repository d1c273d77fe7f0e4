"""What is known of the request being served: its ids, and what to pass on to the next service.

Owns the rules for which ids from outside are believed. Knows nothing of logging or HTTP clients, which read from here.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope

REQUEST_ID_HEADER = "x-request-id"
GATEWAY_ID_HEADER = "x-stackyard-request-id"
"""The header in which the gateway's HTTP integrations pass ``context.requestId`` on, over what a client sends under
this name. On Lambda it is ignored: the event says it."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+/=-]{0,127}")
# W3C Trace Context, level 1: version "ff" and ids of zeros only are invalid.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?")
# AWS X-Ray developer guide, "Tracing header": fields in any order, Lambda adds Lineage.
_XRAY = re.compile(r"(?:[A-Za-z]+=[!-:<-~]*; ?)*Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:; ?[A-Za-z]+=[!-:<-~]*)*;?")
_TRACESTATE = re.compile(r"[ -~]{1,512}")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The ids of one request.

    ``gateway_request_id`` is set where a caller's own id won over the gateway's; ``passed_on`` holds the headers that a
    call to a sibling service carries.
    """

    request_id: str
    gateway_request_id: str | None = None
    trace_id: str | None = None
    passed_on: tuple[tuple[str, str], ...] = ()


_current: ContextVar[RequestContext | None] = ContextVar("servicekit_request", default=None)


def current_request() -> RequestContext | None:
    """Return the request being served, or None outside of one."""
    return _current.get()


def enter(context: RequestContext) -> Token[RequestContext | None]:
    """Make ``context`` the current one; give what is returned to `leave`."""
    return _current.set(context)


def leave(token: Token[RequestContext | None]) -> None:
    """Go back to what was current before."""
    _current.reset(token)


def read_context(scope: Scope) -> RequestContext:
    """Read the ids of a request from its ASGI scope; make a request id where none is given or it is not sane."""
    headers = _first_values(scope["headers"])
    event = scope.get("aws.event")
    told = event.get("requestContext", {}).get("requestId") if event else headers.get(GATEWAY_ID_HEADER)
    from_gateway = _sane(_REQUEST_ID, told)
    given = _sane(_REQUEST_ID, headers.get(REQUEST_ID_HEADER))
    request_id = given or from_gateway or os.urandom(16).hex()

    # On Lambda the variable names the function's own segment as parent; the header still names the gateway's.
    xray_header = (os.environ.get("_X_AMZN_TRACE_ID") if event else None) or headers.get("x-amzn-trace-id")
    xray, w3c = _sane(_XRAY, xray_header), _sane(_TRACEPARENT, headers.get("traceparent"))
    state = _sane(_TRACESTATE, headers.get("tracestate")) if w3c else None
    passed_on = (
        (REQUEST_ID_HEADER, request_id),
        ("x-amzn-trace-id", xray),
        ("traceparent", w3c),
        ("tracestate", state),
    )
    return RequestContext(
        request_id=request_id,
        gateway_request_id=from_gateway if from_gateway != request_id else None,
        trace_id=_trace_id(w3c, xray),
        passed_on=tuple((name, value) for name, value in passed_on if value),
    )


def _trace_id(w3c: str | None, xray: str | None) -> str | None:
    if w3c:
        return w3c.split("-")[1]
    match = _XRAY.fullmatch(xray) if xray else None
    return match[1] if match else None


def _sane(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and len(value) <= 512 and pattern.fullmatch(value) else None


def _first_values(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1"), value.decode("latin-1"))
    return values
