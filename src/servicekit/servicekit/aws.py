"""The way into Lambda.

Owns how an application is put behind the Lambda runtime: what happens when its process starts, and after each request.
"""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

from servicekit.routes import websocket_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from servicekit.adapter import LambdaAdapter


_log = logging.getLogger("servicekit.lambda")


def handler(app: ASGIApp) -> LambdaAdapter:
    """Return the function that Lambda calls, for REST API proxy events (format 1.0).

    The application's lifespan is entered here. Make the handler last in its module: all objects that exist by then are
    taken out of the garbage collector's sight. WebSocket routes are named in a warning: a request for one is answered
    with 501. Raises RuntimeError when the application does not start.
    """
    from servicekit.adapter import LambdaAdapter  # noqa: PLC0415  services that run under uvicorn do not need it

    unreachable = websocket_paths(app)
    if unreachable:
        _log.warning("no WebSockets behind a REST API, these are answered with 501: %s", ", ".join(unreachable))

    entry = LambdaAdapter(app, flush=_telemetry())
    gc.freeze()
    return entry


def _telemetry() -> Callable[[], object] | None:
    """Return what sends spans, metrics and logs before Lambda freezes the process; None where FastAPI exports none."""
    if os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() != "true":
        return None
    from opentelemetry import _logs, metrics, trace  # noqa: PLC0415  only where it is switched on

    def flush() -> None:
        for provider in (trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider()):
            send = getattr(provider, "force_flush", None)
            if send is not None:
                send(_FLUSH_MILLISECONDS)

    return flush


_FLUSH_MILLISECONDS = 2000
