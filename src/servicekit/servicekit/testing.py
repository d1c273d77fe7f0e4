"""Test doubles for services: the gateway's events, Lambda's API for a function's process, an issuer of tokens.

Owns the form of a REST API's proxy event (AWS: "Input format of a Lambda function for proxy integration"). For tests
only; nothing of servicekit imports it.
"""

from __future__ import annotations

import base64
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from servicekit.issuing import LocalIssuer

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LocalIssuer", "RuntimeApi", "rest_event"]


def rest_event(
    url: str,
    method: str = "GET",
    *,
    service_path: str = "/",
    stage: str = "dev",
    base_path: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> dict[str, Any]:
    """Return the proxy event (format 1.0) for a request.

    Args:
        url: What is asked for, without stage and base path: percent-encoded path, query.
        method: HTTP method.
        service_path: Public path of the service whose resource is matched.
        stage: Name of the stage.
        base_path: A custom domain's base path mapping ("" for none); without it, the request came to the stage's URL.
        headers: Names and values; names may come more than once.
        body: Sent base64-encoded, as with ``*/*`` among the binary media types.

    """
    parts = urlsplit(url)
    own = service_path.rstrip("/")
    inside = parts.path.removeprefix(own).strip("/")
    custom = base_path is not None
    path = (f"{base_path}{parts.path}" if custom else parts.path) or "/"
    host = "api.example.com" if custom else "abcdef1234.execute-api.eu-west-1.amazonaws.com"
    all_headers = [("Host", host), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443"), *headers]
    query = parse_qsl(parts.query, keep_blank_values=True)
    resource = f"{own}/{{proxy+}}" if inside else own or "/"
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(all_headers),
        "multiValueHeaders": _grouped(all_headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": {"proxy": unquote(inside)} if inside else None,
        "stageVariables": None,
        "requestContext": _request_context(method, host, path if custom else f"/{stage}{path}", resource, stage),
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def _request_context(method: str, host: str, path: str, resource: str, stage: str) -> dict[str, Any]:
    return {
        "accountId": "123456789012",
        "apiId": "abcdef1234",
        "domainName": host,
        "domainPrefix": host.split(".", maxsplit=1)[0],
        "extendedRequestId": "JKJaXmPLvHcESHA=",
        "httpMethod": method,
        "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
        "path": path,
        "protocol": "HTTP/1.1",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "requestTime": "23/Nov/2026:07:36:43 +0000",
        "requestTimeEpoch": 1795419403000,
        "resourceId": "0cfd8b",
        "resourcePath": resource,
        "stage": stage,
    }


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


class RuntimeApi:
    """What Lambda offers one process of a function (AWS: "Using the Lambda runtime API for custom runtimes").

    Start the process with `environ` in its environment, inside of a ``with`` block.
    """

    def __init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.environ = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"}

    def invoke(self, event: dict[str, Any], timeout: float = 20) -> dict[str, Any]:
        """Give an event to the function and return its answer.

        Raises RuntimeError with the function's own report when it failed, ``queue.Empty`` after ``timeout`` seconds.
        """
        self._server.events.put(event)
        kind, answer = self._server.answers.get(timeout=timeout)
        if kind != "response":
            raise RuntimeError(json.dumps(answer, indent=2))
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]  # how http.server means it

    def do_GET(self) -> None:
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
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:test",
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
