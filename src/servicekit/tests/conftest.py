"""An application with a route for each thing that can go right or wrong, under real uvicorn and as a function."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from servicekit import Settings, create_app, handler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from servicekit.adapter import LambdaAdapter


def _add_routes(app: FastAPI) -> None:
    log = logging.getLogger("sample")

    @app.get("/")
    async def index() -> dict[str, str]:
        return {"route": "index"}

    @app.get("/items/{name:path}", name="item")
    async def item(request: Request, name: str) -> dict[str, str]:
        return {"name": name, "link": str(request.url_for("item", name="other")), "url": str(request.url)}

    @app.get("/greet")
    async def greet(name: Annotated[str, Query(max_length=5)]) -> str:
        log.info("greeting", extra={"who": name})
        return name

    @app.get("/tags")
    async def tags(request: Request, tag: Annotated[list[str], Query()]) -> dict[str, Any]:
        return {"tags": tag, "accept": request.headers.getlist("accept")}

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type=request.headers.get("content-type"))

    @app.get("/cookies")
    async def cookies() -> Response:
        response = JSONResponse({})
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/thread")
    def thread() -> dict[str, bool]:
        log.info("from a thread")
        return {"thread": threading.current_thread() is not threading.main_thread()}


def _add_failures(app: FastAPI) -> None:
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/broken-stream")
    async def broken_stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            raise RuntimeError("half way")

        return StreamingResponse(chunks())

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, {"pot": "tea"}, headers={"x-pot": "tea"})

    @app.get("/empty")
    async def empty() -> None:
        raise HTTPException(304)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Leave the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def sample() -> Callable[..., FastAPI]:
    """Return a function that makes the sample application at a path."""

    def make(path: str = "/", **options: Any) -> FastAPI:
        app = create_app(Settings(service_name="sample", service_environment="test", service_path=path), **options)
        _add_routes(app)
        _add_failures(app)
        return app

    return make


@pytest.fixture
def invoke() -> Iterator[Callable[[FastAPI, dict[str, Any]], httpx.Response]]:
    """Return a function that gives an event to the Lambda handler and reads its answer as the gateway does."""
    functions: dict[int, LambdaAdapter] = {}

    def call(app: FastAPI, event: dict[str, Any]) -> httpx.Response:
        if id(app) not in functions:
            functions[id(app)] = handler(app)
        function = functions[id(app)]
        answer = json.loads(json.dumps(function(event, None)))
        headers = [*answer["headers"].items(), *((n, v) for n, vs in answer["multiValueHeaders"].items() for v in vs)]
        body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        return httpx.Response(answer["statusCode"], headers=headers, content=body)

    yield call
    for function in functions.values():
        function.close()


@pytest.fixture
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Return a function that serves an application with uvicorn and returns its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: FastAPI) -> str:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        _wait_until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Return a function that reads the log lines written since the last call."""

    def read() -> list[dict[str, Any]]:
        with contextlib.ExitStack() as held:
            # What another thread writes between pytest's reading and its emptying would be lost.
            for handler in logging.getLogger().handlers:
                handler.acquire()
                held.callback(handler.release)
            text = capsys.readouterr().out
        return [json.loads(line) for line in text.splitlines()]

    return read


def _wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        threading.Event().wait(0.005)
