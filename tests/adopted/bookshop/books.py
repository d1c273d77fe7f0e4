"""Books: a router with a prefix, a dependency, an upload and a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, File, HTTPException, Request, UploadFile, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

router = APIRouter(prefix="/books", tags=["books"])


class Book(BaseModel):
    """A book on the shelf."""

    title: str
    pages: int


def shelf_of(request: Request) -> dict[str, Book]:
    """Return the shelf that the lifespan put up."""
    return request.app.state.shelf


Shelf = Annotated[dict[str, Book], Depends(shelf_of)]


@router.get("/{number}", name="book")
async def read(number: str, shelf: Shelf, request: Request) -> dict[str, str | int]:
    if number not in shelf:
        raise HTTPException(404, f"no book {number}")
    return {"title": shelf[number].title, "pages": shelf[number].pages, "self": str(request.url)}


@router.put("/{number}", status_code=201)
def write(number: str, book: Book, shelf: Shelf, request: Request) -> dict[str, str]:
    shelf[number] = book
    return {"self": str(request.url_for("book", number=number))}


@router.post("/{number}/scan")
async def scan(number: str, scan: Annotated[UploadFile, File()]) -> dict[str, str | int | None]:
    content = await scan.read()
    return {"number": number, "name": scan.filename, "size": len(content), "sum": sum(content)}


@router.get("/{number}/text")
async def text(number: str) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for line in range(3):
            yield f"{number}, line {line}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@router.websocket("/{number}/readers")
async def readers(socket: WebSocket, number: str) -> None:
    await socket.accept()
    await socket.send_text(f"reading {number}")
    await socket.close()
