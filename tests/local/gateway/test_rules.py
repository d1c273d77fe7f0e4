"""What API Gateway and Lambda refuse, and in which words."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from gateway_lab import ECHO, KEY, SAY, Lab, arn, method

from tests.waiting import until

WRONG = {"message": "Internal server error"}
TROUBLE = """
import os
import sys
import time

def handler(event, context):
    what = (event["queryStringParameters"] or {}).get("do")
    if what == "raise":
        raise ValueError("a bug of the service")
    if what == "exit":
        sys.exit(3)
    if what == "die":
        os._exit(9)
    if what == "sleep":
        time.sleep(600)
    if what == "large":
        return {"statusCode": 200, "body": "x" * (6 * 1024 * 1024 + 1000)}
    if what == "unserialisable":
        return {"statusCode": 200, "body": object()}
    return {"statusCode": 200, "body": str(os.getpid())}
"""


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("trouble"))
    lab.service("trouble", TROUBLE)
    lab.service("slow", TROUBLE, timeout=0.5)
    lab.service("late", TROUBLE, millis=500)
    lab.start()
    yield lab
    lab.stop()


def test_unknown_route_is_403(trouble: Lab) -> None:
    """AWS, "Gateway response types", MISSING_AUTHENTICATION_TOKEN: also what an unsupported method or resource gets."""
    got = trouble.client.get("/nobody/home")
    assert got.status_code == 403
    assert got.json() == {"message": "Missing Authentication Token"}
    assert got.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["x-amzn-requestid"]


@pytest.mark.parametrize("what", ["raise", "unserialisable"])
def test_function_error_is_502(trouble: Lab, what: str) -> None:
    """AWS, "Handling Lambda errors with an API Gateway API": if the function runs but returns an error, 502."""
    got = trouble.client.get("/trouble", params={"do": what})
    assert (got.status_code, got.json()) == (502, WRONG)


def test_function_error_shows_its_traceback(trouble: Lab) -> None:
    """Whoever wrote the bug sees it on the terminal, under the service's name."""
    trouble.client.get("/trouble", params={"do": "raise"})
    until(lambda: "trouble | [ERROR] ValueError: a bug of the service" in trouble.screen(), "the traceback is shown")
    assert 'trouble |     raise ValueError("a bug of the service")' in trouble.screen()


@pytest.mark.parametrize("what", ["exit", "die"])
def test_crash_is_502_and_the_next_request_is_served(trouble: Lab, what: str) -> None:
    """A process that ends takes one request with it, never the gateway; a new worker serves the next."""
    got = trouble.client.get("/trouble", params={"do": what})
    assert (got.status_code, got.json()) == (502, WRONG)
    assert until(lambda: trouble.client.get("/trouble").status_code == 200, "the service is back")


def test_answer_over_6_mb_is_502(trouble: Lab) -> None:
    """AWS, "Lambda quotas": a synchronous response is at most 6 MB; the function fails, which is 502."""
    got = trouble.client.get("/trouble", params={"do": "large"})
    assert (got.status_code, got.json()) == (502, WRONG)
    assert until(lambda: trouble.client.get("/trouble").status_code == 200, "the service is back")


def test_functions_own_timeout_is_502_and_ends_the_worker(trouble: Lab) -> None:
    """AWS, "Configure Lambda function timeout": Lambda ends the environment; for the gateway it is a function error."""
    before = int(trouble.client.get("/slow").text)
    begun = time.monotonic()
    got = trouble.client.get("/slow", params={"do": "sleep"})
    assert (got.status_code, got.json()) == (502, WRONG)
    assert 0.4 < time.monotonic() - begun < 10
    until(lambda: "Task timed out after 0.50 seconds" in trouble.screen(), "the word about it")
    assert int(trouble.client.get("/slow").text) != before


def test_integration_timeout_is_504_and_the_function_runs_on(trouble: Lab) -> None:
    """AWS, "Gateway response types", INTEGRATION_TIMEOUT: 504 after the integration's time."""
    got = trouble.client.get("/late", params={"do": "sleep"})
    assert got.status_code == 504
    assert got.json() == {"message": "Endpoint request timed out"}
    assert trouble.workers("late", "busy")


def test_body_over_10_mb_is_413(trouble: Lab) -> None:
    """AWS, "Quotas for configuring and running a REST API": 10 MB; "Gateway response types", REQUEST_TOO_LARGE."""
    got = trouble.client.post("/trouble", content=b"x" * (10 * 1024 * 1024 + 1))
    assert got.status_code == 413
    assert got.json() == {"message": "HTTP content length exceeded 10485760 bytes."}


def test_chunked_body_over_10_mb_is_413(trouble: Lab) -> None:
    """A body that does not announce its length is measured as it comes."""
    got = trouble.client.post("/trouble", content=(b"x" * 1024 * 1024 for _ in range(11)))
    assert got.status_code == 413


def test_event_over_6_mb_is_413(trouble: Lab) -> None:
    """AWS, "Lambda quotas": a synchronous request is at most 6 MB, and the event with its base64 is the request."""
    got = trouble.client.post("/trouble", content=b"x" * (5 * 1024 * 1024))
    assert got.status_code == 413
    assert got.json() == {"message": "Request Too Long"}
    assert trouble.client.post("/trouble", content=b"x" * (4 * 1024 * 1024)).status_code == 200


def test_routes_exact_before_parameter_before_greedy(lab: Lab) -> None:
    """AWS, "Set up a proxy integration with a proxy resource": the more specific resource wins."""
    lab.service("echo", ECHO, path="/")
    any_method = {"x-amazon-apigateway-any-method": method("echo")}
    get = {"get": method("echo")}
    lab.paths |= {"/pets": any_method, "/pets/{id}": get, "/pets/mine": any_method, "/pets/{id}/{rest+}": any_method}
    lab.start()
    found = {
        path: lab.event(path) for path in ("/pets", "/pets/7", "/pets/mine", "/pets/7/toys/1", "/other/x", "/pets/7/")
    }
    assert {path: event["resource"] for path, event in found.items()} == {
        "/pets": "/pets",
        "/pets/7": "/pets/{id}",
        "/pets/mine": "/pets/mine",
        "/pets/7/toys/1": "/pets/{id}/{rest+}",
        "/other/x": "/{proxy+}",
        "/pets/7/": "/pets/{id}",
    }
    assert found["/pets/7/toys/1"]["pathParameters"] == {"id": "7", "rest": "toys/1"}
    assert lab.client.post("/pets/7").json() == {"message": "Missing Authentication Token"}


def test_api_key_is_asked_for(lab: Lab) -> None:
    """AWS, "Usage plans and API keys for REST APIs": no key, a wrong key and a disabled key are 403 Forbidden."""
    lab.service("echo", ECHO, api_key=True)
    lab.service("open", ECHO)
    lab.extra = {"api_keys": [KEY, {**KEY, "id": "k2", "value": "disabled-disabled-12", "enabled": False}]}
    lab.start()
    for headers in ({}, {"x-api-key": "wrong"}, {"x-api-key": "disabled-disabled-12"}):
        got = lab.client.get("/echo", headers=headers)
        assert (got.status_code, got.json()) == (403, {"message": "Forbidden"})
        assert got.headers["x-amzn-errortype"] == "ForbiddenException"
    identity = lab.event("/echo", headers={"X-API-Key": KEY["value"]})["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (KEY["value"], "k1")
    assert "apiKey" not in lab.event("/open")["requestContext"]["identity"]


def test_stage_throttle_is_429(lab: Lab) -> None:
    """AWS, "Throttle requests to your REST APIs": a token bucket; over its burst, 429 Too Many Requests."""
    lab.service("echo", ECHO)
    lab.extra = {"throttle": {"rate": 0.001, "burst": 3}}
    lab.start()
    got = [lab.client.get("/echo") for _ in range(5)]
    assert [each.status_code for each in got] == [200, 200, 200, 429, 429]
    assert got[-1].json() == {"message": "Too Many Requests"}
    assert got[-1].headers["x-amzn-errortype"] == "TooManyRequestsException"


def test_usage_plan_throttle_and_quota_are_429(lab: Lab) -> None:
    """AWS, "Usage plans and API keys": each key has its own bucket and quota; over the quota, Limit Exceeded."""
    lab.service("echo", ECHO, api_key=True)
    hasty = {**KEY, "throttle": {"rate": 0.001, "burst": 1}}
    poor = {**KEY, "id": "k2", "value": "poor-poor-poor-poor-", "quota": {"limit": 2, "period": "DAY"}}
    lab.extra = {"api_keys": [hasty, poor]}
    lab.start()
    got = [lab.client.get("/echo", headers={"x-api-key": str(KEY["value"])}) for _ in range(2)]
    assert [each.status_code for each in got] == [200, 429]
    assert got[1].json() == {"message": "Too Many Requests"}
    got = [lab.client.get("/echo", headers={"x-api-key": str(poor["value"])}) for _ in range(3)]
    assert [each.status_code for each in got] == [200, 200, 429]
    assert got[2].json() == {"message": "Limit Exceeded"}
    assert got[2].headers["x-amzn-errortype"] == "LimitExceededException"


def test_reserved_concurrency_used_up_is_500(lab: Lab) -> None:
    """AWS, "Handling Lambda errors with an API Gateway API": if Lambda rejects the invocation (throttled), 500."""
    lab.service("trouble", TROUBLE, concurrency=1, timeout=3)
    lab.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(httpx.get, f"{lab.url}/trouble?do=sleep", timeout=30)
        until(lambda: lab.workers("trouble", "busy"), "the only worker is busy")
        got = lab.client.get("/trouble")
        assert (got.status_code, got.json()) == (500, WRONG)
        assert first.result().status_code == 502


def test_missing_function_is_500(lab: Lab) -> None:
    """An alias that the deployment does not hold: Lambda rejects the invocation."""
    lab.service("echo", ECHO)
    lab.paths["/lost"] = {"x-amazon-apigateway-any-method": method("lost")}
    lab.start()
    got = lab.client.get("/lost")
    assert (got.status_code, got.json()) == (500, WRONG)
    until(lambda: any(arn("lost") in str(each["error"]) for each in lab.records("access")), "the log says why")


def test_gateway_responses_of_the_document(lab: Lab) -> None:
    """AWS, "Gateway responses in API Gateway": status, headers, template, and defaults for the rest."""
    template = '{"message":$context.error.messageString,"id":"$context.requestId","type":"$context.error.responseType"}'
    lab.service("echo", ECHO, api_key=True)
    lab.service("say", SAY)
    lab.openapi = {
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {"responseTemplates": {"application/json": template}},
            "DEFAULT_5XX": {"responseTemplates": {"application/json": template}},
            "MISSING_AUTHENTICATION_TOKEN": {
                "statusCode": 404,
                "responseParameters": {
                    "gatewayresponse.header.X-Fixed": "'value'",
                    "gatewayresponse.header.X-Request": "context.requestId",
                },
                "responseTemplates": {"application/json": '{"nothing":"at $context.path"}'},
            },
        }
    }
    lab.start()
    lost = lab.client.get("/nowhere")
    assert (lost.status_code, lost.json()) == (404, {"nothing": "at /nowhere"})
    assert lost.headers["x-fixed"] == "value"
    assert lost.headers["x-request"] == lost.headers["x-amzn-requestid"]
    keyless = lab.client.get("/echo")
    expected = {"message": "Forbidden", "id": keyless.headers["x-amzn-requestid"], "type": "INVALID_API_KEY"}
    assert (keyless.status_code, keyless.json()) == (403, expected)
    wrong = lab.say("malformed")
    assert (wrong.status_code, wrong.json()["message"]) == (502, "Internal server error")
    assert wrong.json()["id"] == wrong.headers["x-amzn-requestid"]


def test_access_log_has_one_line_a_request(trouble: Lab) -> None:
    """AWS, "Variables for access logging for API Gateway": the same facts under the same names, as JSON."""
    request_id = trouble.client.get("/trouble?x=1", headers={"user-agent": "probe"}).headers["x-amzn-requestid"]
    found = until(lambda: [r for r in trouble.records("access") if r["requestId"] == request_id], "the line is written")
    assert len(found) == 1
    line = found[0]
    expected = {
        "httpMethod": "GET",
        "path": "/trouble",
        "resourcePath": "/trouble",
        "service": "trouble",
        "status": 200,
    }
    assert {name: line[name] for name in expected} == expected
    assert line["userAgent"] == "probe"
    assert line["integrationLatency"] <= line["responseLatency"]
    assert json.dumps(line)
