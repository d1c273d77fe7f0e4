"""What git knows of the working tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def find_merged(runner: Runner, root: Path) -> tuple[str, ...] | None:
    """Return the files that a pull request changes, when its merge is checked out as GitHub does; None if unknown."""
    done = runner.run(["git", "diff", "--name-only", "-z", "--no-renames", "HEAD^1", "HEAD"], cwd=root)
    return tuple(filter(None, done.stdout.split("\0"))) if done.code == 0 else None


_FIELDS = {"1": 8, "2": 9, "u": 10, "?": 1, "!": 1}
"""Fields before the path, by the kind of a line (git status: Porcelain Format Version 2)."""


_STRICT = (
    *("--literal-pathspecs", "-c", "core.fsmonitor=", "-c", "core.fileMode=true", "-c", "core.symlinks=true"),
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default"),
)
"""Git looks at each file itself, all that it can see of it without reading, whatever a repository's settings spare."""

_FILTERS = {"filter", "ident", "working-tree-encoding"}
_LINE_ENDS = {"text", "crlf", "eol"}


def find_blobs(runner: Runner, root: Path, places: Sequence[str]) -> dict[str, str]:
    """Return how git names the content of the files below ``places`` that are as it has them, by path from ``root``.

    ``-`` or, for what can be run, ``x``, and the blob's id by SHA-1. Four processes at the most, however many files.

    What is not in it must be read: new, changed and ignored files, links, files of submodules and of repositories
    within, files that git was told not to look at, and those that it hands out other than it keeps them. Nothing at all
    without git, outside a repository, and in one that names objects by SHA-256. What git cannot see, this cannot: new
    content of the same length with the old modification time, within the second in which git last looked at the file.
    """
    if runner.which("git") is None:
        return {}
    listed = runner.run(["git", *_STRICT, "ls-files", "-v", "--stage", "--modified", "-z", "--", *places], cwd=root)
    blobs = _parse_blobs(listed.stdout) if listed.code == 0 else {}
    if not blobs:
        return {}
    attributes = runner.run(["git", "check-attr", "--stdin", "-z", "-a"], cwd=root, stdin="\0".join(blobs))
    if attributes.code != 0:
        return {}
    words = attributes.stdout.split("\0")
    said = [fact for fact in zip(words[::3], words[1::3], words[2::3], strict=False) if fact[2] != "unset"]
    for path in {path for path, name, _ in said if name in _FILTERS}:
        del blobs[path]
    everywhere = runner.run(["git", "config", "--get", "core.autocrlf"], cwd=root).stdout.strip().lower()
    converted = {path for path, name, _ in said if name in _LINE_ENDS and path in blobs}
    if everywhere not in {"", "false", "no", "off", "0"}:
        converted = set(blobs)
    for path in _find_resized(runner, root, {path: blobs[path][1:] for path in converted}):
        del blobs[path]
    return blobs


def _parse_blobs(text: str) -> dict[str, str]:
    """Return blob and executable bit of each plain file that git looked at and found unchanged."""
    blobs: dict[str, str] = {}
    others: list[str] = []
    for line in text.split("\0"):
        # "H 100644 <40 letters> 0\t<path>"
        if line[:5] == "H 100" and line[49:52] == " 0\t":
            blobs[line[52:]] = ("x" if line[5:8] == "755" else "-") + line[9:49]
        else:
            # Small letters: assumed to be unchanged; S: not in a sparse checkout; M: unmerged. What differs comes
            # once more, as C or R; ids by SHA-256 are longer.
            others.append(line.partition("\t")[2])
    for path in others:
        blobs.pop(path, None)
    return blobs


def _find_resized(runner: Runner, root: Path, names: Mapping[str, str]) -> list[str]:
    """Return the files, by path and blob, that are not as long as their blobs: their line ends are not those in it."""
    if not names:
        return []
    argv = ["git", "cat-file", "--buffer", "--batch-check=%(objectsize)"]
    lines = runner.run(argv, cwd=root, stdin="\n".join(names.values())).stdout.splitlines()
    if len(lines) != len(names):
        return list(names)
    return [path for path, size in zip(names, lines, strict=True) if str((root / path).stat().st_size) != size]


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
