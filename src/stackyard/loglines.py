"""What one line of a log says, whoever wrote it: time, level, words, and the ids by which requests are followed.

Knows the forms: servicekit's JSON, API Gateway's access log (as modules/api-gateway and the local gateway write it),
Lambda's own lines, anybody's JSON, plain text. Knows nothing of where lines come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Literal, cast

Level = Literal["debug", "info", "warning", "error", "critical"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error", "critical")

Kind = Literal["service", "access", "platform", "text"]
"""Written by a service, by the gateway for each request, by what runs services, or by anything else."""

GATEWAY = "gateway"
"""What the source of access logs is called beside services."""

_NAMES: Mapping[str, Level] = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "notice": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "critical",
    "fatal": "critical",
}
_LEVEL_AHEAD = re.compile(r"\[?(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b", re.IGNORECASE)
_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
# Lambda: "Understanding Lambda function logs": what the platform writes in the text format.
_PLATFORM = re.compile(rf"(START|END|REPORT|INIT_START|INIT_REPORT|EXTENSION)\b(?: RequestId: ({_UUID}))?")
_FAILED = re.compile(rf"(?:\S+ )?(?:RequestId: )?({_UUID}) (Task timed out|Error: Runtime|Process exited)")
_XRAY = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_IDS = ("request_id", "gateway_request_id", "trace_id", "requestId", "xrayTraceId")
_SAID = frozenset({"time", "level", "message", "service", "environment", "logger", "exception", "stack", *_IDS})
_DAY = 86_400_000
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Times in ms since 1970."""

    at: int
    """When it was kept: by this a stream is ordered."""
    moment: int
    """When it happened, as far as the line tells; of a request, when that began."""
    service: str
    level: Level
    message: str
    kind: Kind
    ids: frozenset[str] = frozenset()
    """Requests and traces that it belongs to, traces as 32 digits."""
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    """What else it says."""
    details: str = ""
    """Traceback, stack."""

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "time": self.moment,
            "service": self.service,
            "level": self.level,
            "kind": self.kind,
            "message": self.message,
            "ids": sorted(self.ids),
            "fields": dict(self.fields),
            "details": self.details,
        }


def at_least(line: Line, level: Level) -> bool:
    """Tell whether a line is that serious."""
    return LEVELS.index(line.level) >= LEVELS.index(level)


def normal_id(value: str) -> str:
    """Write an id in one way: X-Ray's ``1-5759e988-bd86…`` and W3C's ``5759e988bd86…`` are the same trace."""
    match = _XRAY.fullmatch(value)
    return match[1] + match[2] if match else value


def trace_time(value: str) -> int | None:
    """Return when an X-Ray trace id was made (ms), or None for an id that does not tell (X-Ray: Tracing header)."""
    match = _XRAY.fullmatch(value)
    return int(match[1], 16) * 1000 if match else None


def parse_line(service: str, text: str, at: int) -> Line:
    """Read a line that was kept at ``at`` (ms); whatever it is, it is one."""
    text = text.rstrip("\r\n")
    if text.startswith("{"):
        try:
            data = cast("object", json.loads(text))
        except ValueError:
            data = None
        if isinstance(data, dict):
            return _parse_json(service, cast("dict[str, object]", data), at)
    return _parse_text(service, text, at)


def _parse_json(service: str, data: dict[str, object], at: int) -> Line:
    kind = data.get("type")
    if isinstance(kind, str) and kind.startswith("platform."):
        return _platform_event(service, kind, data, at)
    if ("resource" in data and "integration_latency" in data) or data.get("kind") == "access":
        return _access(service, data, at)
    message = next((str(data[name]) for name in ("message", "msg", "event") if data.get(name)), "")
    named = next((str(data[name]) for name in ("level", "levelname", "severity") if name in data), "")
    details = "\n".join(str(data[name]) for name in ("exception", "stack") if data.get(name))
    return Line(
        at=at,
        moment=_moment(data.get("time") or data.get("timestamp"), at),
        service=service,
        level=_NAMES.get(named.lower(), "info"),
        message=message,
        kind="service",
        ids=_ids(data),
        fields={name: value for name, value in data.items() if name not in _SAID and value is not None},
        details=details,
    )


def _access(service: str, data: Mapping[str, object], at: int) -> Line:
    """Read an access log's line by the names of either gateway: ours has API Gateway's own for its variables."""

    def told(*names: str) -> str:
        return next((str(data[name]) for name in names if data.get(name) not in (None, "", "-")), "")

    status, latency = told("status"), told("latency", "responseLatency")
    method, path = told("method", "httpMethod"), told("path")
    level: Level = "error" if status.startswith("5") else "warning" if status.startswith("4") else "info"
    begun = told("requestTimeEpoch")
    fields: dict[str, object] = {"status": int(status) if status.isdigit() else status, "latency_ms": _number(latency)}
    more = {
        "integration_ms": _number(told("integration_latency", "integrationLatency")),
        "to": told("service"),
        "ip": told("ip"),
        "error": told("error", "integration_error"),
    }
    fields |= {name: value for name, value in more.items() if value not in (None, "")}
    return Line(
        at=at,
        moment=_near(_number(begun) or at - (_number(latency) or 0), at),
        service=service,
        level=level,
        message=f"{method} {path} {status}",
        kind="access",
        ids=_ids(data),
        fields=fields,
    )


def _platform_event(service: str, kind: str, data: Mapping[str, object], at: int) -> Line:
    """Read one of Lambda's own lines in its JSON format."""
    record = data.get("record")
    facts = cast("dict[str, object]", record) if isinstance(record, dict) else {}
    bad = facts.get("status") in ("error", "failure", "timeout")
    request = str(facts.get("requestId") or "")
    words = kind.removeprefix("platform.")
    return Line(
        at=at,
        moment=_moment(data.get("time"), at),
        service=service,
        level="error" if bad else "debug",
        message=f"{words} {facts.get('status')}" if bad else words,
        kind="platform",
        ids=frozenset({request} - {""}),
        fields={name: value for name, value in facts.items() if isinstance(value, str | int | float)},
    )


def _parse_text(service: str, text: str, at: int) -> Line:
    first, _, rest = text.partition("\n")
    if match := _PLATFORM.match(text):
        found = _XRAY.search(text)
        ids = frozenset({match[2] or "", normal_id(found[0]) if found else ""} - {""})
        bad = "Status: timeout" in text or "Status: error" in text
        message = " ".join(text.replace("\t", "  ").split(" "))
        return Line(at, at, service, "error" if bad else "debug", message.strip(), "platform", ids)
    if match := _FAILED.match(text):
        return Line(at, at, service, "error", text, "platform", frozenset({match[1]}))
    ahead = _LEVEL_AHEAD.match(text)
    level: Level = _NAMES[ahead[1].lower()] if ahead else "error" if text.startswith(_TRACEBACK) else "info"
    # The runtime's own lines have the request between tabs: `[ERROR]	2026-…	<id>	message`.
    ids = frozenset(re.findall(rf"(?:^|\t)({_UUID})(?=\t|$)", first)) | {
        normal_id(each[0]) for each in _XRAY.finditer(first)
    }
    return Line(at, at, service, level, first, "text", frozenset(ids), {}, rest)


def _ids(data: Mapping[str, object]) -> frozenset[str]:
    return frozenset(normal_id(str(data[name])) for name in _IDS if data.get(name) not in (None, "", "-"))


def _moment(value: object, at: int) -> int:
    """Return the time that a line tells, unless that is nonsense."""
    if isinstance(value, str):
        try:
            told = datetime.fromisoformat(value)
            return _near(told.timestamp() * 1000, at) if told.tzinfo is not None else at
        except (ValueError, OverflowError):
            return at
    return at


def _near(told: float, at: int) -> int:
    """Return a time that was told, or where that is over a day off the time when it was kept, the latter."""
    return int(told) if abs(told - at) < _DAY else at


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
