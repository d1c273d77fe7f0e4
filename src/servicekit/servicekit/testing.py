"""Test doubles for services: the events that API Gateway sends.

Owns the form of a REST API's proxy event (AWS: "Input format of a Lambda function for proxy integration"). For tests
only; nothing of servicekit imports it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    public = path if custom else f"/{stage}{path}"
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
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": host,
            "domainPrefix": host.split(".", maxsplit=1)[0],
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "test"},
            "path": public,
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "23/Nov/2026:07:36:43 +0000",
            "requestTimeEpoch": 1795419403000,
            "resourceId": "0cfd8b",
            "resourcePath": resource,
            "stage": stage,
        },
        "body": None if body is None else base64.b64encode(body).decode(),
        "isBase64Encoded": body is not None,
    }


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups
