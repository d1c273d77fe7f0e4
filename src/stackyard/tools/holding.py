"""Hold a thing for as long as a process lives: file locks that the kernel lets go of, and who has them.

The lock is an open file handed down to every child that acts for us. Killed in any way, the last of them lets go;
a lock file left lying about means nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from stackyard.errors import MissingError


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock. ``child`` is the process that works for them, where there is one."""

    pid: int
    who: str
    since: str
    doing: str
    child: int = 0

    def alive(self) -> bool:
        """Whether the process that took the lock still runs."""
        return is_alive(self.pid)

    def sentence(self) -> str:
        """Say who it is."""
        return f"{self.who} (process {self.pid}) runs `{self.doing}` since {self.since}"


def is_alive(pid: int) -> bool:
    """Tell whether a process of that number exists."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step; a reader sees the old text or the new.

    Raises MissingError where the disk is full or the folder may not be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> MissingError:
    """Make the error for a file that cannot be written."""
    why = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the file system is read-only",
        errno.EACCES: "there is no right to write",
    }
    folder = path.parent
    return MissingError(
        f"cannot write {path.name}",
        f"{why.get(error.errno or 0, error.strerror)}: {folder}",
        fix="Make room or give the right, then run the same command again.",
        command=f"df -h {folder}; ls -ld {folder}",
    )


class Hold:
    """A lock that is ours until released; ``fd`` is what children inherit."""

    def __init__(self, path: Path, fd: int) -> None:
        self._path, self.fd = path, fd

    def describe(self, doing: str, child: int = 0) -> None:
        """Write down who we are, for the one who comes second."""
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        holder = Holder(os.getpid(), who_am_i(), since, doing, child)
        write_atomically(self._path.with_suffix(".holder"), json.dumps(asdict(holder)))

    def release(self) -> None:
        """Let go of it. Children that inherited it go on holding it."""
        os.close(self.fd)


def take(path: Path, patience: float = 0) -> Hold | None:
    """Take a lock; None when somebody still has it after ``patience`` seconds.

    Raises MissingError where the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.01)
                continue
            os.close(fd)
            return None
        return Hold(path, fd)


def find_holder(path: Path) -> Holder | None:
    """Return who wrote themselves down beside a lock, or None."""
    try:
        data = cast("dict[str, Any]", json.loads(path.with_suffix(".holder").read_text(encoding="utf-8")))
        return Holder(**data)
    except (OSError, ValueError, TypeError):
        return None


def is_held(path: Path) -> bool:
    """Tell whether somebody holds a lock."""
    if not path.exists():
        return False
    hold = take(path)
    if hold is None:
        return True
    hold.release()
    return False


def who_am_i() -> str:
    """Return user@host, as Terraform writes it into its locks."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
