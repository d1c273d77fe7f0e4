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
    changed: tuple[str, ...] = ()
    """The files that differ, relative to the project; a new folder as a whole, with a slash at its end."""


def describe_revision(runner: Runner, root: Path) -> Revision | None:
    """Return the revision, or None outside a repository, before its first commit, or without git."""
    argv = ["git", "status", "--porcelain=v2", "--branch", "-z", "--no-renames"]
    try:
        done = runner.run([*argv, "--untracked-files=normal"], cwd=root)
    except MissingError:
        return None
    if done.code != 0:
        return None
    commit, changed, prefix = "", list[str](), _prefix(root)
    for line in done.stdout.split("\0"):
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line and not line.startswith("#"):
            changed.append(line.split(" ", _FIELDS[line[0]])[-1].removeprefix(prefix))
    return Revision(commit, bool(changed), tuple(changed)) if commit and commit != "(initial)" else None


def _prefix(root: Path) -> str:
    """Return the way from the repository's top to a folder of it, with a slash at its end, or nothing."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return f"{root.relative_to(top).as_posix()}/" if top != root else ""


_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1, "!": 1}
"""Fields before the path, by the kind of a line (git status: Porcelain Format Version 2)."""


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
