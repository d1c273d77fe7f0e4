"""See files change: the deployment, and what services are made of.

Owns which changes count. What follows from one is for its listener to say.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable, Collection
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

SUFFIXES = (".py", ".yaml", ".yml", ".toml", ".json", ".html", ".jinja", ".j2", ".sql", ".txt", ".env")
_QUIET_MS = 150
_STEP_MS = 30


class Source(DefaultFilter):
    """What a service is made of, without caches, editors' leavings and data that it writes itself."""

    def __init__(self, also: Path) -> None:
        super().__init__()
        self._also = str(also)

    def __call__(self, change: Change, path: str) -> bool:
        """Return whether a change counts."""
        return path == self._also or (path.endswith(SUFFIXES) and super().__call__(change, path))


class Watcher:
    """Watches one file and, when told to, folders."""

    def __init__(self, file: Path, on_change: Callable[[set[Path]], None], on_trouble: Callable[[str], None]) -> None:
        self._file = file.resolve()
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._folders: frozenset[Path] = frozenset()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def follow(self, folders: Collection[Path]) -> None:
        """Watch these folders from now on; returns when no change is missed any more."""
        wanted = frozenset(folder.resolve() for folder in folders)
        if self._task is not None and wanted == self._folders:
            return
        before, stop = self._task, self._stop
        self._folders, self._stop = wanted, asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(wanted, self._stop))
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
        try:
            async with contextlib.aclosing(
                awatch(
                    self._file.parent,
                    *present,
                    watch_filter=Source(self._file),
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
