"""Three services by one bake beside three builds one after another: cold, with nothing changed, with one line changed.

A copy of the project, pushed to the registry of ``STACKYARD_REGISTRY`` (127.0.0.1:5000) under a name of its own; the
base image as ``STACKYARD_BASE_IMAGE`` says. Cold means that no layer is taken from the cache (``--no-cache``); what was
downloaded is, by both. Wall time: the work is the docker engine's, whose CPU time nobody tells us.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from stackyard.bake import REGISTRY, Registry, base_image, find_secrets, render_bake
from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.images import Image
from stackyard.screen import Screen
from tests.bench.common import median, ratios, run, say, table, take_turns
from tests.local.project import HERE, copy_project

OPTIONS = ("--progress", "plain", "--provenance=false", "--sbom=false")
CODE = "src/services/api/api/app.py"


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench bake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind (3)")
    rounds = parser.parse_args(argv).rounds
    if shutil.which("docker") is None:
        say("not measured: there is no docker here")
        return
    registry = Registry(os.environ.get(REGISTRY) or "127.0.0.1:5000", f"bench-{uuid.uuid4().hex[:8]}", plain=True)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        copy_project(root)
        for file in ("Dockerfile", ".dockerignore"):
            shutil.copy2(HERE / file, root / file)
        images = wanted_images(Session.begin(root, "local", Screen(quiet=True)))
        rows: list[list[str]] = []
        for state, options, change in STATES:
            ways = {"one bake": _bake, "three builds": _build}
            works = {name: partial(_time, way, root, images, registry, options, change) for name, way in ways.items()}
            found = take_turns(works, rounds)
            for way, seconds in found.items():
                each = ratios(seconds, found["three builds"])
                rows.append([state, way, f"{median(seconds):.1f}", f"{min(seconds):.1f}", f"{median(each):.2f}"])
    table(["", "", "wall s", "min", "ratio, by round"], rows)


def _leave(_root: Path) -> None:
    """Change nothing."""


_numbers = count()


def _change_a_line(root: Path) -> None:
    with (root / CODE).open("a", encoding="utf-8") as file:
        file.write(f"# {next(_numbers)}\n")


STATES: tuple[tuple[str, tuple[str, ...], Callable[[Path], None]], ...] = (
    ("cold", ("--no-cache",), _leave),
    ("nothing changed", (), _leave),
    ("one line changed", (), _change_a_line),
)

Way = Callable[[Path, Sequence[Image], Registry, Sequence[str]], float]


def _time(
    way: Way,
    root: Path,
    images: Sequence[Image],
    registry: Registry,
    options: Sequence[str],
    change: Callable[[Path], None],
) -> float:
    """Change the project, then build in one way; return the build's seconds."""
    change(root)
    return way(root, images, registry, options)


def _bake(root: Path, images: Sequence[Image], registry: Registry, options: Sequence[str]) -> float:
    """Build and push as the task does; return seconds."""
    file = root.with_name("bake.json")
    file.write_text(render_bake(images, registry, base_image(os.environ), find_secrets(os.environ)), encoding="utf-8")
    return run(["docker", "buildx", "bake", "--file", str(file), *OPTIONS, *options], cwd=root).wall / 1000


def _build(root: Path, images: Sequence[Image], registry: Registry, options: Sequence[str]) -> float:
    """Build and push one after the other, as it is typed by hand; return seconds."""
    base = ("--build-arg", f"BASE_IMAGE={base_image(os.environ)}")
    total = 0.0
    for image in images:
        what = ["--platform", image.platform, "--target", image.target, "--build-arg", f"SERVICE={image.service}"]
        where = ["--tag", registry.reference(image.tag), "--push", "."]
        total += run(["docker", "buildx", "build", *OPTIONS, *options, *what, *base, *where], cwd=root).wall / 1000
    return total
