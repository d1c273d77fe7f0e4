"""WebSockets, which no kind of service gets through a REST API: it answers each request once.

Owns how a handshake that arrived as a plain request is told from others, and what it is answered. A handshake that a
server has made a WebSocket of (uvicorn, asked without the gateway) is none of its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servicekit.problems import Problem

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_WHY = "WebSockets do not come through: the gateway in front of this service answers each request once."


def is_handshake(scope: Scope) -> bool:
    """Tell whether a request asks for a WebSocket (RFC 6455, "Client requirements").

    The key counts as well as the upgrade, which is of one connection and may not outlive a proxy.
    """
    for name, value in scope["headers"]:
        if name == b"sec-websocket-key" or (name == b"upgrade" and value.lower() == b"websocket"):
            return True
    return False


async def decline(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a handshake with a problem that says why it cannot be."""
    await Problem(501, _WHY, instance=scope["path"])(scope, receive, send)
