"""Finding a route, against a search through all of them; counting requests, against a clock of our own."""

from __future__ import annotations

from typing import Any

import pytest
from gateway_lab import arn, method
from hypothesis import given
from hypothesis import strategies as st

from stackyard.errors import ConfigError
from stackyard.local.gateway.deployment import Quota, Throttle
from stackyard.local.gateway.limits import Allowance, Bucket
from stackyard.local.gateway.routes import Router

SEGMENTS = st.sampled_from(["a", "b", "c", "{id}"])
PATHS = st.lists(SEGMENTS, max_size=3).flatmap(
    lambda parts: st.sampled_from(["/" + "/".join(parts), "/" + "/".join([*parts, "{proxy+}"])])
)


class Clock:
    """A time that moves when it is told to."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def _document(paths: list[str]) -> dict[str, Any]:
    return {"paths": {path: {"x-amazon-apigateway-any-method": method("x")} for path in paths}}


def _http(uri: str, **parameters: str) -> dict[str, Any]:
    integration = {"type": "http_proxy", "httpMethod": "ANY", "uri": uri, "requestParameters": parameters}
    return {"x-amazon-apigateway-integration": integration}


def _rank(path: str, target: list[str]) -> tuple[int, ...] | None:
    """Return how specific a path's match is, smaller first, or None where it does not match."""
    parts = path.strip("/").split("/") if path != "/" else []
    rank: list[int] = []
    for at, part in enumerate(parts):
        if at >= len(target):
            return None
        if part.endswith("+}"):
            return (*rank, 2)
        if part.startswith("{"):
            rank.append(1)
        elif part == target[at]:
            rank.append(0)
        else:
            return None
    return tuple(rank) if len(parts) == len(target) else None


@given(st.lists(PATHS, min_size=1, max_size=8, unique=True), st.lists(st.sampled_from("abcz"), max_size=4))
def test_the_most_specific_route_is_found(paths: list[str], target: list[str]) -> None:
    """The compiled routes agree with a search that ranks every path segment by segment."""
    ranked = sorted((rank, path) for path in paths if (rank := _rank(path, target)) is not None)
    found = Router(_document(paths)).match("GET", "/" + "/".join(target))
    assert (found.method.resource if found else None) == (ranked[0][1] if ranked else None)


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        ({"x-amazon-apigateway-integration": {"type": "mock", "uri": "http://x"}}, "status code"),
        ({"x-amazon-apigateway-integration": {"type": "http", "uri": "http://x"}}, "'http'"),
        (_http("ftp://x"), "ftp://x"),
        (_http("arn:aws:x"), "is no http"),
        (_http("http://{host}/x"), "is no http"),
        (_http("http://${stageVariables.gone}/x"), "no stage variable 'gone'"),
        (_http("http://x/{proxy}"), "integration.request.path.proxy"),
        (_http("http://x", **{"integration.request.body": "method.request.body"}), "integration.request.body"),
        (_http("http://x", **{"integration.request.header.x": "method.request.body"}), "method.request.body"),
        (_http("http://x", **{"integration.request.header.x": "context.authorizer.x"}), "context.authorizer.x"),
        (_http("http://x", **{"integration.request.header.Host": "'y'"}), "the gateway's own"),
        (_http("http://x", **{"integration.request.header.x": "stageVariables.gone"}), "no stage variable 'gone'"),
        ({"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": "arn:nonsense"}}, "arn:nonsense"),
        ({}, "x-amazon-apigateway-integration"),
        ("text", "paths./odd.get"),
    ],
)
def test_what_cannot_be_served_is_named(operation: object, place: str) -> None:
    """The error says where in the document and what was found there."""
    with pytest.raises(ConfigError, match=r"paths\./odd\.get") as caught:
        Router({"paths": {"/odd": {"get": operation}}})  # pyright: ignore[reportArgumentType]  (bad on purpose)
    assert place in str(caught.value)


def test_keys_are_asked_for_where_the_document_says_so() -> None:
    """A requirement of the whole document holds until an operation says otherwise."""
    document = _document(["/closed", "/open"])
    document["components"] = {"securitySchemes": {"api_key": {"type": "apiKey"}, "sigv4": {"type": "http"}}}
    document["security"] = [{"api_key": []}]
    document["paths"]["/open"]["x-amazon-apigateway-any-method"]["security"] = [{"sigv4": []}]
    router = Router(document)
    closed, opened = router.match("GET", "/closed"), router.match("GET", "/open")
    assert closed is not None
    assert opened is not None
    assert (closed.method.needs_key, opened.method.needs_key) == (True, False)
    assert closed.method.target == arn("x")


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """Two at once, then one each half second, and never more than the burst however long nobody asked."""
    clock = Clock()
    bucket = Bucket(Throttle(rate=2, burst=2), clock)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    clock.now = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.now = 100
    assert [bucket.take() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(("period", "days"), [("DAY", 1), ("WEEK", 7), ("MONTH", 31)])
def test_a_quota_starts_again_with_its_period(period: str, days: int) -> None:
    """Used up until the period ends (from Sunday, 2026-03-01 00:00 UTC, where all three begin)."""
    clock = Clock(1_772_323_200.0)
    quota = Allowance(Quota.model_validate({"limit": 2, "period": period}), clock)
    assert [quota.take() for _ in range(3)] == [True, True, False]
    clock.now += days * 86_400 - 1
    assert not quota.take()
    clock.now += 1
    assert quota.take()
