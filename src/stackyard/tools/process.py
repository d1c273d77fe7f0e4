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
from typing import Protocol

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

    def stream(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Call ``on_line`` for each line of standard output as it comes; standard error is collected."""
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
                _end(process)
                raise
        return Completed(tuple(argv), process.returncode, out, err)

    def stream(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: Sequence[int] = (),
    ) -> Completed:
        """Run to the end, handing over each line. On Ctrl-C the program gets time to end its own work."""
        with _starting(argv):
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=tuple(keep_fds),
                # Its own group: a Ctrl-C at the terminal must reach it once, from us, not twice. Terraform takes a
                # second interrupt as leave to drop the state on the floor.
                process_group=0,
            )
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            errors: list[str] = []
            drain = threading.Thread(target=errors.extend, args=(process.stderr,), daemon=True)
            drain.start()
            lines: list[str] = []
            try:
                for line in process.stdout:
                    lines.append(line)
                    on_line(line.rstrip("\n"))
                process.wait()
            except BaseException:
                _end(process)
                raise
            drain.join()
        return Completed(tuple(argv), process.returncode, "".join(lines), "".join(errors))

    def which(self, name: str) -> str | None:
        """Return the path of a program, or None."""
        return shutil.which(name)


def _end(process: subprocess.Popen[str], patience: float = 60) -> None:
    """Interrupt, wait for the program to finish what it must (Terraform writes its state), then kill."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    reader = threading.Thread(target=lambda: [stream.read() for stream in (process.stdout, process.stderr) if stream])
    reader.daemon = True
    reader.start()
    try:
        process.wait(patience)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


@contextlib.contextmanager
def _starting(argv: Sequence[str]):  # noqa: ANN202  (a generator; contextmanager gives it its type)
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


def start_daemon(argv: Sequence[str], *, log: Path, env: Mapping[str, str], cwd: Path) -> Daemon:
    """Start a program of ours in its own session, output appended to ``log``, with a lifeline.

    Raises MissingError when it cannot be started.
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
                pass_fds=(read,),
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


async def spawn(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a program from an event loop, with standard output and error on pipes. Raises MissingError.

    It leads a session of its own, so that a Ctrl-C at the terminal reaches it only through us. Its standard input is a
    lifeline: a pipe that says nothing and closes when we end, however we end.
    """
    with _starting(argv):
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
