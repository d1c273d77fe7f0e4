"""Every service is sent its full public path; what it says about itself is true wherever it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest
from servicekit.paths import PUBLIC_HOST_HEADER, PUBLIC_PATH_HEADER, ahead_of
from servicekit.testing import rest_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    Ask = Callable[[str], httpx.Response]
    Invoke = Callable[..., httpx.Response]
    Sample = Callable[[str], FastAPI]
    Serve = Callable[[FastAPI], str]

SERVICE_PATHS = ["/", "/worker", "/deep/worker"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gateway's URL stands: what a caller has to write before the service's path."""

    ahead: str
    base_path: str | None = None


PLACES = {
    "stage": Place("/dev"),
    "custom domain": Place("", ""),
    "base path": Place("/v1", "/v1"),
    "base path without stage": Place("/v1/dev", "/v1/dev"),
}


@pytest.fixture(params=SERVICE_PATHS)
def service_path(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    return PLACES[request.param]


@pytest.fixture(params=["lambda", "uvicorn"])
def ask(
    request: pytest.FixtureRequest,
    sample: Sample,
    invoke: Invoke,
    serve: Serve,
    service_path: str,
    place: Place,
) -> Ask:
    """Return a function that asks the service for a path below its own."""
    app = sample(service_path)
    own = service_path.rstrip("/")
    if request.param == "lambda":
        return lambda path: invoke(
            app, rest_event(own + path, service_path=service_path, stage="dev", base_path=place.base_path)
        )
    address = serve(app)

    def over_http(path: str) -> httpx.Response:
        public = (place.ahead + own + path).split("?")[0]
        return httpx.get(address + own + path, headers={PUBLIC_PATH_HEADER: public})

    return over_http


def test_routes_match_and_links_are_public(ask: Ask, service_path: str, place: Place) -> None:
    """Routes match, and /docs, the OpenAPI document, redirects and url_for name the public path."""
    root = place.ahead + service_path.rstrip("/")

    index = ask("/")
    assert (index.status_code, index.json()) == (200, {"route": "index"})

    docs = ask("/docs")
    assert re.findall(r"url: '([^']+)'", docs.text) == [f"{root}/openapi.json"]
    assert ask("/openapi.json").json().get("servers", [{"url": ""}]) == [{"url": root}]

    item = ask("/items/a%20b%2Fc?x=1").json()
    assert item["name"] == "a b/c"
    assert _path(item["link"]) == f"{root}/items/other"
    assert _path(item["url"]) == f"{root}/items/a b/c"

    redirect = ask("/greet/?name=Ann")
    assert redirect.headers["location"].endswith(f"{root}/greet?name=Ann")
    assert "://" in redirect.headers["location"]

    missing = ask("/nowhere")
    assert missing.json()["status"] == 404
    assert missing.json()["instance"] == f"{root}/nowhere"


@pytest.mark.parametrize("service_path", ["/worker"])
def test_bare_service_path_is_the_index(ask: Ask) -> None:
    """The service's path without a slash is answered, not redirected to what the gateway takes for the same."""
    assert ask("").json() == {"route": "index"}


def test_health_check_straight_at_the_container(sample: Sample, serve: Serve) -> None:
    """A path outside of the service's own still matches a route: load balancers and people do not know the prefix."""
    address = serve(sample("/worker"))
    assert httpx.get(f"{address}/health").json()["status"] == "ok"
    assert httpx.get(f"{address}/worker/health").json()["status"] == "ok"
    assert httpx.get(f"{address}/workers").status_code == 404


@pytest.mark.parametrize(
    "forged",
    [
        "//evil.example/worker/docs",
        "/..//worker/docs",
        "/<script>/worker/docs",
        "https://evil.example/worker/docs",
        "/x",
    ],
)
def test_forged_public_path(sample: Sample, serve: Serve, forged: str) -> None:
    """A public path that is not plain segments before the request's own path is ignored."""
    docs = httpx.get(serve(sample("/worker")) + "/worker/docs", headers={PUBLIC_PATH_HEADER: forged})
    assert re.findall(r"url: '([^']+)'", docs.text) == ["/worker/openapi.json"]


def test_header_is_not_believed_on_lambda(sample: Sample, invoke: Invoke) -> None:
    """On Lambda the event says the public path, whatever a client's header does."""
    event = rest_event("/worker/docs", service_path="/worker", headers=[(PUBLIC_PATH_HEADER, "/evil/worker/docs")])
    assert re.findall(r"url: '([^']+)'", invoke(sample("/worker"), event).text) == ["/dev/worker/openapi.json"]


@pytest.mark.parametrize(
    ("host", "proto", "port", "public"),
    [
        ("api.example.com", "https", "443", "https://api.example.com"),
        ("api.example.com", "", "", "https://api.example.com"),
        ("127.0.0.1", "http", "8080", "http://127.0.0.1:8080"),
        ("[::1]", "http", "80", "http://[::1]"),
        ("evil.example/x", "https", "443", "http://balancer.internal"),
        ("evil.example:1", "https", "443", "http://balancer.internal"),
        ("", "http", "80", "http://balancer.internal"),
    ],
)
def test_absolute_links_name_the_host_that_was_asked(
    sample: Sample, serve: Serve, host: str, proto: str, port: str, public: str
) -> None:
    """Behind the gateway ``Host`` is the integration's; the public one is told, and must look like one."""
    told = {"x-forwarded-proto": proto, "x-forwarded-port": port, PUBLIC_PATH_HEADER: "/dev/worker/items/7"}
    sent = {name: each for name, each in told.items() if each}
    sent |= {"host": "balancer.internal", PUBLIC_HOST_HEADER: host}
    item = httpx.get(f"{serve(sample('/worker'))}/worker/items/7", headers=sent).json()
    expected = f"{public}/dev/worker/items/7"
    if public.endswith(".internal"):
        # Left as it came: the scheme is the server's own business then.
        assert item["url"].partition("://")[2] == expected.partition("://")[2]
    else:
        assert item["url"] == expected


@pytest.mark.parametrize(
    ("public", "path", "ahead"),
    [
        ("/dev/a", "/a", "/dev"),
        ("/dev", "/", "/dev"),
        ("/dev/", "/", "/dev"),
        ("/dev/a/", "/a", "/dev"),
        ("/a", "/a", ""),
        ("/dev/b", "/a", ""),
        ("", "/a", ""),
        ("/dev/ä b", "/ä b", "/dev"),
    ],
)
def test_ahead_of(public: str, path: str, ahead: str) -> None:
    """What lies ahead is what the public path has before the path, or nothing where they do not belong together."""
    assert ahead_of(public, path) == ahead


def _path(url: str) -> str:
    return re.sub(r"^https?://[^/]+", "", url).split("?")[0]
