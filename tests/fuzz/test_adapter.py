"""Whatever a REST API may hand to a function: servicekit answers it, and the application sees what was sent."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl

from hypothesis import example, given, settings
from hypothesis import strategies as st
from servicekit.adapter import LambdaAdapter
from servicekit.front import Front
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

_values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=30)
_names = st.sampled_from(
    [
        *(
            "Host",
            "host",
            "X-Forwarded-Proto",
            "X-Forwarded-Port",
            "X-Request-Id",
            "traceparent",
            "tracestate",
            "Cookie",
        ),
        *("X-Amzn-Trace-Id", "x-stackyard-path", "x-stackyard-host", "Content-Type", "Upgrade", "Connection", "X-A"),
    ]
)
_hosts = st.sampled_from(
    [
        "",
        ":",
        "a:",
        "a:0",
        "[::1]:8080",
        "[1:2:3]",
        "[::1]:99999",
        "a:65536",
        "a:" + "9" * 5000,
        "a:\xb2",
        "\u0661:\u0661",
        "a b:c",
        "*:*",
    ]
)
_headers = st.dictionaries(_names, st.lists(_values | _hosts, min_size=1, max_size=2), max_size=6)
_queries = st.none() | st.dictionaries(_values, st.lists(_values, min_size=1, max_size=2), min_size=1, max_size=3)
_paths = st.lists(_values | st.sampled_from(["..", "%2e", "%", "%ff", "//", "shop"]), max_size=4).map("/".join)


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body that came; the scope is kept."""
    if scope["type"] != "http":
        raise NotImplementedError
    _seen.append(scope)
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": message["body"]})


_seen: list[Scope] = []
_adapter = LambdaAdapter(Front(_app, "/shop"))


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(_paths, _headers, _queries, st.binary(max_size=50), st.sampled_from(["GET", "POST"]))
@example("shop", {"Host": ["a:" + "9" * 5000]}, None, b"", "GET")
def test_every_event_is_answered(
    path: str, headers: dict[str, list[str]], query: dict[str, list[str]] | None, body: bytes, verb: str
) -> None:
    """The answer's body is the request's, the scope is what ASGI says it must be, the query arrives as it was."""
    event: dict[str, Any] = {
        "resource": "/shop/{proxy+}",
        "path": f"/{path}",
        "httpMethod": verb,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": query,
        "pathParameters": {"proxy": path} if path else None,
        "requestContext": {"path": f"/dev/{path}", "requestId": "r", "identity": {"sourceIp": "192.0.2.1"}},
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }
    _seen.clear()
    answer = _adapter(event, object())
    told = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    if answer["statusCode"] == 501:
        # A handshake for WebSockets is declined, whatever else it says.
        assert not _seen
        return
    [scope] = _seen
    assert (answer["statusCode"], told) == (200, body)
    assert isinstance(scope["path"], str)
    assert Request(scope).url.path.startswith("/")
    assert isinstance(scope["server"][1], int)
    assert all(name == name.lower() for name, _ in scope["headers"])
    found = parse_qsl(scope["query_string"].decode(), keep_blank_values=True)
    assert found == [(name, value) for name, values in (query or {}).items() for value in values]
