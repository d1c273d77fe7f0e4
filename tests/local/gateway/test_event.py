"""The event that a function gets, case by case, against "Input format of a Lambda function for proxy integration"."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest
from gateway_lab import ACCOUNT, Lab

EVENT_KEYS = {
    "resource",
    "path",
    "httpMethod",
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "requestContext",
    "body",
    "isBase64Encoded",
}
CONTEXT_KEYS = {
    "accountId",
    "apiId",
    "deploymentId",
    "domainName",
    "domainPrefix",
    "extendedRequestId",
    "httpMethod",
    "identity",
    "path",
    "protocol",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "resourceId",
    "resourcePath",
    "stage",
}
IDENTITY_KEYS = {
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "sourceIp",
    "user",
    "userAgent",
    "userArn",
}


def test_event_has_every_key_of_format_1_and_null_where_there_is_nothing(mirror: Lab) -> None:
    """AWS, "Input format of a Lambda function for proxy integration": every key is there, absent things are null."""
    event = mirror.event("/")
    assert set(event) == EVENT_KEYS
    assert set(event["requestContext"]) == CONTEXT_KEYS
    assert set(event["requestContext"]["identity"]) == IDENTITY_KEYS
    absent = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body")
    assert {name: event[name] for name in absent} == dict.fromkeys(absent)
    assert event["isBase64Encoded"] is False
    unknown = IDENTITY_KEYS - {"sourceIp", "userAgent"}
    assert all(event["requestContext"]["identity"][name] is None for name in unknown)


def test_context_tells_the_deployment_and_the_request(mirror: Lab) -> None:
    """AWS, "Variables for data models, authorizers, mapping templates": ids, times and names have their forms."""
    before = time.time()
    context = mirror.event("/some/where", headers={"user-agent": "probe/1"})["requestContext"]
    assert context["accountId"] == ACCOUNT
    assert context["apiId"] == "abcde12345"
    assert context["stage"] == "local"
    assert context["resourcePath"] == "/{proxy+}"
    assert context["httpMethod"] == "GET"
    assert context["protocol"] == "HTTP/1.1"
    assert context["domainName"] == "127.0.0.1"
    assert context["domainPrefix"] == "127"
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "probe/1"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", context["requestId"])
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
    assert before - 1 <= context["requestTimeEpoch"] / 1000 <= time.time() + 1
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", context["extendedRequestId"])


@pytest.mark.parametrize(
    ("target", "path", "full", "resource", "parameters"),
    [
        ("/", "/", "/", "/", None),
        ("/local", "/", "/local", "/", None),
        ("/local/", "/", "/local", "/", None),
        ("/greet", "/greet", "/greet", "/{proxy+}", {"proxy": "greet"}),
        ("/local/greet", "/greet", "/local/greet", "/{proxy+}", {"proxy": "greet"}),
        ("/a/b/c", "/a/b/c", "/a/b/c", "/{proxy+}", {"proxy": "a/b/c"}),
        ("/localhost", "/localhost", "/localhost", "/{proxy+}", {"proxy": "localhost"}),
    ],
)
def test_the_stage_is_in_the_context_and_never_in_the_path(
    mirror: Lab, target: str, path: str, full: str, resource: str, parameters: dict[str, str] | None
) -> None:
    """An execute-api address has the stage in ``requestContext.path``; ``path`` never has it."""
    event = mirror.event(target)
    assert event["path"] == path
    assert event["requestContext"]["path"] == full
    assert event["resource"] == resource
    assert event["pathParameters"] == parameters


def test_path_is_as_sent_and_its_parameters_are_decoded(mirror: Lab) -> None:
    """AWS, "Amazon API Gateway important notes": request parameters are URL-decoded before they are passed on."""
    output = mirror.curl("--path-as-is", f"{mirror.url}/caf%C3%A9/a%20b%2Fc").stdout
    event = json.loads(output)
    assert event["path"] == "/caf%C3%A9/a%20b%2Fc"
    assert event["pathParameters"] == {"proxy": "café/a b/c"}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("name=World", {"name": ["World"]}),
        ("a=1&a=2&b=3", {"a": ["1", "2"], "b": ["3"]}),
        ("empty=&bare", {"empty": [""], "bare": [""]}),
        ("q=a%20b+c%2B%26", {"q": ["a b c+&"]}),
        ("n%C3%A4me=%E2%9C%93", {"näme": ["✓"]}),
        ("a=1;b=2", {"a": ["1"], "b": ["2"]}),
        ("x==y", {"x": ["=y"]}),
    ],
)
def test_query_comes_decoded_and_in_both_forms(mirror: Lab, query: str, values: dict[str, list[str]]) -> None:
    """The single form holds the last value. "Important notes": a semicolon splits the query."""
    event = json.loads(mirror.curl(f"{mirror.url}/?{query}").stdout)
    assert event["multiValueQueryStringParameters"] == values
    assert event["queryStringParameters"] == {name: each[-1] for name, each in values.items()}


def test_a_question_mark_without_a_query_is_no_query(mirror: Lab) -> None:
    """Null, not an empty object."""
    assert json.loads(mirror.curl(f"{mirror.url}/?").stdout)["queryStringParameters"] is None


def test_headers_keep_their_spelling_and_all_their_values(mirror: Lab) -> None:
    """Names come as the client spelt them, but Host, User-Agent and Authorization come in API Gateway's spelling."""
    arguments = ["-H", "X-MiXed: 1", "-H", "x-twice: a", "-H", "X-Twice: b", "-H", "authorization: Bearer t"]
    event = json.loads(mirror.curl(*arguments, "-H", "user-agent: probe", "-H", "Accept:", mirror.url).stdout)
    assert event["headers"]["X-MiXed"] == "1"
    assert event["headers"]["x-twice"] == "b"
    assert event["multiValueHeaders"]["x-twice"] == ["a", "b"]
    assert event["headers"]["Authorization"] == "Bearer t"
    assert event["headers"]["User-Agent"] == "probe"
    assert event["headers"]["Host"] == f"127.0.0.1:{mirror.port}"
    assert set(event["headers"]) == set(event["multiValueHeaders"])


@pytest.mark.parametrize(
    "name", ["Content-MD5", "Max-Forwards", "Proxy-Authenticate", "Server", "TE", "Trailer", "WWW-Authenticate"]
)
def test_headers_that_api_gateway_drops_do_not_arrive(mirror: Lab, name: str) -> None:
    """AWS, "Amazon API Gateway important notes": the table of dropped headers, Lambda column."""
    event = json.loads(mirror.curl("-H", f"{name}: 1", "-H", "X-Kept: 1", mirror.url).stdout)
    names = {each.lower() for each in event["headers"]}
    assert "x-kept" in names
    assert name.lower() not in names
    assert not names & {"connection", "content-length", "expect", "transfer-encoding", "upgrade"}


def test_forwarding_headers_are_added(mirror: Lab) -> None:
    """The client's address is appended to what an earlier proxy said; port and protocol are the gateway's own."""
    event = mirror.event("/", headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "gopher"})
    assert event["headers"]["X-Forwarded-For"] == "203.0.113.7, 127.0.0.1"
    assert event["headers"]["X-Forwarded-Port"] == str(mirror.port)
    assert event["multiValueHeaders"]["X-Forwarded-Proto"] == ["http"]


def test_a_trace_id_is_made_or_kept(mirror: Lab) -> None:
    """AWS, "Request and response data mapping reference", X-Amzn-Trace-Id: a root of version 1 with the time in it."""
    made = mirror.event("/")["headers"]["X-Amzn-Trace-Id"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", made)
    own = "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert mirror.event("/", headers={"X-Amzn-Trace-Id": own})["headers"]["X-Amzn-Trace-Id"] == own
    assert mirror.event("/", headers={"X-Amzn-Trace-Id": "rubbish"})["headers"]["X-Amzn-Trace-Id"] != "rubbish"


@pytest.mark.parametrize("body", [b"plain", b"\x00\xff\xfe", "grüße".encode(), b"x" * 200_000])
def test_a_body_is_base64_where_everything_is_binary(mirror: Lab, body: bytes) -> None:
    """AWS, "Enabling binary support using the API Gateway console": with ``*/*`` every body travels as base64."""
    event = mirror.event("/", "POST", content=body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_a_body_is_text_where_nothing_is_binary(lab: Lab) -> None:
    """AWS, "Binary media types for REST APIs in API Gateway": other media types pass as text."""
    lab.service("echo", "import json\ndef handler(event, context):\n    return {'body': json.dumps(event)}\n", path="/")
    lab.openapi = {"x-amazon-apigateway-binary-media-types": ["image/png"]}
    lab.start()
    text = lab.event("/", "POST", content="grüße".encode(), headers={"Content-Type": "text/plain"})
    assert (text["body"], text["isBase64Encoded"]) == ("grüße", False)
    image = lab.event("/", "POST", content=b"\x89PNG", headers={"Content-Type": "image/png"})
    assert (base64.b64decode(image["body"]), image["isBase64Encoded"]) == (b"\x89PNG", True)


@pytest.mark.parametrize("verb", ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"])
def test_any_means_the_seven_methods(mirror: Lab, verb: str) -> None:
    """AWS, "Set up a method request": ANY stands for DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT."""
    assert mirror.event("/", verb)["httpMethod"] == verb


def test_head_has_headers_and_no_body(mirror: Lab) -> None:
    """A HEAD request reaches the function, and its answer's body stays behind."""
    answer = mirror.curl("--head", mirror.url).stdout
    assert answer.startswith("HTTP/1.1 200 OK")
    length = re.search(r"(?m)^Content-Length: (\d+)", answer)
    assert length is not None
    assert int(length[1]) > 100


@pytest.mark.parametrize("verb", ["TRACE", "PROPFIND", "LINK"])
def test_other_methods_have_no_route(mirror: Lab, verb: str) -> None:
    """A method that API Gateway does not know is an unknown route to it."""
    answer = mirror.client.request(verb, "/")
    assert answer.status_code == 403
    assert answer.json() == {"message": "Missing Authentication Token"}
