"""One Lambda function: its queue and its workers.

Owns scaling, throttling, reloading and what happens when a service does not start. Sources: "Understanding Lambda
function scaling" (one request at a time in an environment, more environments under concurrent load) and "Configuring
reserved concurrency for a function" (above it, requests are throttled).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

from stackyard.local.gateway.deployment import FunctionDefinition
from stackyard.local.gateway.environment import Surroundings
from stackyard.local.gateway.runtime import Invocation
from stackyard.local.gateway.workers import State, Worker

LOCAL_CAP = 10
"""Workers of one function where no concurrency is reserved: a laptop is not a region. More requests wait."""

IDLE_LIMIT = 60.0
REST_LIMIT = 300.0
"""Seconds after which a function's last worker may go too, as on AWS, where a laptop would hold too many."""

_LONGEST_PAUSE = 5.0
_CRASHES_FOR_GRANTED = 2


def find_sleepers(resting: Mapping[str, float], now: float, keep: int) -> list[str]:
    """Name the functions that nobody has asked for long, all but the ``keep`` that were asked last.

    ``resting`` is when each one's last request ended, in s of the clock that ``now`` is of.
    """
    oldest = sorted(resting, key=lambda name: resting[name])[: max(0, len(resting) - keep)]
    return [name for name in oldest if now - resting[name] > REST_LIMIT]


class ThrottledError(Exception):
    """The function's reserved concurrency is used up."""


class Function:
    """What runs behind one alias."""

    def __init__(self, arn: str, definition: FunctionDefinition, surroundings: Surroundings) -> None:
        self.arn = arn
        self.definition = definition
        self.cold_starts = 0
        self.invocations = 0
        self.trouble = ""
        self._surroundings: Surroundings = surroundings
        self._workers: list[Worker] = []
        self._idle: list[Worker] = []
        self._queue: deque[Invocation] = deque()
        self._failures = 0
        self._resume_at = 0.0
        self._closed = False

    def invoke(self, invocation: Invocation) -> None:
        """Run an invocation as soon as a worker is free. Raises ThrottledError."""
        reserved = self.definition.concurrency
        if reserved is not None and self._in_flight() >= reserved:
            raise ThrottledError
        self.invocations += 1
        if self._hand(invocation):
            return
        if self._closed or (time.monotonic() < self._resume_at and not self._living()):
            invocation.caller.fail(self.trouble or "the function is gone")
            return
        self._queue.append(invocation)
        self._grow()

    @property
    def starting(self) -> bool:
        """Whether a worker is on its way."""
        return any(worker.state is State.STARTING for worker in self._workers)

    @property
    def busy(self) -> bool:
        """Whether any process of its lives."""
        return bool(self._workers)

    def start_ahead(self) -> None:
        """Have a worker ready before the first request."""
        if not self._living() and not self._closed:
            self._start()

    def reload(self) -> None:
        """Go on with new workers; requests under way finish on the old ones, requests that wait take the new code."""
        awake = bool(self._living()) or bool(self._failures)
        for worker in self._living():
            worker.retire()
        self._idle.clear()
        self._forgive()
        if awake or self._queue:
            self._start()
            self._grow()

    def redefine(self, definition: FunctionDefinition, surroundings: Surroundings) -> None:
        """Take what a new deployment says of this function; nothing restarts when nothing changed."""
        same = definition == self.definition and surroundings == self._surroundings
        self.definition = definition
        self._surroundings = surroundings
        if not same:
            self.reload()

    def retire(self) -> None:
        """Take nothing more and end when the last request is answered."""
        self._closed = True
        self._idle.clear()
        for worker in self._living():
            if worker.state is not State.STARTING or not self._queue:
                worker.retire()
        if not self._living():
            self._fail_waiting("the function is gone")

    async def close(self) -> None:
        """End all workers."""
        self._closed = True
        workers = list(self._workers)
        for worker in workers:
            worker.stop()
        for worker in workers:
            await worker.ended()
        self._fail_waiting("the gateway ended")

    def sweep(self) -> None:
        """End workers that nobody needs any more, all but one."""
        now = time.monotonic()
        living = len(self._living())
        for worker in self._idle[: living - 1]:
            if now - worker.idle_since > IDLE_LIMIT:
                self._idle.remove(worker)
                worker.stop()

    @property
    def resting_since(self) -> float | None:
        """When its last request ended, if its only worker waits for another."""
        return self._idle[0].idle_since if self._idle and len(self._living()) == 1 else None

    def sleep(self) -> None:
        """End the only worker; the next request starts one."""
        while self._idle:
            self._idle.pop().stop()

    @property
    def state(self) -> str:
        """How it is: running, asleep or broken."""
        return "broken" if self._failures and not self._living() else "running" if self._workers else "asleep"

    @property
    def waiting(self) -> int:
        """Requests that no worker has yet."""
        return len(self._queue)

    @property
    def processes(self) -> list[tuple[int, str]]:
        """Process id and state of each worker."""
        return [(each.pid, "retiring" if each.retiring else each.state.value) for each in self._workers]

    def describe(self) -> dict[str, object]:
        """Return what the status page says of this function."""
        return {
            "service": self.definition.service,
            "name": self.definition.name,
            "version": self.definition.version,
            "function": self.arn,
            "state": self.state,
            "trouble": self.trouble or None,
            "waiting": self.waiting,
            "cold_starts": self.cold_starts,
            "invocations": self.invocations,
            "workers": [
                {
                    "pid": worker.pid,
                    "state": "retiring" if worker.retiring else worker.state.value,
                    "invocations": worker.invocations,
                }
                for worker in self._workers
            ],
        }

    # What workers tell.

    def worker_ready(self, worker: Worker) -> None:
        """Give a worker what waits, or let it wait."""
        if worker.invocations:
            self._forgive()
        while self._queue:
            invocation = self._queue.popleft()
            if invocation.abandoned:
                continue
            invocation.cold = not worker.invocations
            if not worker.take(invocation):
                self._queue.appendleft(invocation)
            return
        if self._closed:
            worker.stop()
        else:
            self._idle.append(worker)

    def worker_ended(self, worker: Worker, reason: str) -> None:
        """Count a failure where it was one, and see to what waits."""
        self._workers.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.retiring or self._closed:
            if not self._closed:
                self._grow()
            elif not self._living():
                self._fail_waiting("the function is gone")
            return
        self._failures += 1
        self.trouble = reason
        over = self._failures - (_CRASHES_FOR_GRANTED if worker.initialised else 0)
        if over > 0:
            self._resume_at = time.monotonic() + min(_LONGEST_PAUSE, 0.25 * 2**over)
        self._surroundings.journal.note(f"a worker ended: {reason:.2000}", self.definition.service)
        if worker.initialised:
            self._grow()
        elif not self._living():
            self._fail_waiting(reason)

    # Inside.

    def _living(self) -> list[Worker]:
        return [worker for worker in self._workers if not worker.retiring]

    def _in_flight(self) -> int:
        return len(self._queue) + sum(worker.state is State.BUSY for worker in self._workers)

    def _hand(self, invocation: Invocation) -> bool:
        while self._idle:
            if self._idle.pop().take(invocation):
                return True
        return False

    def _grow(self) -> None:
        """Start a worker for each waiting request that no worker on its way will take."""
        living = self._living()
        coming = sum(worker.state in {State.STARTING, State.SETTLING} for worker in living)
        room = (self.definition.concurrency or LOCAL_CAP) - len(living)
        for _ in range(min(len(self._queue) - coming, room)):
            self._start()

    def _start(self) -> None:
        self.cold_starts += 1
        self._workers.append(Worker(self.arn, self.definition, self._surroundings, self))

    def _forgive(self) -> None:
        self._failures = 0
        self._resume_at = 0.0
        self.trouble = ""

    def _fail_waiting(self, reason: str) -> None:
        while self._queue:
            self._queue.popleft().caller.fail(reason)
