"""HTTP/1.1 as clients really speak it: well, badly, slowly, and not to the end."""

from __future__ import annotations

import base64
import json
import socket
import time

import pytest
from gateway_lab import Lab

from tests.waiting import until

HOST = b"Host: localhost\r\n"


def _bodies(stream: bytes) -> list[bytes]:
    """Return the bodies of answers that follow each other on one connection."""
    found: list[bytes] = []
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        found.append(rest[:length])
        stream = rest[length:]
    return found


def test_pipelined_requests_are_answered_in_order(mirror: Lab) -> None:
    """Forty requests in one packet get forty answers in their order (RFC 9112, 9.3.2)."""
    requests = b"".join(b"GET /n/%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(40))
    answers = mirror.raw(requests)
    assert [json.loads(body)["path"] for body in _bodies(answers)] == [f"/n/{number}" for number in range(40)]


def test_pipelined_refusals_keep_the_order_too(mirror: Lab) -> None:
    """An answer of the gateway itself does not overtake a function's."""
    post = json.dumps({"body": "first"}).encode()
    say = b"POST /say HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(post) + post
    answers = mirror.raw(say + b"TRACE /x HTTP/1.1\r\n" + HOST + b"\r\n" + say)
    assert _bodies(answers) == [b"first", b'{"message":"Missing Authentication Token"}', b"first"]


def test_rubbish_after_a_request_does_not_cost_its_answer(mirror: Lab) -> None:
    """The good request is answered, then the bad one, then the connection ends."""
    answers = mirror.raw(b"GET /good HTTP/1.1\r\n" + HOST + b"\r\n" + b"\x16\x03\x01 rubbish\r\n\r\n")
    good, bad = _bodies(answers)
    assert json.loads(good)["path"] == "/good"
    assert json.loads(bad) == {"message": "Bad Request"}


@pytest.mark.parametrize(
    "data",
    [
        b"rubbish\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
def test_malformed_requests_are_400(mirror: Lab, data: bytes) -> None:
    """What is not HTTP is refused, and the gateway lives."""
    assert mirror.raw(data).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert mirror.client.get("/").status_code == 200


def test_head_over_10_kb_is_431(mirror: Lab) -> None:
    """AWS, "Quotas for configuring and running a REST API": request line and headers are 10,240 bytes at most."""
    assert mirror.client.get("/", headers={"x-large": "x" * 9000}).status_code == 200
    assert mirror.client.get("/", headers={"x-large": "x" * 10_300}).status_code == 431
    refused = mirror.raw(b"HEAD / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 10_300 + b"\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 431 ")
    assert refused.endswith(b"\r\n\r\n")


def test_chunked_body_arrives_whole(mirror: Lab) -> None:
    """A body in chunks is one body to the function, and the event does not tell."""
    output = mirror.curl("-H", "Transfer-Encoding: chunked", "-d", "@-", f"{mirror.url}/", stdin="ab" * 5000).stdout
    event = json.loads(output)
    assert len(event["body"]) > 10_000
    assert "Transfer-Encoding" not in event["headers"]


def test_expect_100_continue_is_answered(mirror: Lab) -> None:
    """The client sends a body only after 100 Continue; the function sees neither."""
    arguments = ["-v", "--expect100-timeout", "25", "-H", "Expect: 100-continue", "-d", "hello"]
    done = mirror.curl(*arguments, f"{mirror.url}/")
    assert "HTTP/1.1 100 Continue" in done.stderr
    assert "Expect" not in json.loads(done.stdout)["headers"]


def test_expect_of_too_much_is_refused_before_it_is_sent(mirror: Lab) -> None:
    """413 at once, in place of 100 Continue."""
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    answer = mirror.raw(head, finish=False)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_http_1_0_ends_the_connection(mirror: Lab) -> None:
    """A client of 1.0 reads to the end."""
    answer = mirror.raw(b"GET /old HTTP/1.0\r\n\r\n", finish=False)
    assert b"Connection: close" in answer
    assert json.loads(_bodies(answer)[0])["requestContext"]["protocol"] == "HTTP/1.0"


def test_connection_close_is_honoured(mirror: Lab) -> None:
    """A client that asks to close gets its answer and the end."""
    answer = mirror.raw(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n", finish=False)
    assert json.loads(_bodies(answer)[0])["path"] == "/"


def test_upgrade_is_ignored(mirror: Lab) -> None:
    """An offer of HTTP/2 is answered in HTTP/1.1, and the connection goes on."""
    done = mirror.curl("--http2", f"{mirror.url}/a", f"{mirror.url}/b")
    assert done.code == 0
    assert done.stdout.count('"httpMethod"') == 4


@pytest.mark.parametrize("framing", [b"Content-Length: 30\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1e\r\n"])
def test_the_body_after_an_upgrade_is_a_body(mirror: Lab, framing: bytes) -> None:
    """It was once read as the next request, which is how one is smuggled past whatever stands in front."""
    body = b"GET /hidden HTTP/1.1\r\nHost: x\r\n"[:30]
    end = b"\r\n0\r\n\r\n" if b"chunked" in framing else b""
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: websocket\r\n"
    [answer] = _bodies(mirror.raw(head + framing + body + end))
    assert base64.b64decode(json.loads(answer)["body"]) == body


def test_trailers_are_no_headers(mirror: Lab) -> None:
    """What comes after a body is dropped: nobody looked at it when the request was let in."""
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    [answer] = _bodies(mirror.raw(head + b"1\r\nx\r\n0\r\nX-Api-Key: abc\r\n\r\n"))
    assert "X-Api-Key" not in json.loads(answer)["headers"]


def test_what_has_no_end_is_not_kept(mirror: Lab) -> None:
    """A header without an end is refused when it is larger than all headers may be."""
    answer = mirror.raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000, finish=False)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_absolute_targets_are_understood(mirror: Lab) -> None:
    """A client that takes us for a proxy names the host in the target (RFC 9112, 3.2.2)."""
    answer = mirror.raw(b"GET http://localhost/x?y=1 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert json.loads(_bodies(answer)[0])["path"] == "/x"


def test_bytes_that_trickle_make_a_request(mirror: Lab) -> None:
    """However a request is cut into packets, it is the same request."""
    with socket.create_connection(("127.0.0.1", mirror.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST /slowly HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
            client.send(bytes([byte]))
        assert b'"path": "/slowly"' in _bodies(client.recv(65536))[0].replace(b'\\"', b'"')


def test_unfinished_and_dropped_requests_hold_no_worker(mirror: Lab) -> None:
    """Clients that stop half-way, or leave before the answer, cost nobody else anything."""
    address = ("127.0.0.1", mirror.port)
    half = [socket.create_connection(address) for _ in range(30)]
    for client in half:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
    for _ in range(30):
        with socket.create_connection(address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    begun = time.monotonic()
    assert mirror.client.get("/").status_code == 200
    assert time.monotonic() - begun < 5
    for client in half:
        client.close()
    until(lambda: not mirror.workers("echo", "busy") and not mirror.described("echo")["waiting"], "no worker is held")


def test_a_client_that_does_not_read_holds_no_worker(mirror: Lab) -> None:
    """A thousand unread answers stay in the gateway's hands; the worker serves others."""
    with socket.create_connection(("127.0.0.1", mirror.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall((b"GET /unread HTTP/1.1\r\n" + HOST + b"\r\n") * 1000)
        until(lambda: mirror.described("echo")["invocations"] > 0, "it is being served")
        assert mirror.client.get("/other").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "127.0.0.1.evil.example"}]
)
def test_status_is_for_this_machine_only(mirror: Lab, headers: dict[str, str]) -> None:
    """A page of another origin, or a name rebound to this address, learns nothing (DNS rebinding)."""
    assert mirror.client.get("/_stackyard/status").status_code == 200
    assert mirror.client.get("/_stackyard/status", headers=headers).status_code == 403
    assert mirror.client.get("/_stackyard/other").status_code == 404
