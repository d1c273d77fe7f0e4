"""What is printed, where it goes, and in which order."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time

import pytest

from stackyard.errors import ConfigError, MissingError, RefusedError, StackyardError, ToolError
from stackyard.screen import HEARTBEAT, Screen
from stackyard.testing import printed_screen

ERROR = ToolError(
    "terraform failed", "it says why", fix="Try again.", command="inv deploy", detail="its own\nwords\n\n"
)


def everything(screen: Screen) -> None:
    screen.say("done", "green")
    with screen.stage("work"):
        screen.note("a line")
    screen.warn("careful")
    screen.table(["NAME", "PATH"], [["api", "/"], ["order-desk", "/order-desk"]])
    screen.summary()
    screen.error(ERROR)


@pytest.mark.parametrize("terminal", [False, True])
def test_control_characters_are_for_terminals(terminal: bool) -> None:
    """A log file and a pipe get plain text, the same words."""
    printed = printed_screen(terminal=terminal, clock=lambda: 0)
    everything(printed.screen)
    assert ("\x1b" in printed.err()) is terminal
    assert ("\x1b" in printed.out()) is terminal
    plain = printed_screen(clock=lambda: 0)
    everything(plain.screen)
    for code in ("1", "2", "31", "32", "33", "36", "0", "31;1"):
        assert f"\x1b[{code}m" not in plain.err()
    assert plain.err().startswith("done\n▸ work\n  a line\n  0.0 s\nwarning: careful\n")


def test_data_goes_to_standard_output_and_progress_to_standard_error() -> None:
    """So that a pipe gets data alone, of any kind."""
    printed = printed_screen()
    printed.screen.say("progress")
    printed.screen.data("data")
    printed.screen.json({"when": 1.5, "what": RefusedError("x")})
    assert printed.err() == "progress\n"
    assert json.loads(printed.out().removeprefix("data\n")) == {"when": 1.5, "what": "x"}


def test_colour_is_left_out_where_the_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """By NO_COLOR, as everywhere, or by a terminal that has none."""
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert printed_screen(terminal=True).screen.style("text", "red") == "text"


def test_the_work_goes_on_when_nobody_reads_along() -> None:
    """`inv deploy 2>&1 | head` must not end a deploy in its middle."""
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    screen = Screen(err=stream)
    screen.say("x" * 100_000)
    screen.say("more")
    with screen.stage("work"):
        screen.warn("careful")
    with contextlib.suppress(BrokenPipeError):
        stream.close()


def test_an_error_ends_with_what_to_type() -> None:
    """The tool's own words first, then the cause, the fix, the command."""
    printed = printed_screen()
    printed.screen.error(ERROR)
    assert printed.err() == (
        "| its own\n| words\nerror: terraform failed: it says why\n  Try again.\n  run: inv deploy\n"
    )
    assert printed.out() == ""


def test_an_error_of_one_sentence_is_one_line() -> None:
    """Nothing is made up around it."""
    printed = printed_screen()
    printed.screen.error(StackyardError("no"))
    assert printed.err() == "error: no\n"


def test_a_quiet_screen_prints_data_warnings_and_errors() -> None:
    """With --json, nothing else."""
    printed = printed_screen(quiet=True)
    everything(printed.screen)
    assert printed.err().splitlines()[0] == "warning: careful"
    assert "error: terraform failed" in printed.err()
    assert "work" not in printed.err()
    assert "order-desk" in printed.out()


def test_a_table_is_as_wide_as_it_must_be() -> None:
    """Columns are aligned; no white space at the ends of lines."""
    printed = printed_screen()
    printed.screen.table(["NAME", "PATH"], [["api", "/"], ["order-desk", ""]])
    assert printed.out() == "NAME        PATH\napi         /\norder-desk\n"


def test_a_table_without_rows_is_its_headings() -> None:
    """An empty answer is an answer."""
    printed = printed_screen()
    printed.screen.table(["NAME", "PATH"], [])
    assert printed.out() == "NAME  PATH\n"


def test_stages_are_timed_and_summed_up() -> None:
    """In seconds, also for a stage that fails to end."""
    now = iter([0.0, 0.0, 2.5, 2.5, 10.0, 10.0, 10.5, 10.5, 99.0])
    printed = printed_screen(clock=lambda: next(now))
    with printed.screen.stage("plan"):
        pass
    with printed.screen.stage("apply"):
        pass
    printed.screen.summary()
    assert "  2.5 s\n" in printed.err()
    assert printed.err().endswith("3.0 s in all: plan 2.5, apply 0.5\n")


def test_a_stage_that_fails_ends_its_heartbeat() -> None:
    """No thread is left to write over the error."""
    printed = printed_screen(tick=0.001)
    with pytest.raises(ToolError), printed.screen.stage("plan"):
        raise ERROR
    until = time.monotonic() + 5
    while any(thread.name == "heartbeat" for thread in threading.enumerate()):
        assert time.monotonic() < until
    assert printed.screen.stages == []


def test_a_silent_stage_says_that_it_is_still_at_work() -> None:
    """After ten seconds without a line, and again after ten more; what is printed in between puts it off."""
    now = [0.0]
    printed = printed_screen(clock=lambda: now[0], tick=0.001)

    def beats(count: int) -> None:
        until = time.monotonic() + 5
        while printed.err().count("still at it") < count:
            assert time.monotonic() < until, printed.err()

    with printed.screen.stage("apply"):
        now[0] = HEARTBEAT - 1
        printed.screen.note("a line")
        now[0] = HEARTBEAT + 1
        assert "still at it" not in printed.err()
        now[0] = 2 * HEARTBEAT
        beats(1)
        now[0] = 3 * HEARTBEAT
        beats(2)
    assert "  still at it: apply (20 s)\n  still at it: apply (30 s)\n" in printed.err()


def test_every_kind_of_error_has_its_exit_code() -> None:
    """Scripts tell them apart by it."""
    kinds = (StackyardError, ConfigError, MissingError, ToolError, RefusedError)
    assert [kind.exit_code for kind in kinds] == [1, 2, 3, 4, 5]
    assert str(ConfigError("what", "why")) == "what: why"
