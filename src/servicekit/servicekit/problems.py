"""Errors as problem details (RFC 9457), the same form for every way in which a request can fail.

Owns what a caller may learn of an error: never an exception's text, a traceback or the input that was refused.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from servicekit.context import current_request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from starlette.requests import Request
    from starlette.types import Scope

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {},
    },
}
"""The JSON Schema of a problem, for the service's OpenAPI document."""

_log = logging.getLogger("servicekit.error")

_LOGGED = "servicekit.logged"
_BODILESS = {204, 205, 304}


class Problem(JSONResponse):
    """An answer of type application/problem+json."""

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        instance: str | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe a problem with HTTP status ``status``.

        Args:
            status: HTTP status code, 4xx or 5xx.
            detail: One sentence for the caller.
            instance: The path that was asked for.
            headers: Further headers of the answer.
            members: Extension members, beside the standard ones.

        """
        request = current_request()
        problem = {
            "type": "about:blank",
            "title": _phrase(status),
            "status": status,
            "detail": detail,
            "instance": instance,
            "request_id": request.request_id if request else None,
        }
        content = {name: value for name, value in problem.items() if value is not None}
        super().__init__({**content, **(members or {})}, status_code=status, headers=headers)


async def _http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code < 200 or error.status_code in _BODILESS:
        return Response(status_code=error.status_code, headers=error.headers)
    # FastAPI lets a detail be any JSON, RFC 9457 wants a sentence.
    given = cast("object", error.detail)
    sentence = given if isinstance(given, str) else None
    members = None if given is None or sentence is not None else {"errors": given}
    if sentence == _phrase(error.status_code):
        sentence = None
    return Problem(error.status_code, sentence, instance=_path(request), headers=error.headers, members=members)


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    errors = [
        {"location": ".".join(str(part) for part in e["loc"]), "message": e["msg"], "type": e["type"]}
        for e in error.errors()
    ]
    return Problem(422, "The request is not valid.", instance=_path(request), members={"errors": errors})


def log_unhandled(scope: Scope, error: Exception) -> None:
    """Log an error that no one expected, once for a request."""
    if scope.get(_LOGGED) is not error:
        scope[_LOGGED] = error
        _log.error("unhandled %s", type(error).__name__, exc_info=error)


async def unhandled(request: Request, error: Exception) -> Response:
    """Log an error that no one expected, with its traceback, and answer for it."""
    log_unhandled(request.scope, error)
    return Problem(500, "An unexpected error; the log has it under this request id.", instance=_path(request))


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HTTPException: _http_error,
    RequestValidationError: _invalid_request,
    Exception: unhandled,
}


def _path(request: Request) -> str:
    return request.url.path


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
