"""Whatever goes wrong, the caller gets a problem (RFC 9457) and the log gets the truth."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from servicekit.testing import rest_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    Invoke = Callable[..., httpx.Response]
    Lines = Callable[[], list[dict[str, Any]]]
    Sample = Callable[..., FastAPI]
    Serve = Callable[[FastAPI], str]


@pytest.fixture
def address(sample: Sample, serve: Serve) -> str:
    return serve(sample("/worker")) + "/worker"


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        ("GET", "/nowhere", 404, "Not Found"),
        ("GET", "/echo", 405, "Method Not Allowed"),
        ("GET", "/greet", 422, None),
        ("GET", "/boom", 500, "Internal Server Error"),
        ("GET", "/teapot", 418, "I'm a Teapot"),
    ],
)
def test_every_error_is_a_problem(address: str, method: str, path: str, status: int, title: str | None) -> None:
    """Errors of routing, validation, the service and of no one's making have one form and the request's id."""
    answer = httpx.request(method, address + path, headers={"x-request-id": "mine-1"})
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "about:blank"
    assert problem["title"].lower() == (title or problem["title"]).lower()
    assert problem["instance"] == f"/worker{path}"
    assert problem["request_id"] == answer.headers["x-request-id"] == "mine-1"


def test_validation_errors_say_where_and_why_but_not_what(address: str) -> None:
    """A refused input is not sent back: it may be a secret or a megabyte."""
    answer = httpx.get(f"{address}/greet", params={"name": "hunter2-and-more"})
    assert answer.json()["errors"] == [
        {"location": "query.name", "message": "String should have at most 5 characters", "type": "string_too_long"}
    ]
    assert "hunter2" not in answer.text


def test_headers_of_an_http_error_are_kept(address: str) -> None:
    """A detail that is no sentence becomes a member of its own; headers go out; a bodiless status has no body."""
    teapot = httpx.get(f"{address}/teapot")
    assert teapot.headers["x-pot"] == "tea"
    assert teapot.json()["errors"] == {"pot": "tea"}
    assert httpx.get(f"{address}/echo").headers["allow"] == "POST"
    empty = httpx.get(f"{address}/empty")
    assert (empty.status_code, empty.content) == (304, b"")


@pytest.mark.parametrize("way", ["lambda", "uvicorn"])
def test_an_unexpected_error_leaks_nothing_and_is_logged_once(
    sample: Sample, serve: Serve, invoke: Invoke, log_lines: Lines, way: str
) -> None:
    """The traceback is in the log, in one line with the request's id, and nowhere else."""
    app = sample("/")
    if way == "lambda":
        answer = invoke(app, rest_event("/boom", headers=[("x-request-id", "mine-1")]))
    else:
        answer = httpx.get(serve(app) + "/boom", headers={"x-request-id": "mine-1"})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert "Runtime" not in answer.text
    errors = [line for line in log_lines() if line["level"] in ("ERROR", "CRITICAL")]
    assert [line["request_id"] for line in errors] == ["mine-1"]
    assert "RuntimeError: the password is hunter2" in errors[0]["exception"]
    assert "Traceback" in errors[0]["exception"]


def test_an_error_in_middleware_is_a_problem_too(sample: Sample, serve: Serve, log_lines: Lines) -> None:
    """What a service puts around its routes is inside of the net."""
    app = sample("/")

    @app.middleware("http")
    async def fail(_request: object, _next: object) -> None:
        raise LookupError("in middleware")

    answer = httpx.get(serve(app) + "/")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    assert any("in middleware" in line.get("exception", "") for line in log_lines())


def test_an_error_half_way_breaks_the_connection(sample: Sample, serve: Serve, log_lines: Lines) -> None:
    """An answer that began well is cut off, so that no one takes it for whole, and the error is in the log."""
    address = serve(sample("/"))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{address}/broken-stream")
    assert any("half way" in line.get("exception", "") for line in log_lines())


def test_a_service_may_handle_its_own_errors(sample: Sample, serve: Serve) -> None:
    """A handler of the service's own wins over the kit's."""
    app = sample("/")

    @app.exception_handler(RuntimeError)
    async def handle(_request: object, _error: object) -> Any:
        from starlette.responses import PlainTextResponse  # noqa: PLC0415  the only test that needs it

        return PlainTextResponse("mine", 409)

    assert httpx.get(serve(app) + "/boom").status_code == 409


def test_a_handler_for_everything_still_leaves_a_trace(sample: Sample, serve: Serve, log_lines: Lines) -> None:
    """What a service answers for any exception does not hide the exception from the log."""
    app = sample("/")

    @app.exception_handler(Exception)
    async def handle(_request: object, _error: object) -> Any:
        from starlette.responses import PlainTextResponse  # noqa: PLC0415  the only tests that need it

        return PlainTextResponse("mine", 500)

    answer = httpx.get(serve(app) + "/boom")
    assert (answer.status_code, answer.text) == (500, "mine")
    lines: list[dict[str, Any]] = []
    deadline = time.monotonic() + 5
    while not any("hunter2" in line.get("exception", "") for line in lines):
        lines += log_lines()
        assert time.monotonic() < deadline, lines


def test_the_openapi_document_promises_problems(address: str) -> None:
    """What the document says of errors is what is sent."""
    responses = httpx.get(f"{address}/openapi.json").json()["paths"]["/greet"]["get"]["responses"]
    assert set(responses) == {"200", "default"}
    assert list(responses["default"]["content"]) == ["application/problem+json"]
