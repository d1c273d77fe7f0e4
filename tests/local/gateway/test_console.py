"""What the console tells of a running gateway, to whom, and what it sends again."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from gateway_lab import DEADLINE, ECHO, KEY, Lab

from tests.waiting import until

SLOW_START = """
import time

time.sleep(0.3)

def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["requestId"]}
"""
ELSEWHERE = [
    {"Host": "evil.example"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:3000", "Host": "localhost:8080"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running gateway with a service at ``/``, one with a key, and one that starts with its first request."""
    lab = Lab(tmp_path_factory.mktemp("shown"))
    lab.service("echo", ECHO, path="/")
    lab.service("keyed", ECHO, api_key=True)
    lab.extra = {"api_keys": [KEY]}
    lab.start()
    yield lab
    lab.stop()


def summaries(lab: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab.client.get("/_stackyard/requests").raise_for_status().json()
    return found


def detail(lab: Lab, request_id: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.client.get(f"/_stackyard/requests/{request_id}").raise_for_status().json()
    return found


def asked(lab: Lab, path: str, **more: Any) -> str:
    """Ask for something and return the request's id."""
    return lab.client.request(more.pop("method", "GET"), path, **more).headers["x-amzn-requestid"]


@contextmanager
def news(lab: Lab, since: str = "") -> Generator[Iterator[tuple[str, dict[str, Any]]]]:
    """Listen; yield events as their ids and what they say."""
    headers = {"Last-Event-ID": since} if since else {}

    def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        event_id = ""
        for line in lines:
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                yield event_id, json.loads(line[6:])

    with lab.client.stream("GET", "/_stackyard/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield events(answer.iter_lines())


def test_the_page_and_what_it_may_do(shown: Lab) -> None:
    """It is served with its files; nothing of elsewhere runs in it, and nobody puts it into a frame."""
    page = shown.client.get("/_stackyard/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    for name in ("console.css", "console.js", "detail.js", "icon.svg"):
        assert shown.client.get(f"/_stackyard/{name}").headers["x-content-type-options"] == "nosniff"
    bare = shown.client.get("/_stackyard")
    assert (bare.status_code, bare.headers["location"]) == (308, "/_stackyard/")
    for name in ("..%2fgateway%2fwire.py", "console.py", "requests/none", "%2e%2e/"):
        assert shown.client.get(f"/_stackyard/{name}").status_code in {403, 404}, name


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize("place", ["GET ", "GET requests", "GET events", "GET system", "POST replay", "POST clear"])
def test_elsewhere_learns_and_does_nothing(shown: Lab, place: str, headers: dict[str, str]) -> None:
    """Other origins, other ports of this machine, names that were made to point here."""
    verb, _, name = place.partition(" ")
    count = shown.described("echo")["invocations"]
    body = {"method": "GET", "path": "/sent"} if verb == "POST" else None
    assert shown.client.request(verb, f"/_stackyard/{name}", headers=headers, json=body).status_code == 403
    assert shown.described("echo")["invocations"] == count


def test_a_request_is_shown_with_its_event(shown: Lab) -> None:
    """What went in, what the function was given, what came out; secrets in none of it."""
    headers = {"Authorization": "Bearer s3cr3t", "Cookie": "a=s3cr3t", "X-Plain": "seen"}
    request_id = asked(shown, "/local/some/where?a=1&a=2", method="POST", content=b'{"b": 1}', headers=headers)
    found = detail(shown, request_id)
    assert found["summary"] == next(each for each in summaries(shown) if each["id"] == request_id)
    assert found["summary"]["cold"] is False
    assert found["request"]["body"]["text"] == '{"b": 1}'
    given = json.loads(found["answer"]["body"]["text"])  # the service answers with its event
    assert given["headers"]["Authorization"] == "Bearer s3cr3t"
    for each in (given["headers"], given["multiValueHeaders"]):
        for name in ("Authorization", "Cookie"):
            each[name] = "(not kept)" if isinstance(each[name], str) else ["(not kept)"]
    assert found["event"] == given
    assert found["hidden"] == ["Authorization", "Cookie"]


def test_what_the_gateway_refuses_is_shown_too(shown: Lab) -> None:
    """With the reason, and no service; its own addresses are not among the requests."""
    request_id = asked(shown, "/keyed/x")
    assert (detail(shown, request_id)["summary"]["service"], detail(shown, request_id)["event"] is None) == ("", False)
    assert detail(shown, request_id)["summary"]["error"] == "Forbidden"
    assert not [each for each in summaries(shown) if each["path"].startswith("/_stackyard")]


def test_cold_or_warm(lab: Lab) -> None:
    """Cold is what waited for its process to start."""
    lab.service("late", SLOW_START, path="/")
    lab.start(warm=False)
    first, second = asked(lab, "/"), asked(lab, "/")
    assert [detail(lab, each)["summary"]["cold"] for each in (first, second)] == [True, False]


def test_news_come_as_they_happen(shown: Lab) -> None:
    """First what is kept, then what comes; who was away is told what was missed, once."""
    first = asked(shown, "/before")
    with news(shown) as events:
        told: list[str] = []
        after = event_id = ""
        for last, said in events:
            event_id = last
            told += [each["id"] for each in said.get("requests", [])]
            if first in told and not after:
                after = httpx.get(f"{shown.url}/after").headers["x-amzn-requestid"]
            if after in told:
                break
        assert "." in event_id
    missed = asked(shown, "/missed")
    with news(shown, since=event_id) as events:
        _, said = next(events)
        assert [each["id"] for each in said["requests"]] == [missed]
        assert "epoch" not in said
        assert {each["name"] for each in said["system"]["services"]} == {"echo", "keyed"}


def test_a_request_sent_again(shown: Lab) -> None:
    """It passes every stage as any other does: routes, keys, the service; and says what it was made from."""
    request_id = asked(shown, "/old", method="POST", content=b"old")
    wanted = {"method": "PUT", "path": "/new?c=d", "headers": [["X-A", "1"]], "body": "new", "of": request_id}
    done = shown.client.post("/_stackyard/replay", json=wanted).raise_for_status().json()
    assert done["status"] == 200
    found = detail(shown, done["id"])
    event = json.loads(found["answer"]["body"]["text"])
    assert (event["httpMethod"], event["path"], event["headers"]["X-A"]) == ("PUT", "/new", "1")
    assert event["headers"]["Host"] == f"127.0.0.1:{shown.port}"
    assert found["summary"]["replay_of"] == request_id
    for key, status in (("", 403), (KEY["value"], 200)):
        wanted = {"method": "GET", "path": "/keyed/x", "headers": [["X-Api-Key", key]]}
        assert shown.client.post("/_stackyard/replay", json=wanted).json()["status"] == status
    assert KEY["value"] not in shown.client.get("/_stackyard/requests").text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b"no json", "application/json", 422),
        (b'{"method": "GET", "path": "/_stackyard/status"}', "application/json", 422),
        (b'{"method": "GET", "path": "/"}', "text/plain", 415),
        (b"x" * (10 * 1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_what_cannot_be_sent_again(shown: Lab, content: bytes, kind: str, status: int) -> None:
    """It is said why; a form of another page could not post what is taken here."""
    answer = shown.client.post("/_stackyard/replay", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json()["message"]


def test_clearing_forgets(shown: Lab) -> None:
    """Pages that are open begin anew."""
    request_id = asked(shown, "/forgotten")
    shown.client.post("/_stackyard/clear", json={}).raise_for_status()
    assert summaries(shown) == []
    assert shown.client.get(f"/_stackyard/requests/{request_id}").status_code == 404


def test_a_page_that_does_not_read_holds_nobody_up(shown: Lab) -> None:
    """Requests go on, memory does not grow with what it was not told, and too many pages are refused."""
    idle = [socket.create_connection(("127.0.0.1", shown.port), DEADLINE) for _ in range(13)]
    ask = f"GET /_stackyard/events HTTP/1.1\r\nHost: 127.0.0.1:{shown.port}\r\n\r\n".encode()
    for each in idle:
        each.sendall(ask)
    assert idle[-1].recv(12) == b"HTTP/1.1 503"
    begun = time.monotonic()
    for _ in range(50):
        assert shown.client.get("/x").status_code == 200
    assert time.monotonic() - begun < DEADLINE
    for each in idle:
        each.close()
    until(lambda: shown.client.get("/_stackyard/system").status_code == 200, "it goes on")

    def free() -> bool:
        with shown.client.stream("GET", "/_stackyard/events") as answer:
            return answer.status_code == 200

    until(free, "their places are free again")


def test_memory_stays_flat(lab: Lab) -> None:
    """A thousand requests with large bodies and their answers, and half as many more: what is kept is bounded."""
    lab.service(
        "echo", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'y' * 30_000}\n", path="/"
    )
    lab.start()

    def resident() -> int:
        pid = lab.status()["pid"]
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:  # noqa: PTH123  (a device of the kernel's)
            return int(file.read().split()[1]) * 4096

    sizes: list[int] = []
    for count in (1100, 600):
        for _ in range(count):
            lab.client.post("/", content=b"x" * 10_000)
        sizes.append(resident())
    assert sizes[1] - sizes[0] < 4 * 1024 * 1024, sizes
    assert len(summaries(lab)) == 1000


def test_without_a_console(lab: Lab) -> None:
    """``--no-console``: nothing is kept or shown; the status, which the tools need, is."""
    lab.service("echo", ECHO, path="/")
    lab.options = ("--no-console",)
    lab.start()
    for name in ("", "console.js", "requests", "events", "system"):
        assert lab.client.get(f"/_stackyard/{name}").status_code == 404
    assert lab.client.post("/_stackyard/replay", json={"method": "GET", "path": "/"}).status_code == 404
    assert lab.status()["project"] == "acme"
    assert json.loads((lab.root / "ready.json").read_text(encoding="utf-8"))["console"] is False


def test_an_open_page_does_not_hold_up_the_end(lab: Lab) -> None:
    """The gateway ends at once, and the page's connection with it."""
    lab.service("echo", ECHO, path="/")
    lab.start()
    with news(lab) as events:
        next(events)
        begun = time.monotonic()
        assert lab.daemon is not None
        lab.daemon.stop()
        assert time.monotonic() - begun < 4, "an answer that is owed would have been waited for"
        assert [said for _, said in events if "requests" in said] == []
