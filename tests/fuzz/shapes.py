"""Requests as no client should send them, by name: what is sent, and what may come of it.

Sources of the shapes: RFC 9112 (sections 2.2, 3, 5, 6, 7, 9 and 11), the request smuggling classes CL.TE, TE.CL, TE.TE
and CL.0, and what load balancers in front of API Gateway are known to pass on.
"""

from __future__ import annotations

from dataclasses import dataclass

HOST = b"Host: localhost\r\n"
HIDDEN = b"GET /afar/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
"""A request that stands where a body should be. No service may ever see it as one."""

END = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Shape:
    """Bytes, the statuses of all their answers, and how many requests reach a service.

    A shape with ``hangs_up`` ends the connection by itself. The others keep it, and are ended by the client.
    """

    name: str
    data: bytes
    statuses: tuple[int, ...]
    served: int = 0
    hangs_up: bool = True

    def __str__(self) -> str:
        """Name it in pytest's list."""
        return self.name


def refused(name: str, data: bytes, status: int = 400) -> Shape:
    """Return a shape that is answered by the gateway and ends the connection."""
    return Shape(name, data, (status,))


def served(name: str, data: bytes, *, count: int = 1, hangs_up: bool = False) -> Shape:
    """Return a shape that is odd, right, and served."""
    return Shape(name, data, (200,) * count, count, hangs_up)


def head(*headers: bytes, verb: bytes = b"POST", target: bytes = b"/afar/x", version: bytes = b"HTTP/1.1") -> bytes:
    """Return a request's head; each header is a line without its end."""
    return b" ".join((verb, target, version)) + b"\r\n" + HOST + b"".join(each + b"\r\n" for each in headers) + b"\r\n"


def framed(*headers: bytes, body: bytes = END + HIDDEN) -> bytes:
    """Return a request with headers that frame its body in a doubtful way, and a request hidden in that body."""
    return head(*headers) + body


_LENGTH = b"Content-Length: %d" % len(END + HIDDEN)
_TE = b"Transfer-Encoding: chunked"
_UPGRADE = (b"Connection: upgrade", b"Upgrade: x")

SMUGGLING = (
    refused("both, length first", framed(_LENGTH, _TE)),
    refused("both, chunked first", framed(_TE, _LENGTH)),
    refused("both, length 0", framed(b"Content-Length: 0", _TE)),
    refused("both, length 4, chunks hold a request", framed(b"Content-Length: 4", _TE, body=b"31\r\n" + HIDDEN)),
    refused("two lengths that differ", framed(b"Content-Length: 0", _LENGTH)),
    refused("two lengths alike", framed(_LENGTH, _LENGTH)),
    refused("a list of lengths", framed(b"Content-Length: 5, 5")),
    *(
        refused(f"length {text!r}", framed(b"Content-Length: " + text, body=b"hello" + HIDDEN))
        for text in (
            b"+5",
            b"-5",
            b"0x5",
            b"5_0",
            b"5.0",
            b"5e0",
            b"5 5",
            b"5,",
            b"",
            b'"5"',
            b"five",
            b"\xb2",
            b"5\x0b",
        )
    ),
    refused("length beyond 64 bits", framed(b"Content-Length: 18446744073709551621")),
    refused("length of 5,000 digits", framed(b"Content-Length: " + b"0" * 4995 + b"99999")),
    refused("length, space before the colon", framed(b"Content-Length : 5")),
    refused("length, tab before the colon", framed(b"Content-Length\t: 5")),
    refused("length, NUL in the name", framed(b"Content-Length\0: 5")),
    *(
        refused(f"coding {text!r}", framed(b"Transfer-Encoding: " + text))
        for text in (
            *(b"xchunked", b"chunkedx", b"identity", b"gzip", b"", b'"chunked"', b"chunked;q=1", b"chunked, identity"),
            *(b"identity, chunked", b"gzip, chunked", b"chunked, chunked", b"chunked,", b",chunked", b"\x0bchunked"),
            *(b"chun\0ked", b"\xa0chunked", b"chunked\x0c", b"x, chunked", b"chunked x"),
        )
    ),
    refused("two codings", framed(_TE, b"Transfer-Encoding: identity")),
    refused("two codings, chunked last", framed(b"Transfer-Encoding: identity", _TE)),
    refused("coding twice", framed(_TE, _TE)),
    refused("coding, space before the colon", framed(b"Transfer-Encoding : chunked")),
    refused("coding, folded", framed(b"Transfer-Encoding:\r\n chunked")),
    refused("coding, folded name", framed(b"Transfer-Encoding\r\n : chunked")),
    refused("coding after a folded header", framed(b"X: a\r\n Transfer-Encoding: chunked")),
    refused("coding after a bare CR", framed(b"X: a\rTransfer-Encoding: chunked")),
    refused("coding after a bare LF", framed(b"X: a\nTransfer-Encoding: chunked")),
    refused("coding in HTTP/1.0", head(_TE, version=b"HTTP/1.0") + END + HIDDEN),
    refused("coding in HTTP/1.0 that keeps the connection", head(_TE, b"Connection: keep-alive", version=b"HTTP/1.0")),
    refused("coding with a length in the trailer", framed(_TE, body=b"0\r\nContent-Length: 5\r\n\r\n")),
    served("body of GET", head(_LENGTH, verb=b"GET") + END + HIDDEN),
    served("chunked body of GET", head(_TE, verb=b"GET") + b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + END),
    served("body of DELETE", head(_LENGTH, verb=b"DELETE") + END + HIDDEN),
    served("body of OPTIONS", head(_LENGTH, verb=b"OPTIONS") + END + HIDDEN),
    served("coding with an underscore", head(b"Transfer_Encoding: chunked", _LENGTH) + END + HIDDEN),
    served("upgrade with a body", head(b"Connection: upgrade", b"Upgrade: websocket", _LENGTH) + END + HIDDEN),
    served("upgrade to h2c with a body", head(b"Connection: Upgrade", b"Upgrade: h2c", _LENGTH) + END + HIDDEN),
    served(
        "upgrade with a chunked body",
        head(*_UPGRADE, _TE) + b"%x\r\n%b\r\n" % (len(HIDDEN), HIDDEN) + END,
    ),
    served(
        "upgrade with a body, and the end",
        head(b"Connection: upgrade, close", b"Upgrade: x", _LENGTH) + END + HIDDEN,
        hangs_up=True,
    ),
    served("upgrade of GET with a body", head(*_UPGRADE, _LENGTH, verb=b"GET") + END + HIDDEN),
    served("a hundred upgrades", head(*_UPGRADE, verb=b"GET") * 100, count=100),
    refused("upgrade with both", framed(*_UPGRADE, _LENGTH, _TE)),
    refused("upgrade with a coding that is none", framed(*_UPGRADE, b"Transfer-Encoding: x")),
    refused("CONNECT with a body", head(_LENGTH, verb=b"CONNECT", target=b"localhost:80") + HIDDEN, 403),
    refused("CONNECT and what goes through its tunnel", head(verb=b"CONNECT", target=b"localhost:80") + HIDDEN, 403),
)

CHUNKS = (
    *(
        refused(f"chunks {body[:24]!r}", framed(_TE, body=body))
        for body in (
            *(b"-1\r\nx\r\n" + END, b"+1\r\nx\r\n" + END, b"0x1\r\nx\r\n" + END, b" 1\r\nx\r\n" + END),
            *(b"1 \r\nx\r\n" + END, b"g\r\nx\r\n" + END, b"\r\nx\r\n" + END, b";a\r\nx\r\n" + END),
            *(b"1\nx\r\n" + END, b"1\rx\r\n" + END, b"1\r\nx\n" + END, b"1\r\nx" + END, b"1\r\nxy\r\n" + END),
            *(b"fffffffffffffffff\r\n", b"10000000000000001\r\nx\r\n" + END, b"1;\0\r\nx\r\n" + END),
            *(
                b"1;a\nb\r\nx\r\n" + END,
                b'1;a="\r\n"\r\nx\r\n' + END,
                b"0\r\nbad trailer\r\n\r\n",
                b"0\n\n",
                b"0\r\n\n",
            ),
            *(b"0\r\n\n", b"0\r\n a: b\r\n\r\n", b"0\r\nA: b\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        )
    ),
    served("chunks with extensions", framed(_TE, body=b'1;a;b=c;d="e"\r\nx\r\n' + END)),
    served("chunks with zeros ahead", framed(_TE, body=b"0000000000000001\r\nx\r\n" + END)),
    served("a chunk in capitals", framed(_TE, body=b"A\r\n0123456789\r\n000\r\n\r\n")),
    served("a thousand chunks", framed(_TE, body=b"1\r\nx\r\n" * 1000 + END)),
    served("a trailer", framed(_TE, body=b"1\r\nx\r\n0\r\nX-After: the body\r\n\r\n")),
    refused("an endless extension", framed(_TE, body=b"1;" + b"a" * 2_000_000), 431),
    refused("an endless trailer", framed(_TE, body=b"0\r\nx: " + b"a" * 2_000_000), 431),
    refused("trailers without end", framed(_TE, body=b"0\r\n" + b"a: b\r\n" * 200_000), 431),
)

LINES = (
    refused("HTTP/0.9", b"GET /afar/x\r\n\r\n"),
    refused("HTTP/0.9 said so", head(verb=b"GET", version=b"HTTP/0.9")),
    refused("HTTP/1.2", head(verb=b"GET", version=b"HTTP/1.2")),
    refused("HTTP/2.0", head(verb=b"GET", version=b"HTTP/2.0")),
    refused("HTTP/1.10", head(verb=b"GET", version=b"HTTP/1.10")),
    refused("http/1.1 in small letters", head(verb=b"GET", version=b"http/1.1")),
    refused("no version", b"GET /afar/x \r\n" + HOST + b"\r\n"),
    refused("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("TLS", bytes.fromhex("16030100c8010000c40303") + b"\0" * 200),
    refused("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n"),
    refused("a proxy's first line", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + head(verb=b"GET")),
    refused("verb in small letters", head(verb=b"get")),
    refused("no such verb", head(verb=b"STEAL")),
    refused("an endless verb", b"G" * 1_000_000),
    refused("space first", b" " + head(verb=b"GET")),
    refused("space in the path", head(verb=b"GET", target=b"/afar/a b")),
    refused("space at the end of the line", b"GET /afar/x HTTP/1.1 \r\n" + HOST + b"\r\n"),
    refused("tab between", b"GET\t/afar/x\tHTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("bare LF", b"GET /afar/x HTTP/1.1\n" + HOST + b"\r\n"),
    refused("bare LFs", b"GET /afar/x HTTP/1.1\nHost: localhost\n\n"),
    refused("bare CR", b"GET /afar/x HTTP/1.1\rHost: localhost\r\r"),
    *(
        refused(f"target {each!r}", head(verb=b"GET", target=b"/afar/" + each))
        for each in (b"\0", b"\x0c", b"\x1b[2J", b"\x7f", b"\xff\xfe", b"\xc3\xa9", b"\x9b2J", b"\t")
    ),
    refused("a fragment", head(verb=b"GET", target=b"/afar/x#y")),
    refused("a target without a slash", head(verb=b"GET", target=b"afar/x")),
    refused("an empty target", b"GET  HTTP/1.1\r\n" + HOST + b"\r\n"),
    refused("* of GET", head(verb=b"GET", target=b"*")),
    refused("an address of CONNECT for GET", head(verb=b"GET", target=b"localhost:80")),
    refused("an endless path", head(verb=b"GET", target=b"/afar/" + b"a" * 2_000_000), 431),
    refused("an endless query", head(verb=b"GET", target=b"/afar/x?" + b"a=b&" * 500_000), 431),
    refused("a path without an end", b"GET /afar/" + b"a" * 2_000_000, 431),
    served("empty lines first", b"\r\n\r\n" + head(verb=b"GET")),
    served("absolute", head(verb=b"GET", target=b"http://localhost/afar/x")),
    served("absolute, of another scheme", head(verb=b"GET", target=b"https://localhost:9/afar/x")),
    served("HTTP/1.0", head(verb=b"GET", version=b"HTTP/1.0"), hangs_up=True),
    served("HTTP/1.0 kept", head(b"Connection: keep-alive", verb=b"GET", version=b"HTTP/1.0")),
    served("HTTP/1.0 without Host", b"GET /afar/x HTTP/1.0\r\n\r\n", hangs_up=True),
    served("backslashes", head(verb=b"GET", target=b"/afar/..\\..\\etc")),
    served("an offer of WebSockets", head(b"Connection: upgrade", b"Upgrade: websocket", verb=b"GET")),
    Shape("TRACE", head(verb=b"TRACE"), (403,), hangs_up=False),
    Shape("TRACK", head(verb=b"M-SEARCH"), (403,), hangs_up=False),
    Shape("PROPFIND", head(verb=b"PROPFIND"), (403,), hangs_up=False),
    Shape("* of OPTIONS", head(verb=b"OPTIONS", target=b"*"), (403,), hangs_up=False),
    Shape(
        "absolute, path in the query",
        head(verb=b"GET", target=b"http://localhost?/afar/smuggled"),
        (403,),
        hangs_up=False,
    ),
    Shape("absolute, path in the user", head(verb=b"GET", target=b"http://a:b@localhost"), (403,), hangs_up=False),
)

_PLAIN = b"GET /afar/x HTTP/1.1\r\n"

HEADERS = (
    refused("no Host", _PLAIN + b"\r\n"),
    refused("two Hosts", head(b"Host: elsewhere", verb=b"GET")),
    refused("two Hosts alike", head(b"Host: localhost", verb=b"GET")),
    *(
        refused(f"Host {each!r}", _PLAIN + b"Host: " + each + b"\r\n\r\n")
        for each in (
            b"a b",
            b"a, b",
            b"a/b",
            b"a@b",
            b"a?b",
            b"a\\b",
            b"a#b",
            b"<script>",
            b"a:b",
            b"a:" + b"1" * 5000,
            b"\xff",
        )
    ),
    refused("Host with a port of 5,000 digits", _PLAIN + b"Host: a:" + b"1" * 5000 + b"\r\n\r\n"),
    served("an empty Host", _PLAIN + b"Host:\r\n\r\n"),
    served("Host with a port", _PLAIN + b"Host: [::1]:8080\r\n\r\n"),
    *(
        refused(f"header {each!r}", head(each, verb=b"GET"))
        for each in (
            *(
                b"X",
                b": y",
                b" X: y",
                b"X : y",
                b"X(: y",
                b"X: a\0b",
                b"X: a\x0bb",
                b"X: a\x7fb",
                b"X: a\rb",
                b"X: a\nb",
            ),
            *(
                b"X: a\nb",
                b"X: a\r\n b",
                b"X: a\r\n\tb",
                b"\xe9: y",
                b"X\r: y",
                b"X:\r\n\r",
                b"X: \x1b[2J",
                b"X\n: y",
                b"\0: y",
            ),
        )
    ),
    refused("a header of 2 MB", head(b"X: " + b"a" * 2_000_000, verb=b"GET"), 431),
    refused("a header's name of 2 MB", head(b"a" * 2_000_000 + b": b", verb=b"GET"), 431),
    refused("a header without an end", _PLAIN + b"X: " + b"a" * 2_000_000, 431),
    refused("a name without an end", _PLAIN + b"a" * 2_000_000, 431),
    refused("100,000 headers", head(b"a:" + b"\r\na:" * 100_000, verb=b"GET"), 431),
    refused("spaces without an end", _PLAIN + b"X:" + b" " * 2_000_000, 431),
    served("2,000 headers", head(*(b"a: b" for _ in range(2000)), verb=b"GET")),
    served("an empty header", head(b"X:", verb=b"GET")),
    served("bytes above ASCII", head(b"X: \xff\xfe\xe9", verb=b"GET")),
    served("an expectation that nobody knows", head(b"Expect: a miracle", verb=b"GET")),
    served("names of our own", head(b"x-stackyard-path: /../..", b"x-stackyard-host: evil.example", verb=b"GET")),
    served("Connection that names others", head(b"Connection: x-api-key, host, content-length", verb=b"GET")),
    served("Connection: close", head(b"Connection: close", verb=b"GET"), hangs_up=True),
)
