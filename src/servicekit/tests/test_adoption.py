"""An application that was not made by the template is a service without a change to its code."""

from __future__ import annotations

import logging
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from bookshop import main as shop
from bookshop.main import app as bookshop
from fastapi import APIRouter, FastAPI
from servicekit.context import GATEWAY_ID_HEADER
from servicekit.paths import PUBLIC_PATH_HEADER
from servicekit.routes import answers, websocket_paths
from servicekit.testing import rest_event
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from websockets.sync.client import connect

from servicekit import Adopted, Settings, adopt

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., httpx.Response]
    Invoke = Callable[..., httpx.Response]
    Lines = Callable[[], list[dict[str, Any]]]
    Serve = Callable[..., str]

SETTINGS = Settings(service_name="bookshop", service_environment="test", service_path="/books")


def adopted() -> Adopted:
    """Adopt the bookshop at a path that one of its own routers has too."""
    return adopt(bookshop, SETTINGS, checks={"till": lambda: True})


def lines_until(log_lines: Lines, message: str) -> list[dict[str, Any]]:
    """Return the log up to a message; under uvicorn a line is written after its answer was sent."""
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + 5
    while not any(line["message"].endswith(message) for line in lines):
        lines += log_lines()
        assert time.monotonic() < deadline, lines
    return lines


@pytest.fixture(params=["lambda", "uvicorn"])
def ask(request: pytest.FixtureRequest, invoke: Invoke, serve: Serve) -> Ask:
    """Return a function that asks the bookshop through a gateway with a stage."""
    app = adopted()
    address = "" if request.param == "lambda" else serve(app)

    def call(path: str, method: str = "GET", content: bytes = b"", **headers: str) -> httpx.Response:
        if request.param == "lambda":
            event = rest_event(f"/books{path}", method, service_path="/books", headers=headers.items(), body=content)
            return invoke(app, event)
        ids = {PUBLIC_PATH_HEADER: "/dev/books" + path.partition("?")[0], GATEWAY_ID_HEADER: "the-gateways"}
        return httpx.request(method, f"{address}/books{path}", content=content, headers={**ids, **headers})

    return call


def test_routes_lifespan_and_middleware_go_on_working(ask: Ask) -> None:
    """Routers, dependencies on what the lifespan made, plain functions, middleware, own error handlers."""
    made = ask("/books/7", "PUT", b'{"title": "Ice", "pages": 158}', **{"content-type": "application/json"})
    assert made.status_code == 201
    assert made.json()["self"].endswith("/dev/books/books/7")
    book = ask("/books/7")
    assert (book.json()["title"], book.headers["x-shop"]) == ("Ice", "open")
    assert book.json()["self"].endswith("/dev/books/books/7")
    gone = ask("/order?book=1")
    assert (gone.status_code, gone.text) == (410, "sold out")


def test_its_errors_keep_their_form(ask: Ask) -> None:
    """Callers depend on it."""
    assert ask("/books/none").json() == {"detail": "no book none"}
    assert ask("/order?book=x").json()["detail"][0]["type"] == "int_parsing"


def test_uploads_streams_and_compression(ask: Ask) -> None:
    """Multipart bodies arrive whole, streams come out whole, and compressed answers stay so."""
    scan = bytes(range(256)) * 40
    body = b'--b\r\nContent-Disposition: form-data; name="scan"; filename="a.bin"\r\n\r\n' + scan + b"\r\n--b--\r\n"
    found = ask("/books/1/scan", "POST", body, **{"content-type": "multipart/form-data; boundary=b"}).json()
    assert found == {"number": "1", "name": "a.bin", "size": len(scan), "sum": sum(scan)}
    assert ask("/books/1/text").text == "1, line 0\n1, line 1\n1, line 2\n"
    document = ask("/openapi.json", **{"accept-encoding": "gzip"})
    assert document.headers["content-encoding"] == "gzip"
    assert document.json()["info"]["title"] == "bookshop"


def test_mounted_applications_files_and_docs(ask: Ask) -> None:
    """What is mounted is reached, and everything names the public path."""
    daily = ask("/reports/daily").json()
    assert daily["url"].endswith("/dev/books/reports/daily")
    assert daily["for"].endswith("/dev/books/reports/daily")
    assert "Come in." in ask("/").text
    assert "Come in." in ask("").text
    assert re.findall(r"url: '([^']+)'", ask("/docs").text) == ["/dev/books/openapi.json"]
    assert ask("/openapi.json").json()["servers"] == [{"url": "/dev/books"}]


def test_health_is_added_where_the_application_has_none(ask: Ask) -> None:
    """Its own route wins over ours, its catch-all does not."""
    assert ask("/health").json() == {"status": "ok", "service": "bookshop", "environment": "test"}
    assert ask("/liveness").json() == {"status": "ok"}
    assert ask("/readiness").json() == {"shop": "open for business"}
    assert ask("/health", "POST").status_code == 405


def test_requests_have_ids_and_a_line(ask: Ask, log_lines: Lines) -> None:
    """The caller's id or the gateway's is in the answer and in the log."""
    assert ask("/books/1").headers["x-request-id"] in {"the-gateways", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"}
    assert ask("/books/1", **{"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    ask("/books/next")
    lines = [line for line in lines_until(log_lines, "/books/next 404") if line["logger"] == "servicekit.access"]
    assert [line["path"] for line in lines[:2]] == ["/dev/books/books/1"] * 2
    assert lines[1]["request_id"] == "mine-1"
    assert lines[1]["gateway_request_id"] == lines[0]["request_id"]


def test_an_unexpected_error_is_logged_once_with_its_id(ask: Ask, log_lines: Lines) -> None:
    """The answer is the application's own, the traceback is in the log under the request's id."""
    answer = ask("/order?book=13", **{"x-request-id": "mine-1"})
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    ask("/books/next")
    errors = [line for line in lines_until(log_lines, "/books/next 404") if line["level"] == "ERROR"]
    assert [line["request_id"] for line in errors] == ["mine-1"]
    assert "the till is on fire" in errors[0]["exception"]


def test_health_is_ahead_of_middleware(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer has no token."""
    monkeypatch.setattr(shop, "TOKEN", "sesame")
    address = serve(adopted())
    assert httpx.get(f"{address}/health").status_code == 200
    assert httpx.get(f"{address}/books/books/1").status_code == 401
    assert httpx.get(f"{address}/books/books/1", headers={"authorization": "Bearer sesame"}).status_code == 200


def test_problems_are_offered(serve: Serve) -> None:
    """When asked for, what the application has no handler for is a problem; its own handlers still win."""
    app = FastAPI()

    @app.get("/number/{number}")
    async def number(number: int) -> None:
        raise LookupError("secret")

    @app.exception_handler(418)
    async def teapot(_request: object, _error: object) -> PlainTextResponse:
        return PlainTextResponse("tea", 418)

    address = serve(adopt(app, Settings(), problems=True))
    for path, status in (("/nowhere", 404), ("/number/x", 422), ("/number/1", 500)):
        answer = httpx.get(address + path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert "secret" not in answer.text


def test_starlette_applications(serve: Serve) -> None:
    """One that is no FastAPI has its routes and its health, too."""

    async def hello(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    address = serve(adopt(Starlette(routes=[Route("/hello", hello)]), SETTINGS, problems=True))
    assert httpx.get(f"{address}/books/hello").text == "hello"
    assert httpx.get(f"{address}/books/health").json()["service"] == "bookshop"
    assert httpx.get(f"{address}/books/nowhere").headers["content-type"] == "application/problem+json"


def test_its_own_logging_can_stay() -> None:
    """With logs=False no handler is touched."""
    before = list(logging.getLogger().handlers)
    adopt(FastAPI(), SETTINGS, logs=False)
    assert logging.getLogger().handlers == before


@pytest.mark.parametrize("way", ["lambda", "uvicorn", "no front"])
@pytest.mark.parametrize("headers", [{"upgrade": "websocket"}, {"sec-websocket-key": "x"}])
def test_a_websocket_is_declined_with_a_reason(serve: Serve, invoke: Invoke, way: str, headers: dict[str, str]) -> None:
    """A handshake that comes as a plain request is a problem that says why, whoever made the application."""
    if way == "uvicorn":
        # Without `Connection: upgrade`, as a proxy leaves it.
        answer = httpx.get(f"{serve(adopted())}/books/books/1/readers", headers=headers)
    else:
        event = rest_event("/books/books/1/readers", service_path="/books", headers=headers.items())
        answer = invoke(adopted() if way == "lambda" else bookshop, event)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (501, 501)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "WebSockets do not come through" in problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_websocket_asked_without_the_gateway(serve: Serve) -> None:
    """Straight at a server it works, at the public path."""
    address = serve(adopted()).replace("http", "ws")
    with connect(f"{address}/books/books/1/readers") as socket:
        assert socket.recv() == "reading 1"


def test_lambda_names_the_routes_that_it_cannot_serve(invoke: Invoke, log_lines: Lines) -> None:
    """Once, when the process starts."""
    app = adopted()
    for _ in range(2):
        invoke(app, rest_event("/books/books/1", service_path="/books"))
    warnings = [line["message"] for line in log_lines() if line["level"] == "WARNING"]
    assert warnings == ["no WebSockets behind a REST API, these are answered with 501: /books/{number}/readers"]


def test_routes_are_found_wherever_they_are() -> None:
    """In included routers and mounted applications, whose paths are put together."""
    inner = APIRouter()
    inner.add_api_route("/health", lambda: None)

    @inner.websocket("/live")
    async def live() -> None: ...

    mounted = FastAPI()
    mounted.include_router(inner, prefix="/deep")
    app = FastAPI()
    app.mount("/sub", mounted)
    app.include_router(inner)
    assert websocket_paths(app) == ("/sub/deep/live", "/live")
    assert answers(app, "/health")
    assert answers(app, "/sub/deep/health")
    assert not answers(app, "/live")
    assert not answers(app, "/sub/health")
    assert not answers(bookshop, "/health")
    assert websocket_paths(lambda: None) == ()  # pyright: ignore[reportArgumentType]  # anything without routes
