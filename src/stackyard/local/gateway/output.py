"""What a worker prints, read a few times a second.

The pipe is looked at by the clock and not by the event loop: a line that woke us at once would take the processor from
the very request that printed it. Owns the pipe and the lines; who reads them is the worker's business.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable

_PERIOD = 0.05
_CAPACITY = 1024 * 1024
_LONGEST_LINE = 1024 * 1024


class Output:
    """The read end of a pipe that a process prints into."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        """Open a pipe; ``on_line`` gets each line without its end."""
        self._on_line = on_line
        self._read, self.writable = os.pipe()
        os.set_blocking(self._read, False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # More room than a process fills between two looks; where it is refused, the usual 64 KiB must do.
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, _CAPACITY)
        self._rest = b""
        self._timer: asyncio.TimerHandle | None = None

    def follow(self) -> None:
        """Go on looking, once the process has its own copy of the write end."""
        os.close(self.writable)
        self.writable = -1
        self._look()

    def _look(self) -> None:
        if self.drain():
            self._timer = asyncio.get_running_loop().call_later(_PERIOD, self._look)

    def drain(self) -> bool:
        """Read what is there; False at the end, when nobody can print any more."""
        while True:
            try:
                chunk = os.read(self._read, _CAPACITY)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not chunk:
                return False
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            if len(self._rest) > _LONGEST_LINE:
                lines, self._rest = [*lines, self._rest], b""
            for line in lines:
                self._on_line(line)

    def close(self) -> None:
        """Read the last of it and let go."""
        if self._timer is not None:
            self._timer.cancel()
        if self.writable >= 0:
            os.close(self.writable)
        self.drain()
        if self._rest:
            self._on_line(self._rest)
            self._rest = b""
        os.close(self._read)
