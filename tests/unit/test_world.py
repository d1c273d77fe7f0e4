"""The guard of the unit tests, and the strict fake that takes the place of processes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from stackyard.testing import ScriptedRunner
from stackyard.tools.process import Runner, SystemRunner


def test_a_process_cannot_be_started() -> None:
    """Neither through our runner nor past it."""
    with pytest.raises(pytest.fail.Exception, match="start a process"):
        SystemRunner().run([sys.executable, "-V"])
    with pytest.raises(pytest.fail.Exception, match="start a process"):
        subprocess.run([sys.executable, "-V"], check=False)
    with pytest.raises(pytest.fail.Exception, match="start a process"):
        os.posix_spawn(sys.executable, [sys.executable, "-V"], {})


def test_a_socket_cannot_be_opened() -> None:
    """No test reaches a network; the pair that an event loop needs is no network."""
    with pytest.raises(pytest.fail.Exception, match="open a socket"):
        socket.create_connection(("127.0.0.1", 9))
    for end in socket.socketpair():
        end.close()


def test_expected_calls_are_played_back_in_order() -> None:
    """Output, exit code and side effect are the script's; what was given is noted."""
    did: list[str] = []
    with ScriptedRunner({"tool": "/bin/tool"}) as scripted:
        scripted.expect("tool", "one", stdout="1\n", does=lambda: did.append("one"))
        scripted.expect("tool", re.compile(r"-out=.*"), ..., code=3, stderr="no")
        runner: Runner = scripted
        first = runner.run(["tool", "one"], env={"A": "b"}, keep_fds=[7])
        second = runner.run(["tool", "-out=x", "and", "more"], cwd=Path("/"))
    assert (first.code, first.stdout, did) == (0, "1\n", ["one"])
    assert (second.code, second.stderr) == (3, "no")
    assert [(call.env, call.cwd, call.keep_fds) for call in scripted.calls] == [
        ({"A": "b"}, None, (7,)),
        (None, Path("/"), ()),
    ]
    assert (runner.which("tool"), runner.which("other")) == ("/bin/tool", None)


def test_streamed_lines_are_handed_over_and_logged(tmp_path: Path) -> None:
    """As with a real process, the log holds what was handed over."""
    lines: list[str] = []
    pids: list[int] = []
    with ScriptedRunner() as scripted:
        scripted.expect("tool", stdout="a\nb\n", stderr="oh")
        scripted.stream(["tool"], lines.append, log=tmp_path / "log", on_start=pids.append)
    assert (lines, pids) == (["a", "b"], [0])
    assert (tmp_path / "log").read_text() == "a\nb\n"
    assert (tmp_path / "log.err").read_text() == "oh"


@pytest.mark.parametrize(
    "argv",
    [["tool"], ["tool", "two"], ["tool", "one", "more"], ["other", "one"]],
    ids=["too few arguments", "another argument", "too many arguments", "another program"],
)
def test_an_unexpected_call_raises_at_once(argv: list[str]) -> None:
    """The message shows both the call and what was expected."""
    with pytest.raises(AssertionError, match=r"called:\n  (tool|other).*\nexpected:\n  tool one"):
        ScriptedRunner().expect("tool", "one").run(argv)


def test_a_call_after_the_script_raises() -> None:
    """Nothing is answered by default."""
    with pytest.raises(AssertionError, match="nothing more was expected"):
        ScriptedRunner().run(["tool"])


def test_a_call_that_was_not_made_is_named_at_the_end() -> None:
    """But not over another failure of the test."""
    with pytest.raises(AssertionError, match=r"not called:\n  tool one \.\.\. /x\+/"), ScriptedRunner() as scripted:
        scripted.expect("tool", "one", ..., re.compile("x+"))
    with pytest.raises(KeyError), ScriptedRunner() as scripted:
        scripted.expect("tool")
        raise KeyError
