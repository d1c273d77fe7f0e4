"""One execution environment: a process with the real ``awslambdaric`` in it, and what it is doing.

Owns a worker's life from start to end. Which worker runs what, and how many there are, is for `functions` to say.
Source: "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import asyncio.subprocess
import json
import os
import signal
import sys
import time
from enum import Enum
from typing import Protocol, cast

from stackyard.errors import StackyardError
from stackyard.local.gateway.deployment import FunctionDefinition
from stackyard.local.gateway.environment import Surroundings, render_function_environment
from stackyard.local.gateway.output import Output
from stackyard.local.gateway.runtime import Invocation, RuntimeApi
from stackyard.tools.process import end_group, signal_group, spawn

INIT_PATIENCE = 10.0
"""Seconds that Lambda gives the init phase; we add the function's timeout, as Lambda does on its second try."""

_GRACE = 2.0


class State(Enum):
    """What a worker is doing."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SETTLING = "settling"
    ENDED = "ended"


class Keeper(Protocol):
    """Who owns workers."""

    def worker_ready(self, worker: Worker) -> None:
        """Learn that a worker asks for work."""
        ...

    def worker_ended(self, worker: Worker, reason: str) -> None:
        """Learn that a worker's process is gone."""
        ...


class Worker:
    """One process that serves one request at a time."""

    def __init__(self, arn: str, definition: FunctionDefinition, surroundings: Surroundings, keeper: Keeper) -> None:
        self.arn = arn.encode()
        self.timeout = definition.timeout
        self.current: Invocation | None = None
        self.state = State.STARTING
        self.retiring = False
        self.initialised = False
        self.invocations = 0
        self.idle_since = 0.0
        self.pid = 0
        self.trouble = ""
        self._definition = definition
        self._surroundings = surroundings
        self._keeper = keeper
        self._api = RuntimeApi(self)
        self._output = Output(self._say)
        self._process: asyncio.subprocess.Process | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        """Start, pass on what it prints, and tell the keeper when it ends."""
        reason = "it could not be started"
        try:
            await self._api.listen()
            process = await self._start()
            if self.retiring:
                self._kill()
            self._output.follow()
            await process.wait()
            # What the service itself started must not live on.
            end_group(process.pid)
            reason = self.trouble or _ending(process.returncode)
        except (OSError, StackyardError) as error:
            self._surroundings.journal.note(f"cannot start a worker: {error}", self._definition.service)
        finally:
            self._output.close()
            self._cancel_deadline()
            self.state = State.ENDED
            await self._api.close()
            if (invocation := self.current) is not None:
                self._release()
                invocation.caller.fail(reason)
            self._keeper.worker_ended(self, reason)

    async def _start(self) -> asyncio.subprocess.Process:
        definition = self._definition
        environment = render_function_environment(definition, self._surroundings, os.environ)
        environment["AWS_LAMBDA_RUNTIME_API"] = self._api.address
        argv = (sys.executable, "-m", "stackyard.local.gateway.worker", definition.handler)
        process = await spawn(
            argv, cwd=self._surroundings.root / definition.folder, env=environment, output=self._output.writable
        )
        self._process = process
        self.pid = process.pid
        patience = INIT_PATIENCE + self.timeout
        self._deadline = asyncio.get_running_loop().call_later(patience, self._give_up_starting, patience)
        return process

    def _say(self, line: bytes) -> None:
        """Pass on a line; a runtime error comes as one line with carriage returns and hard spaces in it."""
        for part in line.decode("utf-8", "replace").replace("\u00a0", " ").split("\r"):
            self._surroundings.journal.log(self._definition.service, part)

    # What the Runtime API tells.

    def ready(self) -> None:
        """Learn that the process asks for work."""
        if not self.initialised:
            self.initialised = True
            self._cancel_deadline()
        self.idle_since = time.monotonic()
        self.state = State.IDLE
        if self.retiring:
            self.stop()
        else:
            self._keeper.worker_ready(self)

    def done(self, invocation: Invocation, payload: bytes | None, reason: str) -> None:
        """Pass on how the current invocation ended."""
        self._cancel_deadline()
        self._release()
        self.state = State.SETTLING
        if payload is None:
            invocation.caller.fail(reason)
        else:
            invocation.caller.succeed(payload)

    def broken(self, reason: str) -> None:
        """Remember why the service could not be initialised; its process ends by itself."""
        self.trouble = _worded(reason)

    # What the keeper asks for.

    def take(self, invocation: Invocation) -> bool:
        """Run an invocation; False when this worker turns out to be gone."""
        self.current = invocation
        self.state = State.BUSY
        if not self._api.hand(invocation):
            self.current = None
            return False
        self.invocations += 1
        self._surroundings.attention.begin()
        self._deadline = asyncio.get_running_loop().call_later(self.timeout, self._time_out)
        return True

    def retire(self) -> None:
        """Take nothing more: finish what is under way, or end now."""
        self.retiring = True
        if self.state is State.STARTING:
            self._kill()
        elif self.state is State.IDLE:
            self.stop()

    def stop(self) -> None:
        """End it: SIGTERM, a moment, SIGKILL."""
        self.retiring = True
        if signal_group(self._process, signal.SIGTERM):
            asyncio.get_running_loop().call_later(_GRACE, self._kill)

    async def ended(self) -> None:
        """Wait for the end of the process."""
        await asyncio.wait([self._task])

    # Inside.

    def _give_up_starting(self, patience: float) -> None:
        self._surroundings.journal.note(f"not ready after {patience:g} s; ended", self._definition.service)
        self.trouble = f"it was not ready after {patience:g} s"
        self._kill()

    def _time_out(self) -> None:
        """End the process as Lambda does, in the words that Lambda logs."""
        invocation = self.current
        if invocation is None:
            return
        self.trouble = f"Task timed out after {self.timeout:.2f} seconds"
        self._surroundings.journal.log(self._definition.service, f"{invocation.request_id} {self.trouble}")
        self._release()
        self.retiring = True
        self._kill()
        invocation.caller.fail(self.trouble)

    def _release(self) -> None:
        self.current = None
        self._surroundings.attention.end()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _kill(self) -> None:
        signal_group(self._process, signal.SIGKILL)


def _worded(reason: str) -> str:
    """Return an initialisation error as Python would say it, from the JSON that the runtime client posts."""
    try:
        found: object = json.loads(reason)
    except ValueError:
        return reason
    if not isinstance(found, dict):
        return reason
    error = cast("dict[str, object]", found)
    return f"{error.get('errorType')}: {error.get('errorMessage')}"


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"Runtime exited with error: signal: {signal.Signals(-code).name} Runtime.ExitError"
    return f"Runtime exited with error: exit status {code} Runtime.ExitError"
