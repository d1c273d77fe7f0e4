"""The three questions that load balancers, deploys and people ask a service.

``/health`` says who answers, ``/liveness`` that the process does, ``/readiness`` whether what the service needs is
there: it runs the checks that the service brought along. Owns how checks are run; knows none of its own.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from servicekit.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

    from servicekit.settings import Settings

    Endpoint = Callable[[Request], Awaitable[Response]]
    Check = Callable[[], Awaitable[object]] | Callable[[], object]

PROBES = ("/health", "/liveness", "/readiness")

_log = logging.getLogger("servicekit.health")


def add_health(app: FastAPI, settings: Settings, checks: Mapping[str, Check], timeout: float) -> None:
    """Add the three routes. ``timeout`` is in seconds, for each check; checks run side by side."""
    # Plain routes: not part of what the service offers, so not of its OpenAPI document, and cheaper to start.
    for path, endpoint in probes(settings, checks, timeout).items():
        app.add_route(path, endpoint, include_in_schema=False)


def probes(settings: Settings, checks: Mapping[str, Check], timeout: float) -> dict[str, Endpoint]:
    """Return the three endpoints by their paths."""
    identity = {"service": settings.service_name, "environment": settings.service_environment}

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", **identity})

    async def liveness(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readiness(_request: Request) -> Response:
        results = await asyncio.gather(*(_run(name, check, timeout) for name, check in checks.items()))
        report = dict(zip(checks, results, strict=True))
        failed = [name for name, result in report.items() if result["status"] != "ok"]
        if failed:
            return Problem(503, f"Not ready: {', '.join(failed)}.", members={"checks": report})
        return JSONResponse({"status": "ok", "checks": report})

    return dict(zip(PROBES, (health, liveness, readiness), strict=True))


async def _run(name: str, check: Check, timeout: float) -> dict[str, Any]:
    start = time.perf_counter()
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            if inspect.iscoroutinefunction(check):
                answer = await check()
            else:
                answer = await asyncio.to_thread(check)
                if inspect.isawaitable(answer):
                    answer = await answer
        status = "failed" if answer is False else "ok"
    except Exception:  # noqa: BLE001  a check may fail in any way, and its text may be secret: it goes to the log only
        status = f"no answer within {timeout:g} s" if limit.expired() else "failed"
        _log.warning("check %s: %s", name, status, exc_info=not limit.expired())
    return {"status": status, "ms": round((time.perf_counter() - start) * 1000, 1)}
