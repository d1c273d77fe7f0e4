"""Bodies around the limits, endless ones, and more of them at once than memory should hold."""

from __future__ import annotations

import contextlib
import hashlib
import socket

import pytest

from tests.fuzz.client import Talk, parse, talk
from tests.fuzz.conftest import Target
from tests.fuzz.shapes import END
from tests.waiting import until

TEN_MB = 10 * 1024 * 1024
PIECE = b"0123456789abcdef" * 4096
FEW = 64 * 1024 * 1024
"""Bytes that a gateway may hold beyond what it began with: some bodies, and their copies on the way out."""


def _post(target: Target, path: str, size: int, *, chunked: bool = False) -> Talk:
    body = (PIECE * (size // len(PIECE) + 1))[:size]
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    if chunked:
        pieces = [body[at : at + len(PIECE)] for at in range(0, size, len(PIECE))]
        return talk(
            target.port,
            head + b"Transfer-Encoding: chunked\r\n\r\n",
            *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces),
            END,
            answers=1,
        )
    return talk(target.port, head + b"Content-Length: %d\r\n\r\n" % size, body, answers=1)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/afar/large", TEN_MB, 200),
        ("/afar/large", TEN_MB + 1, 413),
        ("/near/large", 4_300_000, 200),
        ("/near/large", 5_000_000, 413),
        ("/near/large", TEN_MB, 413),
        ("/near/large", TEN_MB + 1, 413),
        ("/nobody/large", TEN_MB, 403),
    ],
)
def test_a_body_passes_up_to_the_limit(target: Target, path: str, size: int, status: int, *, chunked: bool) -> None:
    """10 MB to a server, 6 MB of event to a function, exactly; every byte of it arrives, or nothing does."""
    target.record.take()
    assert _post(target, path, size, chunked=chunked).statuses == [status]
    seen = target.record.take()
    assert len(seen) == (status == 200)
    for each in seen:
        whole = hashlib.sha256((PIECE * (size // len(PIECE) + 1))[:size]).hexdigest()
        assert (each.size, each.digest, each.fault) == (size, whole, "")


def test_an_endless_body_is_refused_while_it_comes(target: Target) -> None:
    """A client that sends chunks for ever is told 413 after 10 MB of them, not after the last."""
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    stream = b""
    with socket.create_connection(("127.0.0.1", target.port), timeout=10) as client:
        client.sendall(b"POST /afar/endless HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(4 * TEN_MB // len(PIECE)):
                client.sendall(chunk)
        with contextlib.suppress(ConnectionError):
            while piece := client.recv(65536):
                stream += piece
    assert [each.status for each in parse(stream)] == [413]


def test_the_same_again_and_again_takes_no_more_memory(target: Target) -> None:
    """Large bodies, refused ones and clients that leave in the middle: after twenty of each it holds what it held."""
    head = b"POST /afar/gone HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % TEN_MB

    def do() -> None:
        _post(target, "/afar/large", TEN_MB)
        _post(target, "/near/large", TEN_MB + 1, chunked=True)
        with socket.create_connection(("127.0.0.1", target.port)) as client:
            client.sendall(head + PIECE * 40)

    for _ in range(5):
        do()
    held, files = target.resident(), target.open_files()
    for _ in range(15):
        do()
    until(lambda: target.open_files() <= files, "their sockets are closed", explain=lambda: str(target.open_files()))
    assert target.resident() - held < FEW


def test_pipelined_bodies_wait_outside(target: Target) -> None:
    """A hundred bodies of 2 MB behind an answer that nobody reads: a few are taken, the rest stay with the client."""
    before = target.resident()
    request = b"POST /afar/piped HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000
    sent = 0
    with socket.create_connection(("127.0.0.1", target.port)) as client:
        client.settimeout(1)
        with contextlib.suppress(TimeoutError):
            for _ in range(100):
                client.sendall(request)
                sent += 1
        grown = target.resident() - before
    assert grown < FEW, f"{grown} bytes more, {sent} sent"
    target.check_well()
