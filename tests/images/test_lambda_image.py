"""The Lambda image of a service: what is in it, and that it answers, built by a real docker engine.

Skipped where there is no engine. ``STACKYARD_BASE_IMAGE`` names another base image, where the public one cannot be had.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from servicekit.testing import RuntimeApi, rest_event

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, pathlib, platform, sys
app = pathlib.Path("/app")
sources = [p for p in app.rglob("*.py")]
print(json.dumps({
    "python": platform.python_version(),
    "user": os.getuid(),
    "top": sorted(p.name for p in app.iterdir()),
    "own": sorted(p.name for p in (app / "own").iterdir() if p.suffix != ".dist-info"),
    "lib": sorted(p.name for p in (app / "lib").iterdir()),
    "uncompiled": [str(p) for p in sources if not list(p.parent.glob(f"__pycache__/{p.stem}.*.pyc"))],
    "tests": [str(p) for p in (app / "own").rglob("tests")],
}))
"""


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    try:
        _docker("info")
        _docker("buildx", "version")
    except (FileNotFoundError, AssertionError):
        pytest.fail("no docker engine with buildx")
    if not (ROOT / "uv.lock").exists():
        pytest.fail("no uv.lock: run `uv lock`")


def _build(platform: str) -> str:
    base = os.environ.get("STACKYARD_BASE_IMAGE")
    argument = ("--build-arg", f"BASE_IMAGE={base}") if base else ()
    tag = f"stackyard-test:{uuid.uuid4().hex}"
    options = ("--platform", platform, "--target", "lambda", "--build-arg", "SERVICE=api", "--load", "--tag", tag)
    _docker("buildx", "build", "--provenance=false", "--sbom=false", *options, *argument, ".")
    return tag


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    tag = _build("linux/amd64")
    yield tag
    _docker("image", "rm", tag)


@pytest.fixture(scope="module")
def arm_image() -> Iterator[str]:
    tag = _build("linux/arm64")
    yield tag
    _docker("image", "rm", tag)


@pytest.fixture(scope="module")
def content(image: str) -> dict[str, Any]:
    return json.loads(_docker("run", "--rm", "--entrypoint", "python", image, "-c", PROGRAM))


def test_only_what_runs_is_inside(content: dict[str, Any]) -> None:
    """Own code and third-party packages, compiled, run by a number that is not root; no uv, no tests."""
    assert content["python"].startswith("3.14.")
    assert content["user"] == 10001
    assert content["top"] == ["lib", "own"]
    assert content["own"] == ["api", "servicekit"]
    assert {"awslambdaric", "fastapi"} <= set(content["lib"])
    assert not {"bin", "httpx", "moto", "pip", "pytest", "stackyard", "uv", "uvicorn"} & set(content["lib"])
    assert content["uncompiled"] == []
    assert content["tests"] == []


def test_it_answers(image: str) -> None:
    """The image answers events through its own runtime client, read-only and without capabilities, as on Lambda."""
    name = f"stackyard-test-{uuid.uuid4().hex}"
    with RuntimeApi() as api:
        variables = {**api.environ, "SERVICE_NAME": "api", "SERVICE_ENVIRONMENT": "test"}
        environ = [part for item in variables.items() for part in ("--env", "=".join(item))]
        restrictions = ("--network", "host", "--read-only", "--cap-drop", "ALL")
        _docker("run", "--detach", "--name", name, *restrictions, *environ, image, "api.lambda_handler.handler")
        try:
            health = api.invoke(rest_event("/health"))
            assert json.loads(health["body"]) == {"status": "ok", "service": "api", "environment": "test"}
            assert json.loads(api.invoke(rest_event("/greet?name=Ann"))["body"]) == {"message": "Hello, Ann!"}
        finally:
            _docker("rm", "--force", name)


def test_arm64_needs_no_emulation(image: str, arm_image: str) -> None:
    """The arm64 image is built here and has arm64's libraries in it."""
    machines = {tag: _machines(tag) for tag in (image, arm_image)}
    assert machines == {image: {"x86_64-linux-gnu.so"}, arm_image: {"aarch64-linux-gnu.so"}}


def _machines(tag: str) -> set[str]:
    """Return what the names of an image's compiled modules say they are for; the image is not run."""
    container = _docker("create", tag, "unused").strip()
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as files,
        ):
            names = [file.name for file in files if file.name.startswith("app/lib/")]
    finally:
        _docker("rm", container)
    return {name.partition(".cpython-314-")[2] for name in names if ".cpython-314-" in name and name.endswith(".so")}
