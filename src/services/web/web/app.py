"""The service's routes: the page, its files, and the list of services where no gateway has it.

The server asks no other service anything. The browser does, at the page's own origin, so that what the page shows is
what its reader can reach, and nobody can have this server send a request for them. The list of services is the
gateway's (`catalog: true` in service.yaml): this server is not deployed anew when another service comes or goes.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from servicekit import Settings, create_app

STATIC = Path(__file__).parent / "static"
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
app = create_app(settings, title="web", description="A page for people: every service, and a form to try it.")


class Service(BaseModel):
    """One service as the gateway lists it; ``path`` is without the stage, ``example`` below it."""

    name: str
    kind: str
    path: str
    api_key: bool
    example: str | None


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
    root: str = request.scope["root_path"]
    stage = root.removesuffix(settings.service_path.rstrip("/"))
    text = (STATIC / "page.html").read_text(encoding="utf-8")
    for name, value in (("root", root), ("stage", stage), ("environment", settings.service_environment)):
        text = text.replace(f"{{{name}}}", escape(value))
    return HTMLResponse(text, headers={**HEADERS, "Content-Security-Policy": POLICY})


@app.get("/services.json")
async def services() -> list[Service]:
    """Tell of this service alone: what the page shows where it was started by hand."""
    own = Service(name=settings.service_name, kind="server", path=settings.service_path, api_key=False, example=None)
    return [own]
