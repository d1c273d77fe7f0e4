"""Lines of every form are read for what they are, and shown as they were asked for."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.commands.trace import order, render_pattern
from stackyard.errors import ConfigError
from stackyard.loglines import LEVELS, Kind, Level, Line, normal_id, parse_line, trace_time
from stackyard.logview import Look, Sought, parse_level, parse_pattern, parse_time

AT = 1_795_458_431_773
ID = "39428c5a-a83e-4efa-ae16-f3c6de8f3a28"
XRAY, W3C = "1-6b04857f-b391cece541f9d3fea11d13d", "6b04857fb391cece541f9d3fea11d13d"


def kit(**more: object) -> str:
    """Return a line as servicekit writes it."""
    ids = {"request_id": ID, "trace_id": XRAY}
    whole = {"time": "2026-11-23T18:27:11.758Z", "level": "ERROR", "logger": "shop", "message": "no", "service": "shop"}
    return json.dumps({**whole, "environment": "dev", **ids, **more})


def test_servicekits_line_is_read() -> None:
    """Its own time, level, words, ids; what was given as `extra`; a traceback apart."""
    line = parse_line("shop", kit(orders=3, exception="Traceback\n  x"), AT)
    assert (line.at, line.moment, line.level, line.message, line.kind) == (AT, AT - 15, "error", "no", "service")
    assert line.ids == {ID, W3C}
    assert (line.fields, line.details) == ({"orders": 3}, "Traceback\n  x")


@pytest.mark.parametrize(
    "told",
    [
        {"request_id": ID, "trace_id": XRAY, "method": "GET", "path": "/a", "resource": "/a", "status": "502",
         "latency": "40", "integration_latency": "39", "integration_error": "x", "error": "-"},
        {"kind": "access", "requestId": ID, "xrayTraceId": XRAY, "httpMethod": "GET", "path": "/a", "status": 502,
         "responseLatency": 40, "integrationLatency": 39, "requestTimeEpoch": AT - 40, "error": None},
    ],
)  # fmt: skip
def test_both_gateways_access_logs_are_read(told: dict[str, object]) -> None:
    """API Gateway's and the laptop's: the request began when its latency says."""
    line = parse_line("gateway", json.dumps(told), AT)
    assert (line.kind, line.level, line.message, line.moment) == ("access", "error", "GET /a 502", AT - 40)
    assert line.ids == {ID, W3C}
    assert (line.fields["status"], line.fields["latency_ms"], line.fields["integration_ms"]) == (502, 40, 39)


@pytest.mark.parametrize(
    ("text", "kind", "level", "ids"),
    [
        (f"START RequestId: {ID} Version: 3", "platform", "debug", {ID}),
        (f"REPORT RequestId: {ID}\tDuration: 3 ms\tXRAY TraceId: {XRAY}\t", "platform", "debug", {ID, W3C}),
        (f"REPORT RequestId: {ID}\tDuration: 3 ms\tStatus: timeout", "platform", "error", {ID}),
        (f"2026-11-23T18:27:11.758Z {ID} Task timed out after 3.00 seconds", "platform", "error", {ID}),
        ('{"type": "platform.report", "record": {"requestId": "r", "status": "timeout"}}',
         "platform", "error", {"r"}),
        (f"[ERROR]\t2026-11-23T18:27:11.758Z\t{ID}\tno", "text", "error", {ID}),
        ("Traceback (most recent call last):\n  File", "text", "error", set[str]()),
        ("WARNING: careful", "text", "warning", set[str]()),
        ("warnings are nothing", "text", "info", set[str]()),
        ('{"msg": "other", "severity": "WARN"}', "service", "warning", set[str]()),
        ('{"broken', "text", "info", set[str]()),
        ("[1, 2]", "text", "info", set[str]()),
        ("", "text", "info", set[str]()),
    ],
)  # fmt: skip
def test_other_lines_are_told_apart(text: str, kind: Kind, level: Level, ids: set[str]) -> None:
    """Lambda's own, other loggers', plain text, and what only looks like JSON."""
    line = parse_line("shop", text, AT)
    assert (line.kind, line.level, line.ids) == (kind, level, ids)


KEYS = (
    "time",
    "level",
    "message",
    "type",
    "record",
    "kind",
    "status",
    "latency",
    "request_id",
    "resource",
    "exception",
    "integration_latency",
    "requestTimeEpoch",
    "requestId",
    "trace_id",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["access", "platform.report", "-"]),
    lambda each: st.dictionaries(st.sampled_from(KEYS) | st.text(), each),
)


@given(st.text() | VALUES.map(json.dumps))
def test_any_text_is_a_line_that_can_be_shown(text: str) -> None:
    """Nothing that a service prints ends the stream, or reaches the terminal as a control character."""
    line = parse_line("shop", text, AT)
    assert line.level in LEVELS
    shown = Look(["shop"], colour=False).render(line)
    assert all(each.isprintable() for each in shown.split("\n"))
    json.dumps(line.record(), default=str)


def test_a_trace_has_one_name() -> None:
    """X-Ray's way to write it and W3C's; the time in it is its beginning; others tell none."""
    assert normal_id(XRAY) == W3C == normal_id(W3C)
    assert trace_time(XRAY) == 0x6B04857F * 1000
    assert trace_time(ID) is None
    assert render_pattern(frozenset({W3C})) == f'?"{W3C}" ?"{XRAY}"'
    assert render_pattern(frozenset({ID})) == f'"{ID}"'


def test_lines_of_a_request_are_ordered_by_when_they_happened() -> None:
    """The gateway's, which is kept last, comes first."""

    def line(moment: int, kind: Kind) -> Line:
        return Line(AT, moment, "x", "info", "", kind)

    lines = [line(2, "service"), line(1, "service"), line(1, "access")]
    assert [(each.moment, each.kind) for each in order(lines)] == [(1, "access"), (1, "service"), (2, "service")]


def test_a_line_is_shown_with_what_is_not_said_twice() -> None:
    """Fields that stand in the message are left out, a traceback is indented, colours only where they can be seen."""
    text = kit(message="GET /x 500", method="GET", path="/x", status=500, took="1 s", exception="Traceback\n  x")
    line = parse_line("shop", text, AT)
    shown = Look(["gateway", "shop"], colour=False).render(line)
    assert re.fullmatch(r'\d\d:\d\d:11\.758 shop    ERROR    GET /x 500 took="1 s"\n    Traceback\n      x', shown)
    assert "\x1b[31m" in Look(["shop"], colour=True).render(line)


def test_lines_are_chosen_by_level_and_words() -> None:
    """The expression is looked for in message, fields, ids and traceback."""
    line = parse_line("shop", kit(orders=3, exception="KeyError: 7"), AT)
    for pattern in ("^no", "orders=3", ID, "KeyError"):
        assert Sought("info", parse_pattern(pattern)).wants(line)
    assert not Sought("critical").wants(line)
    assert not Sought("debug", parse_pattern("yes")).wants(line)


def test_times_are_read() -> None:
    """Ages, clock times (the last such one), dates; what is none is refused."""
    now = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)

    def ago(text: str) -> timedelta:
        return now - datetime.fromtimestamp(parse_time("--since", text, now) / 1000, UTC)

    assert (ago("10m"), ago("2h"), ago("3d")) == (timedelta(minutes=10), timedelta(hours=2), timedelta(days=3))
    assert (ago("13:30"), ago("14:30")) == (timedelta(minutes=30), timedelta(hours=23, minutes=30))
    assert (ago("2026-11-23T12:00"), ago("2026-11-23T12:00+02:00")) == (timedelta(hours=2), timedelta(hours=4))
    for wrong in ("", "soon", "25:00", "10", "-5m"):
        with pytest.raises(ConfigError, match="is no time"):
            parse_time("--since", wrong, now)


def test_levels_are_read() -> None:
    """By their beginning."""
    assert [parse_level(text) for text in ("warn", "ERROR", "debug")] == ["warning", "error", "debug"]
    for wrong in ("", "loud"):
        with pytest.raises(ConfigError, match="levels are"):
            parse_level(wrong)
    with pytest.raises(ConfigError, match="no regular expression"):
        parse_pattern("(")
