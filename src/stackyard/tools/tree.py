"""Read the working tree: hashes of what goes into images, and the lock file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from stackyard.errors import ConfigError, MissingError
from stackyard.tools.parsed import read_parsed
from stackyard.wheels import plan_wheel

LEFT_OUT = (
    *("__pycache__", "*.py[co]", "*.egg-info", "tests", ".env*"),
    *(".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"),
)
"""Names that never go into an image, wherever they are. `.dockerignore` keeps the same away from docker."""

SETTINGS = "service.yaml"
"""What a service's settings are in; they reach AWS through Terraform, and no image."""


def hash_package(root: Path, folder: str) -> dict[str, str]:
    """Hash what of the package in ``folder``, relative to ``root``, goes into an image, by path.

    Raises MissingError for a file that may not be read.
    """
    try:
        pyproject = tomllib.loads((root / folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pyproject = {}  # the whole folder, and so this file as it is
    wheel = plan_wheel(pyproject)
    hashes = hash_files(root, [PurePosixPath(folder, place).as_posix() for place in wheel.places])
    hashes.pop(f"{folder}/{SETTINGS}", None)
    return {**hashes, f"{folder}/pyproject.toml": wheel.metadata} if wheel.metadata else hashes


def hash_files(root: Path, places: Iterable[str]) -> dict[str, str]:
    """Hash every file below ``places`` (folders or files, relative to ``root``) that can go into an image.

    Raises MissingError for a file that may not be read.
    """
    hashes: dict[str, str] = {}
    for place in places:
        start = root / place
        if start.is_file():
            hashes[place] = _hash(start)
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if not _is_left_out(name))
            for name in sorted(names):
                if _is_left_out(name):
                    continue
                path = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):  # an editor's own file, gone again
                    hashes[path.relative_to(root).as_posix()] = _hash(path)
    return hashes


def _is_left_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT)


def _hash(path: Path) -> str:
    """Hash a file's content and whether it can be run; of a link that leads nowhere, where it leads."""
    if path.is_symlink() and not path.exists():
        return f"l{path.readlink()}"
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return f"t{stat.S_IFMT(facts.st_mode)}"
        return ("x" if facts.st_mode & stat.S_IXUSR else "-") + hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MissingError(str(path), f"cannot be read ({error.strerror})") from error


def read_lock(root: Path, cache: Path) -> dict[str, Any]:
    """Read ``uv.lock``; ``cache`` is a folder. Raises MissingError without one, ConfigError for one that is broken."""
    try:
        return read_parsed((root / "uv.lock").read_text(encoding="utf-8"), tomllib.loads, cache / "uv.lock.json")
    except FileNotFoundError as error:
        raise MissingError("uv.lock", "there is none; images are made from what it pins", command="uv lock") from error
    except OSError as error:
        raise MissingError("uv.lock", f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("uv.lock", f"is not valid: {error}", command="uv lock") from error
