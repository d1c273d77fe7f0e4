"""What happened, for people (standard error) and for programs (JSON lines in a file).

Owns wording, buffering and the file's size. The file holds three kinds of line: ``access`` (one a request), ``log``
(what a service printed) and ``note`` (the gateway's own words).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from stackyard.local.gateway.event import request_time, trace_root
from stackyard.local.gateway.recorder import Recorder

_DELAY = 0.1
_LARGEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Access:
    """One request as the access log tells it. ``started`` in s since the epoch, latency in ms, length in bytes."""

    request_id: str
    trace: str
    """The header ``X-Amzn-Trace-Id``."""
    ip: str
    started: float
    method: str
    path: str
    resource: str
    service: str
    status: int
    length: int
    latency: float
    integration_latency: float | None
    agent: str
    error: str

    def record(self) -> dict[str, object]:
        """Return it under the names of API Gateway's access log variables ("Variables for access logging")."""
        return {
            "kind": "access",
            "requestId": self.request_id,
            "xrayTraceId": trace_root(self.trace),
            "ip": self.ip,
            "requestTime": request_time(self.started),
            "requestTimeEpoch": int(self.started * 1000),
            "httpMethod": self.method,
            "path": self.path,
            "resourcePath": self.resource,
            "service": self.service,
            "status": self.status,
            "responseLength": self.length,
            "responseLatency": round(self.latency, 2),
            "integrationLatency": None if self.integration_latency is None else round(self.integration_latency, 2),
            "userAgent": self.agent,
            "error": self.error or None,
        }


class Journal:
    """The one place that writes."""

    def __init__(
        self, path: Path | None, screen: TextIO, *, requests: bool = False, recorder: Recorder | None = None
    ) -> None:
        """Write to ``screen``, and to ``path`` where one is given; ``requests`` are said to whoever looks on.

        A ``recorder`` is told what it may be asked for later.
        """
        self.recorder = recorder
        self._path = path
        self._screen = screen
        self._terminal = requests or screen.isatty()
        self._lines: list[str] = []
        self._waiting: list[Callable[[], dict[str, object]]] = []
        self._scheduled = False

    def access(self, access: Access) -> None:
        """Note a request; people see it only when they look on."""
        self._keep(access.record)
        if self._terminal:
            why = f"  {access.error}" if access.error else ""
            service = access.service or "gateway"
            self._print(f"{service} | {access.method} {access.path} {access.status} {access.latency:.1f} ms{why}")

    def log(self, service: str, text: str) -> None:
        """Pass on a line that a service printed."""
        at = _now()
        if self.recorder is not None:
            self.recorder.say("log", service, text)
        self._keep(lambda: {"kind": "log", "time": at, "service": service, "line": text})
        self._print(f"{service} | {text}")

    def note(self, text: str, service: str = "") -> None:
        """Say something of our own."""
        at = _now()
        if self.recorder is not None:
            self.recorder.say("note", service, text)
        self._keep(lambda: {"kind": "note", "time": at, "service": service or None, "line": text})
        self._print(f"{service or 'gateway'} | {text}")

    def _print(self, line: str) -> None:
        self._lines.append(line)
        self.schedule()

    def _keep(self, render: Callable[[], dict[str, object]]) -> None:
        if self._path is not None:
            self._waiting.append(render)
            self.schedule()

    def schedule(self) -> None:
        """See that what waits is written soon."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(_DELAY, self.flush)

    def flush(self) -> None:
        """Write what waits. A file that cannot be written is given up with a word, requests go on."""
        self._scheduled = False
        if self.recorder is not None:
            self.recorder.settle()
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._screen.write("\n".join(lines) + "\n")
                self._screen.flush()
            except (OSError, ValueError):
                self._terminal = False
        waiting, self._waiting = self._waiting, []
        if not waiting or self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(render()) + "\n" for render in waiting)
                size = file.tell()
            if size > _LARGEST:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        except OSError as error:
            path, self._path = self._path, None
            self.note(f"no more log in {path}: {error.strerror}")


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
