"""The service under the real Lambda runtime client, fed by a small Runtime API."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_API = "/2018-06-01/runtime"


class RuntimeApi(ThreadingHTTPServer):
    """What Lambda offers one process of a function (AWS: "Using the Lambda runtime API for custom runtimes")."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Give an event to the function and return its answer."""
        self.events.put(event)
        kind, answer = self.answers.get(timeout=20)
        assert kind == "response", answer
        return answer


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi  # pyright: ignore[reportIncompatibleVariableOverride]  # how http.server means it

    def do_GET(self) -> None:
        assert self.path == f"{_API}/invocation/next"
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        self._reply(
            200,
            json.dumps(event).encode(),
            {
                "Content-Type": "application/json",  # without it the runtime client ends with a segmentation fault
                "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                "Lambda-Runtime-Deadline-Ms": "4102444800000",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:acme-test-api",
                "Lambda-Runtime-Trace-Id": "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1",
            },
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.answers.put((self.path.rsplit("/", 1)[1], body))
        self._reply(202, b"{}", {})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing: the function's own log is what counts."""


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RuntimeApi, Path]]:
    """Run the service under awslambdaric; return its Runtime API and the file that has its log."""
    log = tmp_path_factory.mktemp("function") / "log"
    api = RuntimeApi()
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    env = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "SERVICE_NAME": "api",
        "SERVICE_ENVIRONMENT": "test",
        "SERVICE_PATH": "/",
    }
    argv = [sys.executable, "-m", "awslambdaric", "api.lambda_handler.handler"]
    with log.open("wb") as output, subprocess.Popen(argv, env=env, stdout=output, stderr=output) as process:
        yield api, log
        process.terminate()
    api.events.put(None)
    api.shutdown()
    thread.join()
    api.server_close()
