"""Put folders in place in one step, and take them away in one step.

What is not finished lies in ``.changing`` beside them, where neither Terraform, uv's workspace nor the catalog looks
(uv would take ``.web`` for a second service ``web``). Whoever is killed leaves it there; the next one sweeps it away.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from stackyard.errors import MissingError
from stackyard.tools.holding import unwritable

WORKSHOP = ".changing"


def place_folder(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Make a folder with its files; it appears whole or not at all.

    Raises MissingError where it cannot be written, or something else has taken its place meanwhile.
    """
    made = folder.parent / WORKSHOP / f"new-{folder.name}"
    with _writing(folder):
        for path, text in files:
            _write(made / path, text)
        # Of an empty folder rename makes nothing; anything more it refuses.
        made.rename(folder)


def complete_folder(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Add files to a folder, in their order, each in one step; one that is there by now is left as it is.

    Raises MissingError where they cannot be written.
    """
    made = folder.parent / WORKSHOP / f"part-{folder.name}"
    with _writing(folder):
        for path, text in files:
            _write(made, text)
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # A link, for a rename would write over what somebody saved just now.
            with contextlib.suppress(FileExistsError):
                os.link(made, target)
            made.unlink()


def take_away(folder: Path) -> None:
    """Remove a folder and all that is in it: gone in one step, deleted after that. Raises MissingError."""
    aside = folder.parent / WORKSHOP / f"old-{folder.name}"
    with _writing(folder):
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)
    sweep(folder.parent)


def sweep(parent: Path) -> bool:
    """Remove what is unfinished below ``parent``, and say whether there was anything. Raises MissingError."""
    workshop = parent / WORKSHOP
    if not workshop.exists():
        return False
    with _writing(workshop):
        found = any(workshop.iterdir())
        shutil.rmtree(workshop)
    return found


def list_files(folder: Path) -> frozenset[str]:
    """Return a folder's files, relative to it, without what Python leaves behind."""
    found = (path for path in folder.rglob("*") if "__pycache__" not in path.parts and not path.is_dir())
    return frozenset(path.relative_to(folder).as_posix() for path in found)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _writing(folder: Path):
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError) or error.errno == errno.ENOTEMPTY:
            raise MissingError(
                f"cannot make {folder.name}", f"something is in its way: {error.filename2 or error.filename}"
            ) from error
        raise unwritable(folder, error) from error
