"""A docker engine as the tests of images use it: build, run, look inside."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tarfile
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import until

ROOT = Path(__file__).parents[2]
LIMIT = 30
"""Seconds in which what a container is asked must have happened."""

_LISTING = """
import json, os, pathlib, platform, shutil, sys
app = pathlib.Path("/app")
own = [app / "own", app / "shared"]
sources = list(app.rglob("*.py"))
files = [p.relative_to(f) for f in own for p in f.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
print(json.dumps({
    "python": platform.python_version(),
    "user": os.getuid(),
    "top": sorted(p.name for p in app.iterdir()),
    "own": sorted(str(p) for p in files if not p.parts[0].endswith(".dist-info")),
    "lib": sorted(p.name for p in (app / "lib").iterdir()),
    "uncompiled": [str(p) for p in sources if not list(p.parent.glob(f"__pycache__/{p.stem}.*.pyc"))],
    "compilers": [name for name in ("cc", "gcc", "make", "uv") if shutil.which(name)],
    "writable": [str(p) for p in (app, *app.rglob("*")) if os.access(p, os.W_OK)],
}))
"""


@dataclass(frozen=True, slots=True)
class Content:
    """What an image holds."""

    python: str
    user: int
    top: list[str]
    """Below ``/app``."""
    own: list[str]
    """The project's files, relative to where Python finds them."""
    lib: list[str]
    """Third-party packages."""
    uncompiled: list[str]
    compilers: list[str]
    writable: list[str]
    """Files that the user could change."""


def docker(*arguments: str, cwd: Path = ROOT) -> str:
    """Run docker, insist on success, and return what it printed."""
    done = subprocess.run(["docker", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stderr[-3000:]}"
    return done.stdout


@contextlib.contextmanager
def build(root: Path, service: str, target: str, platform: str = "linux/amd64") -> Generator[str]:
    """Build a service's image, yield its name, and remove it."""
    base = os.environ.get("STACKYARD_BASE_IMAGE")
    argument = ("--build-arg", f"BASE_IMAGE={base}") if base else ()
    tag = f"stackyard-test:{uuid.uuid4().hex}"
    options = ("--platform", platform, "--target", target, "--build-arg", f"SERVICE={service}", "--load", "--tag", tag)
    docker("buildx", "build", "--provenance=false", "--sbom=false", *options, *argument, ".", cwd=root)
    yield tag
    docker("image", "rm", tag)


def read_content(image: str) -> Content:
    """Look into an image, by its own Python."""
    return Content(**json.loads(docker("run", "--rm", "--entrypoint", "python", image, "-c", _LISTING)))


@dataclass(frozen=True, slots=True)
class Files:
    """What is in an image below ``/app``, read without running it."""

    config: dict[str, Any]
    """As docker describes the image."""
    names: list[str]
    machines: dict[str, int]
    """What the head of each compiled library says it is for."""


def read_files(image: str) -> Files:
    """Look into an image of any platform from outside."""
    [config] = json.loads(docker("image", "inspect", image))
    container = docker("create", "--platform", f"linux/{config['Architecture']}", image, "unused").strip()
    names: list[str] = []
    machines: dict[str, int] = {}
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as files,
        ):
            for file in files:
                if not file.isfile() or not file.name.startswith("app/"):
                    continue
                names.append(file.name)
                content = files.extractfile(file)
                head = content.read(20) if content and (".so" in file.name) else b""
                if head.startswith(b"\x7fELF"):
                    machines[file.name] = int.from_bytes(head[18:20], "little")
    finally:
        docker("rm", "--volumes", container)
    return Files(config, names, machines)


def find_machines(image: str) -> set[str]:
    """Return what the names of an image's compiled modules say they are for."""
    names = [name.partition(".cpython-314-")[2] for name in read_files(image).machines]
    return {name for name in names if name}


@dataclass(frozen=True, slots=True)
class Container:
    """A container that runs."""

    name: str

    @property
    def url(self) -> str:
        """Where its port 8080 is on this machine."""
        return f"http://{docker('port', self.name, '8080/tcp').splitlines()[0]}"

    def log(self) -> str:
        """Return what it printed, both streams."""
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def run(self, program: str) -> str:
        """Run Python in it."""
        return docker("exec", self.name, "python", "-c", program).strip()

    def await_end(self) -> int:
        """Return its exit status once it has ended."""
        state = ("inspect", "--format", "{{.State.Running}}", self.name)
        until(lambda: docker(*state).strip() == "false", "its end", LIMIT)
        return int(docker("inspect", "--format", "{{.State.ExitCode}}", self.name))

    def await_answer(self) -> None:
        """Wait until it answers ``/health``."""
        url = self.url
        until(lambda: answers(f"{url}/health"), "its first answer", LIMIT, self.log)


@contextlib.contextmanager
def start(image: str, *command: str, options: tuple[str, ...] = (), **environment: str) -> Generator[Container]:
    """Run an image as ECS and EKS do: read-only and without capabilities; remove the container afterwards."""
    container = Container(f"stackyard-test-{uuid.uuid4().hex}")
    variables = [part for item in environment.items() for part in ("--env", "=".join(item))]
    restrictions = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    publish = () if "host" in options else ("--publish", "127.0.0.1::8080")
    docker("run", "--detach", "--name", container.name, *publish, *restrictions, *options, *variables, image, *command)
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container.name)


def answers(url: str) -> bool:
    """Tell whether an address answers well, over a connection of its own."""
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
