"""Pages of other origins, as a browser asks for them: through uvicorn's ASGI and through the gateway's event."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from servicekit.testing import rest_event

from servicekit import Settings, SettingsError, adopt, create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from starlette.types import ASGIApp

SHOP = "https://shop.example.com"
ASKS = {"origin": SHOP, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
CORS = {
    "origins": [SHOP, "http://localhost:3000"],
    "methods": ["GET", "POST"],
    "headers": ["x-api-key"],
    "expose": ["x-request-id"],
    "credentials": True,
    "max_age": 60,
}


def made(cors: dict[str, Any] | None, path: str = "/") -> FastAPI:
    environ = {"SERVICE_PATH": path, "SERVICE_CORS": json.dumps(cors) if cors else ""}
    app = create_app(Settings.from_environ(environ))

    @app.get("/orders")
    async def orders() -> list[int]:
        return [1]

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("the password is hunter2")

    return app


def ask(app: ASGIApp, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


def test_a_preflight_is_answered_without_the_application() -> None:
    """With what service.yaml allows, whatever the path; the route itself has no OPTIONS."""
    answer = ask(made(CORS), "OPTIONS", "/orders", ASKS)
    assert answer.status_code == 200
    told = {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}
    assert told == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "Accept, Accept-Language, Content-Language, Content-Type, x-api-key",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "60",
    }
    assert "origin" in answer.headers["vary"].lower()
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://shop.example.com.evil.example"},
        {"origin": "http://shop.example.com"},
        {"origin": "https://shop.example.com:8443"},
        {"origin": "null"},
        {"access-control-request-method": "DELETE"},
        {"access-control-request-headers": "x-admin"},
    ],
    ids=lambda wrong: next(iter(wrong.values())),
)
def test_nothing_else_is_allowed(wrong: dict[str, str]) -> None:
    """Another origin, a look-alike, another method, another header: the browser is told no."""
    answer = ask(made(CORS), "OPTIONS", "/orders", {**ASKS, **wrong})
    assert answer.status_code == 400
    if "origin" in wrong:
        assert "access-control-allow-origin" not in answer.headers
        assert "access-control-allow-origin" not in ask(made(CORS), "GET", "/orders", wrong).headers


@pytest.mark.parametrize("path", ["/orders", "/missing", "/boom", "/health"])
def test_every_answer_can_be_read(path: str) -> None:
    """Errors, too: a page that cannot read a 500 reports a network error."""
    answer = ask(made(CORS), "GET", path, {"origin": SHOP})
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert answer.headers["access-control-expose-headers"] == "x-request-id"
    assert len(answer.headers.get_list("x-request-id")) == 1


def test_any_origin_gets_no_credentials() -> None:
    """A star is answered as a star: a browser sends no cookies for it."""
    answer = ask(made({"origins": ["*"]}), "GET", "/orders", {"origin": "https://any.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_without_the_setting_nothing_is_said() -> None:
    """And a preflight finds no route."""
    assert ask(made(None), "OPTIONS", "/orders", ASKS).status_code == 405
    assert "access-control-allow-origin" not in ask(made(None), "GET", "/orders", {"origin": SHOP}).headers


def test_on_lambda_it_is_the_same(invoke: Callable[[FastAPI, dict[str, Any]], httpx.Response]) -> None:
    """The gateway hands OPTIONS on like any method."""
    event = rest_event("/worker/orders", "OPTIONS", service_path="/worker", headers=ASKS.items())
    answer = invoke(made(CORS, "/worker"), event)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SHOP)


def test_an_adopted_application_has_it_too() -> None:
    """In front of its own middleware."""
    app = adopt(made(None), Settings(service_cors=json.dumps(CORS)), logs=False)  # pyright: ignore[reportArgumentType]  (as the variable has it)
    assert ask(app, "OPTIONS", "/orders", ASKS).headers["access-control-allow-origin"] == SHOP


@pytest.mark.parametrize("text", ["{", "[]", '{"origins": "https://a.example"}', '{"origins": [], "orgins": []}'])
def test_a_wrong_setting_ends_the_start(text: str) -> None:
    """And is named."""
    with pytest.raises(SettingsError, match="SERVICE_CORS"):
        Settings.from_environ({"SERVICE_CORS": text})
