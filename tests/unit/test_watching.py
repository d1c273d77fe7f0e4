"""What `inv status` makes of what it saw, which metrics it asks for, where pages are, and how the journal is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.session import Session
from stackyard.commands.status import Drift, ServiceStatus, Status, drift_words, show_status
from stackyard.consoles import console_url, dashboard_url
from stackyard.kinds import KINDS
from stackyard.local.gateway.event import trace_root
from stackyard.local.journals import read_journal
from stackyard.loglines import GATEWAY, Line
from stackyard.project import find_target, read_project
from stackyard.releases import Release
from stackyard.testing import Printed, ScriptedRunner
from stackyard.tools.metrics import Ringing
from stackyard.traffic import ANY, Traffic, count_requests, find_owner, plan_metrics, sum_up
from tests.unit.folder import Folder

SERVICES: Mapping[str, Mapping[str, Any]] = {
    "api": {"kind": "lambda", "path": "/", "resource": "acme-dev-api"},
    "web": {
        "kind": "apprunner",
        "path": "/web",
        "resource": "acme-dev-web",
        "log_group": "/aws/apprunner/acme-dev-web/0123/application",
    },
    "shop": {"kind": "ecs", "path": "/shop", "resource": "acme-dev-shop"},
}
OPENAPI: Mapping[str, Any] = {
    "paths": {path: {ANY: {}} for path in ("/", "/{proxy+}", "/web", "/web/{proxy+}", "/shop/{proxy+}")}
}
WELL = ServiceStatus("api", "lambda", "/", "sha256:1", "sha256:1", "well")
RELEASE = Release(
    3, "dev", {"api": "sha256:1"}, "c0ffee1234", dirty=True, who="sam", when="2026-11-23T08:00:00", summary=""
)
STATUS = Status("dev", "https://x", RELEASE, None, [WELL], {}, [], None)


@pytest.mark.parametrize(
    ("path", "owner"),
    [("/", "api"), ("/{proxy+}", "api"), ("/web", "web"), ("/web/{proxy+}", "web"), ("/website", "api")],
)
def test_a_route_belongs_to_the_longest_path(path: str, owner: str) -> None:
    """`/website` is none of `/web`'s."""
    assert find_owner(path, SERVICES) == owner


def test_each_kind_has_its_metrics() -> None:
    """The gateway's for all, by route; the platform's own where there are any; App Runner's by its id."""
    metrics = plan_metrics("acme-dev", "dev", OPENAPI, SERVICES)
    assert {each.namespace for each in metrics if each.service == "shop"} == {"AWS/ApiGateway"}
    assert {each.name for each in metrics if each.namespace == "AWS/Lambda"} == {"Invocations", "Errors", "Throttles"}
    [runner] = [each for each in metrics if each.name == "5xxStatusResponses"]
    assert runner.dimensions == (("ServiceID", "0123"), ("ServiceName", "acme-dev-web"))
    values = [None if each.service == "web" else 2.0 for each in metrics]
    found = sum_up(metrics, values, SERVICES)
    assert found["api"] == Traffic(requests=4, refused=4, failed=4, calls=2, errors=2, throttled=2)
    assert found["web"] == Traffic()
    assert found[GATEWAY] == Traffic(requests=2, refused=2, failed=2, latency_p99=2.0)


def test_requests_of_the_laptop_are_counted() -> None:
    """From the access log, by the service that answered; the gateway counts all."""

    def line(status: int, to: str) -> Line:
        return Line(1, 1, GATEWAY, "info", "", "access", frozenset(), {"status": status, "latency_ms": 5.0, "to": to})

    found = count_requests([line(200, "api"), line(404, "api"), line(502, "web"), line(403, "")], ["api", "web"])
    assert (found["api"].requests, found["api"].refused, found["web"].failed) == (2, 1, 1)
    assert found[GATEWAY] == Traffic(requests=4, refused=2, failed=1, latency_p99=5.0)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (STATUS, 0),
        (replace(STATUS, services=[replace(WELL, health="asks for a key")]), 0),
        (replace(STATUS, services=[replace(WELL, health="answers 502")]), 4),
        (replace(STATUS, services=[replace(WELL, digest="sha256:2")]), 4),
        (replace(STATUS, services=[replace(WELL, digest="")]), 4),
        (replace(STATUS, alarms=[Ringing("acme-dev-api-errors", "2026-11-23T08:00:00", "1 > 0")]), 4),
        (replace(STATUS, services=[replace(WELL, digest="", trouble="no right")]), 3),
        (replace(STATUS, troubles={"traffic": "no right"}), 3),
        (replace(STATUS, troubles={"traffic": "no right"}, services=[replace(WELL, digest="")]), 4),
    ],
)
def test_the_exit_code_tells(found: Status, code: int) -> None:
    """What is not well weighs more than what is not known."""
    assert found.code == code
    assert found.record()["well"] == (code == 0)


def test_a_part_that_cannot_be_read_says_so_in_its_row(
    folder: Folder, printed: Printed, runner: ScriptedRunner
) -> None:
    """And hides nothing else."""
    session = Session(folder.root, "dev", printed.screen, runner)
    troubles = {"traffic": "no right to do this (metrics)", "alarms": "no right to do this (alarms)"}
    assert show_status(session, replace(STATUS, troubles=troubles), json=False) == 3
    lines = printed.out().splitlines()
    assert lines[1] == "release      3, 2026-11-23 08:00 UTC, sam, commit c0ffee123+"
    assert lines[2:5] == [
        "traffic      unknown: no right to do this (metrics)",
        "alarms       unknown: no right to do this (alarms)",
        "drift        never looked for",
    ]
    assert lines[-1].split() == ["api", "lambda", "/", "sha256:1", "as", "released", "well", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("looked", "words"),
    [
        ("2026-11-23T11:30:00+00:00", "none, looked for 30 min ago"),
        ("2026-11-23T02:00:00+00:00", "none, looked for 10 h ago"),
        ("2026-11-01T12:00:00+00:00", "none, looked for 22 days ago"),
        ("some day", "looked for at some day"),
    ],
)
def test_the_age_of_drift(looked: str, words: str) -> None:
    """In the unit that fits."""
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert drift_words(Drift(looked, 0), now) == words
    assert drift_words(None, now) == "never looked for"
    assert drift_words(Drift("2026-11-23T11:30:00+00:00", 2), now).startswith("2 resources changed past Terraform")


def test_every_kind_has_a_page_in_the_console(folder: Folder) -> None:
    """In the environment's region."""
    target = find_target(read_project(folder.root), "dev")
    for kind in KINDS:
        assert console_url(target, kind, "web").startswith(f"https://{target.region}.console.aws.amazon.com/{kind}/")
        assert target.region in console_url(target, kind, "web").split("/", 3)[3]
    assert dashboard_url(target).endswith("#dashboards/dashboard/acme-dev")


def journal(path: Path, *numbers: int) -> None:
    """Write what a service printed, a second apart."""
    records = [
        {"kind": "log", "time": f"2026-11-23T08:00:{each:02}+00:00", "service": "api", "line": f"{each}"}
        for each in numbers
    ]
    with path.open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in records)


def test_the_journal_is_followed_when_it_is_put_aside(tmp_path: Path) -> None:
    """What was written to the old file just before, and to the new one, comes once each; half a line waits."""
    path, found = tmp_path / "journal.jsonl", list[str]()
    journal(path.with_name("journal.jsonl.1"), 1, 2)
    journal(path, 3)
    start = int(datetime(2026, 11, 23, 8, 0, 2, tzinfo=UTC).timestamp() * 1000)
    looks = 0

    def look(_seconds: float) -> bool:
        nonlocal looks
        looks += 1
        match looks:
            case 1:
                with path.open("a") as file:
                    file.write('{"kind": "log", "time": "2026-11-23T08:00:04+00:00", ')
            case 2:
                assert found == ["2", "3"]
                with path.open("a") as file:
                    file.write('"service": "api", "line": "4"}\nno record\n')
                path.replace(path.with_name("journal.jsonl.1"))
                journal(path, 5)
            case 3:
                journal(path, 6)
            case _:
                return True
        return False

    for page in read_journal(path, start, follow=True, stopped=look):
        found += [line.message for line in page]
    assert found == ["2", "3", "4", "5", "6"]


@pytest.mark.parametrize("start", [0, 1, 2_000, 7_777, 9_999, 20_000])
def test_the_journal_is_read_from_a_time_on(tmp_path: Path, start: int) -> None:
    """Wherever that lies in a large file, whose lines stand a little out of order and are not all records."""
    path = tmp_path / "journal.jsonl"
    begun = datetime(2026, 11, 23, 8, tzinfo=UTC)
    moments = [10 * each - 40 * (each % 7 == 0) for each in range(10_000)]
    with path.open("w") as file:
        for number, after in enumerate(moments):
            when = (begun + timedelta(seconds=after)).isoformat(timespec="milliseconds")
            record = {"kind": "log", "time": when, "service": "api", "line": f"{number} {'x' * 100}"}
            file.write((json.dumps(record) if number % 11 else "no record") + "\n")
    from_then = int(begun.timestamp() + 10 * start) * 1000
    pages = read_journal(path, from_then, stopped=lambda _seconds: True)
    found = [int(line.message.split()[0]) for page in pages for line in page]
    assert found == [number for number, after in enumerate(moments) if after >= 10 * start and number % 11]


def test_a_traces_id_is_found_in_its_header() -> None:
    """Whatever else stands there."""
    assert (
        trace_root("Self=1-x;Root=1-6b04857f-b391cece541f9d3fea11d13d;Sampled=1")
        == "1-6b04857f-b391cece541f9d3fea11d13d"
    )
    assert trace_root("nothing") == ""
