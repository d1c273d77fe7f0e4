"""Jobs are taken, done by asking api, and keep one request's ids, under the real Lambda runtime client."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from servicekit.testing import rest_event
from worker.jobs import Job, job_id, read_job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from servicekit.testing import RuntimeApi

    Function = tuple[RuntimeApi, Path]

TRACE = "1-67891233-abcdef012345678912345678"


def ask(function: Function, url: str, method: str = "GET", body: Any = None, **headers: str) -> dict[str, Any]:
    """Ask through a gateway with the stage dev."""
    content = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}.items()
    return function[0].invoke(rest_event(url, method, service_path="/worker", headers=sent, body=content))


def test_a_job_from_post_to_result(function: Function) -> None:
    """202 with the address of the result, which is public; there, each name was greeted by api, in order."""
    accepted = ask(function, "/worker/jobs", "POST", {"names": ["Ann", " Ä & b? "]})
    assert accepted["statusCode"] == 202
    location = accepted["headers"]["location"]
    assert location.startswith("/dev/worker/jobs/")
    assert json.loads(accepted["body"])["result"] == location

    done = ask(function, location.removeprefix("/dev"))
    assert done["statusCode"] == 200
    found = json.loads(done["body"])
    assert found["status"] == "done"
    assert found["greetings"] == ["Hello, Ann!", "Hello, Ä & b?!"]
    assert found["id"] == location.rpartition("/")[2]


def test_trace_and_request_ids_are_passed_on(function: Function, api: tuple[str, Path]) -> None:
    """What api logs of its part carries the ids of the request that the worker was serving."""
    ask(function, f"/worker/jobs/{job_id(Job(names=('Eve',)))}", **{"x-request-id": "mine-7"})
    deadline = time.monotonic() + 10
    while True:
        lines = [json.loads(line) for line in api[1].read_text().splitlines() if line.startswith("{")]
        own = [line for line in lines if line.get("request_id") == "mine-7"]
        if own:
            break
        assert time.monotonic() < deadline, lines
        threading.Event().wait(0.02)
    assert [(line["service"], line["path"], line["trace_id"]) for line in own] == [("api", "/greet", TRACE)]


@pytest.mark.parametrize(
    "body",
    [{}, {"names": []}, {"names": [""]}, {"names": ["  "]}, {"names": ["a"] * 6}, {"names": ["a" * 51]}, {"x": 1}, []],
)
def test_what_is_no_job_is_refused(function: Function, body: Any) -> None:
    """With a problem that says where and why."""
    answer = ask(function, "/worker/jobs", "POST", body)
    assert answer["statusCode"] == 422
    assert json.loads(answer["body"])["errors"]


@pytest.mark.parametrize(
    "forged",
    [
        "7",
        "!",
        "A" * 5000,
        base64.urlsafe_b64encode(b'{"names": []}').decode(),
        base64.urlsafe_b64encode(json.dumps({"names": ["x"] * 99}).encode()).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    ],
)
def test_an_id_is_checked_like_a_job(function: Function, forged: str) -> None:
    """An id that was made by hand can ask for nothing that a post could not."""
    answer = ask(function, f"/worker/jobs/{forged}")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["detail"] == "there is no such job"


@pytest.mark.parametrize("names", [("a",), ("ä" * 50,) * 5, ("😀" * 50, "\t.x", "/?&#%")])
def test_an_id_is_the_job(names: tuple[str, ...]) -> None:
    """There and back, in characters that need no encoding, within what a gateway takes."""
    job = Job(names=names)
    text = job_id(job)
    assert read_job(text) == job
    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()
    assert len(text) < 4096


def test_the_index_leads_to_an_example(function: Function) -> None:
    """Its links are public and work."""
    links = json.loads(ask(function, "/worker")["body"])["links"]
    assert links["docs"] == "/dev/worker/docs"
    found = json.loads(ask(function, links["example"].removeprefix("/dev"))["body"])
    assert found["greetings"] == ["Hello, Ann!", "Hello, Ben!"]


def test_api_is_away(run_worker: Callable[[str], Function]) -> None:
    """The caller is told to ask again; health still answers; nothing of api's failure is told."""
    function = run_worker("http://127.0.0.1:9")
    assert ask(function, "/worker/health")["statusCode"] == 200
    answer = ask(function, f"/worker/jobs/{job_id(Job(names=('Ann',)))}")
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (502, "1")
    assert json.loads(answer["body"])["detail"] == "api did not do its part; ask again"
    assert "127.0.0.1" not in answer["body"]
