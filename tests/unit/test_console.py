"""What the console keeps and how it is worded: bounds, secrets, bytes that are no text, requests that are none."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.local.console.replay import Replay, UnfitError, parse_wanted, render_request
from stackyard.local.console.stream import parse_event_id
from stackyard.local.console.views import describe_body, describe_detail, describe_summary
from stackyard.local.gateway.event import Place
from stackyard.local.gateway.exchange import Exchange, Office
from stackyard.local.gateway.journal import Access, Journal
from stackyard.local.gateway.message import Limits, Request
from stackyard.local.gateway.recorder import KEPT, LARGEST, MASK, ROOM, Recorder, Reply
from stackyard.local.gateway.refusal import Refusals
from stackyard.local.gateway.routes import Match, Method
from stackyard.local.gateway.visitors import is_ours

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits(body=1000, head=500)
PLACE = Place("123456789012", "abcde12345", "local", "d1", "8080", ("*/*",))
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:acme-local-api:live"


def make_request(*headers: tuple[str, str], method: str = "GET", target: str = "/greet", body: bytes = b"") -> Request:
    """Return a request as the wire would have made it."""
    request = Request(Replay(lambda _status, _headers: None))
    request.method, request.target, request.body = method.encode(), target.encode(), body
    request.headers = [(name.lower().encode(), name.encode(), value.encode()) for name, value in headers]
    request.started = 1_700_000_000.0
    return request


@dataclass
class Kept:
    """A recorder, and a way to give it requests."""

    recorder: Recorder

    def request(self, request: Request, answer: bytes = b"{}", headers: bytes = b"") -> str:
        """Keep a request that the function api answered; return its id."""
        path, _, query = request.target.decode().partition("?")
        journal = Journal(None, io.StringIO())
        exchange = Exchange(Office(PLACE, Refusals({}), journal), request, path, query)
        exchange.match = Match(Method("/{proxy+}", "abc", FUNCTION, 29, needs_key=False), {"proxy": path[1:]})
        access = Access(
            request_id=exchange.ids.request,
            trace=exchange.ids.trace,
            ip="127.0.0.1",
            started=request.started,
            method=request.method.decode(),
            path=path,
            resource="/{proxy+}",
            service="api",
            status=200,
            length=len(answer),
            latency=4.2,
            integration_latency=4.0,
            agent="",
            error="",
        )
        self.recorder.keep(access, exchange, Reply(200, headers, answer), cold=True)
        return exchange.ids.request


@pytest.fixture
def kept() -> Kept:
    return Kept(Recorder())


def test_the_last_thousand_are_kept(kept: Kept) -> None:
    """Numbers go on, the oldest go, and who was told up to one of them is told the rest."""
    ids = [kept.request(make_request(target=f"/{number}")) for number in range(KEPT + 50)]
    first, records = kept.recorder.records()
    assert (first, len(records), records[0].access.path) == (50, KEPT, "/50")
    first, records = kept.recorder.records(after=KEPT + 40, most=5)
    assert (first, [each.access.path for each in records]) == (KEPT + 40, [f"/{KEPT + each}" for each in range(40, 45)])
    assert kept.recorder.records(after=3, most=1)[0] == 50, "what is gone is passed over"
    assert kept.recorder.find(ids[0]) is None
    assert kept.recorder.find(ids[-1]) is not None


def test_large_bodies_share_their_room(kept: Kept) -> None:
    """However large they are: each is cut, the oldest give theirs up, small ones stay."""
    small = kept.request(make_request(body=b"small"))
    for _ in range(600):
        kept.request(make_request(method="POST", body=b"x" * (2 * LARGEST)), answer=b"y" * (10 * LARGEST))
    _, records = kept.recorder.records()
    held = sum(each.weight for each in records)
    assert ROOM - 2 * LARGEST <= held <= ROOM + 4096
    assert records[1].body is None
    found = kept.recorder.find(small)
    assert found is not None
    assert found.body == b"small"
    last = describe_detail(records[-1], 1, [], "http://x")
    assert last["request"]["body"]["cut"]
    assert last["event"] is None, "an event without its body would be none"
    assert not describe_detail(records[1], 1, [], "http://x")["answer"]["body"]["kept"]
    kept.recorder.clear()
    assert kept.recorder.records() == (601, [])


SECRET = "s3cr3t-value"
HIDDEN = [
    ("Authorization", f"Bearer {SECRET}"),
    ("COOKIE", f"a={SECRET}; b={SECRET}"),
    ("x-API-key", SECRET),
    ("Proxy-Authorization", SECRET),
    ("X-Amz-Security-Token", SECRET),
]


def test_secrets_are_not_kept(kept: Kept) -> None:
    """Neither in what is kept nor in anything that is said of it, event and command included."""
    answer = f"Set-Cookie: session={SECRET}; Path=/; HttpOnly\r\nset-cookie: {SECRET}\r\nX-Other: seen\r\n"
    given = make_request(*HIDDEN, ("X-Plain", "seen"))
    request_id = kept.request(given, headers=answer.encode())
    record = kept.recorder.find(request_id)
    assert record is not None
    assert SECRET.encode() not in record.reply + b"".join(value for _, _, value in record.headers)
    told = json.dumps(describe_detail(record, 1, [], "http://127.0.0.1:8080"))
    assert SECRET not in told
    assert told.count("seen") >= 3
    assert "session=(not kept); Path=/; HttpOnly" in told
    assert given.headers[0][2].endswith(SECRET.encode()), "the request itself goes on as it came"


def test_a_detail_says_all(kept: Kept) -> None:
    """Headers in their order, the event that the function was given, lines that name the request, a command."""
    request = make_request(
        ("Host", "x"), ("X-A", "1"), method="POST", target="/local/greet?name=Ann%20B", body=b'{"a": 1}'
    )
    request_id = kept.request(request, headers=b"Content-Type: application/json\r\nX-B: 2\r\n")
    kept.recorder.say("log", "api", json.dumps({"message": "greeted", "level": "info", "request_id": request_id}))
    kept.recorder.say("log", "api", json.dumps({"message": "another", "request_id": "other"}))
    _, [record] = kept.recorder.records()
    found = describe_detail(record, 7, kept.recorder.said()[1], "http://127.0.0.1:8080")
    assert found["summary"]["number"] == 7
    assert found["summary"]["cold"] is True
    assert found["answer"]["headers"] == [("Content-Type", "application/json"), ("X-B", "2")]
    event = json.loads(json.dumps(found["event"]))
    assert (event["path"], event["queryStringParameters"]) == ("/greet", {"name": "Ann B"})
    assert event["requestContext"]["requestId"] == request_id
    assert [line["message"] for line in found["lines"]] == ["greeted"]
    command = (
        "curl --include --header 'X-A: 1' --data-binary '{\"a\": 1}' 'http://127.0.0.1:8080/local/greet?name=Ann%20B'"
    )
    assert found["curl"] == command


@given(st.binary(max_size=200), st.integers(0, 5))
def test_any_bytes_can_be_said(body: bytes, more: int) -> None:
    """As text where they are UTF-8, cut within a character or not; else as base64."""
    said = describe_body(body, len(body) + more)
    json.dumps(said)
    if said["text"] is not None:
        assert body.startswith(said["text"].encode())
        assert len(body) - len(said["text"].encode()) < 4
    else:
        assert said["base64"]


@given(st.text(max_size=60))
def test_an_event_id_of_anything(text: str) -> None:
    """What a browser sends back is read, whatever it is; nonsense means that nothing was told."""
    assert parse_event_id(text)[1:] >= (0, 0)
    assert parse_event_id("ab12.3.4") == ("ab12", 3, 4)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"method": "GE T", "path": "/"}, "method"),
        ({"method": "CONNECT", "path": "/"}, "method"),
        ({"method": "GET", "path": "greet"}, "begins with /"),
        ({"method": "GET", "path": "http://evil.example/"}, "begins with /"),
        ({"method": "GET", "path": "/a b"}, "begins with /"),
        ({"method": "GET", "path": "/a\r\nX: y"}, "begins with /"),
        ({"method": "GET", "path": "/", "headers": [["X", "a\r\nY: b"]]}, "line break"),
        ({"method": "GET", "path": "/", "headers": [["X Y", "a"]]}, "name"),
        ({"method": "GET", "path": "/", "headers": [["Host", "a"], ["host", "b"]]}, "400"),
        ({"method": "GET", "path": "/", "headers": [["X", "a" * 600]]}, "API Gateway takes 500"),
        ({"method": "GET", "path": "/", "body": "?", "encoding": "base64"}, "base64"),
        ({"method": "GET", "path": "/", "of": "<b>"}, "id"),
        ({"method": "GET"}, "path"),
        ({"method": "GET", "path": "/", "more": 1}, "more"),
        ([], "object"),
    ],
)
def test_what_is_no_request_is_not_sent(wanted: object, why: str) -> None:
    """Nothing gets to a service in this way that could not have come over a connection."""
    with pytest.raises(UnfitError, match=why):
        render_request(parse_wanted(json.dumps(wanted).encode()), "localhost", LIMITS, Replay(lambda _s, _h: None))


def test_a_request_is_sent_as_a_client_would_have() -> None:
    """With a host, without what belongs to the connection or was not kept, marked with what it was made from."""
    headers = [
        ["X-A", " 1 "],
        ["Content-Length", "99"],
        ["Transfer-Encoding", "chunked"],
        ["Authorization", MASK.decode()],
    ]
    data = {"method": "post", "path": "/a?b=c", "headers": headers, "body": "é", "of": "ab-12"}
    made = render_request(parse_wanted(json.dumps(data).encode()), "localhost:1", LIMITS, Replay(lambda _s, _h: None))
    assert (made.method, made.target, made.body) == (b"POST", b"/a?b=c", "é".encode())
    assert [(name, value) for name, _, value in made.headers] == [
        (b"host", b"localhost:1"),
        (b"x-a", b"1"),
        (b"x-stackyard-replay", b"ab-12"),
    ]
    large = {"method": "PUT", "path": "/", "body": "x" * 1001}
    made = render_request(parse_wanted(json.dumps(large).encode()), "localhost", LIMITS, Replay(lambda _s, _h: None))
    assert made.too_large, "the gateway answers 413 to it, as to any other"


OPENED = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]


@pytest.mark.parametrize(
    ("headers", "page", "welcome"),
    [
        ([("Host", "127.0.0.1:8080")], False, True),
        ([("Host", "localhost:8080"), ("Origin", "http://localhost:8080")], False, True),
        ([("Host", "[::1]:8080"), ("Sec-Fetch-Site", "same-origin")], False, True),
        ([("Host", "LOCALHOST"), ("Sec-Fetch-Site", "none")], True, True),
        ([("Host", "10.0.0.9:8080")], False, True),
        ([], False, False),
        ([("Host", "evil.example")], True, False),
        ([("Host", "localhost.evil.example")], False, False),
        ([("Host", "localhost:8080"), ("Origin", "http://localhost:3000")], False, False),
        ([("Host", "localhost:8080"), ("Origin", "null")], False, False),
        ([("Host", "localhost:8080"), ("Sec-Fetch-Site", "same-site")], False, False),
        ([("Host", "localhost:8080"), *OPENED], False, False),
        ([("Host", "localhost:8080"), *OPENED], True, True),
        ([("Host", "localhost:8080"), *OPENED[:2], ("Sec-Fetch-Dest", "iframe")], True, False),
        ([("Host", "evil.example"), *OPENED], True, False),
    ],
)
def test_who_may_ask(headers: list[tuple[str, str]], page: bool, welcome: bool) -> None:
    """Tools of this machine and the page itself; a link from elsewhere shows the page, and embeds nothing."""
    assert is_ours(make_request(*headers), "10.0.0.9", page=page) is welcome


def test_the_page_brings_all_that_it_needs() -> None:
    """No address of elsewhere, no inline script or style, no markup made of text; no file that is too long to read."""
    files = {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "src/stackyard/local/console/page").iterdir()
    }
    assert {"index.html", "console.css", "console.js"} <= set(files)
    for name, text in files.items():
        places = [
            word for word in ("http://", "https://", "//cdn") if word in text.replace("http://www.w3.org/2000/svg", "")
        ]
        assert places == (["http://"] if name == "console.js" else []), name  # what it takes off an address it shows
        assert not any(
            word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write")
        )
        assert len(text.splitlines()) < 400, name
    assert "style=" not in files["index.html"]
    assert files["index.html"].count("<script") == 1


def test_no_image_holds_it() -> None:
    """A build is not given the package that the console is a part of."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored.index("src/stackyard") > ignored.index("!src"), "the last line that fits decides"


def test_a_summary_is_small(kept: Kept) -> None:
    """A row is told to every page that is open."""
    kept.request(make_request(("X-Large", "x" * 5000), body=b"x" * 5000))
    _, [record] = kept.recorder.records()
    assert len(json.dumps(describe_summary(record, 1))) < 600
