"""From what a Lambda function returned to an HTTP answer, or to the verdict that API Gateway would not take it.

Sources: "Output format of a Lambda function for proxy integration" (fields, merging of ``headers`` and
``multiValueHeaders``), "Amazon API Gateway important notes" (headers remapped or dropped on the way back), "Handling
Lambda errors with an API Gateway API" (malformed: 502).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import orjson

from stackyard.local.gateway.event import is_binary

FIELDS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})
REMAPPED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "max-forwards",
        "server",
        "user-agent",
        "www-authenticate",
        "x-amz-apigw-id",
        "x-amzn-requestid",
    }
)
DROPPED = frozenset(
    {
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-amzn-trace-id",
    }
)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAK = re.compile(r"[\r\n\x00]")


class MalformedError(Exception):
    """API Gateway would not take this for an answer; the message says why."""


class BadBase64Error(MalformedError):
    """``isBase64Encoded`` is true and ``body`` is not base64."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, whole header lines, body."""

    status: int
    headers: bytes
    body: bytes


def parse_answer(payload: bytes, accept: str, binary: tuple[str, ...]) -> Answer:
    """Return what the client gets. ``accept`` is the request's Accept header.

    Raises MalformedError where API Gateway would answer 502, BadBase64Error where it would answer 500.
    """
    try:
        found: object = orjson.loads(payload)
    except ValueError as error:
        raise MalformedError("the function did not return JSON") from error
    if not isinstance(found, dict):
        raise MalformedError(f"the function returned {_kind(found)} where an object with statusCode is due")
    result = cast("dict[str, object]", found)
    if unknown := result.keys() - FIELDS:
        raise MalformedError(f"the answer has fields that API Gateway does not know: {', '.join(sorted(unknown))}")
    return Answer(
        status=_status(result.get("statusCode")),
        headers=_headers(result.get("headers"), result.get("multiValueHeaders")),
        body=_body(result.get("body"), result.get("isBase64Encoded"), accept, binary),
    )


def _status(value: object) -> int:
    if value is None:
        return 200
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and 200 <= int(text) <= 599):
        raise MalformedError(f"statusCode must be a number from 200 to 599, found {value!r}")
    return int(text)


def _body(value: object, encoded: object, accept: str, binary: tuple[str, ...]) -> bytes:
    if value is None:
        return b""
    if not isinstance(value, str):
        raise MalformedError(f"body must be a string, found {_kind(value)} (use json.dumps)")
    if encoded not in {None, False, True}:
        raise MalformedError(f"isBase64Encoded must be true or false, found {encoded!r}")
    if not encoded or not is_binary(accept.partition(",")[0], binary):
        return value.encode("utf-8", "replace")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBase64Error("isBase64Encoded is true and body is not base64") from error


def _headers(single: object, multiple: object) -> bytes:
    lines: list[str] = []
    seen: set[tuple[str, str]] = set()
    typed = False
    for name, value in _pairs(single, multiple):
        lower = name.lower()
        if (lower, value) in seen or lower in DROPPED:
            continue
        seen.add((lower, value))
        typed = typed or lower == "content-type"
        prefix = "x-amzn-Remapped-" if lower in REMAPPED else ""
        lines.append(f"{prefix}{name}: {value}\r\n")
    if not typed:
        lines.append("Content-Type: application/json\r\n")
    return "".join(lines).encode("utf-8", "replace")


def _pairs(single: object, multiple: object) -> Iterator[tuple[str, str]]:
    """Yield every header: those of ``multiValueHeaders`` first, because they win where both name the same pair."""
    for name, values in _mapping("multiValueHeaders", multiple):
        if not isinstance(values, list):
            raise MalformedError(f"multiValueHeaders.{name} must be a list, found {_kind(values)}")
        for value in cast("list[object]", values):
            yield name, _value(name, value)
    for name, value in _mapping("headers", single):
        yield name, _value(name, value)


def _mapping(what: str, value: object) -> Iterator[tuple[str, object]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise MalformedError(f"{what} must be an object, found {_kind(value)}")
    for name, each in cast("Mapping[str, object]", value).items():
        if _TOKEN.fullmatch(name) is None:
            raise MalformedError(f"{what} has a name that cannot be a header: {name!r}")
        yield name, each


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise MalformedError(f"the header {name} must be a string, found {_kind(value)}")
    if _BREAK.search(value):
        raise MalformedError(f"the header {name} holds a line break")
    return value


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a string"
    return "null" if value is None else repr(value)
