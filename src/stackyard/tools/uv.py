"""uv: where it is, and the lock of the project's packages."""

from __future__ import annotations

import os
from pathlib import Path

from stackyard.errors import MissingError, ToolError
from stackyard.tools.process import Runner

LOCK = "uv.lock"


def find_uv(runner: Runner) -> str | None:
    """Return uv's path: the one that started us, else the one on PATH, else None."""
    return os.environ.get("UV") or runner.which("uv")


def lock_packages(runner: Runner, root: Path, *, upgrade: bool = False) -> None:
    """Bring ``uv.lock`` to what the pyproject.toml files ask for; ``upgrade``: and to the newest that they allow.

    Raises MissingError without uv, ToolError with its own words.
    """
    uv = find_uv(runner)
    if uv is None:
        raise MissingError("no uv", "it is not on PATH", command="pip install uv")
    argv = [uv, "lock", *(["--upgrade"] if upgrade else [])]
    done = runner.run(argv, cwd=root, timeout=900)
    if done.code != 0:
        command = "uv lock --upgrade" if upgrade else "uv lock"
        raise ToolError(f"{command} failed", "its own words stand above", command=command, detail=done.stderr)
