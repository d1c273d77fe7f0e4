"""What git knows of the working tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stackyard.errors import MissingError
from stackyard.tools.process import Runner


@dataclass(frozen=True, slots=True)
class Revision:
    """The commit that is checked out, and whether the files differ from it."""

    commit: str
    dirty: bool


def describe_revision(runner: Runner, root: Path) -> Revision | None:
    """Return the revision, or None outside a repository, before its first commit, or without git."""
    try:
        done = runner.run(["git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal"], cwd=root)
    except MissingError:
        return None
    if done.code != 0:
        return None
    commit, dirty = "", False
    for line in done.stdout.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif not line.startswith("#"):
            dirty = True
    return Revision(commit, dirty) if commit and commit != "(initial)" else None


_LEFT_BEHIND = {"__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}


def find_unsaved(runner: Runner, root: Path, folder: str) -> list[str] | None:
    """Return what of a folder git could not bring back: changed, new and ignored files, caches left out.

    None outside a repository or without git.
    """
    argv = ["git", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching"]
    try:
        done = runner.run([*argv, "--", folder], cwd=root)
    except MissingError:
        return None
    if done.code != 0:
        return None
    paths = [line[3:] for line in done.stdout.split("\0") if line]
    return [path for path in paths if not _LEFT_BEHIND & set(Path(path).parts) and ".egg-info" not in path]


def list_commits(runner: Runner, root: Path, since: str, most: int = 20) -> list[str] | None:
    """Return the commits after ``since`` up to the one checked out, newest first, one line each, ``most`` at most.

    None where git does not know ``since``, outside a repository, or without git.
    """
    argv = ["git", "log", "--oneline", "--no-decorate", f"--max-count={most}", f"{since}..HEAD", "--"]
    try:
        done = runner.run(argv, cwd=root)
    except MissingError:
        return None
    return done.stdout.splitlines() if done.code == 0 else None
