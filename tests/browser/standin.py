"""Stands in for the gateway: the real services web, api and worker under uvicorn, and two that do as they are told.

Owns what a browser test needs of a gateway: one origin, the stage ``local`` and none, the headers of its HTTP
integrations. The whole system has the real one: ``pytest tests/browser --base-url http://127.0.0.1:8080/local``.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

STAGE = "local"
KEY = "let-me-in"
SERVICES: list[dict[str, object]] = [
    {"name": "api", "kind": "lambda", "path": "/", "example": "/greet?name=World"},
    {"name": "ledger", "kind": "eks", "path": "/ledger", "example": "/entries"},
    {"name": "vault", "kind": "apprunner", "path": "/vault", "api_key": True},
    {"name": "web", "kind": "ecs", "path": "/web", "example": "/services.json"},
    {"name": "worker", "kind": "lambda", "path": "/worker", "example": "/"},
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(slots=True)
class Standin:
    """A running stand-in; tests say what ``ledger`` answers, and read who was asked what."""

    folder: Path
    url: str = ""
    ledger: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    _addresses: dict[str, str] = field(default_factory=dict[str, str])
    _ends: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as ends:
            server = uvicorn.Server(uvicorn.Config(self._application(), port=0, log_level="warning"))
            thread = threading.Thread(target=server.run)
            thread.start()
            ends.callback(thread.join, 10)
            ends.callback(setattr, server, "should_exit", True)
            until(lambda: server.started, "the stand-in")
            self.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            for name, path in (("api", "/"), ("worker", "/worker"), ("web", "/web")):
                self._addresses[path] = self._start(name, path, ends)
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _start(self, name: str, path: str, ends: contextlib.ExitStack) -> str:
        log = self.folder / f"{name}.log"
        own = {
            "SERVICE_NAME": name,
            "SERVICE_ENVIRONMENT": STAGE,
            "SERVICE_PATH": path,
            "SERVICE_URL_BASE": f"{self.url}/{STAGE}",
        }
        argv = [sys.executable, "-m", "uvicorn", f"{name}.app:app", "--port", "0"]
        with log.open("wb") as output:
            process = ends.enter_context(
                subprocess.Popen(argv, env={**os.environ, **own}, stdout=output, stderr=output)
            )
        ends.callback(process.terminate)
        running = re.compile(r"running on (http://[\d.:]+)")
        until(lambda: running.search(log.read_text()) or process.poll() is not None, name)
        found = running.search(log.read_text())
        assert found, log.read_text()
        return found[1]

    def _application(self) -> Starlette:
        async def answer(request: Request) -> Response:
            path = request.url.path
            self.asked.append((request.method, path))
            inside = path.removeprefix(f"/{STAGE}") or "/"
            first = "/" + inside.split("/")[1]
            if inside == "/web/services.json":
                return JSONResponse([{"api_key": False, "example": None, **each} for each in SERVICES])
            if first == "/ledger":
                return JSONResponse({"ledger": self.ledger}, self.ledger)
            if first == "/vault":
                let_in = request.headers.get("x-api-key") == KEY
                return JSONResponse({"message": "ok" if let_in else "Forbidden"}, 200 if let_in else 403)
            address = self._addresses.get(first, self._addresses["/"])
            query = f"?{request.url.query}" if request.url.query else ""
            headers = {**request.headers, "x-stackyard-path": path}
            client: httpx.AsyncClient = request.state.client
            found = await client.request(
                request.method, f"{address}{inside}{query}", headers=headers, content=await request.body()
            )
            left_out = {"content-length", "date", "server"}
            kept = {name: value for name, value in found.headers.items() if name not in left_out}
            return Response(found.content, found.status_code, kept)

        return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)], lifespan=_connections)


@contextlib.asynccontextmanager
async def _connections(_app: Starlette) -> AsyncGenerator[dict[str, httpx.AsyncClient]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield {"client": client}
