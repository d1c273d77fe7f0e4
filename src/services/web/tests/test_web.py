"""The page and what it is told, under uvicorn's command; what a browser makes of it is in tests/browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that serves the service with some variables and returns its address."""
    started: list[subprocess.Popen[bytes]] = []

    def start(**variables: str) -> str:
        log = tmp_path / f"log{len(started)}"
        argv = [sys.executable, "-m", "uvicorn", "web.app:app", "--port", "0"]
        env = {name: value for name, value in os.environ.items() if not name.startswith("SERVICE_")} | variables
        with log.open("wb") as output:
            started.append(subprocess.Popen(argv, env=env, stdout=output, stderr=output))
        deadline = time.monotonic() + 30
        while (found := re.search(r"running on (http://[\d.:]+)", log.read_text())) is None:
            assert started[-1].poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            threading.Event().wait(0.02)
        return found[1]

    yield start
    for process in started:
        process.terminate()
        process.wait()


@pytest.fixture
def deployed(serve: Callable[..., str]) -> str:
    """The service as a deploy starts it, at /web."""
    return serve(SERVICE_NAME="web", SERVICE_ENVIRONMENT="dev", SERVICE_PATH="/web")


def test_the_page_names_public_paths(deployed: str) -> None:
    """With a stage and without, with a slash at the end and without; a forged prefix stays out."""
    for public, root in (("/dev/web", "/dev/web"), ("/dev/web/", "/dev/web"), ("/web", "/web"), ("/<b>/web", "/web")):
        own = "/web/" if public.endswith("/") else "/web"
        page = httpx.get(deployed + own, headers={"x-stackyard-path": public})
        links = re.findall(r'(?:href|src)="(/[^"]+)"', page.text)
        assert links == [f"{root}/static/{name}" for name in ("icon.svg", "page.css", "page.js")]
        assert "<title>Services · dev</title>" in page.text
        assert f'data-stage="{root.removesuffix("/web")}"' in page.text
        assert "{" not in page.text


def test_started_by_hand_it_knows_itself(serve: Callable[..., str], deployed: str) -> None:
    """Without a gateway the page works and has one service; the list has the gateway's form, without the stage."""
    address = serve()
    assert 'src="/static/page.js"' in httpx.get(address).text
    own = {"kind": "server", "api_key": False, "example": None}
    assert httpx.get(f"{address}/services.json").json() == [{"name": "service", "path": "/", **own}]
    asked = httpx.get(f"{deployed}/web/services.json", headers={"x-stackyard-path": "/dev/web/services.json"})
    assert asked.json() == [{"name": "web", "path": "/web", **own}]


def test_files_are_asked_for_anew_and_sent_once(deployed: str) -> None:
    """A browser asks each time, since a deploy changes files, and is told that it has them."""
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        url = f"{deployed}/web/static/{name}"
        first = httpx.get(url)
        assert first.headers["content-type"].startswith(kind)
        assert (first.headers["cache-control"], first.headers["x-content-type-options"]) == ("no-cache", "nosniff")
        assert httpx.get(url, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    for path in ("static/../app.py", "static/%2e%2e/app.py", "static/page.html/x", "static/"):
        assert httpx.get(f"{deployed}/web/{path}").status_code == 404


def test_health_and_docs_are_every_services_own(deployed: str) -> None:
    """The page's rules do not reach them."""
    assert httpx.get(f"{deployed}/health").json()["service"] == "web"
    docs = httpx.get(f"{deployed}/web/docs")
    # Its script comes from elsewhere.
    assert "default-src" not in docs.headers["content-security-policy"]
    assert set(httpx.get(f"{deployed}/web/openapi.json").json()["paths"]) == {"/services.json"}
