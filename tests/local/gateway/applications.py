"""Applications that services behind HTTP run in these tests, and what is asked of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from gateway_lab import Lab

HEALTH = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}

"""
HELLO = (
    HEALTH
    + """
@app.get("/web/greet")
async def greet(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello, {name}!"}
"""
)
FILES = (
    HEALTH
    + """
from fastapi import Request
from fastapi.responses import RedirectResponse, StreamingResponse


@app.post("/web/files")
async def upload(request: Request) -> dict[str, object]:
    body = await request.body()
    return {"named": b'filename="a.bin"' in body, "size": len(body)}


@app.get("/web/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse((b"%d\\n" % number for number in range(100)), media_type="text/plain")


@app.get("/web/away")
async def away() -> RedirectResponse:
    return RedirectResponse("/web/stream")
"""
)
KIT = """
from fastapi import Request

from servicekit import Settings, create_app

app = create_app(Settings.from_environ())


@app.get("/links")
async def links(request: Request) -> dict[str, str]:
    return {"root": request.scope["root_path"]}
"""
LIFESPAN = """
import contextlib
from fastapi import FastAPI


@contextlib.asynccontextmanager
async def lifespan(app):
    {begin}
    yield
    {end}

app = FastAPI(lifespan=lifespan)
app.add_api_route("/health", lambda: "ok")
app.add_api_route("/web/x", lambda: {begin!r})
"""
VERSION = """
import asyncio
import os
import signal
import sys

SAID = set()


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/health":
        await answer(send, b"ok")
        return
    if path.endswith("/slow"):
        {hold}
    if path.endswith("/die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if path.endswith("/print"):
        print("grüße from the service ✓")
        sys.stderr.write("and to the other stream\\n")
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await answer(send, b"{version} %d %d" % (os.getpid(), len(body)))


async def answer(send, body):
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}})
    await send({{"type": "http.response.body", "body": body}})
"""
ENVIRONMENT = """
import json
import os
import sys
from pathlib import Path


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    facts = {"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[1:], "stdin": sys.stdin.read()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(facts).encode()})
"""
FUNCTION = """
import json
import os

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
"""
FAR = """
import asyncio
import base64
import json
import os
from pathlib import Path


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    say = json.loads(body) if dict(scope["headers"]).get(b"x-say") else {}
    if say.get("sleep"):
        asked = asyncio.ensure_future(receive())
        await asyncio.wait([asked], timeout=say["sleep"])
        if asked.done():
            Path(os.environ["SEEN"]).write_text(asked.result()["type"])
        asked.cancel()
    told = {
        "method": scope["method"],
        "path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "body": base64.b64encode(body).decode(),
        "client": scope["client"][0],
        "scheme": scope["scheme"],
    }
    answer = base64.b64decode(say["body"]) if "body" in say else json.dumps(told).encode()
    answer = answer + b"x" * say.get("more", 0)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in say.get("headers", [])]
    await send({"type": "http.response.start", "status": say.get("status", 200), "headers": headers})
    for piece in say.get("pieces", []):
        await send({"type": "http.response.body", "body": piece.encode(), "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"" if "pieces" in say else answer})
"""

RAW = r"""
import socket
import sys
import threading

ANSWERS = {
    "/raw/rubbish": b"rubbish\r\n\r\n",
    "/raw/version": b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/raw/six": b"HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok",
    "/raw/switch": b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "/raw/short": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
    "/raw/chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "/raw/nothing": b"",
    "/raw/open": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end",
    "/raw/old": b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nto the end",
    "/raw/early": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/raw/extra": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nodd",
}
STALE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale"
taken = 0


def serve(client):
    with client:
        asked = 0
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    return
                head += piece
            verb, path, _ = head.decode().split(" ", 2)
            asked += 1
            if path == "/health":
                client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
                return
            if path == "/raw/stale":
                if asked > 1:
                    return
                client.sendall(STALE)
                continue
            if path == "/raw/bytes":
                for byte in STALE:
                    client.sendall(bytes([byte]))
                continue
            client.sendall(ANSWERS[path])
            if path not in {"/raw/early", "/raw/extra"}:
                return


listener = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def version(name: str, hold: float | Path = 0) -> str:
    """Return an application that answers with its name, its process and the size of what it was sent.

    What ends in /slow is answered after ``hold`` seconds, or when the file ``hold`` is there.
    """
    if isinstance(hold, Path):
        wait = f"while not os.path.exists({str(hold)!r}): await asyncio.sleep(0.01)"
    else:
        wait = f"await asyncio.sleep({hold})"
    return VERSION.format(version=name, hold=wait)


@contextmanager
def load(lab: Lab, path: str, *, clients: int = 4) -> Generator[list[tuple[int, str]]]:
    """Ask and send again and again while the block runs; yield what was answered. Raises what a client met."""
    seen: list[tuple[int, str]] = []
    errors: list[Exception] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        with httpx.Client(timeout=30) as client:
            while not stop.is_set():
                try:
                    if number % 2:
                        got = client.post(f"{lab.url}{path}", content=b"x" * 1000)
                    else:
                        got = client.get(f"{lab.url}{path}")
                    seen.append((got.status_code, got.text))
                except httpx.HTTPError as error:
                    errors.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def told(got: httpx.Response) -> dict[str, Any]:
    """Return what the service says it was sent, headers as a mapping of lists."""
    found: dict[str, Any] = got.raise_for_status().json()
    headers: dict[str, list[str]] = {}
    for name, value in found["headers"]:
        headers.setdefault(name, []).append(value)
    return {**found, "headers": headers}


def say(lab: Lab, answer: object, path: str = "/far", verb: str = "POST") -> httpx.Response:
    """Have the service answer so."""
    return lab.client.request(verb, path, content=json.dumps(answer), headers={"x-say": "1"})
