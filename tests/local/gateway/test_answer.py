"""What a client gets for what a function returned: "Output format of a Lambda function for proxy integration"."""

from __future__ import annotations

import base64
import re

import pytest
from gateway_lab import Lab

WRONG = {"message": "Internal server error"}


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 200, "body": "hello"}, 200, "hello"),
        ({"statusCode": "201", "body": "made"}, 201, "made"),
        ({"body": "no status"}, 200, "no status"),
        ({}, 200, ""),
        ({"statusCode": 200, "body": None, "headers": None, "multiValueHeaders": None}, 200, ""),
        ({"statusCode": 418, "body": "grüße ✓"}, 418, "grüße ✓"),
        ({"statusCode": 299, "body": "no such phrase"}, 299, "no such phrase"),
        ({"statusCode": 200, "isBase64Encoded": False, "body": "aGk="}, 200, "aGk="),
        ({"statusCode": 200, "isBase64Encoded": True, "body": "aGk="}, 200, "hi"),
    ],
)
def test_answers_that_api_gateway_takes(mirror: Lab, answer: object, status: int, body: str) -> None:
    """Every field is optional; a status may be a number in a string; null is as good as absent."""
    got = mirror.say(answer)
    assert got.status_code == status
    assert got.content.decode() == body


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        7,
        [1],
        {"status": 200},
        {"statusCode": 200, "body": "x", "extra": 1},
        {"statusCode": "abc"},
        {"statusCode": 200.5},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200, "body": {"an": "object"}},
        {"statusCode": 200, "body": 5},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"X-Number": 1}},
        {"statusCode": 200, "headers": {"X-Null": None}},
        {"statusCode": 200, "headers": {"X Bad": "1"}},
        {"statusCode": 200, "headers": {"X-Split": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "multiValueHeaders": {"X-One": "not a list"}},
        {"statusCode": 200, "isBase64Encoded": "yes", "body": "aGk="},
    ],
)
def test_malformed_answers_are_502(mirror: Lab, answer: object) -> None:
    """AWS, "Handling Lambda errors with an API Gateway API": a malformed answer is 502 and says nothing more."""
    got = mirror.say(answer)
    assert got.status_code == 502
    assert got.json() == WRONG
    assert got.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_body_that_is_not_base64_is_500(mirror: Lab) -> None:
    """AWS, "Gateway response types", API_CONFIGURATION_ERROR: base64 decoding fails where binary support is on."""
    got = mirror.say({"statusCode": 200, "isBase64Encoded": True, "body": "not base64!"})
    assert got.status_code == 500
    assert got.json() == WRONG


def test_bytes_come_through(mirror: Lab) -> None:
    """Binary answers arrive as they are."""
    data = bytes(range(256)) * 40
    got = mirror.say(
        {
            "isBase64Encoded": True,
            "body": base64.b64encode(data).decode(),
            "headers": {"Content-Type": "application/octet-stream"},
        }
    )
    assert got.content == data


def test_json_is_the_content_type_of_an_answer_without_one(mirror: Lab) -> None:
    """API Gateway's default; a function's own wins, whatever its case."""
    assert mirror.say({"body": "x"}).headers["content-type"] == "application/json"
    got = mirror.say({"body": "x", "headers": {"content-TYPE": "text/html"}})
    assert got.headers.get_list("content-type") == ["text/html"]


def test_both_kinds_of_headers_are_merged(mirror: Lab) -> None:
    """Values are merged into one list; a pair that is in both comes once; booleans become words."""
    got = mirror.say(
        {
            "headers": {"X-A": "1", "X-Both": "same", "X-True": True},
            "multiValueHeaders": {"X-A": ["2", "3"], "X-Both": ["same"], "Set-Cookie": ["a=1", "b=2"]},
        }
    )
    assert sorted(got.headers.get_list("x-a")) == ["1", "2", "3"]
    assert got.headers.get_list("x-both") == ["same"]
    assert got.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert got.headers["x-true"] == "true"


@pytest.mark.parametrize(
    "name",
    ["Authorization", "Connection", "Content-MD5", "Date", "Max-Forwards", "Server", "User-Agent", "www-authenticate"],
)
def test_headers_that_are_remapped(mirror: Lab, name: str) -> None:
    """AWS, "Amazon API Gateway important notes": the table of remapped headers, Lambda column."""
    got = mirror.say({"headers": {name: "theirs"}})
    assert got.headers[f"x-amzn-remapped-{name}"] == "theirs"
    assert got.headers.get(name) != "theirs"


@pytest.mark.parametrize("name", ["Expect", "Host", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding", "Via"])
def test_headers_that_are_dropped(mirror: Lab, name: str) -> None:
    """Same table: dropped, and the answer still arrives whole."""
    got = mirror.say({"headers": {name: "theirs", "X-Kept": "1"}, "body": "whole"})
    assert name not in got.headers
    assert got.headers["x-kept"] == "1"
    assert got.text == "whole"


def test_length_is_the_gateways_own(mirror: Lab) -> None:
    """A wrong Content-Length of the function does no harm."""
    got = mirror.say({"headers": {"Content-Length": "3"}, "body": "longer"})
    assert got.text == "longer"
    assert got.headers["x-amzn-remapped-content-length"] == "3"


def test_every_answer_can_be_traced(mirror: Lab) -> None:
    """Request id, API Gateway's own id and the trace are in the answer's headers; the ids are the event's."""
    got = mirror.client.get("/")
    context = got.json()["requestContext"]
    assert got.headers["x-amzn-requestid"] == context["requestId"]
    assert got.headers["x-amz-apigw-id"] == context["extendedRequestId"]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", got.headers["x-amzn-trace-id"])


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(mirror: Lab, status: int) -> None:
    """204 and 304 carry neither body nor length, and the connection goes on."""
    got = mirror.say({"statusCode": status, "body": "must not be sent"})
    assert (got.status_code, got.content) == (status, b"")
    assert mirror.say({"body": "next"}).text == "next"


def test_head_of_an_answer_with_a_body(mirror: Lab) -> None:
    """HEAD leaves the connection in order for the next request."""
    both = b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere-else HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answers = mirror.raw(both)
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert answers.count(b'"httpMethod":') + answers.count(b'"httpMethod": ') >= 1
