"""A docker engine with buildx, and a project with services of the server kinds, as `inv add-service` renders them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.images.engine import ROOT, docker
from tests.waiting import until

COPIED = ("Dockerfile", ".dockerignore", "pyproject.toml", "stackyard.yaml", "uv.lock", "src", "tasks")

MORE_ROUTES = '''

@app.post("/upload")
async def upload(request: Request) -> dict[str, int]:
    """Take a form's file."""
    async with request.form() as form:
        [(_, file)] = form.items()
        return {"bytes": len(await file.read())}


@app.get("/caller")
async def caller(request: Request) -> dict[str, str]:
    """Say who asks, by what uvicorn makes of it."""
    return {"host": request.client.host, "scheme": request.url.scheme}
'''


@pytest.fixture(scope="session", autouse=True)
def _engine() -> None:
    try:
        docker("info")
        docker("buildx", "version")
    except (FileNotFoundError, AssertionError):
        pytest.fail("no docker engine with buildx")
    if not (ROOT / "uv.lock").exists():
        pytest.fail("no uv.lock: run `uv lock`")


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """The registry that ``STACKYARD_REGISTRY`` names, host and port; else one is started (the image `registry:2`)."""
    if named := os.environ.get("STACKYARD_REGISTRY"):
        yield named
        return
    name = f"stackyard-test-{uuid.uuid4().hex}"
    docker("run", "--detach", "--name", name, "--publish", "127.0.0.1::5000", "registry:2")
    try:
        host = docker("port", name, "5000/tcp").splitlines()[0]
        until(lambda: httpx.get(f"http://{host}/v2/").status_code == 200, "the registry")
        yield host
    finally:
        docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with `front` (apprunner), `shop` (ecs, with two more routes) and `cart` (eks, with secrets)."""
    root = tmp_path_factory.mktemp("images") / "project"
    root.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, root / name)
    for kind, name in (("apprunner", "front"), ("ecs", "shop"), ("eks", "cart")):
        _run(root, str(Path(sys.executable).with_name("inv")), "add-service", "--kind", kind, name)
    with (root / "src/services/shop/shop/app.py").open("a", encoding="utf-8") as file:
        file.write(MORE_ROUTES)
    uv = os.environ.get("UV") or shutil.which("uv") or pytest.fail("these tests lock a project, with uv")
    _run(root, uv, "add", "--quiet", "--no-sync", "--package", "shop", "python-multipart")
    _run(root, uv, "add", "--quiet", "--no-sync", "--package", "cart", "servicekit[secrets]")
    return root


def _run(root: Path, *argv: str) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    done = subprocess.run(
        argv, cwd=root, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}\n{done.stderr}"
