"""Events of a REST API (format 1.0) reach the application whole, and its answers come back whole."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI
from servicekit.testing import rest_event

from servicekit import handler

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx

    Invoke = Callable[..., httpx.Response]
    Sample = Callable[..., FastAPI]

BINARY = bytes(range(256))


def test_bodies(sample: Sample, invoke: Invoke) -> None:
    """Base64 bodies arrive as bytes; binary answers come back base64-encoded, text and problems as text."""
    app = sample("/")
    for content, kind in ((BINARY, "application/octet-stream"), ("ä".encode(), "text/plain"), (b"", "text/plain")):
        answer = invoke(app, rest_event("/echo", "POST", headers=[("Content-Type", kind)], body=content))
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.usefixtures("invoke")
@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/greet", 422), ("/nowhere", 404), ("/docs", 200)])
def test_readable_answers_are_not_encoded(sample: Sample, path: str, status: int) -> None:
    """JSON, problems and HTML are text in the function's answer, for those who read it there."""
    answer = handler(sample("/"))(rest_event(path), None)  # pyright: ignore[reportArgumentType]  # no context here
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (status, False)


def test_queries_and_headers_with_many_values(sample: Sample, invoke: Invoke) -> None:
    """Repeated names keep all their values, in both directions; encoded ones are decoded once."""
    event = rest_event("/tags?tag=a%26b&tag=%2525&tag=", headers=[("Accept", "text/html"), ("Accept", "*/*")])
    assert invoke(sample("/"), event).json() == {"tags": ["a&b", "%25", ""], "accept": "text/html, */*"}
    cookies = invoke(sample("/"), rest_event("/cookies")).headers.get_list("set-cookie")
    assert [cookie.split(";")[0] for cookie in cookies] == ["a=1", "b=2"]


@pytest.mark.parametrize(("path", "name"), [("a%20b", "a b"), ("%C3%A4", "ä"), ("100%25", "100%"), ("a%2Fb", "a/b")])
def test_percent_encoded_paths(sample: Sample, invoke: Invoke, path: str, name: str) -> None:
    """A path is decoded once, as under uvicorn."""
    event = rest_event(f"/worker/items/{path}", service_path="/worker")
    assert invoke(sample("/worker"), event).json()["name"] == name


def test_events_with_everything_left_out(sample: Sample, invoke: Invoke) -> None:
    """The console's test button sends null for what is empty, and a proxy parameter with a slash."""
    event: dict[str, Any] = {
        "resource": "/{proxy+}",
        "path": "/items/a",
        "httpMethod": "GET",
        "headers": None,
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": "/items/a"},
        "requestContext": {"resourcePath": "/{proxy+}", "path": "/items/a", "requestId": "test-invoke-request"},
        "body": None,
        "isBase64Encoded": False,
    }
    assert invoke(sample("/"), event).json()["name"] == "a"
    assert invoke(sample("/"), event | {"pathParameters": None}).json()["name"] == "a"


def test_the_functions_own_trace_wins(
    sample: Sample,
    invoke: Invoke,
    log_lines: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The runtime's variable names the function's segment, which the header cannot know."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-11111111-222222222222222222222222;Parent=3333333333333333;Sampled=1")
    header = ("X-Amzn-Trace-Id", "Root=1-44444444-555555555555555555555555")
    invoke(sample("/"), rest_event("/", headers=[header]))
    assert log_lines()[0]["trace_id"] == "1-11111111-222222222222222222222222"


def test_lifespan_is_off_where_there_is_none(sample: Sample) -> None:
    """An application without startup, even one that includes routers, pays for no lifespan on each request."""
    app = sample("/")
    router = APIRouter()
    router.include_router(APIRouter())
    app.include_router(router)
    assert handler(app).lifespan == "off"
    assert handler(FastAPI()).lifespan == "off"


def test_a_lifespan_is_run(sample: Sample, invoke: Invoke) -> None:
    """A lifespan of the application's or of a router's is entered and left around the request."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        happened.append("in")
        yield
        happened.append("out")

    nested = sample("/")
    nested.include_router(APIRouter(lifespan=lifespan))
    started = sample("/")
    started.router.on_startup.append(lambda: happened.extend(("in", "out")))
    for app in (sample("/", lifespan=lifespan), nested, started):
        happened: list[str] = []
        assert invoke(app, rest_event("/")).status_code == 200
        assert happened == ["in", "out"]


def test_telemetry_needs_the_lifespan(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI sets up its exporters at startup and flushes at shutdown, before Lambda freezes the process."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    assert handler(sample("/")).lifespan == "auto"


def test_start_imports_nothing_that_can_wait() -> None:
    """What a cold start does not need is not imported: the list is guarded, since times are noisy."""
    program = (
        "import gc, sys\n"
        "from servicekit import create_app, handler\n"
        "assert gc.isenabled()\n"
        "handler(create_app())\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"fastapi", "mangum"} <= loaded
    heavy = {"boto3", "httpcore", "httpx", "jinja2", "opentelemetry.sdk", "requests", "rich", "structlog", "uvicorn"}
    assert not heavy & loaded
