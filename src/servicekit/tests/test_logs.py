"""Each log line is one JSON object that says which service, request and trace it belongs to."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from servicekit.testing import rest_event

from servicekit import Settings, create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    Invoke = Callable[..., httpx.Response]
    Lines = Callable[[], list[dict[str, Any]]]
    Sample = Callable[..., FastAPI]
    Serve = Callable[[FastAPI], str]

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ROOT = "1-67891233-abcdef012345678912345678"


def test_lines_of_a_request_carry_its_ids(sample: Sample, invoke: Invoke, log_lines: Lines) -> None:
    """The service's own lines and the access line have ids of service, request and trace, and what is extra."""
    headers = [("x-request-id", "mine-1"), ("traceparent", f"00-{TRACE}-{SPAN}-01")]
    invoke(sample("/worker"), rest_event("/worker/greet?name=Ann", service_path="/worker", headers=headers))
    own, access = log_lines()
    for line in (own, access):
        assert (line["service"], line["environment"], line["level"]) == ("sample", "test", "INFO")
        assert (line["request_id"], line["trace_id"]) == ("mine-1", TRACE)
        assert line["gateway_request_id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert (own["logger"], own["message"], own["who"]) == ("sample", "greeting", "Ann")
    assert (access["method"], access["path"], access["status"]) == ("GET", "/dev/worker/greet", 200)
    assert 0 < access["duration_ms"] < 5000
    assert "Ann" not in str(access), "a query may hold secrets"


def test_ids_reach_threads_and_end_with_the_request(sample: Sample, serve: Serve, log_lines: Lines) -> None:
    """A plain endpoint runs in a thread and logs the request's id; outside of a request there is none."""
    assert httpx.get(serve(sample("/")) + "/thread", headers={"x-request-id": "mine-1"}).json() == {"thread": True}
    logging.getLogger("outside").info("no request")
    lines = log_lines()
    assert next(line for line in lines if line["message"] == "from a thread")["request_id"] == "mine-1"
    assert "request_id" not in next(line for line in lines if line["logger"] == "outside")


def test_probes_are_quiet_until_they_fail(sample: Sample, invoke: Invoke, log_lines: Lines) -> None:
    """Load balancers ask every few seconds: a good answer is no line, a bad one is."""
    app = sample("/worker", checks={"db": lambda: False})
    invoke(app, rest_event("/worker/health", service_path="/worker"))
    assert log_lines() == []
    invoke(app, rest_event("/worker/readiness", service_path="/worker"))
    assert [line["status"] for line in log_lines() if line["logger"] == "servicekit.access"] == [503]


def test_log_level_is_kept(log_lines: Lines) -> None:
    """LOG_LEVEL is the least that is printed."""
    create_app(Settings(log_level="WARNING"))
    logging.getLogger("x").info("no")
    logging.getLogger("x").warning("yes")
    assert [line["message"] for line in log_lines()] == ["yes"]


def test_a_line_stays_one_line(log_lines: Lines) -> None:
    """Line ends, objects that JSON does not know and names that are taken do not break the form."""
    create_app(Settings(service_name="sample"))
    logging.getLogger("x").info("two\nlines %s", "ä", extra={"object": object, "service": "forged"})
    (line,) = log_lines()
    assert line["message"] == "two\nlines ä"
    assert line["object"] == "<class 'object'>"
    assert line["service"] == "sample"


def test_the_spans_ids_win_when_telemetry_is_on(sample: Sample, invoke: Invoke, log_lines: Lines) -> None:
    """With OpenTelemetry switched on, lines carry the ids of the span that is exported."""
    provider = TracerProvider(shutdown_on_exit=False)
    app = sample("/")
    app._telemetry["tracer_provider"] = provider  # pyright: ignore[reportPrivateUsage]  # or it is global
    invoke(app, rest_event("/greet?name=Ann", headers=[("traceparent", f"00-{TRACE}-{SPAN}-01")]))
    for line in log_lines():
        assert line["trace_id"] == TRACE
        assert line["span_id"] not in ("", SPAN)
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-1.2_3~4", True), ("a" * 128, True), ("a" * 129, False), ("has space", False), ('"><x', False), ("", False)],
)
def test_request_ids_from_outside(sample: Sample, serve: Serve, given: str, kept: bool) -> None:
    """A sane id is kept and answered; anything else is replaced by one of ours."""
    answered = httpx.get(serve(sample("/")), headers={"x-request-id": given}).headers["x-request-id"]
    assert (answered == given) is kept
    assert kept or re.fullmatch(r"[0-9a-f]{32}", answered)


def test_the_gateways_id_is_used_where_the_caller_has_none(sample: Sample, invoke: Invoke) -> None:
    """Behind the gateway the id is the one in the gateway's own log."""
    answered = invoke(sample("/"), rest_event("/")).headers["x-request-id"]
    assert answered == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def test_the_gateways_id_over_http(sample: Sample, serve: Serve) -> None:
    """Other kinds are told it in a header; a caller's own id wins, and what is not sane is ignored."""
    address = serve(sample("/"))
    told = {"x-stackyard-request-id": "the-gateways"}
    assert httpx.get(address, headers=told).headers["x-request-id"] == "the-gateways"
    assert httpx.get(address, headers={**told, "x-request-id": "mine"}).headers["x-request-id"] == "mine"
    forged = httpx.get(address, headers={"x-stackyard-request-id": "<script>"}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", forged)


def test_the_gateways_header_is_not_believed_on_lambda(sample: Sample, invoke: Invoke) -> None:
    """The event says it there, and no gateway overwrote the header."""
    event = rest_event("/", headers=[("x-stackyard-request-id", "forged")])
    assert invoke(sample("/"), event).headers["x-request-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.mark.parametrize(
    ("header", "value", "trace_id"),
    [
        ("traceparent", f"00-{TRACE}-{SPAN}-01", TRACE),
        ("traceparent", f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", TRACE),
        ("traceparent", f"ff-{TRACE}-{SPAN}-01", None),
        ("traceparent", f"00-{'0' * 32}-{SPAN}-01", None),
        ("traceparent", "nonsense", None),
        ("x-amzn-trace-id", f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1", ROOT),
        ("x-amzn-trace-id", f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=25:a87bd80c:1|68fd508a:5", ROOT),
        ("x-amzn-trace-id", f"Self=1-67891234-12456789abcdef012345678; Root={ROOT}", ROOT),
        ("x-amzn-trace-id", "Root=1-2-3", None),
    ],
)
def test_traces_from_outside(
    sample: Sample, invoke: Invoke, log_lines: Lines, header: str, value: str, trace_id: str | None
) -> None:
    """Both forms of trace header are understood; what is malformed is ignored."""
    invoke(sample("/"), rest_event("/", headers=[(header, value)]))
    assert log_lines()[0].get("trace_id") == trace_id
