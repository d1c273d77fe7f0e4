"""Answers the console's page: its files, what was kept, a request sent again, and news as they come.

Whoever asks was let in by `gateway.visitors`. Nothing here is on a request's own way through the gateway.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from stackyard.local.console.drawing import describe_system
from stackyard.local.console.replay import Replay, UnfitError, parse_wanted, render_request
from stackyard.local.console.stream import Stream
from stackyard.local.console.views import describe_detail, describe_line, describe_summary
from stackyard.local.gateway.message import Limits

if TYPE_CHECKING:
    from stackyard.local.gateway.gateway import Gateway
    from stackyard.local.gateway.message import Request
    from stackyard.local.gateway.recorder import Recorder

ROOT = "/_stackyard"
_PAGE = Path(__file__).with_name("page")
_FILES = {
    "": ("index.html", b"text/html; charset=utf-8"),
    "console.css": ("console.css", b"text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", b"image/svg+xml"),
    **{path.name: (path.name, b"text/javascript; charset=utf-8") for path in _PAGE.glob("*.js")},
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = (
    f"Cache-Control: no-store\r\nContent-Security-Policy: {_POLICY}\r\nX-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
).encode()
_READS = frozenset({b"GET", b"HEAD"})


class Console:
    """The other end of the page."""

    def __init__(self, gateway: Gateway, recorder: Recorder, limits: Limits) -> None:
        """Show what ``recorder`` kept of ``gateway``; a request sent again keeps its ``limits``."""
        self._gateway = gateway
        self._recorder = recorder
        self._limits = limits
        self._stream = Stream(gateway, recorder)

    def answer(self, request: Request, path: str) -> None:
        """Answer the page. ``path`` begins with ``/_stackyard``."""
        name = path.removeprefix(ROOT)
        reads = request.method in _READS
        if not name:
            request.answer(308, b"Location: /_stackyard/\r\n" + _SAFE, b"")
        elif reads and (file := _FILES.get(name[1:])) is not None:
            request.answer(200, b"Content-Type: %b\r\n" % file[1] + _SAFE, (_PAGE / file[0]).read_bytes())
        elif reads and name == "/events":
            self._watch(request)
        elif reads and name == "/system":
            _say(request, 200, describe_system(self._gateway))
        elif reads and name == "/requests":
            first, records = self._recorder.records()
            _say(request, 200, [describe_summary(each, number) for number, each in enumerate(records, first + 1)])
        elif reads and name == "/lines":
            _say(request, 200, [describe_line(each) for each in self._recorder.said()[1]])
        elif reads and name.startswith("/requests/"):
            self._detail(request, name.removeprefix("/requests/"))
        elif request.method == b"POST" and name in {"/replay", "/clear"}:
            self._act(request, name)
        else:
            _say(request, 404, {"message": f"there is no {request.method.decode('latin-1')} {path} here"})

    def close(self) -> None:
        """Let pages go."""
        self._stream.close()

    def _watch(self, request: Request) -> None:
        if not self._stream.take(request):
            _say(request, 503, {"message": "too many pages are open"})

    def _detail(self, request: Request, request_id: str) -> None:
        first, records = self._recorder.records()
        for number, record in enumerate(records, first + 1):
            if record.access.request_id == request_id:
                lines = self._recorder.said()[1]
                _say(request, 200, describe_detail(record, number, lines, self._gateway.url))
                return
        _say(request, 404, {"message": "this request is no longer kept"})

    def _act(self, request: Request, name: str) -> None:
        if request.too_large:
            _say(request, 413, {"message": f"at most {self._limits.body} bytes"})
        elif (request.header(b"content-type") or b"").partition(b";")[0].strip().lower() != b"application/json":
            _say(request, 415, {"message": "application/json is asked for"})
        elif name == "/clear":
            self._recorder.clear()
            _say(request, 200, {})
        else:
            self._send_again(request)

    def _send_again(self, request: Request) -> None:
        """Serve what the page posted as if it had come from a client; the answer says under which id it is kept."""

        def done(status: int, headers: bytes) -> None:
            found = [line for line in headers.split(b"\r\n") if line.lower().startswith(b"x-amzn-requestid:")]
            request_id = found[0].partition(b":")[2].strip().decode("latin-1") if found else ""
            _say(request, 200, {"status": status, "id": request_id})

        host = (request.header(b"host") or b"").decode("latin-1")
        try:
            wanted = parse_wanted(request.body)
            again = render_request(wanted, host, self._limits, Replay(done))
        except UnfitError as error:
            _say(request, 422, {"message": str(error)})
            return
        if again.target.startswith(ROOT.encode()):
            _say(request, 422, {"message": f"{ROOT} is the gateway's own and cannot be sent again"})
        else:
            self._gateway.serve(again)


def _say(request: Request, status: int, data: object) -> None:
    request.answer(status, b"Content-Type: application/json\r\n" + _SAFE, orjson.dumps(data) + b"\n")
