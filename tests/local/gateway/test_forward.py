"""What a service behind HTTP is sent, and what becomes of its answer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from applications import FAR, say, told
from gateway_lab import ECHO, KEY, Lab, method

from tests.waiting import until


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ("/far", "/far"),
        ("/far/", "/far"),
        ("/far/a/b", "/far/a/b"),
        ("/far/a/b/", "/far/a/b"),
        ("/far//a", "/far//a"),
        ("/far/a%20b", "/far/a%20b"),
        ("/far/a+b", "/far/a+b"),
        ("/far/%C3%BC", "/far/%C3%BC"),
        ("/far/a%2Fb", "/far/a/b"),
        ("/far/a%3Fb%23c", "/far/a%3Fb%23c"),
        ("/far/100%25", "/far/100%25"),
        ("/far/%2541", "/far/%2541"),
        ("/far/a:b@c,d=e;f", "/far/a:b@c,d=e;f"),
        ("/far/%22%3C%3E%5C", "/far/%22%3C%3E%5C"),
    ],
)
def test_paths_are_decoded_and_encoded_again(far: Lab, sent: str, arrives: str) -> None:
    """AWS, "Amazon API Gateway important notes": parameters are decoded, and the percent sign is encoded again."""
    for prefix in ("", "/local"):
        done = far.curl("--path-as-is", f"{far.url}{prefix}{sent}")
        assert json.loads(done.stdout)["path"] == arrives


def test_no_path_breaks_out_of_the_request_line(far: Lab) -> None:
    """Line ends and blanks that come encoded stay encoded."""
    done = far.curl("--path-as-is", f"{far.url}/far/a%0d%0aX-Evil:%201%20HTTP/1.1")
    found = json.loads(done.stdout)
    assert found["path"] == "/far/a%0D%0AX-Evil:%201%20HTTP/1.1"
    assert "x-evil" not in dict(found["headers"])


@pytest.mark.parametrize("query", ["a=1&a=2&b=", "x=%20+%2B%26", "q=%C3%BC", "a", "a==b&&c"])
def test_query_is_passed_on_as_sent(far: Lab, query: str) -> None:
    """Order, repeated names and encoding."""
    done = far.curl(f"{far.url}/far/x?{query}")
    assert json.loads(done.stdout)["query"] == query


def test_a_semicolon_splits_the_query(far: Lab) -> None:
    """AWS, "Amazon API Gateway important notes"."""
    done = far.curl(f"{far.url}/far?a=1;b=2")
    assert json.loads(done.stdout)["query"] == "a=1&b=2"


@pytest.mark.parametrize(("sent", "path"), [("/far/x", "/far/x"), ("/local/far/x", "/local/far/x"), ("/far", "/far")])
def test_host_public_path_and_request_id_are_mapped(far: Lab, sent: str, path: str) -> None:
    """What the client sends under these names is overwritten, not added to."""
    evil = {"X-Stackyard-Path": "/evil", "x-stackyard-request-id": "evil", "x-stackyard-host": "evil"}
    got = far.client.get(sent, headers=evil)
    headers = told(got)["headers"]
    assert headers["x-stackyard-host"] == ["127.0.0.1"]
    assert headers["x-stackyard-path"] == [path]
    assert headers["x-stackyard-request-id"] == [got.headers["x-amzn-requestid"]]


def test_headers_that_the_service_sees(far: Lab) -> None:
    """The integration's host, who asked, the trace, the API; what concerns one connection only is gone."""
    sent = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "203.0.113.10"),
        ("X-Forwarded-Proto", "gopher"),
        ("x-amzn-apigateway-api-id", "evil"),
        ("Connection", "keep-alive"),
        ("Content-Encoding", "gzip"),
        ("TE", "trailers"),
        ("Via", "1.1 there"),
        ("Max-Forwards", "3"),
        ("X-Twice", "one"),
        ("X-Twice", "two"),
        ("Cookie", "a=1; b=2"),
        ("Authorization", "Bearer x"),
        ("X-Utf8", "grüße".encode()),
    ]
    got = far.client.get("/far", headers=sent)  # pyright: ignore[reportArgumentType]  (httpx takes bytes here too)
    found = told(got)
    headers = found["headers"]
    address = next(iter(far.servers))
    assert headers["host"] == [address.removeprefix("http://")]
    assert headers["x-forwarded-for"] == ["203.0.113.9, 203.0.113.10, 127.0.0.1"]
    assert headers["x-forwarded-proto"] == ["http"]
    assert headers["x-forwarded-port"] == [str(far.port)]
    assert headers["x-amzn-apigateway-api-id"] == ["abcde12345"]
    assert headers["x-amzn-trace-id"] == [got.headers["x-amzn-trace-id"]]
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", got.headers["x-amzn-trace-id"])
    assert headers["x-twice"] == ["one", "two"]
    assert (headers["cookie"], headers["authorization"]) == (["a=1; b=2"], ["Bearer x"])
    assert headers["x-utf8"][0].encode("latin-1").decode() == "grüße"
    assert not {"connection", "content-encoding", "te", "via", "max-forwards", "content-length"} & headers.keys()
    assert found["scheme"] == "http"


def test_a_client_that_says_little(far: Lab) -> None:
    """API Gateway names itself and asks for JSON where the client does neither."""
    answer = far.raw(b"GET /far HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    headers = dict(json.loads(answer.partition(b"\r\n\r\n")[2])["headers"])
    assert headers["user-agent"] == "AmazonAPIGateway_abcde12345"
    assert headers["accept"] == "application/json"


def test_a_trace_that_comes_in_goes_on(far: Lab) -> None:
    """The client's root is kept."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    got = far.client.get("/far", headers={"X-Amzn-Trace-Id": trace})
    assert told(got)["headers"]["x-amzn-trace-id"] == [trace]
    assert got.headers["x-amzn-trace-id"] == trace


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_passes(far: Lab, verb: str) -> None:
    """ANY means the request's own, with its body."""
    found = told(far.client.request(verb, "/far/x", content=b"body"))
    assert (found["method"], base64.b64decode(found["body"])) == (verb, b"body")


def test_an_empty_post_has_a_length(far: Lab) -> None:
    """Servers that insist on one get it (411 otherwise)."""
    done = far.curl("-X", "POST", f"{far.url}/far")
    assert dict(json.loads(done.stdout)["headers"])["content-length"] == "0"


def test_binary_bodies_pass_unchanged_both_ways(far: Lab) -> None:
    """Every byte, also in a megabyte of them, also in chunks."""
    every = bytes(range(256))
    assert base64.b64decode(told(far.client.post("/far", content=every * 4096))["body"]) == every * 4096
    got = say(far, {"body": base64.b64encode(every).decode(), "headers": [["content-type", "image/png"]]})
    assert (got.content, got.headers["content-type"]) == (every, "image/png")

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield every

    found = told(far.client.post("/far", content=pieces()))
    assert base64.b64decode(found["body"]) == every * 10
    assert found["headers"]["content-length"] == ["2560"]
    assert "transfer-encoding" not in found["headers"]


def test_headers_of_the_answer(far: Lab) -> None:
    """AWS, "Amazon API Gateway important notes": some come back remapped, some not at all, cookies one by one."""
    headers = [
        ["content-type", "text/plain"],
        ["set-cookie", "a=1; Path=/"],
        ["set-cookie", "b=2; Path=/"],
        ["www-authenticate", "Basic"],
        ["x-amzn-requestid", "theirs"],
        ["x-amzn-trace-id", "theirs"],
        ["via", "1.1 there"],
        ["trailer", "x"],
        ["location", "/far/there"],
        ["content-encoding", "identity"],
        ["cache-control", "no-store"],
    ]
    got = say(far, {"status": 418, "headers": headers, "body": "aGk="})
    assert (got.status_code, got.text) == (418, "hi")
    assert got.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert got.headers["x-amzn-remapped-www-authenticate"] == "Basic"
    assert got.headers["x-amzn-remapped-x-amzn-requestid"] == "theirs"
    assert got.headers["x-amzn-remapped-server"] == "uvicorn"
    assert got.headers["x-amzn-remapped-date"]
    assert got.headers["x-amzn-requestid"] != "theirs"
    assert got.headers["x-amzn-trace-id"] != "theirs"
    assert got.headers["location"] == "/far/there"
    assert got.headers["content-encoding"] == "identity"
    assert not {"via", "trailer", "www-authenticate", "server"} & set(got.headers)
    assert len(got.headers.get_list("date")) == len(got.headers.get_list("content-length")) == 1


def test_an_answer_without_a_type_is_json(far: Lab) -> None:
    """AWS, "Set up a proxy integration with a proxy resource": the default where it is unspecified."""
    assert say(far, {}).headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [201, 204, 301, 304, 404, 500, 503, 599])
def test_statuses_pass(far: Lab, status: int) -> None:
    """Errors of the service too: they are its own answers."""
    got = say(far, {"status": status, "body": ""})
    assert (got.status_code, got.content) == (status, b"")


def test_upgrades_are_not_passed_on(far: Lab) -> None:
    """REST APIs know no WebSockets: the header is dropped, and the service answers a plain GET."""
    hello = (
        b"GET /far/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    )
    answer = far.raw(hello + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert not {"upgrade", "connection"} & dict(json.loads(body)["headers"]).keys()


def test_keys_are_asked_for_alike(far: Lab) -> None:
    """Forbidden without one; the key itself is passed on."""
    got = far.client.get("/keyed/x")
    assert (got.status_code, got.json()) == (403, {"message": "Forbidden"})
    assert far.client.get("/keyed/x", headers={"x-api-key": "wrong"}).status_code == 403
    headers = told(far.client.get("/keyed/x", headers={"x-api-key": KEY["value"]}))["headers"]
    assert headers["x-api-key"] == [KEY["value"]]


def test_throttling_counts_alike(lab: Lab) -> None:
    """Two at once and then none, whatever is behind."""
    lab.server("far", FAR)
    lab.extra = {"throttle": {"rate": 0, "burst": 2}}
    lab.start()
    assert [lab.client.get("/far").status_code for _ in range(3)] == [200, 200, 429]


def test_a_pipeline_over_both_kinds_keeps_its_order(far: Lab) -> None:
    """Functions and servers answer in the order of the requests."""
    request = b"GET /%b/%d HTTP/1.1\r\nHost: x\r\n\r\n"
    data = b"".join(request % (b"far" if number % 2 else b"near", number) for number in range(8))
    answer = far.raw(data).decode()
    found = re.findall(r'"path": "/(?:far|near)/(\d)", "(?:query|httpMethod)"', answer)
    assert found == [str(number) for number in range(8)]


def test_what_the_log_says(far: Lab) -> None:
    """The access line names the service and how long it took."""
    got = far.client.get("/far/logged")
    wanted = got.headers["x-amzn-requestid"]
    record = until(lambda: [each for each in far.records("access") if each["requestId"] == wanted], "it is logged")[0]
    assert {
        "service": "far",
        "status": 200,
        "path": "/far/logged",
        "resourcePath": "/far/{proxy+}",
    }.items() <= record.items()
    assert 0 < record["integrationLatency"] <= record["responseLatency"]


def test_a_server_that_is_not_there_is_500(lab: Lab) -> None:
    """A route to an address that nothing was deployed for: the log says so, the client hears API Gateway's words."""
    lab.server("far", FAR)
    lab.servers.clear()
    lab.service("near", ECHO)
    lab.paths["/named"] = {"get": method("near")}
    lab.start()
    assert lab.client.get("/far").status_code == 500
    until(lambda: any("no such server" in (each["error"] or "") for each in lab.records("access")), "the log says why")


def test_stage_variables_and_fixed_methods(lab: Lab, tmp_path: Path) -> None:
    """As an App Runner service is reached: its address is a stage variable, port and verb are the integration's."""
    del tmp_path
    lab.variables = {"url_far": "abc.eu-west-1.awsapprunner.com"}
    lab.server("far", FAR, address="https://${stageVariables.url_far}")
    integration = lab.paths["/far"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
    integration["httpMethod"] = "POST"
    integration["uri"] += "?fixed=1"
    integration["requestParameters"] = {
        "integration.request.header.x-stage": "stageVariables.url_far",
        "integration.request.header.x-fixed": "'value'",
        "integration.request.header.x-agent": "method.request.header.User-Agent",
        "integration.request.header.x-evil": "method.request.querystring.evil",
        "integration.request.querystring.ip": "context.identity.sourceIp",
    }
    lab.start()
    found = told(lab.client.get("/far?a=b&evil=x%0d%0aX-Other:%201"))
    assert found["method"] == "POST"
    assert found["query"].startswith("fixed=1&a=b&evil=")
    assert found["query"].endswith("&ip=127.0.0.1")
    headers = found["headers"]
    assert headers["host"] == ["abc.eu-west-1.awsapprunner.com"]
    assert (headers["x-stage"], headers["x-fixed"]) == (["abc.eu-west-1.awsapprunner.com"], ["value"])
    assert headers["x-agent"] == headers["user-agent"]
    assert headers["x-evil"] == ["xX-Other: 1"]
    assert "x-other" not in headers
