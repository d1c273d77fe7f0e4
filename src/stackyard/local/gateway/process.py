"""One process of a service behind HTTP: uvicorn as the image runs it, from its start until it has ended.

Owns the socket it listens on (made here, so that no port is raced for), the question whether it is ready, and how it
ends. Which process serves, and when there is another, is for `servers` to say.
"""

from __future__ import annotations

import asyncio
import asyncio.subprocess
import os
import signal
import socket
import sys
import time
from typing import Protocol, cast

from stackyard.errors import StackyardError
from stackyard.local.gateway.deployment import ServerDefinition
from stackyard.local.gateway.environment import Surroundings, render_server_environment
from stackyard.local.gateway.message import Header
from stackyard.local.gateway.output import Output
from stackyard.local.gateway.refusal import Refusal
from stackyard.local.gateway.upstream import Call, Upstream
from stackyard.tools.process import end_group, signal_group, spawn

PATIENCE = 60.0
"""Seconds from start to the first good answer of ``/health``."""

GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL for a process that is replaced (ECS gives 30)."""

HEALTH = "/health"
"""What load balancers ask, without the public path in front."""

_PAUSE = 0.1
_BACKLOG = 1024
_KEEP_ALIVE = 300
"""Seconds that uvicorn keeps an idle connection: longer than the gateway does, which therefore closes first."""


class Keeper(Protocol):
    """Who owns processes."""

    def process_ready(self, process: ServerProcess) -> None:
        """Learn that a process answers."""
        ...

    def process_ended(self, process: ServerProcess, reason: str) -> None:
        """Learn that a process is gone."""
        ...

    def process_refused(self, process: ServerProcess, call: Call) -> None:
        """Take back a call that a process took no connection for."""
        ...


class ServerProcess:
    """One uvicorn."""

    def __init__(self, definition: ServerDefinition, surroundings: Surroundings, keeper: Keeper) -> None:
        self.pid = 0
        self.port = 0
        self.ready = False
        self.retiring = False
        self.since = time.monotonic()
        self.upstream = Upstream(self)
        self._definition = definition
        self._surroundings = surroundings
        self._keeper = keeper
        self._output = Output(self._say)
        self._process: asyncio.subprocess.Process | None = None
        self._trouble = ""
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        """Start, pass on what it prints, and tell the keeper when it ends."""
        reason = "it could not be started"
        proof: asyncio.Task[None] | None = None
        try:
            process = await self._start()
            if self.retiring:
                signal_group(self._process, signal.SIGKILL)
            self._output.follow()
            proof = asyncio.get_running_loop().create_task(self._prove())
            await process.wait()
            # What the service itself started must not live on.
            end_group(process.pid)
            reason = self._trouble or _ending(process.returncode)
        except (OSError, StackyardError) as error:
            self._note(f"cannot start: {error}")
        finally:
            if proof is not None:
                proof.cancel()
            self._output.close()
            self.upstream.close(reason)
            self._keeper.process_ended(self, reason)

    async def _start(self) -> asyncio.subprocess.Process:
        definition, surroundings = self._definition, self._surroundings
        with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as listener:
            # Inherited by every connection taken on it, which uvicorn could not set: it takes it for a Unix socket.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.port = cast("tuple[str, int]", listener.getsockname())[1]
            argv = (
                *(sys.executable, "-m", "stackyard.local.gateway.host", definition.app),
                *("--fd", str(listener.fileno()), "--timeout-keep-alive", str(_KEEP_ALIVE), "--backlog", str(_BACKLOG)),
                *("--ws", "none", "--log-level", "warning", "--no-access-log"),
            )
            process = await spawn(
                argv,
                cwd=surroundings.root / definition.folder,
                env=render_server_environment(definition, surroundings, os.environ, self.port),
                output=self._output.writable,
                keep_fds=(listener.fileno(),),
            )
        self._process = process
        self.pid = process.pid
        self.upstream.direct(self.port)
        return process

    async def _prove(self) -> None:
        """Ask for its health until it is well."""
        end = time.monotonic() + PATIENCE
        said = ""
        while (left := end - time.monotonic()) > 0:
            answer = await _Probe.ask(self.upstream, left)
            if answer.isdigit() and 200 <= int(answer) < 400:
                self.ready = True
                self._keeper.process_ready(self)
                return
            if answer.isdigit() and answer != said:
                self._note(f"GET {HEALTH} answers {answer}; on AWS it would get no requests until that is 200")
                said = answer
            await asyncio.sleep(_PAUSE)
        self._trouble = f"GET {HEALTH} did not answer well within {PATIENCE:g} s"
        signal_group(self._process, signal.SIGKILL)

    def _say(self, line: bytes) -> None:
        self._surroundings.journal.log(self._definition.service, line.decode("utf-8", "replace"))

    def _note(self, text: str) -> None:
        self._surroundings.journal.note(text, self._definition.service)

    # What the upstream tells.

    def refused(self, call: Call) -> None:
        """Hand a call back that the process took no connection for."""
        self._keeper.process_refused(self, call)

    def idle(self) -> None:
        """End, where that was only put off."""
        if self.retiring and self.ready:
            self.stop(GRACE)

    # What the keeper asks for.

    def retire(self) -> None:
        """Take nothing more: finish what is under way, then end."""
        if self.retiring:
            return
        self.retiring = True
        if not self.ready:
            signal_group(self._process, signal.SIGKILL)
        elif not self.upstream.under_way:
            self.stop(GRACE)

    def stop(self, grace: float) -> None:
        """End it: SIGTERM, ``grace`` seconds, SIGKILL."""
        self.retiring = True
        if signal_group(self._process, signal.SIGTERM):
            asyncio.get_running_loop().call_later(grace, signal_group, self._process, signal.SIGKILL)

    async def ended(self) -> None:
        """Wait for the end of the process."""
        await asyncio.wait([self._task])


class _Probe:
    """Someone who waits for the answer of ``/health``."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def ask(cls, upstream: Upstream, patience: float) -> str:
        """Return the status, or in words why there is none."""
        probe = cls()
        head = f"GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: stackyard-health\r\nAccept: */*\r\n\r\n"
        call = Call(b"GET", head.encode(), probe)
        call.tried = True
        upstream.send(call)
        try:
            return await asyncio.wait_for(probe._answer, patience)
        except TimeoutError:
            call.abandon()
            return "no answer"

    def answered(self, status: int, headers: list[Header], body: bytes) -> None:
        del headers, body
        if not self._answer.done():
            self._answer.set_result(str(status))

    def refuse(self, refusal: Refusal, detail: str = "") -> None:
        if not self._answer.done():
            self._answer.set_result(detail or refusal.message)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit status {code}"
