"""Mock integrations, whose answer stands in the document itself.

Source: "Mock integrations for REST APIs in API Gateway". Only templates without a word of VTL are served: what the
project's own document has. Anything else is refused when it is deployed, not when it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from stackyard.errors import ConfigError

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class MockTarget:
    """An answer that is always the same."""

    status: int
    body: bytes


def compile_mock(integration: Mapping[str, JsonValue], place: str) -> MockTarget:
    """Return the answer of a mock integration. Raises ConfigError for one whose answer has to be computed."""
    request = _template(integration.get("requestTemplates"))
    responses = integration.get("responses")
    default = responses.get("default") if isinstance(responses, dict) else None
    response = cast("Mapping[str, JsonValue]", default if isinstance(default, dict) else {})
    body = _template(response.get("responseTemplates"))
    status = str(response.get("statusCode", ""))
    try:
        chosen = str(json.loads(request)["statusCode"])
    except (ValueError, KeyError, TypeError):
        chosen = ""
    if not chosen.isdecimal() or chosen != status:
        why = "its request template and its default response must name the same status code"
        raise ConfigError(f"the OpenAPI document, {place}", why)
    if "$" in body or "#" in body:
        raise ConfigError(f"the OpenAPI document, {place}", "a mock answer with `$` or `#`, VTL, is not served here")
    return MockTarget(int(status), body.encode())


def _template(templates: JsonValue) -> str:
    text = templates.get(JSON) if isinstance(templates, dict) else None
    return text if isinstance(text, str) else ""
