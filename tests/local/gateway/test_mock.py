"""Mock integrations: answered by the gateway itself, as modules/api-gateway writes them for the list of services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from stackyard.tools.process import SystemRunner
from tests.local.gateway.gateway_lab import Lab

LIST = [{"name": "api", "kind": "lambda", "path": "/", "api_key": False, "example": "/greet?name=World&n=1"}]


def mock(body: str, *, status: str = "200", **more: Any) -> dict[str, Any]:
    integration: Mapping[str, Any] = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": status, "responseTemplates": {"application/json": body}}},
    }
    return {"get": {"x-amazon-apigateway-integration": integration, **more}}


def test_the_gateway_answers_itself(lab: Lab) -> None:
    """Nothing runs behind it; other methods of the resource are unknown, as at API Gateway; a key is asked for."""
    lab.paths["/web/services.json"] = mock(json.dumps(LIST))
    lab.paths["/shop/services.json"] = mock(json.dumps(LIST), security=[{"api_key": []}])
    lab.start()
    for path in ("/web/services.json", "/local/web/services.json"):
        answer = httpx.get(lab.url + path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == LIST
    assert httpx.post(f"{lab.url}/web/services.json").status_code == 403
    assert httpx.get(f"{lab.url}/shop/services.json").json()["message"] == "Forbidden"


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (mock("$context.requestId"), "VTL, is not served here"),
        (mock("{}", status="201"), "must name the same status code"),
    ],
)
def test_what_would_have_to_be_computed_is_refused(lab: Lab, operation: dict[str, Any], words: str) -> None:
    """When it is deployed, with its place in the document."""
    lab.paths["/x"] = operation
    lab.deploy()
    done = SystemRunner().run(lab.argv(), timeout=30)
    assert done.code == 2
    assert words in done.stderr
    assert "paths./x.get" in done.stderr
