"""Start other programs: the only module that imports ``subprocess``.

Everything goes by argument tuples, never through a shell. ``Runner`` is the seam: `SystemRunner` starts real
processes, `stackyard.testing.ScriptedRunner` plays back what a test expects.

A child that must not outlive its parent gets a *lifeline*: the read end of a pipe whose write end only the parent
holds. However the parent ends, SIGKILL included, the kernel closes the pipe and the child reads the end of it.
"""

from __future__ import annotations

import asyncio
import asyncio.subprocess
import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from stackyard.errors import MissingError

LIFELINE = "STACKYARD_LIFELINE"
"""Environment variable that tells a child the number of its lifeline's file descriptor."""

_RELEASE = b"r"


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished process left behind."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


def _ignore(_pid: int) -> None:
    """Take no note of a process id."""


def _nothing() -> None:
    """Do nothing."""


class Runner(Protocol):
    """Start a program and wait for it."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Return exit code and output, whatever the code; raise MissingError when there is no such program."""
        ...

    def stream(  # noqa: PLR0913  (each is a fact of its own about one start)
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: Sequence[int] = (),
        on_start: Callable[[int], None] = _ignore,
        on_interrupt: Callable[[], None] = _nothing,
        joined: bool = False,
    ) -> Completed:
        """Call ``on_line`` for each line of standard output as it comes; ``joined``: of standard error as well.

        Output goes to ``log`` (and ``log`` with ``.err`` behind it) and is read from there, so that the program can
        finish its work when we are killed. ``on_start`` is told its process id, and
        ``on_interrupt`` is called when it was asked to end.
        """
        ...

    def which(self, name: str) -> str | None:
        """Return the path of a program, or None."""
        ...


class SystemRunner:
    """The operating system's own processes."""

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        timeout: float | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Run to the end and return what it printed. ``timeout`` is in seconds; past it the process is killed."""
        with _starting(argv):
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=tuple(keep_fds),
            )
        with process:
            try:
                out, err = process.communicate(stdin, timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
                return Completed(tuple(argv), 124, out, f"{err}\ngave up after {timeout:g} s")
            except BaseException:
                process.terminate()
                raise
        return Completed(tuple(argv), process.returncode, out, err)

    def stream(  # noqa: PLR0913  (each is a fact of its own about one start)
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: Sequence[int] = (),
        on_start: Callable[[int], None] = _ignore,
        on_interrupt: Callable[[], None] = _nothing,
        joined: bool = False,
    ) -> Completed:
        """Run to the end, handing over each line.

        On Ctrl-C the program is interrupted once and gets the time it needs to end; on a second one we go without it.
        """
        errors = log.with_name(log.name + ".err")
        with _starting(argv), log.open("wb") as output, errors.open("wb") as problems:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if joined else problems,
                pass_fds=tuple(keep_fds),
                # A Ctrl-C at the terminal must reach it once, from us: Terraform takes a second interrupt as leave
                # to drop the state on the floor. And whoever kills us as a group shall not kill it.
                start_new_session=True,
            )
        on_start(process.pid)
        with log.open(encoding="utf-8", errors="replace") as lines:
            interrupted = False
            try:
                _follow(process, lines, on_line)
            except KeyboardInterrupt:
                interrupted = True
                process.send_signal(signal.SIGINT)
                on_interrupt()
                _follow(process, lines, on_line)
            if interrupted:
                raise KeyboardInterrupt
        return Completed(
            tuple(argv), process.wait(), log.read_text("utf-8", "replace"), errors.read_text("utf-8", "replace")
        )

    def which(self, name: str) -> str | None:
        """Return the path of a program, or None."""
        return shutil.which(name)


def _follow(process: subprocess.Popen[bytes], lines: TextIO, on_line: Callable[[str], None]) -> None:
    """Hand over lines as the program writes them, until it has ended and the last is read."""
    partial = ""
    while True:
        ended = process.poll() is not None
        chunk = lines.read()
        partial += chunk
        *whole, partial = partial.split("\n")
        for line in whole:
            on_line(line)
        if ended and not chunk:
            if partial:
                on_line(partial)
            return
        if not chunk:
            # Sleeps until it ends or 20 ms have gone; there is no portable way to wait for a file to grow.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)


@contextlib.contextmanager
def _starting(argv: Sequence[str]):
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError(f"cannot start {argv[0]}", "there is no such program", fix="Install it.") from error
    except PermissionError as error:
        raise MissingError(f"cannot start {argv[0]}", "it may not be executed") from error


@dataclass(slots=True)
class Daemon:
    """A process of ours that goes on in the background, tied to us by a lifeline until it is released."""

    pid: int
    _process: subprocess.Popen[bytes]
    _lifeline: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self._process.poll()

    def release(self) -> None:
        """Let it live on when we end."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._lifeline, _RELEASE)
        os.close(self._lifeline)
        self._lifeline = -1

    def stop(self, patience: float = 10) -> None:
        """End it: SIGTERM, ``patience`` seconds, SIGKILL."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def start_daemon(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path, hold: int | None = None
) -> Daemon:
    """Start a program of ours in its own session, output appended to ``log``, with a lifeline.

    ``hold`` is the file descriptor of a lock that it keeps for as long as it lives. Raises MissingError when it
    cannot be started.
    """
    read, write = os.pipe()
    try:
        with _starting(argv), log.open("ab") as output:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**env, LIFELINE: str(read)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(read,) if hold is None else (read, hold),
                start_new_session=True,
            )
    except BaseException:
        os.close(write)
        raise
    finally:
        os.close(read)
    return Daemon(process.pid, process, write)


def watch_lifeline(on_end: Callable[[], None]) -> None:
    """In a child: call ``on_end`` from a thread once the parent is gone, unless it released us first."""
    number = os.environ.pop(LIFELINE, None)
    if number is None:
        return

    def wait() -> None:
        if os.read(int(number), 1) != _RELEASE:
            on_end()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


async def spawn(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], output: int, keep_fds: Sequence[int] = ()
) -> asyncio.subprocess.Process:
    """Start a program from an event loop, its standard output and error going to ``output``. Raises MissingError.

    It leads a session of its own, so that a Ctrl-C at the terminal reaches it only through us. Its standard input is a
    lifeline: a pipe that says nothing and closes when we end, however we end.
    """
    with _starting(argv):
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=tuple(keep_fds),
            start_new_session=True,
        )


def signal_group(leader: asyncio.subprocess.Process | None, number: signal.Signals) -> bool:
    """Signal a program that `spawn` started and what it started itself; False when it has ended."""
    if leader is None or leader.returncode is not None:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, number)
        return True
    return False


def end_group(leader: int) -> None:
    """Kill what is left of a process group whose leader is gone (a Terraform's provider outlives its SIGKILL)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
