"""Which heads of requests the local gateway believes."""

from __future__ import annotations

import pytest

from stackyard.local.gateway.framing import has_body, head_alike, is_doubtful
from stackyard.local.gateway.message import Header

HOST = ("Host", "localhost:8080")


def told(*headers: tuple[str, str]) -> list[Header]:
    """Return headers as the wire tells of them."""
    return [(name.lower().encode(), name.encode(), value.encode("latin-1")) for name, value in headers]


@pytest.mark.parametrize(
    ("verb", "target", "version", "headers"),
    [
        ("GET", "/", "1.1", [HOST]),
        ("GET", "http://localhost/x?y", "1.1", [HOST]),
        ("OPTIONS", "*", "1.1", [HOST]),
        ("CONNECT", "localhost:80", "1.1", [HOST]),
        ("GET", "/", "1.0", []),
        ("GET", "/", "1.1", [("Host", "")]),
        ("GET", "/", "1.1", [("Host", "[::1]:80")]),
        ("POST", "/", "1.1", [HOST, ("Transfer-Encoding", "Chunked ")]),
        ("POST", "/", "1.1", [HOST, ("Content-Length", "3")]),
    ],
)
def test_what_can_be_read_one_way_is_believed(
    verb: str, target: str, version: str, headers: list[tuple[str, str]]
) -> None:
    """One host, one way to say where the body ends."""
    assert not is_doubtful(verb.encode(), target.encode(), version, told(*headers))


@pytest.mark.parametrize(
    ("verb", "target", "version", "headers"),
    [
        ("GET", "/", "1.1", []),
        ("GET", "/", "1.1", [HOST, HOST]),
        ("GET", "/", "1.1", [("Host", "a b")]),
        ("GET", "/", "1.1", [("Host", "a/b")]),
        ("GET", "/", "1.1", [("Host", "a:123456")]),
        ("GET", "/", "2.0", [HOST]),
        ("GET", "*", "1.1", [HOST]),
        ("GET", "/x#y", "1.1", [HOST]),
        ("GET", "x", "1.1", [HOST]),
        ("POST", "/", "1.0", [HOST, ("Transfer-Encoding", "chunked")]),
        ("POST", "/", "1.1", [HOST, ("Transfer-Encoding", "gzip, chunked")]),
        ("POST", "/", "1.1", [HOST, ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")]),
    ],
)
def test_what_could_be_read_in_two_ways_is_not(
    verb: str, target: str, version: str, headers: list[tuple[str, str]]
) -> None:
    """RFC 9112, 3.2, 6.1 and 11.2."""
    assert is_doubtful(verb.encode(), target.encode(), version, told(*headers))


def test_a_head_alike_announces_the_same_body_and_nothing_else() -> None:
    """What another parser is told of a body that is still to come."""
    headers = told(HOST, ("Content-length", "7"), ("Expect", "100-continue"))
    assert has_body(headers)
    assert not has_body(told(HOST))
    assert head_alike(headers) == b"POST / HTTP/1.1\r\nContent-length: 7\r\n\r\n"
