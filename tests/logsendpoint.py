"""A CloudWatch Logs endpoint on this machine that misbehaves as the real one may.

Services log at a steady rate without end. Lines arrive late and out of order, streams rotate and the tokens of pages
with them, requests are throttled, refused, left without an answer. Knows as much of STS as says who one is.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::111111111111:user/tests</Arn><UserId>tests</UserId><Account>111111111111</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@dataclass
class LogsEndpoint:
    """What it does. Rates in lines a second, times in s."""

    groups: Sequence[str]
    rate: int = 200
    page: int = 2000
    rotation: float = 2.0
    latest: float = 1.2
    """How late a line can be."""
    stragglers: Mapping[int, float] = field(default_factory=dict[int, float])
    """How late these lines are instead."""
    throttled: int = 5
    """One of so many requests is throttled, one of three times as many gets no answer."""
    hang_at: int = 0
    """The request of the last group that hangs, counted from 1."""
    hang: float = 11.0
    url: str = ""
    began: float = field(default_factory=time.time)
    ended: float = float("inf")
    """When the services fell silent."""
    told: dict[str, int] = field(default_factory=dict[str, int])
    """What was done, counted."""
    _asked: dict[str, int] = field(default_factory=dict[str, int])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def written(self) -> int:
        """Return how many lines each service has written."""
        return int((min(time.time(), self.ended) - self.began) * self.rate)

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer FilterLogEvents; status 0 is no answer at all."""
        group = request["logGroupName"]
        with self._lock:
            if group not in self.groups:
                return self._count("missing", 400, {"__type": "ResourceNotFoundException", "message": group})
            number = self._asked[group] = self._asked.get(group, 0) + 1
        if group == self.groups[-1] and number == self.hang_at:
            self._count("hung", 0, {})
            time.sleep(self.hang)
            return 0, {}
        if number % (3 * self.throttled) == 0:
            return self._count("dropped", 0, {})
        if number % self.throttled == 0:
            return self._count("throttled", 400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
        return self._events(group, request)

    def _events(self, group: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        rotated = int((time.time() - self.began) / self.rotation)
        after = -1
        if token := request.get("nextToken"):
            stream, after = (int(part) for part in token.split("."))
            if stream != rotated:
                return self._count("rotated", 400, {"__type": "InvalidParameterException", "message": "nextToken"})
        first = max(after + 1, int((request["startTime"] / 1000 - self.began) * self.rate), 0)
        events: list[dict[str, Any]] = []
        last = self.written()
        for number in range(first, last):
            at = self.began + number / self.rate
            if at * 1000 < request["startTime"] or at + self._lateness(number) > time.time():
                continue
            if len(events) == self.page:
                return self._count("pages", 200, {"events": events, "nextToken": f"{rotated}.{number - 1}"})
            events.append(self._event(group, number, at))
        return self._count("pages", 200, {"events": events})

    def _lateness(self, number: int) -> float:
        return self.stragglers.get(number, (number * 7919 % 1000) / 1000 * self.latest)

    def _event(self, group: str, number: int, at: float) -> dict[str, Any]:
        stamp = int(at * 1000)
        return {
            "eventId": f"{group}{number:056d}",
            "timestamp": stamp,
            "message": json.dumps(make_line(number, stamp)),
            "logStreamName": f"stream-{int((at - self.began) / self.rotation)}",
        }

    def _count(self, what: str, status: int, answer: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.told[what] = self.told.get(what, 0) + 1
        return status, answer


def make_line(number: int, stamp: int) -> dict[str, object]:
    """Return what a service writes at a time (ms since 1970)."""
    when = datetime.fromtimestamp(stamp / 1000, UTC).isoformat(timespec="milliseconds")
    line = {"time": when, "level": "INFO", "message": "did a piece of work", "request_id": f"{number:032x}"}
    return {**line, "number": number}


@contextlib.contextmanager
def serving_logs(endpoint: LogsEndpoint) -> Generator[LogsEndpoint]:
    """Serve it on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("X-Amz-Target") != "Logs_20140328.FilterLogEvents":
                self._send(200, "text/xml", CALLER.encode())
                return
            status, answer = endpoint.answer(json.loads(body))
            if status == 0:
                self.close_connection = True
                return
            self._send(status, "application/x-amz-json-1.1", json.dumps(answer).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            head = f"HTTP/1.1 {status} So\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            with contextlib.suppress(OSError):
                self.wfile.write(head.encode() + body)

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (prints)
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
