"""From a request to the call of a server behind HTTP, and from the server's headers to those of the answer.

Owns which headers pass. Sources: "Amazon API Gateway important notes" (headers dropped, remapped and overwritten by
HTTP proxy integrations); what AWS adds by itself (``x-amzn-apigateway-api-id``, a default ``Accept`` and
``User-Agent``) is as real APIs were seen to send it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackyard.local.gateway.answer import DROPPED as ANSWER_DROPPED
from stackyard.local.gateway.answer import REMAPPED as ANSWER_REMAPPED
from stackyard.local.gateway.integration import HttpTarget, header_value

if TYPE_CHECKING:
    from stackyard.local.gateway.exchange import Exchange
    from stackyard.local.gateway.message import Header

DROPPED = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-md5",
        b"expect",
        b"host",
        b"keep-alive",
        b"max-forwards",
        b"proxy-authenticate",
        b"proxy-connection",
        b"server",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
        b"www-authenticate",
        b"x-amzn-apigateway-api-id",
        b"x-amzn-trace-id",
        b"x-forwarded-for",
        b"x-forwarded-port",
        b"x-forwarded-proto",
    }
)
"""Request headers that a server never sees as the client sent them."""

_WITH_BODY = frozenset({b"PATCH", b"POST", b"PUT"})
_REMAPPED = frozenset(name.encode() for name in ANSWER_REMAPPED)
_ANSWER_DROPPED = frozenset(name.encode() for name in ANSWER_DROPPED)


def render_call(exchange: Exchange, target: HttpTarget) -> bytes:
    """Return the bytes of the call, body included."""
    request = exchange.request
    place = exchange.office.place
    body = request.body
    verb = target.verb or request.method
    forwarded: list[bytes] = []
    path = target.render(exchange).encode("utf-8", "replace")
    lines: list[bytes] = [verb, b" ", path, b" HTTP/1.1\r\nHost: ", target.host]
    mapped = target.mapped
    agent = accept = False
    for lower, name, value in request.headers:
        if lower in DROPPED:
            if lower == b"x-forwarded-for":
                forwarded.append(value)
            continue
        if lower in mapped:
            continue
        if lower == b"user-agent":
            agent = True
        elif lower == b"accept":
            accept = True
        lines += (b"\r\n", name, b": ", value)
    for name, source in target.headers:
        if value := header_value(source(exchange)):
            lines += (b"\r\n", name, b": ", value)
    if not agent and b"user-agent" not in mapped:
        lines.append(f"\r\nUser-Agent: AmazonAPIGateway_{place.api_id}".encode())
    if not accept and b"accept" not in mapped:
        lines.append(b"\r\nAccept: application/json")
    own = (
        f"\r\nX-Forwarded-Port: {place.port}\r\nX-Forwarded-Proto: http"
        f"\r\nx-amzn-apigateway-api-id: {place.api_id}\r\nX-Amzn-Trace-Id: {exchange.ids.trace}\r\nX-Forwarded-For: "
    )
    forwarded.append(request.client.encode())
    lines += (own.encode("latin-1", "replace"), b", ".join(forwarded))
    if body or verb in _WITH_BODY:
        lines.append(b"\r\nContent-Length: %d" % len(body))
    lines += (b"\r\n\r\n", body)
    return b"".join(lines)


def render_headers(headers: list[Header]) -> bytes:
    """Return the header lines of the answer, from those that a server sent."""
    lines: list[bytes] = []
    typed = False
    for lower, name, value in headers:
        if lower in _REMAPPED:
            lines += (b"x-amzn-Remapped-", name, b": ", value, b"\r\n")
        elif lower not in _ANSWER_DROPPED:
            typed = typed or lower == b"content-type"
            lines += (name, b": ", value, b"\r\n")
    if not typed:
        lines.append(b"Content-Type: application/json\r\n")
    return b"".join(lines)
