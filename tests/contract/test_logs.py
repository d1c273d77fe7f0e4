"""`inv logs` and `inv trace` as they are typed: against an endpoint that misbehaves, and the embedded AWS."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stackyard.project import find_target, read_project
from stackyard.tools.aws import Aws
from stackyard.tools.logstreams import GroupReader, Wish
from stackyard.tools.turns import Turns
from tests.account import Account, serving_account
from tests.bench.common import environment
from tests.bench.logs import (
    INV,
    SERVICES,
    JournalWriter,
    aws_settings,
    follow,
    follow_writer,
    log_groups,
    make_checkout,
    writing,
)
from tests.clients import make_client
from tests.logsendpoint import LogsEndpoint, serving_logs
from tests.printed import check_printed

ID = "6f1ed002-ab55-4a6a-aaa9-735ed0376c7c"
TRACE = "1-6b04857f-0eb3747748451bfeeffe34c4"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with five services."""
    folder = tmp_path_factory.mktemp("checkout")
    make_checkout(folder)
    return folder


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account whose log groups hold one request over api and web, and others."""
    with serving_account(tmp_path_factory.mktemp("account"), "111111111111") as served:
        write_logs(make_client(served.endpoint, "logs"), int(time.time() * 1000) - 60_000)
        yield served


def write_logs(logs: Any, begun: int) -> None:
    """Write what a request leaves behind: web asks api, both through the gateway."""

    def put(group: str, stream: str, *events: tuple[int, str | Mapping[str, object]]) -> None:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        texts = [
            {"timestamp": begun + after, "message": text if isinstance(text, str) else json.dumps(text)}
            for after, text in sorted(events, key=lambda event: event[0])
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=texts)

    def access(request: str, path: str, status: str, latency: int, trace: str = TRACE) -> dict[str, object]:
        ids = {"request_id": request, "trace_id": trace, "method": "GET", "path": path, "resource": path}
        return {**ids, "status": status, "latency": str(latency), "integration_latency": str(latency - 1)}

    def line(message: str, level: str = "INFO", **more: str) -> dict[str, object]:
        return {"level": level, "message": message, "request_id": ID, **more}

    groups = ["/aws/api-gateway/acme-dev", *log_groups()]
    for group in groups:
        logs.create_log_group(logGroupName=group)
    put(groups[0], "a", (50, access(ID, "/web", "502", 50)), (45, access("inner", "/", "500", 20)))
    put(groups[0], "b", (10, access("other", "/other", "404", 3, "1-6b04857f-ffffffffffffffffffffffff")))
    web, api = "/aws/lambda/acme-dev-web", "/aws/lambda/acme-dev-api"
    put(web, "1", (48, line("GET /web 502", "WARNING", trace_id=TRACE)), (49, "something else entirely"))
    report = f"REPORT RequestId: {'0' * 8}-1111-2222-3333-{'4' * 12}\tDuration: 3.10 ms\tXRAY TraceId: {TRACE}\t"
    start = f"START RequestId: {'0' * 8}-1111-2222-3333-{'4' * 12} Version: 3"
    put(api, "1", (27, start), (30, line("began", gateway_request_id="inner", trace_id=TRACE)), (46, report))
    put(api, "2", (5, line("of another", request_id="another-one")))


def inv(checkout: Path, account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type `inv`."""
    done = subprocess.run(
        [INV, *arguments], cwd=checkout, env=aws_settings(account.endpoint), capture_output=True, text=True, check=False
    )
    check_printed(arguments, done.stdout)
    return done


def test_following_keeps_up_with_a_thousand_lines_a_second(checkout: Path) -> None:
    """Every line once, in order of time over five services, though the endpoint throttles, breaks off and rotates.

    Ctrl-C ends it with 130, and no traceback.
    """
    with serving_logs(LogsEndpoint(log_groups())) as endpoint:
        found = follow(checkout, endpoint, seconds=6)
    told = endpoint.told
    assert found.numbers == {name: list(range(1200)) for name in SERVICES}, (told, found.errors)
    assert found.disorder == 0
    assert found.code == 130
    assert "Traceback" not in found.errors
    assert told["throttled"] > 0


def test_the_laptops_journal_is_followed(tmp_path: Path) -> None:
    """As fast: every line of five services once, in order, while the gateway writes them."""
    make_checkout(tmp_path)
    with writing(JournalWriter(tmp_path / ".stackyard/local/journal.jsonl", 200)) as writer:
        found = follow_writer(tmp_path, "local", environment(), writer, seconds=3)
    assert found.numbers == {name: list(range(600)) for name in SERVICES}, found.errors
    assert (found.disorder, found.code, found.errors) == (0, 130, "")


def test_a_group_that_hangs_holds_nobody_up_for_long(checkout: Path) -> None:
    """One request without an answer for 11 s: the lines of all services are there in the end, each once."""
    with serving_logs(LogsEndpoint(log_groups(), rate=40, throttled=9, hang_at=2, rotation=1.0, page=100)) as endpoint:
        found = follow(checkout, endpoint, seconds=3)
    assert {name: sorted(each) for name, each in found.numbers.items()} == {
        name: list(range(120)) for name in SERVICES
    }, (endpoint.told, found.errors)
    assert endpoint.told["hung"] == 1
    assert endpoint.told["rotated"] > 0
    assert "CloudWatch Logs does not answer" in found.errors
    assert "it answers again" in found.errors


def test_what_comes_very_late_comes_once(checkout: Path) -> None:
    """A line that is delivered half a minute late is found by a sweep of the past, and no other comes twice by it."""
    began = time.time() - 40
    never = {120: float("inf")}
    endpoint = LogsEndpoint(["g"], rate=20, page=150, throttled=9, latest=0, began=began, stragglers=never)
    with serving_logs(endpoint):
        aws = Aws(find_target(read_project(checkout), "dev"), endpoint.url)
        stopped, wish = threading.Event(), Wish(int(began * 1000), follow=True)
        reader = GroupReader(aws, "g", wish, Turns(0.01), stopped, between=0.2, sweep_every=0.2)
        found: list[int] = []
        for page in reader.pages():
            found += [json.loads(text)["number"] for _, text in page.events]
            if len(found) > 800:
                endpoint.stragglers = {}
            if 120 in found and len(found) > 850:
                stopped.set()
    assert sorted(found) == list(range(len(found)))
    assert found.index(120) > 800


def test_all_kinds_of_lines_stand_in_one_order(checkout: Path, account: Account) -> None:
    """The gateway's access log among them; from debug on Lambda's own lines, too."""
    done = inv(checkout, account, "logs", "--env", "dev", "--json", "--level", "debug")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["service"], line["kind"]) for line in lines] == [
        ("api", "service"),
        ("gateway", "access"),
        ("api", "platform"),
        ("api", "service"),
        ("gateway", "access"),
        ("api", "platform"),
        ("web", "service"),
        ("web", "text"),
        ("gateway", "access"),
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["web"], ["GET /web 502", "something else entirely"]),
        (["--level", "error"], ["GET / 500", "GET /web 502"]),
        (["--grep", "beg.n"], ["began"]),
        (["gateway", "--level", "warn", "--grep", "other"], ["GET /other 404"]),
        (["--until", "10m"], []),
    ],
)
def test_lines_are_chosen(checkout: Path, account: Account, arguments: list[str], expected: list[str]) -> None:
    """By service, level, expression and time."""
    done = inv(checkout, account, "logs", "--env", "dev", "--since", "1h", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == expected


@pytest.mark.parametrize("given", [ID, TRACE, "6b04857f0eb3747748451bfeeffe34c4"])
def test_a_request_is_found_in_all_services(checkout: Path, account: Account, given: str) -> None:
    """By its id or its trace's: the gateway's line first, what the request led to after it, nobody else's lines."""
    done = inv(checkout, account, "trace", given, "--env", "dev", "--json", "--since", "1h")
    assert done.returncode == 0, done.stderr
    lines = json.loads(done.stdout)["lines"]
    messages = [(line["service"], line["message"].split("  ")[0], line["after"]) for line in lines]
    assert messages == [
        ("gateway", "GET /web 502", 0),
        ("gateway", "GET / 500", 25),
        ("api", f"START RequestId: {'0' * 8}-1111-2222-3333-{'4' * 12} Version: 3", 27),
        ("api", "began", 30),
        ("api", f"REPORT RequestId: {'0' * 8}-1111-2222-3333-{'4' * 12}", 46),
        ("web", "GET /web 502", 48),
    ]


def test_what_is_not_there_is_said(checkout: Path, account: Account) -> None:
    """An unknown id, service, level and time each end with their own exit code and the next command."""
    cases: list[tuple[int, str, list[str]]] = [
        (3, "no log line of 0123456789", ["trace", "0123456789", "--env", "dev"]),
        (2, "is no id", ["trace", "x", "--env", "dev"]),
        (3, "there is no service nobody", ["logs", "--env", "dev", "nobody"]),
        (2, "levels are", ["logs", "--env", "dev", "--level", "loud"]),
        (2, "is no time", ["logs", "--env", "dev", "--since", "soon"]),
        (2, "is no regular expression", ["logs", "--env", "dev", "--grep", "("]),
    ]
    for code, words, arguments in cases:
        done = inv(checkout, account, *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert words in done.stderr
        assert "run: " in done.stderr


def test_a_reader_that_has_seen_enough_ends_it_quietly(checkout: Path, account: Account) -> None:
    """`| head -1`, while following as well, when no further line comes."""
    for extra in ([], ["--follow"]):
        argv = [INV, "logs", "--env", "dev", "--since", "1h", *extra]
        environment = aws_settings(account.endpoint)
        with subprocess.Popen(
            argv, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == ""
            assert process.wait(30) == 0


def test_ctrl_c_while_nothing_comes(checkout: Path, account: Account) -> None:
    """Exit code 130, nothing on either stream."""
    argv = [INV, "logs", "--env", "dev", "--follow", "--since", "1h", "web"]
    environment = aws_settings(account.endpoint)
    with subprocess.Popen(
        argv, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
