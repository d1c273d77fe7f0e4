"""Run docker with buildx: is there an engine, log in, build and push, copy from registry to registry."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from stackyard.errors import MissingError, ToolError
from stackyard.tools.buildprogress import BuildProgress
from stackyard.tools.holding import write_atomically
from stackyard.tools.process import Runner

ELSEWHERE = "Start or install docker with buildx; or let a machine that has both push the images: inv docker-push."
INSTALL = "apt-get install docker.io docker-buildx   # or: https://docs.docker.com/engine/install/"
START = "sudo systemctl start docker   # or start Docker Desktop; `docker version` says why it does not answer"
PLUGIN = "apt-get install docker-buildx   # or: https://github.com/docker/buildx#installing"


def check_engine(runner: Runner) -> str:
    """See that images can be built here, and return with what. Raises MissingError with what to type."""
    if runner.which("docker") is None:
        raise MissingError("docker", "it is not on PATH", fix=ELSEWHERE, command=INSTALL)
    engine = runner.run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=30)
    if engine.code != 0:
        raise MissingError("docker", "no engine answers", fix=ELSEWHERE, command=START, detail=_last(engine.stderr))
    plugin = runner.run(["docker", "buildx", "version"], timeout=30)
    if plugin.code != 0:
        raise MissingError("docker", "it has no buildx", fix=ELSEWHERE, command=PLUGIN)
    return f"engine {engine.stdout.strip()}, buildx {_version(plugin.stdout)}"


def log_in(runner: Runner, host: str, user: str, password: str) -> None:
    """Log docker in to a registry; the password goes by standard input. Raises ToolError."""
    argv = ["docker", "login", "--username", user, "--password-stdin", host]
    done = runner.run(argv, stdin=password, timeout=60)
    if done.code != 0:
        raise ToolError(f"docker cannot log in to {host}", _last(done.stderr), command=f"docker login {host}")


@dataclass(frozen=True, slots=True)
class Bakery:
    """Where and by whom images are built at once."""

    runner: Runner
    root: Path
    """The build's context."""
    work: Path
    """A folder for the bake file, the metadata and the log."""
    again: str
    """What to type after a failure."""
    keep_fds: tuple[int, ...] = ()
    """File descriptors that the build inherits, a lock among them."""
    on_start: Callable[[int], None] = lambda _pid: None
    """Called with the build's process id."""
    on_interrupt: Callable[[], None] = lambda: None
    """Called when it was asked to end."""

    def bake(self, text: str, tell: Callable[[str], None]) -> dict[str, str]:
        """Build and push what a bake file says; return the digest of each target's image.

        ``tell`` is called with each step that took a while. Raises ToolError with the failing step's last lines.
        """
        self.work.mkdir(parents=True, exist_ok=True)
        file, metadata, log = self.work / "bake.json", self.work / "metadata.json", self.work / "build.log"
        metadata.unlink(missing_ok=True)
        write_atomically(file, text)
        progress = BuildProgress()

        def on_line(line: str) -> None:
            if told := progress.feed(line):
                tell(told)

        # No provenance and no SBOM: they make an image index, which Lambda does not take.
        options = ["--progress", "plain", "--provenance=false", "--sbom=false", "--metadata-file", str(metadata)]
        done = self.runner.stream(
            ["docker", "buildx", "bake", "--file", str(file), *options],
            on_line,
            log=log,
            cwd=self.root,
            env={**os.environ, "DOCKER_CLI_HINTS": "false", "NO_COLOR": "1"},
            keep_fds=self.keep_fds,
            on_start=self.on_start,
            on_interrupt=self.on_interrupt,
            joined=True,
        )
        if done.code != 0:
            raise ToolError(
                "the images could not be built",
                _last(done.stdout).removeprefix("ERROR: "),
                detail=progress.failure() or "\n".join(done.stdout.splitlines()[-15:]),
                fix=f"All that the build said is in {log}.",
                command=self.again,
            )
        return read_digests(metadata)


def read_digests(metadata: Path) -> dict[str, str]:
    """Return the digests that a build noted, by target. Raises ToolError for a file without them."""
    try:
        noted = cast("dict[str, object]", json.loads(metadata.read_text(encoding="utf-8")))
        # buildx notes things of its own between the targets: names of warnings, references.
        facts = {name: cast("dict[str, str]", each) for name, each in noted.items() if isinstance(each, dict)}
        return {name: each["containerimage.digest"] for name, each in facts.items() if "containerimage.digest" in each}
    except (OSError, ValueError, AttributeError) as error:
        why = f"{metadata} cannot be read ({error})"
        raise ToolError("docker buildx noted no digests", why, command="docker buildx version") from error


def copy_image(runner: Runner, source: str, destination: str) -> None:
    """Copy an image from one registry to another, digest and all; both are full names. Raises ToolError."""
    argv = ["docker", "buildx", "imagetools", "create", "--prefer-index=false", "--tag", destination, source]
    done = runner.run(argv, timeout=900)
    if done.code != 0:
        raise ToolError(f"cannot copy {source}", _last(done.stderr), command=" ".join(argv))


def _version(text: str) -> str:
    """Find the version in ``github.com/docker/buildx v0.29.1 a32761a``."""
    words = text.split()
    return words[1].removeprefix("v") if len(words) > 1 else "?"


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"
