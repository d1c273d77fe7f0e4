"""A registry whose tags cannot be overwritten, as ECR's cannot: it stands in front of a plain one."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import httpx

_OURS = {"connection", "content-length", "transfer-encoding"}


@dataclass
class Immutable:
    """Where it listens, and what it refused."""

    host: str
    refused: list[str] = field(default_factory=list[str])
    """Tags, one for each push of one that was there."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Front)
        self.upstream, self.lock = f"http://{upstream}", threading.Lock()
        self.registry = Immutable(f"127.0.0.1:{self.server_port}")


class _Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        """Hand a request on, but for a manifest's whose tag is taken."""
        server, body = cast("_Server", self.server), self._read()
        tag = re.fullmatch(r"/v2/(.+)/manifests/([^:]+)", self.path)
        url = server.upstream + self.path
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OURS}
        if self.command != "PUT" or tag is None:
            self._answer(httpx.request(self.command, url, headers=headers, content=body, timeout=60))
            return
        with server.lock:
            there = httpx.head(url, headers={"Accept": self.headers["Content-Type"]}).status_code == 200
            if not there:
                self._answer(httpx.put(url, headers=headers, content=body))
                return
            server.registry.refused.append(tag[2])
        why = f"The image tag '{tag[2]}' already exists in the '{tag[1]}' repository and cannot be overwritten"
        said = {"errors": [{"code": "TAG_INVALID", "message": f"{why} because the tag is immutable."}]}
        self._answer(httpx.Response(400, content=json.dumps(said)))

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = forward  # noqa: N815  (http.server's names)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _OURS:
                self.send_header(name, value)
        length = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(answer.content))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
        """Print nothing."""


@contextmanager
def immutable(upstream: str) -> Generator[Immutable]:
    """Serve one in front of the registry at ``upstream`` (host and port)."""
    with _Server(upstream) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.registry
        finally:
            server.shutdown()
            thread.join()
