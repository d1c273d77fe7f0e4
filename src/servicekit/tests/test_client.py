"""Calls to siblings go to the right address and keep one request's ids together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI, Request
from opentelemetry.sdk.trace import TracerProvider

from servicekit import Settings, SettingsError, service_client

if TYPE_CHECKING:
    from collections.abc import Callable

    Sample = Callable[..., FastAPI]
    Serve = Callable[[FastAPI], str]

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
XRAY = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def sibling(sample: Sample, serve: Serve) -> Settings:
    """Serve a sibling at /worker that tells what it was sent, and return settings that lead to it."""
    app = sample("/worker")

    @app.get("/sent")
    async def sent(request: Request) -> dict[str, str]:
        return dict(request.headers)

    return Settings(service_url_base=serve(app) + "/")


def test_ids_are_passed_on(sample: Sample, serve: Serve, sibling: Settings) -> None:
    """A call made while serving a request carries its request id and both kinds of trace context."""
    app = _caller(sample, sibling)
    ids = {"x-request-id": "mine-1", "traceparent": TRACEPARENT, "tracestate": "a=1", "x-amzn-trace-id": XRAY}
    sent = httpx.get(serve(app) + "/call", headers=ids).json()
    assert {name: sent.get(name) for name in ids} == ids
    assert sent["x-api-key"] == "k"


def test_nothing_is_made_up(sample: Sample, serve: Serve, sibling: Settings) -> None:
    """Without a trace there is none to pass on, but there is always a request id."""
    sent = httpx.get(serve(_caller(sample, sibling)) + "/call", headers={"tracestate": "a=1"}).json()
    assert len(sent["x-request-id"]) == 32
    assert not {"traceparent", "tracestate", "x-amzn-trace-id"} & set(sent)


def test_a_span_of_ours_becomes_the_parent(sample: Sample, serve: Serve, sibling: Settings) -> None:
    """With OpenTelemetry switched on, the sibling's parent is our span, in the same trace."""
    app = _caller(sample, sibling)
    provider = TracerProvider(shutdown_on_exit=False)
    app._telemetry["tracer_provider"] = provider  # pyright: ignore[reportPrivateUsage]  # or it is global
    sent = httpx.get(serve(app) + "/call", headers={"traceparent": TRACEPARENT}).json()["traceparent"]
    assert sent.split("-")[1] == TRACEPARENT.split("-")[1]
    assert sent.split("-")[2] != TRACEPARENT.split("-")[2]


def test_outside_of_a_request_and_by_hand(sibling: Settings) -> None:
    """A client works without a request, and a header that is given is not overwritten."""

    async def call() -> Any:
        async with service_client("worker", sibling) as client:
            answers = [await client.get("/sent"), await client.get("sent", headers={"x-request-id": "by-hand"})]
        return [answer.json() for answer in answers]

    without, by_hand = asyncio.run(call())
    assert "x-request-id" not in without
    assert by_hand["x-request-id"] == "by-hand"


def test_a_dead_sibling_is_given_up(sample: Sample, serve: Serve) -> None:
    """A sibling that does not answer within the time is an error, not a hang."""
    app = sample("/")

    @app.get("/hang")
    async def hang(request: Request) -> None:
        while not await request.is_disconnected():
            await asyncio.sleep(0.01)

    settings = Settings(service_url_base=serve(app))

    async def call() -> None:
        async with service_client("/", settings, timeout=0.2) as client:
            await client.get("/hang")

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(call())


def test_no_address() -> None:
    """A client without an address names the variable that has it."""
    with pytest.raises(SettingsError, match="SERVICE_URL_BASE: is not set"):
        service_client("/worker", Settings())


def _caller(sample: Sample, sibling: Settings) -> FastAPI:
    app = sample("/")

    @app.get("/call")
    async def call() -> dict[str, str]:
        async with service_client("/worker", sibling, headers={"x-api-key": "k"}) as client:
            return (await client.get("/sent")).json()

    return app
