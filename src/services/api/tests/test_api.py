"""The service answers as its callers expect, under the real Lambda runtime and under uvicorn."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from servicekit.testing import rest_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servicekit.testing import RuntimeApi

    Function = tuple[RuntimeApi, Path]


@pytest.mark.parametrize(
    ("url", "status", "body"),
    [
        ("/health", 200, {"status": "ok", "service": "api", "environment": "test"}),
        ("/liveness", 200, {"status": "ok"}),
        ("/readiness", 200, {"status": "ok", "checks": {}}),
        ("/greet?name=Ann", 200, {"message": "Hello, Ann!"}),
        ("/greet", 200, {"message": "Hello, World!"}),
        ("/greet?name=%C3%A4%20b", 200, {"message": "Hello, ä b!"}),
    ],
)
def test_answers(function: Function, url: str, status: int, body: dict[str, Any]) -> None:
    """Every route answers through awslambdaric."""
    answer = function[0].invoke(rest_event(url))
    assert (answer["statusCode"], json.loads(answer["body"])) == (status, body)
    assert answer["headers"]["x-request-id"]


@pytest.mark.parametrize(("base_path", "root"), [(None, "/dev"), ("", "")])
def test_index_and_docs_lead_somewhere(function: Function, base_path: str | None, root: str) -> None:
    """Links, /docs and the OpenAPI document name the public path, with a stage and behind a custom domain."""
    api, _ = function
    index = json.loads(api.invoke(rest_event("/", base_path=base_path))["body"])
    assert (index["name"], index["environment"]) == ("api", "test")
    assert index["links"] == {name: f"{root}/{name}" for name in ("greet", "health", "docs")}

    docs = api.invoke(rest_event("/docs", base_path=base_path))
    assert docs["headers"]["content-type"].startswith("text/html")
    assert re.findall(r"url: '([^']+)'", docs["body"]) == [f"{root}/openapi.json"]

    document = json.loads(api.invoke(rest_event("/openapi.json", base_path=base_path))["body"])
    assert set(document["paths"]) == {"/", "/greet"}
    assert document.get("servers", [{"url": ""}]) == [{"url": root}]


@pytest.mark.parametrize(
    ("url", "status"), [("/nowhere", 404), ("/greet?name=", 422), (f"/greet?name={'x' * 101}", 422)]
)
def test_bad_requests_are_problems(function: Function, url: str, status: int) -> None:
    """What is unknown or not valid is answered with a problem."""
    answer = function[0].invoke(rest_event(url))
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert json.loads(answer["body"])["status"] == status


def test_log_is_json_with_the_functions_trace(function: Function) -> None:
    """The runtime's own text handler is gone: each request is one line of JSON with its ids."""
    api, log = function
    api.invoke(rest_event("/greet?name=logged", headers=[("x-request-id", "mine-1")]))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (line,) = (line for line in lines if line.get("request_id") == "mine-1")
    assert (line["service"], line["environment"], line["status"]) == ("api", "test", 200)
    assert line["trace_id"] == "1-67891233-abcdef012345678912345678"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve the service as a developer does, with uvicorn's command, and return its address."""
    log = tmp_path / "log"
    argv = [sys.executable, "-m", "uvicorn", "api.app:app", "--port", "0"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("SERVICE_")}
    with log.open("wb") as output, subprocess.Popen(argv, env=env, stdout=output, stderr=output) as process:
        deadline = time.monotonic() + 30
        while (found := re.search(r"running on (http://[\d.:]+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            threading.Event().wait(0.02)
        yield found[1]
        process.terminate()


def test_uvicorn_with_no_variables_at_all(address: str) -> None:
    """A developer's plain uvicorn serves it, with the names that say so."""
    assert httpx.get(f"{address}/health").json() == {"status": "ok", "service": "service", "environment": "local"}
    assert httpx.get(f"{address}/greet", params={"name": "Ann"}).json() == {"message": "Hello, Ann!"}
    assert httpx.get(f"{address}/").json()["links"]["docs"] == "/docs"
