"""The services that a clone has, as `inv up` serves them: by their own OpenAPI documents, and by none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stackyard.local.layout import Layout
from stackyard.tools.holding import write_atomically
from tests.fuzz.client import check_discreet, talk
from tests.fuzz.shapes import CHUNKS, HEADERS, LINES, SMUGGLING
from tests.local.conftest import running
from tests.local.project import Project
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PATHS = {"api": "", "worker": "/worker", "web": "/web"}
KNOWN = {
    "web": ("--exclude-checks", "unsupported_method"),
    "worker": ("--exclude-checks", "positive_data_acceptance"),
}
"""The gateway itself serves web's list of services (`catalog: true`), to GET alone; others are 403, as on AWS. The
worker takes no name of blanks, which its document cannot say."""

CASES = 25
"""Made-up requests for each operation, beside those that schemathesis derives from the document one by one."""

AMPLE = {"rate": 10000, "burst": 5000}
"""Nothing is held back: a service that asks another one at the limit is told 429, which is no fault of either."""


def lift_limits(project: Project) -> None:
    """Have the gateway serve the same deployment with ample limits."""
    file = Layout(project.root).deployment
    id_ = "ample"
    changed = json.loads(file.read_text(encoding="utf-8")) | {"throttle": AMPLE, "id": id_}
    write_atomically(file, json.dumps(changed))
    status = f"{project.url}/_stackyard/status"
    until(lambda: httpx.get(status).json()["deployment"] == id_, "the gateway serves with ample limits")


@pytest.fixture(scope="module")
def laptop(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The three services behind the gateway that `inv up` starts; no traceback stands in its log afterwards."""
    with running(installed, tmp_path_factory.mktemp("laptop") / "project") as project:
        project.up()
        lift_limits(project)
        yield project
        for service in PATHS.values():
            assert talk(project.port, f"GET {service}/health HTTP/1.1\r\nHost: x\r\n\r\n".encode(), answers=1).statuses
        log = (project.root / ".stackyard/local/gateway.log").read_text(encoding="utf-8")
        assert "Traceback" not in log, log


@pytest.mark.parametrize("service", PATHS)
def test_a_service_keeps_what_its_document_says(laptop: Project, service: str) -> None:
    """Whatever fits the document is served as it says, whatever does not is refused: never 5xx, slow or talkative."""
    address = f"{laptop.url}{PATHS[service]}"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
            *("--url", f"{laptop.url}/local{PATHS[service]}", "--checks", "all", "--no-color", "--continue-on-failure"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--generation-deterministic"),
            *("--max-examples", str(CASES), "--max-response-time", "10", "--request-timeout", "20"),
            *KNOWN.get(service, ()),
        ],
        cwd=ROOT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("service", "path"), [("api", "greet"), ("worker", "jobs"), ("web", "static")])
def test_malformed_http_is_refused_for_every_service(laptop: Project, service: str, path: str) -> None:
    """What is refused before a recording service is refused before a real one; what is odd gets no 5xx."""
    for shape in (*SMUGGLING, *CHUNKS, *LINES, *HEADERS):
        data = shape.data.replace(b"/afar/", f"{PATHS[service]}/{path}/".encode())
        said = talk(laptop.port, data, finish=not shape.hangs_up)
        refused = [status for status in shape.statuses if status >= 400 and status != 403]
        assert [status for status in said.statuses if status in refused] == refused, shape
        assert max(said.statuses) < 500, shape
        check_discreet(said.answers)


_texts = st.sampled_from(
    ["", "\x00", "\ud800", "\U0001f4a9", "a" * 60, " ", "'; --", "{{7*7}}", "${x}", "../..", "%s%n", "\x85"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_jobs = st.fixed_dictionaries(
    {"names": st.lists(_texts | _values, max_size=6)}, optional={"\ud800": _values, "x": _values}
)
_bodies = st.one_of(
    _values.map(json.dumps).map(str.encode),
    _jobs.map(json.dumps).map(str.encode),
    st.binary(max_size=30),
    st.sampled_from(
        [
            *(b"[" * 20000, b'{"names":' * 3000, b"1" * 5000, b'{"names": [' + b"9" * 5000 + b"]}", b"\xef\xbb\xbf{}"),
            *('{"names": ["a"]}'.encode("utf-16"), b'{"names": ["\xff"]}', b'{"names": ["a"], "names": 1}', b"NaN"),
        ]
    ),
)
_headers = st.sampled_from(
    [
        *(
            "Content-Type: application/json",
            "Content-Type: application/json; charset=utf-7",
            "Content-Type: text/plain",
        ),
        *("Content-Type: multipart/form-data", "Content-Type: multipart/form-data; boundary=", "Content-Type: /;=,"),
        *("Content-Type: application/x-www-form-urlencoded", "Content-Type: application/" + "x" * 3000),
        *("Content-Encoding: gzip", "Content-Encoding: br, gzip", "Accept: */*;q=nan", "Accept-Encoding: \xff"),
        *("X-Request-Id: \xe9", "X-Request-Id: " + "a" * 600, "traceparent: 00-0-0-0", "tracestate: \xff=,,"),
        *("X-Amzn-Trace-Id: Root=1-", "X-Amzn-Trace-Id: Root=1-00000000-000000000000000000000000;" + "a=b;" * 90),
        *("Cookie: a=\xff; =; ;;", "Range: bytes=9-1", "Range: bytes=-", "If-None-Match: \xff", "If-Modified-Since: x"),
        *(
            "Authorization: Basic \xff",
            "Authorization: Bearer a.b.c",
            "X-Forwarded-For: \xff, ::",
            "X-Forwarded-Port: x",
        ),
        *("Origin: null", "Access-Control-Request-Method: GET", "Upgrade: h2c", "X-Forwarded-Proto: gopher"),
        *(
            "x-stackyard-path: %00/%ff",
            "x-stackyard-host: a\\b",
            "x-stackyard-request-id: ' or 1",
            "Host: [::1]:99999",
            "Host: [1:2:3]",
            "Host: a:65536",
            "Host: -",
            "Host: ..",
        ),
    ]
)
_targets = st.sampled_from(
    [
        *(
            "/",
            "/greet?name=%ff",
            "/greet?name=%00",
            "/greet?name=a&name=b",
            "/greet?" + "name=a&" * 900,
            "/greet/%2e%2e",
        ),
        *("/worker/jobs", "/worker/jobs/%00", "/worker/jobs/" + "A" * 5000, "/worker/jobs/eyJuYW1lcyI6WyJhIl19"),
        *(
            "/worker/jobs/eyJuYW1lcyI6WyJcdWQ4MDAiXX0",
            "/web/static/..%2f..%2f..%2fservice.yaml",
            "/web/static/%00",
            "/web/static//",
        ),
        *(
            "/web/static/" + "a" * 5000,
            "/web/static/page.css/",
            "//evil.example/%2f..",
            "/web//evil.example",
            "/%ff%fe",
            "/health",
        ),
    ]
)


def test_a_service_takes_whatever_else_is_sent(laptop: Project) -> None:
    """Any body under any media type, ids and traces that are none, paths that lead out: never 5xx, never a leak."""
    found: Counter[int] = Counter()

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(
        st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]), _targets, st.lists(_headers, max_size=4), _bodies
    )
    # One of each kind for certain: what is made up beside them differs with the modules that are loaded.
    @example("GET", "/", [], b"")
    @example("GET", "/", ["Host: a\\b"], b"")
    @example("PUT", "/health", [], b"")
    @example("GET", "/worker/jobs/%00", [], b"")
    @example("POST", "/worker/jobs", ["Content-Type: application/json"], b'{"names": []}')
    def check(verb: str, target: str, headers: list[str], body: bytes) -> None:
        host = [] if any(each.startswith("Host") for each in headers) else ["Host: localhost"]
        lines = [f"{verb} {target} HTTP/1.1", *host, *headers, f"Content-Length: {len(body)}", "", ""]
        packet = "\r\n".join(lines).encode("latin-1") + body
        said = talk(laptop.port, packet, finish=True, heads=verb == "HEAD")
        assert len(said.answers) == 1
        assert max(said.statuses) < 500, packet
        check_discreet(said.answers)
        found.update(said.statuses)

    check()
    assert {200, 400, 404, 405, 422} <= set(found)


@pytest.mark.parametrize("path", ["/greet", "/worker/jobs", "/web/health"])
def test_other_verbs_are_405_and_trace_is_the_gateways(laptop: Project, path: str) -> None:
    """A service says which verbs it knows; TRACE, which API Gateway does not know, never reaches it."""
    for verb, status in (("DELETE", 405), ("PATCH", 405), ("TRACE", 403)):
        [answer] = talk(laptop.port, f"{verb} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), answers=1).answers
        assert answer.status == status
        assert bool(answer.header("allow")) == (status == 405)
