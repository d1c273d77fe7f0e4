"""The images of the three services that a clone has, for both platforms: what is in them, and that they answer.

``STACKYARD_BASE_IMAGE`` names another base image, where the public one cannot be had.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from servicekit.testing import RuntimeApi, rest_event

from tests.images.engine import ROOT, Files, build, read_content, read_files, start

AMD, ARM = "linux/amd64", "linux/arm64"
TARGETS = {"api": "lambda", "worker": "lambda", "web": "server"}
SUFFIXES = {AMD: ".cpython-314-x86_64-linux-gnu.so", ARM: ".cpython-314-aarch64-linux-gnu.so"}
MACHINES = {AMD: 62, ARM: 183}
"""What an ELF file says it is for (elf.h: EM_X86_64, EM_AARCH64)."""

Images = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def images() -> Iterator[Images]:
    """Every service's image for both platforms, by both."""
    with ExitStack() as stack:
        yield {
            (service, platform): stack.enter_context(build(ROOT, service, target, platform))
            for service, target in TARGETS.items()
            for platform in (AMD, ARM)
        }


@pytest.fixture(scope="module")
def files(images: Images) -> dict[tuple[str, str], Files]:
    """What is in each image, without running it."""
    return {key: read_files(image) for key, image in images.items()}


@pytest.mark.parametrize("service", TARGETS)
def test_only_what_runs_is_inside(images: Images, service: str) -> None:
    """Own code and third-party packages, compiled, run by a number that is not root; no uv, no tests, no compiler."""
    content = read_content(images[service, AMD])
    runs, other = ("awslambdaric", "uvicorn") if TARGETS[service] == "lambda" else ("uvicorn", "awslambdaric")
    assert content.python.startswith("3.14.")
    assert content.user == 10001
    assert content.top == ["lib", "own", "shared"]
    assert {path.partition("/")[0] for path in content.own} == {service, "servicekit"}
    assert {runs, "fastapi"} <= set(content.lib)
    assert not {other, "bin", "moto", "pip", "pytest", "stackyard", "uv"} & set(content.lib)
    assert (content.uncompiled, content.compilers, content.writable) == ([], [], [])
    assert [path for path in content.own if "tests" in path] == []


@pytest.mark.parametrize("service", [name for name, target in TARGETS.items() if target == "lambda"])
def test_a_function_answers(images: Images, service: str) -> None:
    """The image answers events through its own runtime client, read-only and without capabilities, as on Lambda."""
    path = "" if service == "api" else f"/{service}"
    with RuntimeApi() as api:
        variables = {**api.environ, "SERVICE_NAME": service, "SERVICE_ENVIRONMENT": "test", "SERVICE_PATH": path or "/"}
        variables["SERVICE_URL_BASE"] = "http://127.0.0.1:9/test"
        command = f"{service}.lambda_handler.handler"
        with start(images[service, AMD], command, options=("--network", "host"), **variables):
            health = api.invoke(rest_event(f"{path}/health"))
            assert json.loads(health["body"]) == {"status": "ok", "service": service, "environment": "test"}
            if service == "api":
                assert json.loads(api.invoke(rest_event("/greet?name=Ann"))["body"]) == {"message": "Hello, Ann!"}


def test_a_server_answers(images: Images) -> None:
    """The page's image, as ECS runs it."""
    with start(images["web", AMD], "web.app:app", SERVICE_NAME="web", SERVICE_PATH="/web") as container:
        container.await_answer()
        assert httpx.get(f"{container.url}/health").json()["service"] == "web"


@pytest.mark.parametrize("service", TARGETS)
def test_what_is_imported_on_arm64_is_there(files: dict[tuple[str, str], Files], service: str) -> None:
    """The same modules as in the image that was run, and libraries for that processor, all of them; nothing is run."""
    amd, arm = files[service, AMD], files[service, ARM]

    def modules(found: Files, platform: str) -> set[str]:
        names = {name for name in found.names if name.endswith((".py", ".so"))}
        return {name.removesuffix(SUFFIXES[platform]) for name in names if ".so." not in name}

    assert modules(arm, ARM) == modules(amd, AMD)
    assert set(arm.machines.values()) == {MACHINES[ARM]}
    assert set(amd.machines.values()) == {MACHINES[AMD]}
    assert all(name.endswith(SUFFIXES[ARM]) for name in arm.machines if ".cpython-" in name)
    assert arm.config["Architecture"] == "arm64"
    assert amd.config["Architecture"] == "amd64"
    assert arm.config["Config"]["User"] == "10001:10001"
