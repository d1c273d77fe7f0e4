"""Services behind HTTP: their processes, from the first start through reloads and crashes to the end."""

from __future__ import annotations

from gateway_lab import Lab

HELLO = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/web/greet")
async def greet(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello, {name}!"}
"""


def test_a_service_behind_http_answers(lab: Lab) -> None:
    """A FastAPI application under uvicorn, with the stage in the address and without."""
    lab.server("web", HELLO)
    lab.start()
    for prefix in ("", "/local"):
        got = lab.client.get(f"{prefix}/web/greet", params={"name": "a b"})
        assert (got.status_code, got.json()) == (200, {"message": "Hello, a b!"})
    assert lab.client.get("/web").status_code == 404
