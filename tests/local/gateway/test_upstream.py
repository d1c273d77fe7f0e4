"""HTTP/1.1 towards a service: large, late, odd, broken off, and on connections that are no longer good."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import time

import httpx
import pytest
from applications import say, told
from gateway_lab import Lab

from tests.waiting import until

MIB = 1024 * 1024


def test_head_has_the_headers_and_no_body(far: Lab) -> None:
    """And the connections behind and before it go on working."""
    for _ in range(3):
        got = say(
            far, {"status": 200, "headers": [["content-length", "5"], ["x-own", "1"]], "body": "aGVsbG8="}, verb="HEAD"
        )
        assert (got.status_code, got.content, got.headers["x-own"]) == (200, b"", "1")
        assert told(far.client.get("/far"))["method"] == "GET"
    assert far.curl("--head", f"{far.url}/far").code == 0


def test_a_streamed_answer_arrives_whole(far: Lab) -> None:
    """API Gateway does not stream for REST APIs: the pieces are one body of known length."""
    got = say(far, {"pieces": ["one ", "two ", "three"]})
    assert (got.text, got.headers["content-length"]) == ("one two three", "13")
    assert "transfer-encoding" not in got.headers


def test_a_request_over_10_mb_is_413(far: Lab) -> None:
    """AWS, "Quotas for configuring and running a REST API"; what is just within passes, unlike for Lambda."""
    body = json.dumps({"body": "aGk="}).ljust(10 * MIB)
    assert far.client.post("/far", content=body, headers={"x-say": "1"}).text == "hi"
    assert far.client.post("/far", content=body + " ", headers={"x-say": "1"}).status_code == 413


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_an_answer_over_10_mb_is_500(far: Lab, framing: str) -> None:
    """What is just within passes; the next request finds everything in order."""
    headers = [["content-length", str(10 * MIB)]] if framing == "length" else []
    got = say(far, {"headers": headers, "body": "", "more": 10 * MIB})
    assert (got.status_code, len(got.content)) == (200, 10 * MIB)
    headers = [["content-length", str(10 * MIB + 1)]] if framing == "length" else []
    got = say(far, {"headers": headers, "body": "", "more": 10 * MIB + 1})
    assert (got.status_code, got.json()) == (500, {"message": "Internal server error"})
    assert told(far.client.get("/far"))["method"] == "GET"


def test_too_slow_is_504_and_the_service_is_told(far: Lab) -> None:
    """AWS, INTEGRATION_TIMEOUT; the connection to the service ends, so that it can give up too."""
    begun = time.monotonic()
    got = say(far, {"sleep": 20}, "/late")
    assert (got.status_code, got.json()) == (504, {"message": "Endpoint request timed out"})
    assert time.monotonic() - begun < 5
    seen = far.root / "seen"
    until(lambda: seen.exists() and seen.read_text(encoding="utf-8") == "http.disconnect", "the service is told")
    until(lambda: far.told("late")["processes"][0]["under_way"] == 0, "nothing is under way")
    assert told(far.client.get("/late/x"))["path"] == "/late/x"


@pytest.mark.parametrize("path", ["rubbish", "version", "six", "switch"])
def test_what_is_not_http_is_502(far: Lab, path: str) -> None:
    """And a word in the log says whose fault it was."""
    got = far.client.get(f"/raw/{path}")
    assert (got.status_code, got.json()) == (502, {"message": "Internal server error"})
    until(lambda: any("the service" in (each["error"] or "") for each in far.records("access")), "the log says why")


@pytest.mark.parametrize("path", ["short", "chunk", "nothing"])
def test_an_answer_that_breaks_off_is_504(far: Lab, path: str) -> None:
    """AWS, INTEGRATION_FAILURE: half an answer is none."""
    got = far.client.get(f"/raw/{path}")
    assert (got.status_code, got.json()) == (504, {"message": "Network error communicating with endpoint"})


@pytest.mark.parametrize("path", ["open", "old"])
def test_an_answer_may_end_with_its_connection(far: Lab, path: str) -> None:
    """RFC 9112, 6.3: without a length the body goes to the end."""
    assert far.client.get(f"/raw/{path}").text == "to the end"


@pytest.mark.parametrize(("path", "text"), [("early", "ok"), ("extra", "ok"), ("bytes", "stale")])
def test_odd_but_good_answers_are_understood(far: Lab, path: str, text: str) -> None:
    """Interim answers, what nobody asked for behind an answer, one byte at a time."""
    for _ in range(3):
        assert far.client.get(f"/raw/{path}").text == text


def test_a_crowd_that_loses_its_process(far: Lab) -> None:
    """Of many requests at once those under way fail, those that never left are answered by the next process."""
    body = json.dumps({"sleep": 3})
    many = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=None))
    with many as client, concurrent.futures.ThreadPoolExecutor(150) as pool:
        crowd = [pool.submit(client.post, f"{far.url}/crowd", content=body, headers={"x-say": "1"}) for _ in range(150)]
        until(lambda: far.told("crowd")["processes"][0]["under_way"] > 120, "more wait than are under way")
        os.kill(far.processes("crowd")[0], signal.SIGKILL)
        statuses = [each.result().status_code for each in crowd]
    # A few more than were under way: the kernel closes a killed process's sockets one by one, its listener among them.
    assert 0 < statuses.count(504) < len(statuses)
    assert statuses.count(200) == len(statuses) - statuses.count(504) > 0
    assert far.told("crowd")["starts"] == 2


def test_a_stale_connection_costs_one_more_try(far: Lab) -> None:
    """The service hangs up on the second request of each connection: what may be repeated is, what may not is 504."""
    assert [far.client.get("/raw/stale").text for _ in range(6)] == ["stale"] * 6
    far.client.get("/raw/stale")
    statuses = [far.client.post("/raw/stale").status_code for _ in range(4)]
    assert set(statuses) == {200, 504}
