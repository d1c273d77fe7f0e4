"""Read the working tree: hashes of what goes into images, by git where it knows a file, and the lock file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import translate
from pathlib import Path, PurePosixPath
from typing import Any

from stackyard.errors import ConfigError, MissingError
from stackyard.wheels import plan_wheel

LEFT_OUT = (
    *("__pycache__", "*.py[co]", "*.egg-info", "tests", ".env*"),
    *(".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"),
)
"""Names that never go into an image, wherever they are. `.dockerignore` keeps the same away from docker."""

SETTINGS = "service.yaml"
"""What a service's settings are in; they reach AWS through Terraform, and no image."""


NOTHING: Mapping[str, str] = {}


def hash_package(root: Path, folder: str, known: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Hash what of the package in ``folder``, relative to ``root``, goes into an image, by path.

    ``known`` as in `hash_files`. Raises MissingError for a file that may not be read.
    """
    try:
        pyproject = tomllib.loads((root / folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pyproject = {}  # the whole folder, and so this file as it is
    wheel = plan_wheel(pyproject)
    hashes = hash_files(root, [PurePosixPath(folder, place).as_posix() for place in wheel.places], known)
    hashes.pop(f"{folder}/{SETTINGS}", None)
    return {**hashes, f"{folder}/pyproject.toml": wheel.metadata} if wheel.metadata else hashes


def hash_files(root: Path, places: Iterable[str], known: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Hash every file below ``places`` (folders or files, relative to ``root``) that can go into an image.

    A hash is git's own name for the content, so that a file which git vouches for (``known``, by path) need not be
    read: whether it is committed, changed, new, ignored or without any git makes no difference.

    Raises MissingError for a file that may not be read.
    """
    hashes: dict[str, str] = {}
    for place in places:
        start = root / place
        if start.is_file():
            hashes[place] = _hash(str(start))
        elif start.is_dir():
            prefix = PurePosixPath(place).as_posix()
            _hash_folder(str(start), "" if prefix == "." else f"{prefix}/", known, hashes)
    return hashes


def _hash_folder(folder: str, prefix: str, known: Mapping[str, str], hashes: dict[str, str]) -> None:
    """Hash what is in a folder and below; ``prefix`` is the folder's path from the root, with a slash."""
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not _LEFT_OUT.match(entry.name)]
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                _hash_folder(entry.path, f"{path}/", known, hashes)
            elif path in known and not entry.is_symlink():
                hashes[path] = known[path]
            else:
                with contextlib.suppress(FileNotFoundError):  # an editor's own file, gone again
                    hashes[path] = _hash(entry.path)
    except OSError as error:
        raise MissingError(folder, f"cannot be read ({error.strerror})") from error


_LEFT_OUT = re.compile("|".join(translate(pattern) for pattern in LEFT_OUT))


def _hash(path: str) -> str:
    """Hash a file's content and whether it can be run; of a link that leads to no file, where it leads."""
    try:
        place = Path(path)
        if place.is_symlink() and not place.is_file():
            return f"l{place.readlink()}"
        facts = place.stat()
        if not stat.S_ISREG(facts.st_mode):
            return f"t{stat.S_IFMT(facts.st_mode)}"
        content = place.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MissingError(path, f"cannot be read ({error.strerror})") from error
    # As git names a blob (Pro Git: Git Objects). Two contents of one name have to be made with intent, by whoever may
    # commit code anyway.
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return ("x" if facts.st_mode & stat.S_IXUSR else "-") + digest


def read_lock(root: Path) -> dict[str, Any]:
    """Read ``uv.lock``. Raises MissingError without one, ConfigError for one that is broken."""
    try:
        return tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingError("uv.lock", "there is none; images are made from what it pins", command="uv lock") from error
    except OSError as error:
        raise MissingError("uv.lock", f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("uv.lock", f"is not valid: {error}", command="uv lock") from error
