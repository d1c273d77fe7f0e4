"""What API Gateway itself says when no service answers: gateway responses, built in or from the OpenAPI document.

Sources: "Gateway response types for API Gateway" (types, statuses) and "Gateway responses in API Gateway" (an
unspecified type falls back to DEFAULT_4XX or DEFAULT_5XX; templates know only $context and $stageVariables).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

RESPONSES = "x-amazon-apigateway-gateway-responses"

_VARIABLE = re.compile(r"\$(?:context|stageVariables)\.[A-Za-z][A-Za-z.]*[A-Za-z]|\$context")
_HEADER = "gatewayresponse.header."
_UNSAFE = re.compile(r"[\r\n\x00]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason not to answer: its gateway response type, default status, message, and the error type in a header."""

    type: str
    status: int
    message: str
    error: str


MISSING_TOKEN = Refusal(
    "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"
)
INVALID_KEY = Refusal("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
THROTTLED = Refusal("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")
QUOTA = Refusal("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")
TOO_LARGE = Refusal(
    "REQUEST_TOO_LARGE", 413, "HTTP content length exceeded 10485760 bytes.", "RequestTooLargeException"
)
EVENT_TOO_LARGE = Refusal("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")
TIMEOUT = Refusal("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException")
UNREACHABLE = Refusal(
    "INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", "InternalServerErrorException"
)
MALFORMED = Refusal("DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException")
REJECTED = Refusal("DEFAULT_5XX", 500, "Internal server error", "InternalServerErrorException")
BAD_BASE64 = Refusal("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")
LIMITS = {"THROTTLED": THROTTLED, "QUOTA_EXCEEDED": QUOTA}


@dataclass(frozen=True, slots=True)
class _Custom:
    status: int | None
    headers: tuple[tuple[str, str], ...]
    template: str | None


class Refusals:
    """The gateway responses of one API."""

    def __init__(self, openapi: Mapping[str, JsonValue]) -> None:
        declared = openapi.get(RESPONSES)
        self._custom = {
            name: _custom(each)
            for name, each in (declared.items() if isinstance(declared, dict) else ())
            if isinstance(each, dict)
        }

    def render(self, refusal: Refusal, context: Mapping[str, str]) -> tuple[int, bytes, bytes]:
        """Return status, header lines and body. ``context`` maps names like ``requestId`` to ``$context`` values."""
        fallback = "DEFAULT_4XX" if refusal.status < 500 else "DEFAULT_5XX"
        own = self._custom.get(refusal.type)
        default = self._custom.get(fallback)
        custom = own or default
        status = (own and own.status) or (default and default.status) or refusal.status
        values = {
            **context,
            "error.message": refusal.message,
            "error.messageString": json.dumps(refusal.message),
            "error.responseType": refusal.type,
        }
        body = '{"message":' + json.dumps(refusal.message) + "}"
        lines = [f"x-amzn-ErrorType: {refusal.error}\r\n"]
        names: set[str] = set()
        if custom is not None:
            if custom.template is not None:
                body = _fill(custom.template, values)
            for name, value in custom.headers:
                names.add(name.lower())
                lines.append(f"{name}: {_UNSAFE.sub('', _fill(value, values))}\r\n")
        if "content-type" not in names:
            lines.insert(0, "Content-Type: application/json\r\n")
        return status, "".join(lines).encode("latin-1", "replace"), body.encode()


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values.get(found[0].removeprefix("$context."), ""), template)


def _custom(declared: Mapping[str, JsonValue]) -> _Custom:
    parameters = declared.get("responseParameters")
    templates = declared.get("responseTemplates")
    status = str(declared.get("statusCode") or "")
    headers = tuple(
        (name.removeprefix(_HEADER), value[1:-1] if value.startswith("'") else "$" + value)
        for name, value in (parameters.items() if isinstance(parameters, dict) else ())
        if name.startswith(_HEADER) and isinstance(value, str)
    )
    template = templates.get("application/json") if isinstance(templates, dict) else None
    return _Custom(int(status) if status.isdigit() else None, headers, template if isinstance(template, str) else None)
