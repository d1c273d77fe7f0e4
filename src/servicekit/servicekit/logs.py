"""Logs as JSON, one object a line on standard output, with the ids of service and request.

Owns the form of a line and which handlers write. Standard library logging underneath: structlog costs a third of
FastAPI's own import, which every cold start would pay.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from servicekit.context import current_request

if TYPE_CHECKING:
    from servicekit.settings import Settings

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# Set by the Lambda runtime's filter on records that pass its handler.
_NOT_EXTRA = _STANDARD | {"aws_request_id", "tenant_id", "color_message"}


# Made once: `json.dumps` with settings of its own makes an encoder for each line.
_encode = json.JSONEncoder(default=str, ensure_ascii=False).encode


class JsonFormatter(logging.Formatter):
    """Render a record as one line of JSON; what a caller gives as ``extra`` becomes members of their own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._second, self._written = 0, ""
        self._service = {"service": settings.service_name, "environment": settings.service_environment}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without an end of line."""
        second, milliseconds = divmod(int(record.created * 1000), 1000)
        if second != self._second:
            self._second = second
            self._written = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        line: dict[str, Any] = {
            "time": f"{self._written}.{milliseconds:03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._service,
            **_ids(),
        }
        for name, value in record.__dict__.items():
            if name not in _NOT_EXTRA:
                line.setdefault(name, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return _encode(line)


class _StandardOutput(logging.StreamHandler[Any]):
    """Write to what ``sys.stdout`` is at the time: the Lambda runtime and tests replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stdout

    @stream.setter
    def stream(self, value: object) -> None:
        raise AttributeError("standard output is looked up for each record")


def configure_logs(settings: Settings) -> None:
    """Send all of the process's logs through one JSON handler at LOG_LEVEL.

    Handlers of the Lambda runtime and of uvicorn, which would print each record a second time in a form of their own,
    are taken off. Others are left alone. Calling it again replaces the handler of the call before.
    """
    root = logging.getLogger()
    for other in list(root.handlers):
        if isinstance(other, _StandardOutput) or type(other).__module__.startswith("awslambdaric"):
            root.removeHandler(other)
    output = _StandardOutput()
    output.setFormatter(JsonFormatter(settings))
    root.addHandler(output)
    root.setLevel(settings.log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # One line a request is enough, and ours has the ids. An exception that reached them has been logged too.
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def _ids() -> dict[str, str]:
    request = current_request()
    ids: dict[str, str] = {}
    if request is not None:
        ids["request_id"] = request.request_id
        if request.gateway_request_id:
            ids["gateway_request_id"] = request.gateway_request_id
        if request.trace_id:
            ids["trace_id"] = request.trace_id
    span = get_current_span().get_span_context()
    if span.is_valid:
        ids["trace_id"], ids["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    return ids
