"""An application that was made without the template, behind the gateway as `lambda` and as `ecs`.

Its service folders are the code blocks of docs/guides/adopting.md. What it answers is compared with what it answers
under a plain uvicorn that was given the same root path: the application alone, without servicekit, without a gateway.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.project import HERE, LEFT_OUT, Project, find_uv, free_port, smoke
from tests.waiting import until

PAGE = HERE / "docs/guides/adopting.md"
ADOPTED = HERE / "tests/adopted"
KINDS = {"books": "lambda", "library": "ecs"}
PREFIXES = [f"{stage}/{service}" for service in KINDS for stage in ("", "/local")]
SCAN = bytes(range(256)) * 12_000
OWN = {"date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "x-request-id"}
"""Headers of one connection, one moment or one request; lengths are compared with bodies instead."""


@dataclass(frozen=True)
class Asked:
    """One request, what is expected of it, and by kind why its answer may not be the plain one."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""
    forced: tuple[str, ...] = ()


def form(*parts: tuple[str, str, bytes]) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return headers and body of a multipart form: field, file name, content."""
    body = b"".join(
        f'--b0\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n\r\n'.encode() + content + b"\r\n"
        for name, file, content in parts
    )
    return (("content-type", "multipart/form-data; boundary=b0"),), body + b"--b0--\r\n"


JSON = (("content-type", "application/json"),)
FORM = (("content-type", "application/x-www-form-urlencoded"),)
ORIGIN = ("origin", "https://readers.example")
PREFLIGHT = (ORIGIN, ("access-control-request-method", "PUT"), ("access-control-request-headers", "content-language"))
ELSEWHERE = (("origin", "https://evil.example"), *PREFLIGHT[1:])
SINCE = (("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"),)
UPLOAD = form(("scan", "größe.bin", SCAN))

TABLE = {
    "a route of a router": Asked("GET", "/books/1", 200),
    "a link by name": Asked("PUT", "/books/9", 201, JSON, b'{"title": "Ice", "pages": 158}'),
    "its own 404": Asked("GET", "/books/none", 404),
    "a refused input": Asked("PUT", "/books/9", 422, JSON, b'{"title": 7}'),
    "what is no JSON": Asked("PUT", "/books/9", 422, JSON, b"{"),
    "its own exception handler": Asked("GET", "/order?book=1", 410),
    "an error that nobody expected": Asked("GET", "/order?book=13", 500),
    "another method": Asked("DELETE", "/till/pay", 405),
    "its own readiness": Asked("GET", "/readiness", 200),
    "a stream": Asked("GET", "/books/1/text", 200),
    "an upload": Asked("POST", "/books/1/scan", 200, *UPLOAD),
    "an upload that lacks the file": Asked("POST", "/books/1/scan", 422, *form(("other", "a", b"x"))),
    "a form": Asked("POST", "/till/basket", 200, FORM, b"title=Ice+%26+Fire&copies=2"),
    "cookies": Asked("GET", "/till/basket", 200, (("cookie", "basket=2; last=yes"),)),
    "an answer without a body": Asked("DELETE", "/till/basket", 204),
    "a redirect by name": Asked("POST", "/till/pay", 303),
    "a relative redirect": Asked("GET", "/till/old", 301),
    "links in a page": Asked("GET", "/till/receipts/7", 200),
    "bytes in": Asked("PATCH", "/till/echo", 200, (("content-type", "image/png"),), SCAN),
    "bytes in without a type": Asked("PATCH", "/till/echo", 200, (), SCAN[:1000]),
    "bytes out": Asked("GET", "/till/cover", 200),
    "a URL": Asked("GET", "/till/seen/a/b?a=1&a=2&c=&d=x", 200),
    "letters beyond ASCII": Asked("GET", "/till/seen/gr%C3%BC%C3%9Fe%20dich", 200),
    "a query that is encoded": Asked("GET", "/till/seen/q?a=%C3%BC+b%2B&b=%26", 200),
    "a query's spaces, as the URL shows them": Asked("GET", "/till/seen/q?a=b%20c", 200, forced=("lambda",)),
    "headers that come twice": Asked("GET", "/till/seen/h", 200, (("x-twice", "one"), ("x-twice", "two"))),
    "a mounted application": Asked("GET", "/reports/daily", 200),
    "the docs of it": Asked("GET", "/reports/docs", 200),
    "the index of its files": Asked("GET", "/", 200),
    "the bare path": Asked("GET", "", 200),
    "a file": Asked("GET", "/static/index.html", 200),
    "a file that is not there": Asked("GET", "/static/none.css", 404),
    "a file that one has": Asked("GET", "/static/index.html", 304, SINCE),
    "a piece of a file": Asked("GET", "/static/index.html", 206, (("range", "bytes=2-8"),)),
    "docs": Asked("GET", "/docs", 200),
    "redoc": Asked("GET", "/redoc", 200),
    "the OpenAPI document": Asked("GET", "/openapi.json", 200),
    "a compressed answer": Asked("GET", "/openapi.json", 200, (("accept-encoding", "gzip"),)),
    "HEAD of a file": Asked("HEAD", "/static/index.html", 200),
    "HEAD of a route without": Asked("HEAD", "/books/1", 404),
    "a preflight": Asked("OPTIONS", "/books/9", 200, PREFLIGHT),
    "a preflight from elsewhere": Asked("OPTIONS", "/books/9", 400, ELSEWHERE),
    "OPTIONS without CORS": Asked("OPTIONS", "/books/9", 405),
    "a request from another origin": Asked("GET", "/books/1", 200, (ORIGIN,)),
    "a slash at the end": Asked("GET", "/till/state/", 404, forced=("ecs",)),
    "an encoded slash": Asked("GET", "/till/seen/a%2Fb", 200),
    "a header with a name of the gateway's": Asked("GET", "/till/secret", 401, forced=("lambda", "ecs")),
}


@dataclass(frozen=True)
class Bookshop:
    """The project with the bookshop in it twice, and the bookshop alone, by public path."""

    project: Project
    plain: Mapping[str, str]

    def printed(self, service: str, *texts: str) -> list[str]:
        """Return the lines that a service printed with all of ``texts`` in them."""
        lines = (self.project.root / ".stackyard/local/gateway.log").read_text(encoding="utf-8").splitlines()
        own = [line.removeprefix(f"{service} | ") for line in lines if line.startswith(f"{service} | {{")]
        return [line for line in own if all(text in line for text in texts)]

    def wait_for_line(self, service: str, *texts: str) -> dict[str, Any]:
        """Return the first of these lines; they come a moment after answers."""
        until(lambda: self.printed(service, *texts), f"{texts} in the log of {service}")
        return json.loads(self.printed(service, *texts)[0])


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def adopt(project: Project, service: str, kind: str) -> None:
    """Make a service's folder as the page says, for the page's ``books`` or one of another name and kind."""
    for block in (each for language in ("yaml", "toml", "python") for each in blocks(language)):
        if (named := re.match(r"# (src/services/\S+)\n", block)) is None:
            continue
        if kind != "lambda" and named[1].endswith("lambda_handler.py"):
            continue
        text = block.replace("kind: lambda", f"kind: {kind}")
        if kind != "lambda":
            text = text.replace("servicekit[lambda]", "servicekit[server]")
        project.write(re.sub(r"\bbooks\b", service, named[1]), re.sub(r"\bbooks\b", service, text))
    shutil.copytree(ADOPTED / "bookshop", project.root / "src/services" / service / "bookshop", ignore=LEFT_OUT)


@contextlib.contextmanager
def plain_uvicorns(project: Project, prefixes: Iterable[str]) -> Generator[dict[str, str]]:
    """Serve the bookshop as its authors would, once for each root path, from the same files."""
    ports = {prefix: free_port() for prefix in prefixes}
    here = {"SHOP_ROOT": "", "PYTHONPATH": str(ADOPTED), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(project.inv.parent / "python"), "-m", "uvicorn", "bookshop.main:app", "--log-level", "critical"]
    running = [
        subprocess.Popen([*command, "--root-path", prefix, "--port", str(port)], env=project.environment(**here))
        for prefix, port in ports.items()
    ]
    try:
        yield {prefix: f"http://127.0.0.1:{port}" for prefix, port in ports.items()}
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


@pytest.fixture
def bookshop(project: Project) -> Generator[Bookshop]:
    """A running project that adopted the bookshop as the page says, its commands typed as they stand there."""
    project.up()
    for service, kind in KINDS.items():
        adopt(project, service, kind)
    [commands] = blocks("bash")
    path = f"{project.inv.parent}:{Path(find_uv()).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", commands], cwd=project.root, env=project.environment(PATH=path), capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with plain_uvicorns(project, PREFIXES) as plain:
        for address in plain.values():
            until(lambda address=address: listens(address), address)
        yield Bookshop(project, plain)


def listens(address: str) -> bool:
    """Tell whether somebody listens there."""
    try:
        return httpx.get(f"{address}/readiness").status_code == 200
    except httpx.TransportError:
        return False


def headers_of(answer: httpx.Response) -> list[tuple[str, str]]:
    """Return what is to be the same, repeated ones in their order.

    Not what is of one request only, nor what API Gateway says of itself. Where there is no type, it makes one up.
    """
    kept = [
        (name, value)
        for name, value in answer.headers.multi_items()
        if name not in OWN and not name.startswith(("x-amzn-", "x-amz-"))
    ]
    if "content-type" not in answer.headers:
        kept.append(("content-type", "application/json"))
    return sorted(kept, key=lambda each: each[0])


def differences(name: str, theirs: httpx.Response, ours: httpx.Response) -> list[str]:
    """Return what is not the same in two answers, in words."""
    found = [
        f"{name}: {what}: plain {one!r:.300}, adopted {other!r:.300}"
        for what, one, other in (
            ("status", theirs.status_code, ours.status_code),
            ("headers", headers_of(theirs), headers_of(ours)),
            ("body", theirs.content, ours.content),
        )
        if one != other
    ]
    if not re.fullmatch(r"[\w-]{16,}", ours.headers["x-request-id"]):
        found.append(f"{name}: the request id is {ours.headers['x-request-id']}")
    return found


def compare(shop: Bookshop, client: httpx.Client, prefix: str) -> list[str]:
    """Ask both everything, and return where they differ without need, or no longer where they must."""
    kind = KINDS[prefix.rpartition("/")[2]]
    found: list[str] = []
    for name, asked in TABLE.items():
        headers = [("host", f"127.0.0.1:{shop.project.port}"), *asked.headers]
        theirs, ours = (
            client.request(asked.method, address + asked.path, content=asked.content, headers=headers)
            for address in (shop.plain[prefix], shop.project.url + prefix)
        )
        if theirs.status_code != asked.status:
            found.append(f"{prefix} {name}: plain answers {theirs.status_code}: {theirs.text[:300]}")
        different = differences(f"{prefix} {name}", theirs, ours)
        if kind not in asked.forced:
            found += different
        elif not different:
            found.append(f"{prefix} {name}: does not differ any more")
    return found


def check_processes(shop: Bookshop) -> None:
    """A lifespan is entered once for a process, and a process serves many requests."""
    for service in KINDS:
        with httpx.Client() as client, concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(client.get, [f"{shop.project.url}/{service}/till/state"] * 40))
        found = [answer.json() for answer in answers]
        assert {each["openings"] for each in found} == {1}
        most = {"books": 10, "library": 1}[service]
        assert len({each["process"] for each in found}) <= most


def check_background_tasks(shop: Bookshop) -> None:
    """They run: on Lambda before the answer is sent, elsewhere after it."""
    for service in KINDS:
        address = f"{shop.project.url}/{service}/till/letters"
        assert httpx.post(address, params={"words": "dear reader"}).status_code == 202
        until(lambda address=address: "dear reader" in httpx.get(address).json(), "the letter")


def check_health(shop: Bookshop) -> None:
    """Servicekit's where the application has none, its own where it has, and none in front of the gateway's."""
    for service in KINDS:
        address = f"{shop.project.url}/local/{service}"
        expected = {"status": "ok", "service": service, "environment": "local"}
        assert httpx.get(f"{address}/health").json() == expected
        assert httpx.get(f"{address}/liveness").json() == {"status": "ok"}


def check_ids_and_lines(shop: Bookshop) -> None:
    """The caller's id or the gateway's is in the answer and in one line of the service's log, with the public path."""
    for service in KINDS:
        address = f"{shop.project.url}/local/{service}/books/1"
        answer = httpx.get(address)
        assert answer.headers.get_list("x-request-id") == [answer.headers["x-amzn-requestid"]]
        line = shop.wait_for_line(service, answer.headers["x-request-id"])
        assert (line["logger"], line["path"], line["status"]) == ("servicekit.access", f"/local/{service}/books/1", 200)
        assert (line["service"], line["environment"]) == (service, "local")
        answer = httpx.get(address, headers={"x-request-id": f"mine-{service}"})
        assert answer.headers.get_list("x-request-id") == [f"mine-{service}"]
        line = shop.wait_for_line(service, f"mine-{service}")
        assert line["gateway_request_id"] == answer.headers["x-amzn-requestid"]
        assert len(shop.printed(service, f"mine-{service}")) == 1
        httpx.get(f"{shop.project.url}/{service}/order?book=13", headers={"x-request-id": f"fire-{service}"})
        line = shop.wait_for_line(service, f"fire-{service}", "exception")
        assert "the till is on fire" in line["exception"]


def curl(*arguments: str) -> str:
    """Ask as people do."""
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def check_curl(shop: Bookshop, tmp_path: Path) -> None:
    """A file, a HEAD that has no body, a redirect that is followed, cookies that come back, by curl."""
    (tmp_path / "scan.bin").write_bytes(SCAN)
    for service in KINDS:
        address = f"{shop.project.url}/local/{service}"
        scanned = json.loads(curl("-F", f"scan=@{tmp_path}/scan.bin", f"{address}/books/1/scan"))
        assert (scanned["size"], scanned["sum"]) == (len(SCAN), sum(SCAN))
        assert curl("-I", f"{address}/static/index.html").startswith("HTTP/1.1 200")
        paid = curl("-L", "-d", "", f"{address}/till/pay")
        assert f'<a href="{address}/till/state">7</a>' in paid
        jar = str(tmp_path / f"{service}.jar")
        curl("-c", jar, "-d", "title=Ice&copies=3", f"{address}/till/basket")
        assert json.loads(curl("-b", jar, f"{address}/till/basket")) == ["3", "yes"]


def check_websockets(shop: Bookshop) -> None:
    """A handshake is declined with the reason, on every kind; on Lambda the start of the function says so too."""
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    flags = [flag for name, value in handshake.items() for flag in ("-H", f"{name}: {value}")]
    for service in KINDS:
        said = curl("-i", "--http1.1", *flags, f"{shop.project.url}/local/{service}/books/1/readers")
        head, _, body = said.partition("\n\n")
        assert head.startswith("HTTP/1.1 501"), said
        assert "application/problem+json" in head
        problem = json.loads(body)
        assert "WebSockets do not come through" in problem["detail"]
        assert problem["request_id"] in head
    warning = shop.wait_for_line("books", "no WebSockets behind a REST API")
    assert warning["level"] == "WARNING"
    assert "/books/{number}/readers" in warning["message"]


def test_an_adopted_application_answers_as_it_did(bookshop: Bookshop, tmp_path: Path) -> None:
    """As `lambda` and as `ecs`, with the stage in the path and without, each request has its plain answer."""
    with httpx.Client() as client:
        found = [each for prefix in PREFIXES for each in compare(bookshop, client, prefix)]
    assert not found, "\n".join(found)
    check_processes(bookshop)
    check_background_tasks(bookshop)
    check_health(bookshop)
    check_ids_and_lines(bookshop)
    check_curl(bookshop, tmp_path)
    check_websockets(bookshop)
    done = smoke(bookshop.project)
    assert done.code == 0, done.text()
