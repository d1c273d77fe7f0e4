"""Clients that send slowly, read slowly, or stop: each is let go in time, and nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator

import uvloop

from stackyard.local.gateway.message import Limits, Request
from stackyard.local.gateway.server import Server
from tests.fuzz.client import talk
from tests.fuzz.conftest import Target
from tests.waiting import until

PATIENT = Limits(body=1 << 20, head=4096, request_time=1, idle_time=2)
LARGE = b"x" * (16 << 20)
"""More than the buffers of two sockets hold."""

WITHIN = 12.0
"""Seconds: the longest patience above, and two rounds of the server's own look at its connections."""

PACE = 0.1


def _drip() -> Iterator[tuple[str, bytes, bytes]]:
    """Yield a name, what a client sends at once, and what it then sends again and again, slowly."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    yield "a silent one", b"", b""
    yield "empty lines", b"", b"\r\n"
    yield "a path", b"GET /", b"a"
    yield "a header's name", head, b"a"
    yield "a header's value", head + b"X: ", b"a"
    yield "headers", head, b"X: y\r\n"
    yield "a body of known length", head + b"Content-Length: 100000\r\n\r\n", b"a"
    yield "chunks", head + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"
    yield "a chunk's size", head + b"Transfer-Encoding: chunked\r\n\r\n", b"0"
    yield "an extension", head + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"
    yield "a trailer", head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"
    yield "a body that was invited", head + b"Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n", b"a"


async def _send_slowly(port: int, first: bytes, again: bytes) -> float:
    """Send until the server hangs up, and return the seconds that it took."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    ended = asyncio.ensure_future(reader.read())
    with contextlib.suppress(ConnectionError):
        while not ended.done() and time.monotonic() < begun + WITHIN:
            writer.write(again)
            await asyncio.wait([ended], timeout=PACE)
        assert ended.done(), "it was never let go"
        await ended
    writer.close()
    return time.monotonic() - begun


async def _stop_reading(port: int, head: bytes, served: list[Request]) -> float:
    """Ask for much and read nothing; return the seconds until the server gave it up."""
    begun = time.monotonic()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", port))
        await loop.sock_sendall(client, head)
        mark = head.split()[1]
        while time.monotonic() < begun + WITHIN:
            await asyncio.sleep(PACE)
            if any(each.gone for each in served if each.target == mark):
                return time.monotonic() - begun
    raise AssertionError("it was never let go")


async def _read_slowly(port: int) -> int:
    """Read a large answer piece by piece, for longer than a silent client is kept; return what came of its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    size = 0
    begun = time.monotonic()
    while piece := await reader.read(1 << 20):
        size += len(piece)
        behind = begun + 8 * size / len(LARGE) - time.monotonic()
        await asyncio.sleep(max(0, behind))
    writer.close()
    return size


def test_the_slow_are_let_go_and_the_steady_are_not() -> None:
    """One byte every 0.1 s does not hold a request open, an unread answer not its memory; a steady reader gets all."""
    served: list[Request] = []

    def serve(request: Request) -> None:
        served.append(request)
        request.answer(200, b"", LARGE)

    async def run() -> None:
        server = Server(serve, PATIENT)
        port = await server.listen("127.0.0.1", 0)
        gets = (b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            names, slow = zip(*((name, _send_slowly(port, one, more)) for name, one, more in _drip()), strict=True)
            unread = [_stop_reading(port, get, served) for get in gets]
            *seconds, size = await asyncio.gather(*slow, *unread, _read_slowly(port))
            assert max(seconds) < WITHIN, dict(zip(names, seconds, strict=False))
            assert size == len(LARGE)
        finally:
            await server.close(0)

    uvloop.run(run())


def test_hundreds_of_half_requests_delay_nobody(target: Target) -> None:
    """With 400 requests that stop half-way, plain ones are served as ever; no half reaches a service."""
    target.record.take()
    halves = [
        b"GET /near/half HTT",
        b"POST /near/half HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        b"POST /afar/half HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha",
        b"GET /afar/half HTTP/1.1\r\nHost: x\r\nX: ",
    ]
    with contextlib.ExitStack() as clients:
        for number in range(400):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", target.port)))
            client.sendall(halves[number % 4])
        plain = [
            talk(target.port, f"GET /{service}/x HTTP/1.1\r\nHost: x\r\n\r\n".encode(), answers=1)
            for service in ("near", "afar") * 20
        ]
    assert [each.statuses for each in plain] == [[200]] * 40
    assert sorted(each.seconds for each in plain)[20] < 1
    assert [each.target for each in target.record.take()] == ["/near/x", "/afar/x"] * 20
    until(lambda: target.open_files() < target.files + 20, "their sockets are closed")


def test_an_expectation_is_met_in_its_turn(target: Target) -> None:
    """A client that asks first is asked for its body after the answer before it, and only once."""
    first = b"GET /near/first HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"POST /afar/second HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as client:
        client.sendall(first + second)
        stream = b""
        while b"HTTP/1.1 100 Continue\r\n\r\n" not in stream:
            stream += client.recv(65536)
        assert stream.startswith(b"HTTP/1.1 200 OK\r\n")
        client.sendall(b"body")
        while b'"size": 4' not in stream:
            stream += client.recv(65536)
    assert stream.count(b"100 Continue") == 1
