"""The till: forms, cookies, redirects, background tasks, downloads, and what a request says of itself."""

from __future__ import annotations

import hashlib
import os
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Cookie, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

router = APIRouter(prefix="/till", tags=["till"])


@router.get("/state")
async def state(request: Request) -> dict[str, int]:
    return {"process": os.getpid(), "openings": request.app.state.openings}


@router.post("/basket")
async def fill(
    title: Annotated[str, Form()], copies: Annotated[int, Form()], response: Response
) -> dict[str, str | int]:
    response.set_cookie("basket", f"{copies}", httponly=True, samesite="lax", path="/")
    response.set_cookie("last", "yes", max_age=60)
    return {"title": title, "copies": copies}


@router.get("/basket")
async def basket(
    basket: Annotated[str | None, Cookie()] = None, last: Annotated[str | None, Cookie()] = None
) -> list[str | None]:
    return [basket, last]


@router.post("/pay")
async def pay(request: Request) -> Response:
    return RedirectResponse(request.url_for("receipt", number="7"), 303)


@router.get("/old")
async def old() -> Response:
    return RedirectResponse("receipts/7", 301)


@router.get("/receipts/{number}", name="receipt")
async def receipt(number: str, request: Request) -> Response:
    home, style = request.url_for("state"), request.url_for("static", path="index.html")
    return HTMLResponse(f'<a href="{home}">{number}</a> <link href="{style}">')


@router.post("/letters", status_code=202)
async def post(words: Annotated[str, Query()], tasks: BackgroundTasks, request: Request) -> dict[str, int]:
    tasks.add_task(request.app.state.posted.append, words)
    return {"before": len(request.app.state.posted)}


@router.get("/letters")
async def letters(request: Request) -> list[str]:
    return request.app.state.posted


@router.get("/seen/{rest:path}")
async def seen(rest: str, request: Request) -> dict[str, object]:
    return {
        "rest": rest,
        "url": str(request.url),
        "base": str(request.base_url),
        "query": request.query_params.multi_items(),
        "client": request.client.host if request.client else None,
        "before": request.state.before,
        "accept": request.headers.getlist("accept"),
        "twice": request.headers.getlist("x-twice"),
    }


@router.patch("/echo")
async def echo(request: Request) -> dict[str, str | int]:
    body = await request.body()
    return {"method": request.method, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


@router.get("/cover")
async def cover() -> Response:
    return Response(bytes(range(256)) * 64, media_type="image/png", headers={"content-disposition": "attachment"})


@router.delete("/basket", status_code=204)
async def empty(response: Response) -> None:
    response.delete_cookie("basket")


@router.get("/secret")
async def secret() -> Response:
    return Response("who are you?", 401, {"www-authenticate": "Basic realm=till"})
