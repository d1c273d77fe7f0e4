"""Events of a REST API (format 1.0) reach the application whole, and its answers come back whole."""

from __future__ import annotations

import base64
import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from servicekit.testing import rest_event

from servicekit import handler

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import httpx
    from starlette.types import Receive, Scope, Send

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
    answer = handler(sample("/"))(rest_event(path), None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (status, False)


def test_queries_and_headers_with_many_values(sample: Sample, invoke: Invoke) -> None:
    """Repeated names keep all their values, in both directions; encoded ones are decoded once."""
    event = rest_event("/tags?tag=a%26b&tag=%2525&tag=", headers=[("Accept", "text/html"), ("Accept", "*/*")])
    assert invoke(sample("/"), event).json() == {"tags": ["a&b", "%25", ""], "accept": ["text/html", "*/*"]}
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


def test_a_lifespan_is_entered_once(sample: Sample) -> None:
    """What an application or its routers open at startup is there for every request, and is closed at the end."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        happened.append("in")
        yield {"pool": "open"}
        happened.append("out")

    nested = sample("/")
    nested.include_router(APIRouter(lifespan=lifespan))
    started = sample("/")
    started.router.on_startup.append(lambda: happened.append("in"))
    started.router.on_shutdown.append(lambda: happened.append("out"))
    for app in (sample("/", lifespan=lifespan), nested, started):
        happened: list[str] = []
        function = handler(app)
        assert happened == ["in"]
        assert [function(rest_event("/"), None)["statusCode"] for _ in range(2)] == [200, 200]
        function.close()
        assert happened == ["in", "out"]


def test_lifespan_state_reaches_requests(sample: Sample, invoke: Invoke) -> None:
    """What a lifespan yields is each request's state, a copy for each."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        yield {"pool": "open"}

    app = sample("/", lifespan=lifespan)

    @app.get("/state")
    async def state(request: Request) -> str:
        found: str = request.state.pool
        request.state.pool = "taken"
        return found

    assert [invoke(app, rest_event("/state")).json() for _ in range(2)] == ["open", "open"]


def test_an_application_that_does_not_start(sample: Sample) -> None:
    """Its reason is the function's initialization error: no request is taken."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        raise ConnectionError("no database at db:5432")
        yield

    with pytest.raises(RuntimeError, match=r"(?s)did not start: .*no database at db:5432"):
        handler(sample("/", lifespan=lifespan))


def test_other_asgi_applications() -> None:
    """One that knows no lifespan is served; one that fails or answers in part ends in a 500 that is logged."""

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = await receive()
        if scope["path"] == "/fails":
            raise LookupError("lost")
        await send({"type": "http.response.start", "status": 201, "headers": [(b"Content-Type", b"image/png")]})
        if scope["path"] != "/partly":
            await send({"type": "http.response.body", "body": request["body"], "more_body": True})
            await send({"type": "http.response.body", "body": b"!"})
            assert (await receive())["type"] == "http.disconnect"

    function = handler(plain)
    answers = {path: function(rest_event(path, "POST", body=b"\xff"), None) for path in ("/", "/fails", "/partly")}
    assert base64.b64decode(answers["/"]["body"]) == b"\xff!"
    assert {path: answer["statusCode"] for path, answer in answers.items()} == {"/": 201, "/fails": 500, "/partly": 500}
    function.close()


def test_other_events_are_refused(sample: Sample) -> None:
    """An event of another source is an error that says what was expected and what came."""
    function = handler(sample("/"))
    with pytest.raises(ValueError, match=r"not a request of a REST API \(payload format 1.0\): the event has Records"):
        function({"Records": []}, None)
    function.close()


def test_telemetry_is_sent_before_the_process_is_frozen(
    sample: Sample, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With FastAPI's exporters switched on, spans leave by the end of each request, not when a batch is due."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    assert invoke(sample("/"), rest_event("/")).status_code == 200
    assert trace.SpanKind.SERVER in {span.kind for span in exporter.get_finished_spans()}
    provider.shutdown()


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
    assert {"fastapi", "servicekit.adapter"} <= loaded
    heavy = {
        "boto3",
        "botocore",
        "httpcore",
        "httpx",
        "jinja2",
        "opentelemetry.sdk",
        "requests",
        "rich",
        "structlog",
        "urllib3",
        "uvicorn",
    }
    assert not (heavy | {"urllib3", "uvicorn"}) & loaded
