"""Made-up streams of requests, whole and damaged, in any packets: two parsers must agree on what is served."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.client import check_discreet, talk
from tests.fuzz.conftest import Target
from tests.fuzz.reader import Meant, normal, read
from tests.fuzz.recorders import Seen
from tests.local.gateway.gateway_lab import KEY

MANY = settings(max_examples=300, deadline=None, derandomize=True, database=None)

_targets = st.sampled_from([b"/afar/a", b"/afar/b?x=1", b"/near/a", b"/near/b/?y", b"/near", b"/nobody"])
_verbs = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE"])
_bodies = st.binary(max_size=40) | st.sampled_from([b"GET /afar/smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"0\r\n\r\n"])
_plain = st.sampled_from(
    [b"Accept: */*", b"X-A: b", b"Connection: keep-alive", b"Expect: 100-continue", b"Cookie: a=b; c=d", b"X:"]
)
_odd = st.sampled_from(
    [
        *(
            b"Content-Length: 0",
            b"Content-Length: 3",
            b"Content-Length: 4 ",
            b"Content-Length: +3",
            b"content-length:7",
        ),
        *(b"Content-Length : 3", b"Content-Length: 3, 3", b"Content-Length: 03", b"Transfer-Encoding: identity"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: CHUNKED", b"Transfer-Encoding:\tchunked"),
        *(b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding: xchunked", b"Transfer-encoding: gzip, chunked"),
        *(b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked", b"X: y\r\n Transfer-Encoding: chunked"),
        *(b"X: y\nTransfer-Encoding: chunked", b"X: y\rContent-Length: 3", b"Host: other", b"Connection: close"),
        *(b"Connection: upgrade\r\nUpgrade: websocket", b"Upgrade: h2c", b"Trailer: X-A", b"\0: x", b":", b""),
    ]
)


@st.composite
def _chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """Return a body in chunks, whose sizes, extensions and trailer are spelled in some way."""
    found = b""
    while body:
        size = draw(st.integers(1, len(body)))
        spelled = draw(st.sampled_from([b"%x", b"%X", b"0%x", b"%x;a", b'%x;a="b c"', b"%x;a=b"])) % size
        found += spelled + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]
    return found + draw(st.sampled_from([b"0", b"000", b"0;a"])) + b"\r\n" + draw(st.sampled_from([b"", b"X-T: u\r\n"]))


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """Return one request as it should be."""
    body = draw(_bodies)
    headers = [b"Host: localhost", *draw(st.lists(_plain, max_size=3))]
    if draw(st.booleans()):
        headers.append(draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked"])))
        body = draw(_chunked(body)) + b"\r\n"
    elif body:
        headers.append(b"Content-Length: %d" % len(body))
    first = draw(_verbs) + b" " + draw(_targets) + b" HTTP/1.1"
    return b"\r\n".join([first, *draw(st.permutations(headers)), b"", b""]) + body


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """Return a stream of requests with one thing wrong: a header too many, or some bytes replaced."""
    stream = b"".join(draw(st.lists(_requests(), min_size=1, max_size=3)))
    if draw(st.booleans()):
        ends = [at for at in range(len(stream)) if stream.startswith(b"\r\n", at)]
        at = draw(st.sampled_from(ends)) + 2
        return stream[:at] + draw(_odd) + b"\r\n" + stream[at:]
    at = draw(st.integers(0, len(stream)))
    gone = draw(st.integers(0, 4))
    new = draw(
        st.sampled_from([b"", b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b"0", b"\xff"]) | st.binary(max_size=4)
    )
    return stream[:at] + new + stream[at + gone :]


@st.composite
def _cut(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> list[bytes]:
    """Return a stream in up to five packets."""
    stream = draw(whole)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=4)))
    return [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True) if begin < end]


def _meant(seen: Seen) -> Meant:
    return Meant(seen.verb, normal(seen.target), seen.size, seen.digest)


def _exchange(target: Target, packets: list[bytes]) -> tuple[list[int], list[Meant]]:
    """Send packets; return the statuses, and what the services saw. Raises AssertionError for what is never right."""
    target.record.take()
    said = talk(target.port, *packets, finish=True)
    seen = target.record.take()
    assert [each.fault for each in seen if each.fault] == []
    assert said.statuses.count(200) == len(seen)
    assert set(said.statuses) <= {200, 400, 403, 413, 431}
    check_discreet(said.answers)
    return said.statuses, [_meant(each) for each in seen]


def test_requests_as_they_should_be_are_all_served(target: Target) -> None:
    """Whatever verbs, framings and packets: each request that h11 reads is answered, and seen as h11 reads it."""
    served: Counter[str] = Counter()

    @MANY
    @given(_cut(st.lists(_requests(), min_size=1, max_size=4).map(b"".join)))
    def check(packets: list[bytes]) -> None:
        statuses, seen = _exchange(target, packets)
        meant = read(b"".join(packets))
        assert len(statuses) == len(meant)
        routed = [each for each in meant if each.verb != "TRACE" and not each.path.startswith("/nobody")]
        assert seen == routed
        served.update(each.verb for each in seen)

    check()
    assert len(served) == 6
    assert served.total() > 300


def test_damaged_requests_are_never_seen_otherwise_than_by_another_parser(target: Target) -> None:
    """What the gateway serves, h11 reads too, in that order, with those bodies. It may refuse more, never see more."""
    found: Counter[str] = Counter()

    @settings(MANY, max_examples=900)
    @given(_cut(_damaged()))
    def check(packets: list[bytes]) -> None:
        statuses, seen = _exchange(target, packets)
        meant = read(b"".join(packets))
        left = iter(meant)
        # Each in turn is found among what is left: a subsequence.
        assert all(each in left for each in seen), f"{packets}: {seen}, where h11 reads {meant}"
        found.update(["refused" for status in statuses if status == 400], served=len(seen))

    check()
    assert min(found["served"], found["refused"]) > 100


_steps = st.sampled_from(
    [
        *(
            "a",
            "..",
            ".",
            "",
            "%2e%2e",
            "%2E.",
            "%252e",
            "%2f",
            "%5c",
            "\\",
            "%00",
            "%0d%0a",
            "%0aX:y",
            "%20",
            "%ff",
            "%",
        ),
        *(
            "%zz",
            "%c0%af",
            "%c3%28",
            "%u0041",
            ";a=b",
            "~",
            "@b:1",
            ":",
            "x" * 3000,
            "%F0%9F%92%A9",
            "{proxy+}",
            "$context",
        ),
    ]
)
_queries = st.sampled_from(
    ["", "?", "?a", "?a=%00", "?%ff=%zz", "?a=b;c=d&&", "??//", "?" + "a=b&" * 500, "?a[]=%0d%0a"]
)


def test_no_path_breaks_a_line_or_a_service(target: Target) -> None:
    """Dots, slashes, NULs, line ends and bytes that are no text, encoded any way: one request, in one line."""

    @MANY
    @given(st.sampled_from(["near", "afar"]), st.lists(_steps, min_size=1, max_size=4), _queries)
    def check(service: str, steps: list[str], query: str) -> None:
        path = f"/{service}/{'/'.join(steps)}"
        head = f"GET {path}{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        statuses, seen = _exchange(target, [head])
        assert statuses in ([200], [431]), head
        assert [each.verb for each in seen] == ["GET"] * statuses.count(200)
        assert all(each.path.startswith(f"/{service}") for each in seen)

    check()


@pytest.mark.parametrize(
    "way",
    [
        *("/keyed", "/keyed/", "//keyed", "/keyed//", "/./keyed", "/x/../keyed", "/near/../keyed", "/afar/..%2fkeyed"),
        *("/%6beyed", "/keyed%2fx", "/keyed/%2e%2e/keyed", "/KEYED", "/keyed;a", "/keyed?x", "/local/keyed"),
        *("/local//keyed", "/local/local/keyed", "http://localhost/keyed", "http://x?/keyed", "/_stackyard/../keyed"),
    ],
)
@pytest.mark.parametrize(
    "pretence",
    [
        b"",
        b"x-api-key:\r\n",
        b"x-api-key: %00\r\n",
        b"x_api_key: " + KEY["value"].encode() + b"\r\n",
        b"x-original-url: /afar\r\nx-rewrite-url: /afar\r\nx-http-method-override: OPTIONS\r\n",
        b"Transfer-Encoding: chunked\r\nTrailer: x-api-key\r\n",
    ],
)
def test_no_spelling_gets_past_an_api_key(target: Target, way: str, pretence: bytes) -> None:
    """However the path is written and whatever is claimed, in a trailer too, the service with a key is not reached."""
    target.record.take()
    head = f"POST {way} HTTP/1.1\r\nHost: localhost\r\n".encode() + pretence
    body = b"0\r\nx-api-key: " + KEY["value"].encode() + b"\r\n\r\n" if b"chunked" in pretence else b""
    said = talk(target.port, head + b"\r\n" + body, finish=True)
    assert all(each.status < 500 for each in said.answers)
    assert all(not normal(each.target).startswith("/keyed") for each in target.record.take())


def test_a_key_opens_the_door(target: Target) -> None:
    """The tests above are not about a door that never opens."""
    target.record.take()
    head = b"POST /keyed HTTP/1.1\r\nHost: localhost\r\nx-api-key: " + KEY["value"].encode() + b"\r\n\r\n"
    assert talk(target.port, head, answers=1).statuses == [200]
    assert [each.target for each in target.record.take()] == ["/keyed"]
