"""The service's routes: the page, its files, and what the page knows of the environment.

The server asks no other service anything. The browser does, at the page's own origin, so that what the page shows is
what its reader can reach, and nobody can have this server send a request for them.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from servicekit import Settings, Sibling, create_app

STATIC = Path(__file__).parent / "static"
KINDS = {"lambda": "Lambda", "apprunner": "App Runner", "ecs": "ECS", "eks": "EKS"}
# Files may change with every deploy under the same name: browsers ask each time, and are told "not modified".
HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)

settings = Settings.from_environ()
# Told by the deploy. Started by hand, the page knows itself alone.
SIBLINGS = settings.service_siblings or (
    Sibling(name=settings.service_name, kind="server", path=settings.service_path, example="/services"),
)
app = create_app(settings, title="web", description="A page for people: every service, and a form to try it.")


class Service(BaseModel):
    """One service, as the page shows it; paths have the stage before them."""

    name: str
    kind: str
    path: str
    health: str
    docs: str
    example: str | None
    api_key: bool


class Environment(BaseModel):
    """Every service of the environment that the page stands in."""

    environment: str
    stage: str
    services: list[Service]


class Files(StaticFiles):
    """The page's files, with the headers that all of it has."""

    def file_response(self, *args: Any, **options: Any) -> Any:
        """Answer with a file, or with 304 where the browser has it."""
        response = super().file_response(*args, **options)
        response.headers.update(HEADERS)
        return response


app.mount("/static", Files(directory=STATIC), name="static")


@app.get("/", include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    """Answer with the page; its links name the public path, with or without a slash at the end."""
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    filled = text.replace("{root}", escape(request.scope["root_path"])).replace(
        "{environment}", escape(settings.service_environment)
    )
    return HTMLResponse(filled, headers={**HEADERS, "Content-Security-Policy": POLICY})


@app.get("/services")
async def services(request: Request) -> Environment:
    """Tell every service of the environment, as it was deployed."""
    stage: str = request.scope["root_path"].removesuffix(settings.service_path.rstrip("/"))
    return Environment(
        environment=settings.service_environment,
        stage=stage,
        services=[describe(sibling, stage) for sibling in SIBLINGS],
    )


def describe(sibling: Sibling, stage: str) -> Service:
    """Put a service's public paths together."""
    path = stage + sibling.path
    below = path.rstrip("/")
    return Service(
        name=sibling.name,
        kind=KINDS.get(sibling.kind, sibling.kind),
        path=path,
        health=f"{below}/health",
        docs=f"{below}/docs",
        example=f"{below}{sibling.example}" if sibling.example else None,
        api_key=sibling.api_key,
    )
