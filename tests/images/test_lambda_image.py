"""The Lambda image of a service: what is in it, and that it answers, built by a real docker engine.

``STACKYARD_BASE_IMAGE`` names another base image, where the public one cannot be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from servicekit.testing import RuntimeApi, rest_event

from tests.images.engine import ROOT, build, find_machines, read_content, start


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    with build(ROOT, "api", "lambda") as tag:
        yield tag


@pytest.fixture(scope="module")
def arm_image() -> Iterator[str]:
    with build(ROOT, "api", "lambda", "linux/arm64") as tag:
        yield tag


def test_only_what_runs_is_inside(image: str) -> None:
    """Own code and third-party packages, compiled, run by a number that is not root; no uv, no tests."""
    content = read_content(image)
    assert content.python.startswith("3.14.")
    assert content.user == 10001
    assert content.top == ["lib", "own"]
    assert {path.partition("/")[0] for path in content.own} == {"api", "servicekit"}
    assert {"awslambdaric", "fastapi"} <= set(content.lib)
    assert not {"bin", "httpx", "moto", "pip", "pytest", "stackyard", "uv", "uvicorn"} & set(content.lib)
    assert content.uncompiled == []
    assert content.writable == []
    assert [path for path in content.own if "tests" in path] == []


def test_it_answers(image: str) -> None:
    """The image answers events through its own runtime client, read-only and without capabilities, as on Lambda."""
    with RuntimeApi() as api:
        variables = {**api.environ, "SERVICE_NAME": "api", "SERVICE_ENVIRONMENT": "test"}
        with start(image, "api.lambda_handler.handler", options=("--network", "host"), **variables):
            health = api.invoke(rest_event("/health"))
            assert json.loads(health["body"]) == {"status": "ok", "service": "api", "environment": "test"}
            assert json.loads(api.invoke(rest_event("/greet?name=Ann"))["body"]) == {"message": "Hello, Ann!"}


def test_arm64_needs_no_emulation(image: str, arm_image: str) -> None:
    """The arm64 image is built here and has arm64's libraries in it."""
    machines = {tag: find_machines(tag) for tag in (image, arm_image)}
    assert machines == {image: {"x86_64-linux-gnu.so"}, arm_image: {"aarch64-linux-gnu.so"}}
