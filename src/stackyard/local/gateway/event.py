"""From an HTTP request to the event that API Gateway hands to Lambda: REST proxy event, format 1.0.

Sources: "Input format of a Lambda function for proxy integration", "Amazon API Gateway important notes" (which request
headers are dropped; query and path parameters are decoded; a semicolon splits the query).
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import orjson

if TYPE_CHECKING:
    from stackyard.local.gateway.limits import Caller
    from stackyard.local.gateway.message import Request
    from stackyard.local.gateway.routes import Match

DROPPED = frozenset(
    {
        b"connection",
        b"content-length",
        b"content-md5",
        b"expect",
        b"keep-alive",
        b"max-forwards",
        b"proxy-authenticate",
        b"server",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"www-authenticate",
    }
)
"""Request headers that a Lambda integration never sees."""

_SPELLED = {b"host": "Host", b"user-agent": "User-Agent", b"authorization": "Authorization"}
_OWN = frozenset({b"x-forwarded-for", b"x-forwarded-port", b"x-forwarded-proto", b"x-amzn-trace-id"})
_SEPARATOR = re.compile("[&;]")
_ROOT = re.compile(r"(?:^|;)\s*Root=1-[0-9a-f]{8}-[0-9a-f]{24}", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment serves: what every event of it says alike."""

    account: str
    api_id: str
    stage: str
    deployment_id: str
    port: str
    binary: tuple[str, ...]


class Ids:
    """The names under which one request is known."""

    __slots__ = ("extended", "request", "trace")

    def __init__(self, trace: str | None, now: float) -> None:
        digits = os.urandom(28).hex()
        self.request = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
        self.extended = base64.b64encode(bytes.fromhex(digits[32:54])).decode()
        if trace and _ROOT.search(trace):
            self.trace = trace
        else:
            self.trace = f"Root=1-{int(now):08x}-{digits[32:56]}"


def trace_root(trace: str) -> str:
    """Return the id of a trace from its header, in which fields stand in any order (X-Ray: Tracing header)."""
    match = _ROOT.search(trace)
    return match[0].rpartition("=")[2] if match else ""


class RequestTime:
    """The time as API Gateway writes it (``04/Mar/2020:19:15:17 +0000``), rendered once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, now: float) -> str:
        """Return ``now`` (seconds since the epoch) in words."""
        second = int(now)
        if second != self._second:
            at = time.gmtime(second)
            clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
            self._text = f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{clock} +0000"
            self._second = second
        return self._text


_time = RequestTime()


def request_time(now: float) -> str:
    """Return ``requestTime`` for seconds since the epoch."""
    return _time.text(now)


def parse_query(query: str) -> dict[str, list[str]] | None:
    """Return the decoded values of each name, in order, or None when there are none."""
    if not query:
        return None
    values: dict[str, list[str]] = {}
    encoded = "%" in query or "+" in query
    for pair in _SEPARATOR.split(query):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if encoded:
            name, value = unquote_plus(name), unquote_plus(value)
        values.setdefault(name, []).append(value)
    return values or None


def is_binary(media_type: str, binary: tuple[str, ...]) -> bool:
    """Return whether a media type is among those that travel as base64 ("Binary media types for REST APIs")."""
    if "*/*" in binary:
        return True
    plain = media_type.partition(";")[0].strip().lower()
    return bool(plain) and (plain in binary or f"{plain.partition('/')[0]}/*" in binary)


def parse_headers(request: Request, ids: Ids, port: str) -> dict[str, list[str]]:
    """Return the headers that the function sees, each name in its first spelling with all its values."""
    headers: dict[str, list[str]] = {}
    spelled: dict[bytes, str] = {}
    forwarded = request.client
    for lower, raw_name, raw_value in request.headers:
        if lower in DROPPED:
            continue
        value = raw_value.decode("utf-8", "replace")
        if lower in _OWN:
            if lower == b"x-forwarded-for":
                forwarded = f"{value}, {request.client}"
            continue
        name = spelled.get(lower)
        if name is None:
            name = spelled[lower] = _SPELLED.get(lower) or raw_name.decode("latin-1")
            headers[name] = [value]
        else:
            headers[name].append(value)
    headers["X-Amzn-Trace-Id"] = [ids.trace]
    headers["X-Forwarded-For"] = [forwarded]
    headers["X-Forwarded-Port"] = [port]
    headers["X-Forwarded-Proto"] = ["http"]
    return headers


def _body(request: Request, binary: tuple[str, ...]) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    if is_binary((request.header(b"content-type") or b"").decode("latin-1"), binary):
        return base64.b64encode(request.body).decode(), True
    return request.body.decode("utf-8", "replace"), False


def _identity(request: Request, headers: Mapping[str, list[str]], caller: Caller | None) -> dict[str, str | None]:
    agent = headers.get("User-Agent")
    identity: dict[str, str | None] = {
        "cognitoIdentityPoolId": None,
        "accountId": None,
        "cognitoIdentityId": None,
        "caller": None,
        "sourceIp": request.client,
        "principalOrgId": None,
        "accessKey": None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": None,
        "userAgent": agent[-1] if agent else None,
        "user": None,
    }
    if caller is not None:
        identity["apiKey"] = caller.key.value
        identity["apiKeyId"] = caller.key.id
    return identity


def render_event(
    request: Request,
    match: Match,
    path: str,
    query: str,
    *,
    staged: bool,
    place: Place,
    ids: Ids,
    caller: Caller | None,
) -> bytes:
    """Return the event as JSON. ``path`` is as sent, without the stage; ``staged`` says that the request had it."""
    headers = parse_headers(request, ids, place.port)
    values = parse_query(query)
    body, encoded = _body(request, place.binary)
    verb = request.method.decode()
    method = match.method
    host = headers.get("Host")
    domain = hostname(host[-1]) if host else ""
    event = {
        "resource": method.resource,
        "path": path,
        "httpMethod": verb,
        "headers": {name: each[-1] for name, each in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: each[-1] for name, each in values.items()} if values else None,
        "multiValueQueryStringParameters": values,
        "pathParameters": match.parameters,
        "stageVariables": None,
        "requestContext": {
            "resourceId": method.resource_id,
            "resourcePath": method.resource,
            "httpMethod": verb,
            "extendedRequestId": ids.extended,
            "requestTime": _time.text(request.started),
            "path": _staged(place.stage, path) if staged else path,
            "accountId": place.account,
            "protocol": "HTTP/" + request.version,
            "stage": place.stage,
            "domainPrefix": domain.partition(".")[0],
            "requestTimeEpoch": int(request.started * 1000),
            "requestId": ids.request,
            "identity": _identity(request, headers, caller),
            "domainName": domain,
            "deploymentId": place.deployment_id,
            "apiId": place.api_id,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }
    return orjson.dumps(event)


def _staged(stage: str, path: str) -> str:
    return f"/{stage}{path}" if path != "/" else f"/{stage}"


def hostname(host: str) -> str:
    """Return a Host header without its port, as ``domainName`` is told."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
