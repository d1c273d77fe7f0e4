"""A client that sends whatever it is told and takes nothing on trust in what comes back."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

DEADLINE = 20.0
"""Seconds in which every conversation must be over; the gateway's own patience with a silent client is longer."""

_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\x80-\xff]*)")
_FOLDERS = "|".join(("tmp", "home", "root", "usr", "var", "opt"))
_LEAK = re.compile(
    rf"Traceback|File \"|(site|dist)-packages|\.py\b|/({_FOLDERS})/|0x[0-9a-f]{{8}}|\bError\(|Exception\b"
)
"""What no answer that the gateway or a service makes of a bad request may hold: where it runs, and how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, interim ones (1xx) left out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first value of a header, ``name`` in lower case."""
        return next((value for each, value in self.headers if each == name), "")


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: what was answered, whether the gateway hung up, how long it all took in s."""

    answers: tuple[Answer, ...]
    closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        """The answers' statuses."""
        return [each.status for each in self.answers]


def talk(port: int, *pieces: bytes, finish: bool = False, answers: int | None = None, heads: bool = False) -> Talk:
    """Send the pieces, each in a packet of its own, and read until the gateway hangs up or ``answers`` have come.

    ``finish`` ends our side after the last piece. Raises AssertionError for what is no HTTP, and at the deadline.
    """
    begun = time.monotonic()
    received = b""
    closed = False
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A gateway that refuses early may hang up before all is sent: what it said is still there to be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                client.sendall(piece)
            if finish:
                client.shutdown(socket.SHUT_WR)
        while answers is None or len(parse(received, heads=heads)) < answers:
            left = begun + DEADLINE - time.monotonic()
            assert left > 0, f"no end within {DEADLINE:g} s, after {received[:200]!r}"
            client.settimeout(left)
            try:
                piece = client.recv(1 << 20)
            except ConnectionResetError:
                piece = b""
            if not piece:
                closed = True
                break
            received += piece
    return Talk(tuple(parse(received, heads=heads, whole=True)), closed, time.monotonic() - begun)


def parse(data: bytes, *, heads: bool = False, whole: bool = False) -> list[Answer]:
    """Return the answers in a stream, strictly read; ``heads`` says that they are to HEAD.

    With ``whole``, half an answer at the end is a fault. Raises AssertionError for any fault.
    """
    found: list[Answer] = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            assert not whole, f"half an answer: {data[:200]!r}"
            break
        first, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        assert status is not None, f"no status line: {first[:200]!r}"
        headers: list[tuple[str, str]] = []
        for line in lines:
            header = _HEADER.fullmatch(line)
            assert header is not None, f"no header: {line[:200]!r}"
            headers.append((header[1].decode().lower(), header[2].decode("latin-1")))
        code = int(status[1])
        lengths = [value for name, value in headers if name == "content-length"]
        bodiless = code < 200 or code in {204, 304}
        assert len(lengths) == (0 if bodiless else 1), f"{len(lengths)} lengths: {head!r}"
        size = 0 if bodiless or heads else int(lengths[0])
        if len(rest) < size:
            assert not whole, f"half a body: {rest[:200]!r}"
            break
        data = rest[size:]
        if code >= 200:
            found.append(Answer(code, tuple(headers), rest[:size]))
    return found


def find_leak(body: str, headers: Iterable[tuple[str, str]]) -> str:
    """Return what a refusal tells of where it was made, or how; empty where it tells nothing."""
    # API Gateway's own error types are named as AWS names them.
    told = [value for name, value in headers if name.lower() != "x-amzn-errortype"]
    found = _LEAK.search("\n".join([body, *told]))
    return found[0] if found else ""


def check_discreet(answers: Iterable[Answer]) -> None:
    """Insist that no refusal tells where it was made, or how. Raises AssertionError."""
    for answer in answers:
        body = answer.body.decode("utf-8", "replace")
        assert answer.status < 400 or not find_leak(body, answer.headers), f"{answer.headers}: {body}"
