"""The application: settings read at import, a lifespan, middleware, error handlers, mounted applications, files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles

from bookshop import books, till

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.responses import Response

TOKEN = os.environ.get("SHOP_TOKEN", "")
PAGES = Path(__file__).parent / "pages"


class SoldOutError(Exception):
    """Nothing left of it."""


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    app.state.shelf = {"1": books.Book(title="The Left Hand of Darkness", pages=304)}
    app.state.openings = getattr(app.state, "openings", 0) + 1
    app.state.posted = []
    yield
    app.state.shelf = None


app = FastAPI(title="bookshop", lifespan=lifespan)
app.root_path = os.environ.get("SHOP_ROOT", "/shop")  # where it stood before
app.add_middleware(GZipMiddleware, minimum_size=200)
app.add_middleware(CORSMiddleware, allow_origins=["https://readers.example"], allow_methods=["GET", "PUT"])
app.include_router(books.router)
app.include_router(till.router)

reports = FastAPI(title="reports")


@reports.get("/daily")
async def daily(request: Request) -> dict[str, str]:
    return {"url": str(request.url), "for": str(request.url_for("daily"))}


app.mount("/reports", reports)
app.mount("/static", StaticFiles(directory=PAGES), name="static")


@app.middleware("http")
async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if TOKEN and request.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"detail": "who are you?"}, 401)
    response = await call_next(request)
    response.headers["x-shop"] = "open"
    response.headers.append("x-passed", "guard")
    return response


@app.middleware("http")
async def clock(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    request.state.before = "clock"
    response = await call_next(request)
    response.headers.append("x-passed", "clock")
    return response


@app.exception_handler(SoldOutError)
async def sold_out(_request: Request, _error: SoldOutError) -> Response:
    return PlainTextResponse("sold out", 410)


@app.get("/order")
def order(book: int) -> None:
    if book == 13:
        raise RuntimeError("the till is on fire")
    raise SoldOutError


@app.get("/readiness")
async def readiness() -> dict[str, str]:
    return {"shop": "open for business"}


# What no route takes is a file, as single-page applications want it.
app.mount("/", StaticFiles(directory=PAGES, html=True))
