"""See files change: the deployment, and what services are made of.

Owns which changes count. What follows from one is for its listener to say. Folders are watched by the kernel; the
deployment is one file that is replaced whole, beside logs that change all the time, so it is looked at instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable, Collection
from pathlib import Path

from watchfiles import (
    Change,
    DefaultFilter,
    awatch,  # pyright: ignore[reportUnknownVariableType]  (its stop_event may be trio's, which is not installed)
)

SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".json", ".html", ".jinja", ".j2", ".sql", ".txt", ".env")
_QUIET_MS = 150
_STEP_MS = 50
_LOOK = 0.2


class Source(DefaultFilter):
    """What a service is made of, without caches, editors' leavings and data that it writes itself."""

    def __call__(self, change: Change, path: str) -> bool:
        """Return whether a change counts."""
        return path.endswith(SUFFIXES) and super().__call__(change, path)


class FileWatch:
    """Looks at one file a few times a second."""

    def __init__(self, path: Path, on_change: Callable[[], None]) -> None:
        self._path = path
        self._on_change = on_change
        self._seen = self._look()
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._check)

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _check(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._check)
        now = self._look()
        if now is not None and now != self._seen:
            self._seen = now
            self._on_change()

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()


class Watcher:
    """Watches the folders it is told to."""

    def __init__(self, on_change: Callable[[set[Path]], None], on_trouble: Callable[[str], None]) -> None:
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._folders: frozenset[Path] = frozenset()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def follow(self, folders: Collection[Path]) -> None:
        """Watch these folders from now on; returns when no change is missed any more."""
        wanted = frozenset(folder.resolve() for folder in folders)
        if wanted == self._folders:
            return
        before, stop = self._task, self._stop
        self._folders, self._stop = wanted, asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(wanted, self._stop)) if wanted else None
        # Its first step arms the watch and then waits in a thread.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        stop.set()
        if before is not None:
            await asyncio.wait([before])

    async def _run(self, folders: frozenset[Path], stop: asyncio.Event) -> None:
        present = [folder for folder in folders if folder.is_dir()]
        for folder in folders - set(present):
            self._on_trouble(f"{folder} is not there and is not watched")
        if not present:
            return
        try:
            async with contextlib.aclosing(
                awatch(
                    *present,
                    watch_filter=Source(),
                    debounce=_QUIET_MS,
                    step=_STEP_MS,
                    stop_event=stop,
                    recursive=True,
                )
            ) as changes:
                async for batch in changes:
                    paths = {Path(path) for _, path in batch}
                    for path in paths:
                        _forget_bytecode(path)
                    self._on_change(paths)
        except OSError as error:
            self._on_trouble(f"files are not watched, restart after a change: {error}")

    async def close(self) -> None:
        """Watch nothing more."""
        self._stop.set()
        if self._task is not None:
            await asyncio.wait([self._task])


def _forget_bytecode(path: Path) -> None:
    """Delete a changed module's bytecode: within one second and at equal length Python takes the old for the new."""
    if path.suffix == ".py":
        with contextlib.suppress(OSError, NotImplementedError):
            Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
