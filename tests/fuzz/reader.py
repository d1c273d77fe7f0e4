"""A second opinion on where requests begin and end: h11, which shares no line with the gateway's parser."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import unquote

import h11


@dataclass(frozen=True, slots=True)
class Meant:
    """A request as a service may see it: its verb, its path decoded, and what identifies its body."""

    verb: str
    path: str
    size: int
    digest: str


def normal(target: str) -> str:
    """Return the path of a target as all agree on it, however it was encoded, and whether or not a slash ends it."""
    return unquote(target.partition("?")[0]).rstrip("/")


def read(stream: bytes) -> list[Meant]:
    """Return the whole requests in a stream, up to its end or to what h11 refuses.

    Line ends before a request, whole or half, are passed over, as the gateway's parser does (RFC 9112, 2.2).
    """
    found: list[Meant] = []
    more = True
    while more and (stream := stream.lstrip(b"\r\n")):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(stream)
        connection.receive_data(b"")
        try:
            meant = _next(connection)
        except h11.RemoteProtocolError:
            break
        if meant is None:
            break
        found.append(meant)
        more = connection.our_state is h11.DONE
        stream = connection.trailing_data[0]
    return found


def _next(connection: h11.Connection) -> Meant | None:
    """Read one request, answer it, and return it; None where it has no end."""
    request = connection.next_event()
    if not isinstance(request, h11.Request):
        return None
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    if not isinstance(event, h11.EndOfMessage):
        return None
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    path = normal(request.target.decode("latin-1"))
    return Meant(request.method.decode(), path, len(body), hashlib.sha256(body).hexdigest())
