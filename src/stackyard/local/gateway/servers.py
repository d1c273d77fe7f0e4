"""One service behind HTTP: the process that serves, the one that will, and requests that wait for either.

Owns starting, restarting and reloading. One process serves (on AWS there are more, which a laptop does not show). A
reload starts a second one and switches when it is well; the first finishes what it has begun. Code that does not start
is not hidden behind the old one: from then on requests fail as they do for a function, until it is mended.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from stackyard.local.gateway.deployment import ServerDefinition
from stackyard.local.gateway.environment import Surroundings
from stackyard.local.gateway.process import ServerProcess
from stackyard.local.gateway.refusal import UNREACHABLE
from stackyard.local.gateway.upstream import Call

LONGEST_PAUSE = 30.0
"""Seconds between two tries at most."""

FORGIVEN_AFTER = 10.0
"""Seconds of serving after which earlier crashes no longer count."""

_FIRST_PAUSE = 0.5
_CLOSING_GRACE = 3.0


class Server:
    """What runs behind one address."""

    def __init__(self, address: str, definition: ServerDefinition, surroundings: Surroundings) -> None:
        self.address = address
        self.definition = definition
        self.requests = 0
        self.starts = 0
        self.trouble = ""
        self._surroundings = surroundings
        self._current: ServerProcess | None = None
        self._next: ServerProcess | None = None
        self._all: list[ServerProcess] = []
        self._waiting: deque[Call] = deque()
        self._failures = 0
        self._again: asyncio.TimerHandle | None = None
        self._closed = False

    def send(self, call: Call) -> None:
        """Make a call, as soon as a process is ready for it."""
        self.requests += 1
        if self._current is not None:
            self._current.upstream.send(call)
        else:
            self._hold(call)

    def _hold(self, call: Call) -> None:
        """Have a call wait for a process that is on its way; with none, it fails."""
        if self._closed or self._again is not None:
            call.caller.refuse(UNREACHABLE, self.trouble or "the service is gone")
            return
        self._waiting.append(call)
        if self._current is None and self._next is None:
            self._start()

    @property
    def starting(self) -> bool:
        """Whether its first process is on its way."""
        return self._current is None and self._next is not None

    @property
    def busy(self) -> bool:
        """Whether any process of its lives."""
        return bool(self._all)

    def start_ahead(self) -> None:
        """Have a process ready before the first request."""
        if not self._closed and self._current is None and self._next is None and self._again is None:
            self._start()

    def reload(self) -> None:
        """Go on with a new process; until it is well the present one serves."""
        awake = self._current is not None or self._next is not None or self._again is not None
        self._forgive()
        if self._next is not None:
            self._next.retire()
            self._next = None
        if awake:
            self._start()

    def redefine(self, definition: ServerDefinition, surroundings: Surroundings) -> None:
        """Take what a new deployment says of this service; nothing restarts when nothing changed."""
        same = definition == self.definition and surroundings == self._surroundings
        self.definition = definition
        self._surroundings = surroundings
        if not same:
            self.reload()

    def retire(self) -> None:
        """Take nothing more and end when the last request is answered."""
        self._closed = True
        self._forgive()
        for process in self._all:
            process.retire()
        self._current = self._next = None
        self._fail_waiting("the service is gone")

    async def close(self) -> None:
        """End all processes."""
        self._closed = True
        self._forgive()
        processes = list(self._all)
        for process in processes:
            process.stop(_CLOSING_GRACE)
        for process in processes:
            await process.ended()
        self._fail_waiting("the gateway ended")

    def sweep(self) -> None:
        """Close connections that nobody uses."""
        for process in self._all:
            process.upstream.sweep()

    @property
    def state(self) -> str:
        """How it is: running, broken, starting or asleep."""
        broken = self._current is None and bool(self._failures)
        return "running" if self._current else "broken" if broken else "starting" if self._next else "asleep"

    @property
    def waiting(self) -> int:
        """Requests that no process has yet."""
        return len(self._waiting)

    @property
    def processes(self) -> list[tuple[int, str]]:
        """Process id and state of each process."""
        return [
            (each.pid, "retiring" if each.retiring else "running" if each.ready else "starting") for each in self._all
        ]

    def describe(self) -> dict[str, object]:
        """Return what the status page says of this service."""
        return {
            "service": self.definition.service,
            "kind": self.definition.kind,
            "version": self.definition.version,
            "server": self.address,
            "state": self.state,
            "trouble": self.trouble or None,
            "waiting": self.waiting,
            "starts": self.starts,
            "requests": self.requests,
            "processes": [
                {
                    "pid": process.pid,
                    "port": process.port,
                    "state": "retiring" if process.retiring else "running" if process.ready else "starting",
                    "under_way": process.upstream.under_way,
                }
                for process in self._all
            ],
        }

    # What processes tell.

    def process_ready(self, process: ServerProcess) -> None:
        """Switch to a process."""
        if process is not self._next:
            return
        before, self._current, self._next = self._current, process, None
        process.since = time.monotonic()
        self.trouble = ""
        if before is not None:
            self._note("the new code serves")
            before.retire()
        waiting, self._waiting = self._waiting, deque[Call]()
        for call in waiting:
            if not call.abandoned:
                call.cold = True
                process.upstream.send(call)

    def process_ended(self, process: ServerProcess, reason: str) -> None:
        """Count a failure where it was one, and see to what follows."""
        self._all.remove(process)
        if process is self._current:
            self._current = None
            if time.monotonic() - process.since > FORGIVEN_AFTER:
                self._failures = 0
        elif process is self._next:
            self._next = None
            if self._current is not None:
                self._current.retire()
                self._current = None
        else:
            return
        if not self._closed and self._next is None:
            self._fail(process, reason)

    def process_refused(self, process: ServerProcess, call: Call) -> None:
        """Have a call wait for the next process: this one is about to end."""
        if self._current is not None and self._current is not process:
            self._current.upstream.send(call)
        else:
            self._hold(call)

    # Inside.

    def _start(self) -> None:
        self._again = None
        self.starts += 1
        self._next = ServerProcess(self.definition, self._surroundings, self)
        self._all.append(self._next)

    def _fail(self, process: ServerProcess, reason: str) -> None:
        """Try again: at once after a first crash, else later and ever more seldom."""
        self._failures += 1
        self.trouble = reason
        if process.ready and self._failures == 1:
            self._note(f"{reason}; starting again")
            self._start()
            return
        pause = min(LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._failures - 1))
        self._note(f"{reason}; again in {pause:g} s, or when a file is saved")
        self._again = asyncio.get_running_loop().call_later(pause, self._start)
        self._fail_waiting(reason)

    def _forgive(self) -> None:
        self._failures = 0
        self.trouble = ""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _fail_waiting(self, reason: str) -> None:
        while self._waiting:
            call = self._waiting.popleft()
            if not call.abandoned:
                call.caller.refuse(UNREACHABLE, reason)

    def _note(self, text: str) -> None:
        self._surroundings.journal.note(text, self.definition.service)
