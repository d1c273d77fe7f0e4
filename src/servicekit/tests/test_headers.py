"""What every answer tells browsers, on every way in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse
from servicekit.testing import rest_event

from servicekit import Settings, adopt, create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

DATA = "default-src 'none'; frame-ancestors 'none'"
ALL = {
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "cross-origin-opener-policy",
    "content-security-policy",
    "strict-transport-security",
    "cache-control",
}


def get(app: ASGIApp, path: str, url: str = "http://test", **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=url) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())


def security(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name in ALL}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/boom", "/greet", "/health"])
def test_answers_in_json(sample: Callable[..., FastAPI], path: str) -> None:
    """Good ones and errors of every kind, the unexpected one included."""
    assert security(get(sample(), path)) == {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "content-security-policy": DATA,
    }


def test_pages_keep_working(sample: Callable[..., FastAPI]) -> None:
    """The documentation has its script from elsewhere, and may; nobody may frame it."""
    told = security(get(sample(), "/docs"))
    assert told["content-security-policy"] == "base-uri 'self'; frame-ancestors 'none'; object-src 'none'"
    assert told["cross-origin-opener-policy"] == "same-origin-allow-popups"


def test_https_is_for_good_where_there_is_https(sample: Callable[..., FastAPI]) -> None:
    """Behind the gateway; not on a laptop, nor where a load balancer asks for health in the clear."""
    assert "strict-transport-security" not in get(sample(), "/").headers
    told = get(sample(), "/", **{"x-stackyard-host": "api.example.com", "x-forwarded-proto": "https"})
    assert told.headers["strict-transport-security"] == "max-age=31536000"


def test_a_function_says_the_same(
    sample: Callable[..., FastAPI], invoke: Callable[[FastAPI, dict[str, Any]], httpx.Response]
) -> None:
    """Behind API Gateway there is https always."""
    told = security(invoke(sample(), rest_event("/")))
    assert told["strict-transport-security"] == "max-age=31536000"
    assert told["content-security-policy"] == DATA


def test_what_is_for_one_caller_is_kept_by_nobody(sample: Callable[..., FastAPI]) -> None:
    """An answer to a request with credentials, unless it says itself how long it may be kept."""
    app = sample()

    @app.get("/kept")
    async def kept() -> PlainTextResponse:
        return PlainTextResponse("x", headers={"Cache-Control": "private, max-age=60"})

    assert get(app, "/", authorization="Bearer x").headers["cache-control"] == "no-store"
    assert get(app, "/kept", authorization="Bearer x").headers["cache-control"] == "private, max-age=60"
    assert "cache-control" not in get(app, "/").headers


def test_an_answer_has_its_own_way() -> None:
    """What it says is not said again; the rest is added. A service may change or leave out what all of it says."""
    app = create_app(
        Settings(), headers={"Referrer-Policy": "same-origin", "cross-origin-opener-policy": None, "X-Own": "yes"}
    )

    @app.get("/page")
    async def page() -> HTMLResponse:
        return HTMLResponse("", headers={"Content-Security-Policy": "default-src 'self'"})

    told = get(app, "/page").headers
    assert told.get_list("content-security-policy") == ["default-src 'self'"]
    assert told.get_list("x-content-type-options") == ["nosniff"]
    assert (told["referrer-policy"], told["x-own"]) == ("same-origin", "yes")
    assert "cross-origin-opener-policy" not in told


def test_an_adopted_application_has_them_if_it_wants() -> None:
    """Its answers stay as they were, until it asks for all of them, or for all but some."""
    own = FastAPI()

    @own.get("/framed")
    async def framed() -> HTMLResponse:
        return HTMLResponse("", headers={"X-Frame-Options": "SAMEORIGIN"})

    plain = adopt(own, Settings(), logs=False)
    assert security(get(plain, "/framed", authorization="Basic x")) == {}
    wanted = adopt(own, Settings(), logs=False, headers={"content-security-policy": None})
    told = security(get(wanted, "/framed"))
    assert told["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in told
