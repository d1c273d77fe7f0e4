"""The way into Lambda.

Owns how an application is put behind the Lambda runtime. Mangum is imported when a handler is made, never before:
services that run under uvicorn do not have it.
"""

from __future__ import annotations

import gc
import inspect
import os
from typing import TYPE_CHECKING

from fastapi import APIRouter

if TYPE_CHECKING:
    from fastapi import FastAPI
    from mangum import Mangum

# Beside what Mangum takes for text, so that these bodies are readable in a test event's answer: no need for base64.
_TEXT = ["text/", "application/json", "+json", "application/javascript", "application/xml", "+xml"]


def handler(app: FastAPI) -> Mangum:
    """Return the function that Lambda calls, for REST API proxy events (format 1.0).

    Make it last in its module: all objects that exist by then are taken out of the garbage collector's sight.
    """
    from mangum import Mangum  # noqa: PLC0415  see the module's docstring

    entry = Mangum(app, lifespan="auto" if _needs_lifespan(app) else "off", text_mime_types=_TEXT)
    gc.freeze()
    return entry


def _needs_lifespan(app: FastAPI) -> bool:
    # FastAPI sets up its own telemetry at startup and sends what it gathered at shutdown.
    if os.environ.get("FASTAPI_OTEL_AUTO_CONFIGURE", "").lower() == "true":
        return True
    if app.router.on_startup or app.router.on_shutdown:
        return True
    return not _is_empty(app.router.lifespan_context, type(APIRouter().lifespan_context))


def _is_empty(context: object, default: type) -> bool:
    """Tell whether a lifespan is FastAPI's default, or a merger of such (each ``include_router`` merges two)."""
    if isinstance(context, default):
        return True
    merger = inspect.unwrap(context) if callable(context) else None
    if not inspect.isfunction(merger):
        return False
    parts = inspect.getclosurevars(merger).nonlocals
    return set(parts) == {"original_context", "nested_context"} and all(_is_empty(p, default) for p in parts.values())
