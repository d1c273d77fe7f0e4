"""What tests of Stackyard's own tools need, shipped so that a project's tests can have it too.

One strict fake for each real seam: `ScriptedRunner` stands for the operating system's processes, `printed_screen` for
a terminal. Nothing here knows what it is used to test.
"""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import EllipsisType, TracebackType

from stackyard.screen import Screen
from stackyard.tools.process import Completed

Pattern = str | re.Pattern[str] | EllipsisType
"""One argument: its text, a pattern for all of it, or ``...`` for any number of arguments."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was made."""

    argv: tuple[str, ...]
    cwd: Path | None
    env: Mapping[str, str] | None
    keep_fds: tuple[int, ...]
    stdin: str | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class _Expected:
    argv: tuple[Pattern, ...]
    stdout: str
    stderr: str
    code: int
    does: Callable[[], None]


@dataclass
class ScriptedRunner:
    """A `stackyard.tools.process.Runner` that plays back what a test expects, in order, and nothing else.

    A call that is not the next expected one raises AssertionError at once. Used as a context manager it raises at the
    end when an expected call was not made. ``programs`` says what is on PATH.
    """

    programs: Mapping[str, str] = field(default_factory=dict[str, str])
    calls: list[Call] = field(default_factory=list[Call])
    _script: deque[_Expected] = field(default_factory=deque[_Expected])

    def expect(
        self,
        *argv: Pattern,
        stdout: str = "",
        stderr: str = "",
        code: int = 0,
        does: Callable[[], None] = lambda: None,
    ) -> ScriptedRunner:
        """Expect one more call; ``does`` is what the program would do beside printing."""
        self._script.append(_Expected(argv, stdout, stderr, code, does))
        return self

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
        """Play back the next expected call."""
        return self._play(Call(tuple(argv), cwd, env, tuple(keep_fds), stdin, timeout))

    def stream(  # noqa: PLR0913  (as the protocol has it)
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        keep_fds: Sequence[int] = (),
        on_start: Callable[[int], None] = lambda _pid: None,
        on_interrupt: Callable[[], None] = lambda: None,
        joined: bool = False,
    ) -> Completed:
        """Play back the next expected call line by line; its output is also in ``log``, as with real processes."""
        done = self._play(Call(tuple(argv), cwd, env, tuple(keep_fds)))
        if joined:
            done = replace(done, stdout=done.stdout + done.stderr, stderr="")
        log.write_text(done.stdout, encoding="utf-8")
        log.with_name(log.name + ".err").write_text(done.stderr, encoding="utf-8")
        on_start(0)
        for line in done.stdout.splitlines():
            on_line(line)
        return done

    def which(self, name: str) -> str | None:
        """Look a program up in ``programs``."""
        return self.programs.get(name)

    def finish(self) -> None:
        """Raise AssertionError when an expected call was not made."""
        if self._script:
            left = "\n".join(f"  {_write(expected.argv)}" for expected in self._script)
            raise AssertionError(f"expected, but not called:\n{left}")

    def __enter__(self) -> ScriptedRunner:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is None:
            self.finish()

    def _play(self, call: Call) -> Completed:
        if not self._script:
            raise AssertionError(f"called, but nothing more was expected:\n  {_write(call.argv)}")
        expected = self._script.popleft()
        if not _matches(expected.argv, call.argv):
            raise AssertionError(f"called:\n  {_write(call.argv)}\nexpected:\n  {_write(expected.argv)}")
        self.calls.append(call)
        expected.does()
        return Completed(call.argv, expected.code, expected.stdout, expected.stderr)


def _matches(patterns: Sequence[Pattern], argv: Sequence[str]) -> bool:
    if not patterns:
        return not argv
    first, *rest = patterns
    if isinstance(first, EllipsisType):
        return any(_matches(rest, argv[start:]) for start in range(len(argv) + 1))
    if not argv:
        return False
    fits = first == argv[0] if isinstance(first, str) else first.fullmatch(argv[0]) is not None
    return fits and _matches(rest, argv[1:])


def _write(argv: Sequence[Pattern]) -> str:
    return " ".join(_word(part) for part in argv)


def _word(part: Pattern) -> str:
    if isinstance(part, re.Pattern):
        return f"/{part.pattern}/"
    return part if isinstance(part, str) else "..."


class Stream(io.StringIO):
    """A text stream in memory that can say that it is a terminal."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        """Say whether it stands for a terminal."""
        return self._terminal


@dataclass(frozen=True, slots=True)
class Printed:
    """A screen, and what was printed on it."""

    screen: Screen
    _out: Stream
    _err: Stream

    def out(self) -> str:
        """Return what went to standard output: data."""
        return self._out.getvalue()

    def err(self) -> str:
        """Return what went to standard error: progress and errors."""
        return self._err.getvalue()


def printed_screen(
    *, terminal: bool = False, quiet: bool = False, clock: Callable[[], float] | None = None, tick: float = 1.0
) -> Printed:
    """Make a screen that prints into memory."""
    out, err = Stream(terminal=terminal), Stream(terminal=terminal)
    screen = Screen(out, err, quiet, tick=tick)
    if clock is not None:
        screen.clock = clock
    return Printed(screen, out, err)
