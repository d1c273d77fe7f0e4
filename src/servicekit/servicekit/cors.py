"""What pages of other origins may do, as service.yaml says it under `cors`.

Owns the form of SERVICE_CORS. The protocol is Starlette's, which is imported only where the variable is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Cors(BaseModel):
    """Origins, methods and headers as CORSMiddleware takes them; ``max_age`` in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origins: tuple[str, ...]
    methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 600


def share(app: ASGIApp, cors: Cors) -> ASGIApp:
    """Return the application with its answers marked for such pages, errors included, and preflights answered."""
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415  most services have no such callers

    return CORSMiddleware(
        app,
        allow_origins=cors.origins,
        allow_methods=cors.methods,
        allow_headers=cors.headers,
        expose_headers=cors.expose,
        allow_credentials=cors.credentials,
        max_age=cors.max_age,
    )
