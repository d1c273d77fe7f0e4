"""The bar: below the lines on a terminal, gone at the end, never in a log."""

from __future__ import annotations

import os
import re
import threading

import pytest

from stackyard.errors import ToolError
from stackyard.screen import HEARTBEAT, Screen
from stackyard.testing import Printed, Stream, printed_screen
from tests.waiting import until

TOKEN = re.compile(r"\x1b\[\??([\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def shown(written: str) -> tuple[list[str], bool]:
    """Return the lines that a terminal shows in the end, and whether it has a cursor; colours are left out."""
    lines, row, column, cursor = [""], 0, 0, True
    for number, letter, home, feed, text in TOKEN.findall(written):
        if home:
            column = 0
        elif feed:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif text:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
        elif letter == "A":
            row -= int(number or 1)
        elif letter == "K":
            lines[row] = ""
        elif letter in {"h", "l"}:
            cursor = letter == "h"
        else:
            assert letter == "m", f"a control sequence that this terminal does not know: {letter}"
    return [line.rstrip() for line in lines], cursor


def wait_for(printed: Printed, words: str) -> str:
    """Wait until something was drawn, and return all that was."""
    until(lambda: words in printed.err(), words, explain=printed.err)
    return printed.err()


def apply(screen: Screen) -> None:
    with screen.stage("apply"), screen.progress("apply", 3) as progress:
        progress.advance("created api: aws_iam_role 1 s")
        screen.note(screen.style("could not create api: aws_lambda_function 3 s", "red"))
        progress.advance("destroyed " + "x" * 200)
        screen.warn("[bold]careful[/bold]")


@pytest.fixture(autouse=True)
def capable_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs the tests, the terminal in them is an ordinary one."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


def test_a_terminal_is_left_with_the_lines_that_a_log_gets() -> None:
    """The bar is gone, long lines and brackets are whole, the cursor is there."""
    plain, terminal = printed_screen(clock=lambda: 0), printed_screen(terminal=True, clock=lambda: 0)
    apply(plain.screen)
    apply(terminal.screen)
    lines, cursor = shown(terminal.err())
    assert lines == plain.err().split("\n")
    assert cursor
    assert "━" in terminal.err()


def test_a_log_gets_plain_lines() -> None:
    """What is waited for has a line of its own there."""
    printed = printed_screen(clock=lambda: 0)
    with printed.screen.progress("apply", 2) as progress:
        progress.waiting("waiting for api: aws_lambda_function (10 s)")
        progress.advance("created api: aws_lambda_function 12 s")
    assert printed.err() == ("  waiting for api: aws_lambda_function (10 s)\n  created api: aws_lambda_function 12 s\n")


def test_the_bar_counts_and_says_what_is_waited_for() -> None:
    """How many of how many, on one line; no cursor is lost if the process is killed there."""
    printed = printed_screen(terminal=True)
    with printed.screen.progress("apply", 40) as progress:
        for number in range(12):
            progress.advance(f"created {number}")
        progress.waiting("waiting for order-desk: aws_cloudfront_distribution.with_a_long_name (240 s)")
        lines, cursor = shown(wait_for(printed, "waiting for order-desk"))
    assert cursor
    assert re.fullmatch(r"  apply ━.+ 12/40 0:00:0\d waiting for order-desk: aws_\w+…", lines[-1])
    assert len(lines[-1]) == 80
    assert "waiting" not in "\n".join(shown(printed.err())[0])


def test_a_bar_can_count_what_nobody_knows_the_number_of() -> None:
    """As the steps of a build; it shows how many are done."""
    printed = printed_screen(terminal=True)
    with printed.screen.progress("build", None) as progress:
        progress.advance("api: installed packages 12 s")
        progress.waiting("web")
        lines, _ = shown(wait_for(printed, "web"))
    assert re.fullmatch(r"  build ━.+ 1/\? 0:00:0\d web", lines[-1])


@pytest.mark.parametrize(
    ("out", "err", "quiet", "term"),
    [
        (False, True, False, "xterm"),
        (True, False, False, "xterm"),
        (True, True, True, "xterm"),
        (True, True, False, "dumb"),
    ],
)
def test_there_is_no_bar_where_it_could_not_be_drawn_over(
    monkeypatch: pytest.MonkeyPatch, out: bool, err: bool, quiet: bool, term: str
) -> None:
    """One end is a file, nobody wants progress, or the terminal cannot move its cursor."""
    monkeypatch.setenv("TERM", term)
    written = Stream(terminal=err)
    screen = Screen(Stream(terminal=out), written, quiet)
    with screen.progress("apply", 2) as progress:
        progress.advance("created")
    assert written.getvalue() == ("" if quiet else "  created\n")


def test_colours_can_be_switched_off_without_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR speaks of colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    printed = printed_screen(terminal=True)
    apply(printed.screen)
    assert "━" in printed.err()
    assert not re.search(r"\x1b\[(3|4|9|10)\d", printed.err())


def test_an_error_comes_after_the_bar() -> None:
    """It is gone before the error is written, and so is its thread."""
    printed = printed_screen(terminal=True)
    threads = threading.active_count()
    with pytest.raises(ToolError) as failed, printed.screen.stage("apply"), printed.screen.progress("apply", 2):
        raise ToolError("terraform apply failed", "its own words stand above", detail="no", command="inv deploy")
    printed.screen.error(failed.value)
    lines, cursor = shown(printed.err())
    assert lines == [
        "▸ apply",
        "| no",
        "error: terraform apply failed: its own words stand above",
        "  run: inv deploy",
        "",
    ]
    assert cursor
    until(lambda: threading.active_count() <= threads, "the bar's thread has ended")


def test_a_bar_whose_seconds_move_needs_no_heartbeat() -> None:
    """On a terminal it would only push the lines away that say something."""
    now = [0.0]
    printed = printed_screen(terminal=True, clock=lambda: now[0], tick=0.001)
    with printed.screen.stage("apply"):
        with printed.screen.progress("apply", 1) as progress:
            now[0] = 2 * HEARTBEAT
            progress.waiting("drawn twice")
            wait_for(printed, "drawn twice")
            assert "still at it" not in printed.err()
        wait_for(printed, "still at it: apply (20 s)")


def test_control_characters_in_another_programs_words_are_left_out() -> None:
    """Its colours, titles and cursor movements would reach a log, or do something to a terminal."""
    printed = printed_screen()
    words = "\x1b[1;31mError:\x1b[0m no\x1b]0;title\x07 such\tthing\x1b[2K\r\nat all\x1b]8;;x\x1b\\\x08"
    printed.screen.error(ToolError("docker failed", detail=words))
    assert printed.err() == "| Error: no such\tthing\n| at all\nerror: docker failed\n"


def test_an_error_that_nobody_reads_ends_with_its_exit_code_all_the_same() -> None:
    """`inv deploy 2>&1 | head` again."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w", closefd=False) as stream:
        screen = Screen(err=stream)
        screen.error(ToolError("terraform failed", "it says why", detail="x" * 100_000))
        screen.error(ToolError("terraform failed", "it says why"))
    os.close(write)
