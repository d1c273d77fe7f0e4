"""A port, and all the connections that were taken on it.

Owns listening, silent clients and hanging up. What a connection says is `wire`'s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import cast

from stackyard.local.gateway.message import Limits, Request
from stackyard.local.gateway.wire import Connection

_SWEEP = 5.0


class Server:
    """Everything that listens and every connection it took."""

    def __init__(self, serve: Callable[[Request], None], limits: Limits) -> None:
        self._serve = serve
        self._limits = limits
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int) -> int:
        """Listen and return the port (a new one for 0). Raises OSError when it cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, host, port, backlog=1024)
        self._sweep = loop.call_later(_SWEEP, self._close_expired)
        return cast("tuple[str, int]", self._server.sockets[0].getsockname())[1]

    def _connect(self) -> Connection:
        connection = Connection(self._serve, self._limits, self._connections.discard)
        self._connections.add(connection)
        return connection

    def _close_expired(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self._connections if each.expired(now)]:
            connection.abort()
        self._sweep = asyncio.get_running_loop().call_later(_SWEEP, self._close_expired)

    async def close(self, patience: float) -> None:
        """Take no more connections, give answers that are owed ``patience`` seconds, then hang up."""
        if self._sweep is not None:
            self._sweep.cancel()
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and any(each.busy for each in self._connections):
            await asyncio.sleep(0.02)
        for connection in list(self._connections):
            connection.abort()
