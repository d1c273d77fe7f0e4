"""Health, liveness and readiness answer what load balancers and deploys ask."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from fastapi import FastAPI

    Sample = Callable[..., FastAPI]
    Serve = Callable[[FastAPI], str]


def test_health_says_who_answers(sample: Sample, serve: Serve) -> None:
    """/health names service and environment; /liveness only lives; neither runs checks nor is in the document."""
    address = serve(sample("/", checks={"never": _fail}))
    assert httpx.get(f"{address}/health").json() == {"status": "ok", "service": "sample", "environment": "test"}
    assert httpx.get(f"{address}/liveness").json() == {"status": "ok"}
    assert httpx.head(f"{address}/health").status_code == 200
    assert not {"/health", "/liveness", "/readiness"} & set(httpx.get(f"{address}/openapi.json").json()["paths"])


def test_ready_when_every_check_passes(sample: Sample, serve: Serve) -> None:
    """Checks may be plain functions, async ones or return an awaitable; no checks at all is ready."""

    async def later() -> bool:
        return True

    address = serve(sample("/", checks={"plain": lambda: None, "async": later, "partial": functools.partial(later)}))
    report = httpx.get(f"{address}/readiness").json()
    assert report["status"] == "ok"
    assert {name: check["status"] for name, check in report["checks"].items()} == {
        "plain": "ok",
        "async": "ok",
        "partial": "ok",
    }
    assert httpx.get(serve(sample("/")) + "/readiness").json() == {"status": "ok", "checks": {}}


def test_not_ready_names_each_check(
    sample: Sample, serve: Serve, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """One failing check is a 503 that tells all of them apart; why it failed is in the log only."""
    released = threading.Event()

    async def hang() -> None:
        await asyncio.get_running_loop().create_future()

    checks = {
        "good": lambda: True,
        "false": lambda: False,
        "raises": _fail,
        "hangs": hang,
        "blocks": lambda: released.wait(30),
    }
    answer = httpx.get(serve(sample("/", checks=checks, check_timeout=0.2)) + "/readiness")
    released.set()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"] == "Not ready: false, raises, hangs, blocks."
    assert {name: check["status"] for name, check in problem["checks"].items()} == {
        "good": "ok",
        "false": "failed",
        "raises": "failed",
        "hangs": "no answer within 0.2 s",
        "blocks": "no answer within 0.2 s",
    }
    assert "secret-host" not in answer.text
    assert any("secret-host" in line.get("exception", "") for line in log_lines())


def test_checks_run_side_by_side(sample: Sample, serve: Serve) -> None:
    """Two checks that wait for one another both pass."""
    barrier = threading.Barrier(2)
    checks = {"one": lambda: barrier.wait(5), "two": lambda: barrier.wait(5)}
    assert httpx.get(serve(sample("/", checks=checks)) + "/readiness").status_code == 200


def test_a_checks_own_timeout_error_is_a_failure(
    sample: Sample, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """A TimeoutError from inside a check is not taken for ours."""

    def check() -> None:
        raise TimeoutError("the database's")

    problem = httpx.get(serve(sample("/", checks={"db": check})) + "/readiness").json()
    assert problem["checks"]["db"]["status"] == "failed"
    assert "check db: failed" in caplog.text


def _fail() -> None:
    raise ConnectionError("cannot reach secret-host")
