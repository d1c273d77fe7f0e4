"""Words one request and one line, for a page: what went in, what came out, how long it took.

Pure: from what was kept to data that JSON can hold, whatever bytes they are. Says nothing that was not kept.
"""

from __future__ import annotations

import base64
import codecs
import json
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict, cast

from stackyard.local.gateway.event import render_event, trace_root
from stackyard.local.gateway.message import Request
from stackyard.local.gateway.recorder import MASK, REPLAYED, Line, Record
from stackyard.loglines import normal_id, parse_line

if TYPE_CHECKING:
    import asyncio

    from stackyard.local.gateway.message import Header

_MOST_LINES = 200


class Body(TypedDict):
    """A body: as ``text`` where it is some, else in ``base64``; its whole ``size`` in bytes, and whether it was cut."""

    text: str | None
    base64: str | None
    size: int
    cut: bool
    kept: bool


class Summary(TypedDict):
    """A row of the list. Times in ms, ``at`` since 1970."""

    id: str
    number: int
    at: float
    method: str
    path: str
    query: str
    service: str
    resource: str
    status: int
    ms: float
    service_ms: float | None
    cold: bool | None
    sent: int
    size: int
    error: str
    trace: str
    replay_of: str


class Said(TypedDict):
    """A line of a service or of the gateway."""

    at: float
    service: str
    level: str
    kind: str
    message: str
    details: str
    fields: dict[str, object]
    ids: list[str]


class Message(TypedDict):
    """Headers in their order, and the body."""

    headers: list[tuple[str, str]]
    body: Body


class Detail(TypedDict):
    """All that is known of one request."""

    summary: Summary
    request: Message
    answer: Message
    event: object
    lines: list[Said]
    curl: str
    hidden: list[str]


def describe_summary(record: Record, number: int) -> Summary:
    """Return a row of the list."""
    access = record.access
    return {
        "id": access.request_id,
        "number": number,
        "at": access.started * 1000,
        "method": access.method,
        "path": access.path,
        "query": record.query,
        "service": access.service,
        "resource": access.resource,
        "status": access.status,
        "ms": round(access.latency, 2),
        "service_ms": None if access.integration_latency is None else round(access.integration_latency, 2),
        "cold": record.cold,
        "sent": record.size,
        "size": access.length,
        "error": access.error,
        "trace": trace_root(access.trace),
        "replay_of": _value(record.headers, REPLAYED),
    }


def describe_detail(record: Record, number: int, lines: Iterable[Line], address: str) -> Detail:
    """Return all of one request; ``lines`` are those among which its own are looked for, ``address`` the gateway's."""
    access = record.access
    answer = _parse_lines(record.reply)
    hidden = [name.decode("latin-1") for _, name, value in record.headers if value == MASK]
    return {
        "summary": describe_summary(record, number),
        "request": {
            "headers": [
                (name.decode("latin-1"), value.decode("utf-8", "replace")) for _, name, value in record.headers
            ],
            "body": describe_body(record.body, record.size),
        },
        "answer": {"headers": answer, "body": describe_body(record.answer, access.length)},
        "event": describe_event(record),
        "lines": find_lines(record, lines),
        "curl": render_curl(record, address),
        "hidden": hidden,
    }


def describe_body(body: bytes | None, size: int) -> Body:
    """Return a body as text where it is UTF-8; what was cut may end within a character."""
    if body is None:
        return {"text": None, "base64": None, "size": size, "cut": False, "kept": False}
    cut = len(body) < size
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(body, final=not cut)
    except UnicodeDecodeError:
        text = None
    if text is not None and "\x00" not in text:
        return {"text": text, "base64": None, "size": size, "cut": cut, "kept": True}
    return {"text": None, "base64": base64.b64encode(body).decode(), "size": size, "cut": cut, "kept": True}


def describe_event(record: Record) -> object:
    """Return the event that a function was given, without the secrets in it; None where no function was asked."""
    match, place, access = record.match, record.place, record.access
    if (
        match is None
        or not isinstance(match.method.target, str)
        or record.body is None
        or len(record.body) < record.size
    ):
        return None
    request = Request(_Past(access.ip))
    request.method, request.headers, request.body = access.method.encode("latin-1"), record.headers, record.body
    request.started = access.started
    root = f"/{place.stage}"
    staged = access.path == root or access.path.startswith(root + "/")
    path = (access.path[len(root) :] or "/") if staged else access.path
    event = render_event(request, match, path, record.query, staged=staged, place=place, ids=record.ids, caller=None)
    return cast("object", json.loads(event))


def find_lines(record: Record, lines: Iterable[Line]) -> list[Said]:
    """Return the lines that belong to a request, by its id or its trace."""
    own = {record.access.request_id, normal_id(trace_root(record.access.trace))}
    words = [*own, trace_root(record.access.trace)]
    found = [describe_line(line) for line in lines if any(word and word in line.text for word in words)]
    return [line for line in found if own.intersection(line["ids"])][-_MOST_LINES:]


def describe_line(line: Line) -> Said:
    """Return a line as `inv logs` reads it."""
    at = line.at * 1000
    if line.kind == "note":
        return _said(at, line.service or "gateway", "info", "platform", line.text)
    parsed = parse_line(line.service, line.text, int(at))
    return {
        **_said(at, line.service, parsed.level, parsed.kind, parsed.message),
        "details": parsed.details,
        "fields": dict(parsed.fields),
        "ids": sorted(parsed.ids),
    }


def render_curl(record: Record, address: str) -> str:
    """Return the command that asks the same; what was not kept is left to fill in."""
    access = record.access
    query = f"?{record.query}" if record.query else ""
    parts = ["curl", "--include"]
    if access.method not in {"GET", "POST"} or (access.method == "POST" and not record.body):
        parts += ["--head"] if access.method == "HEAD" else ["--request", access.method]
    for lower, name, value in record.headers:
        if lower in _CURLS_OWN:
            continue
        text = "…" if value == MASK else value.decode("utf-8", "replace")
        parts += ["--header", f"{name.decode('latin-1')}: {text}"]
    if record.body:
        body = describe_body(record.body, record.size)["text"]
        parts += ["--data-binary", body if body is not None else "@the-body"]
        if access.method == "GET":
            parts += ["--request", "GET"]
    return shlex.join([*parts, f"{address}{access.path}{query}"])


_CURLS_OWN = frozenset({b"accept-encoding", b"connection", b"content-length", b"host", b"user-agent", REPLAYED})


class _Past:
    """Where a request came from that was answered long ago."""

    lost = True

    def __init__(self, client: str) -> None:
        self.client = client

    def answer(self, request: Request, status: int, headers: bytes, body: bytes) -> None:
        """Answer nobody."""

    def hand_over(self, request: Request, heir: asyncio.Protocol) -> bool:
        """Give nothing away."""
        return False


def _said(at: float, service: str, level: str, kind: str, message: str) -> Said:
    return {
        "at": at,
        "service": service,
        "level": level,
        "kind": kind,
        "message": message,
        "details": "",
        "fields": {},
        "ids": [],
    }


def _parse_lines(head: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.append((name, value.strip()))
    return found


def _value(headers: Iterable[Header], name: bytes) -> str:
    return next((value.decode("latin-1") for lower, _, value in headers if lower == name), "")
