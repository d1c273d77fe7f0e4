"""Lines of several sources come out in one order, none twice, none lost, never too many at once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.errors import ToolError
from stackyard.loglines import Line
from stackyard.merging import Merge


def line(at: int, service: str = "a") -> Line:
    return Line(at, at, service, "info", "", "text")


def drain(merge: Merge) -> list[int]:
    """Return the times of the lines that may be passed on now."""
    found: list[int] = []
    while lines := merge.take(0):
        found += [each.at for each in lines]
    return found


@given(st.lists(st.lists(st.integers(0, 50)), min_size=1, max_size=4))
def test_sources_in_any_pace_give_one_order(times: list[list[int]]) -> None:
    """Whatever each tells, and when: sorted, complete."""
    names = [str(number) for number in range(len(times))]
    merge = Merge(names)
    found: list[int] = []
    for name, each in zip(names, times, strict=True):
        for at in sorted(each):
            merge.add(name, [line(at)], at)
            found += drain(merge)
        merge.end(name)
    found += drain(merge)
    assert found == sorted(at for each in times for at in each)
    assert merge.take(0) is None


def test_what_the_slowest_has_not_told_yet_is_waited_for() -> None:
    """A line is passed on when every source has told all up to its time."""
    merge = Merge(["a", "b"])
    merge.add("a", [line(1), line(5)], 5)
    assert drain(merge) == []
    merge.add("b", [line(3, "b")], 4)
    assert drain(merge) == [1, 3]
    merge.end("b")
    assert drain(merge) == [5]


def test_who_says_nothing_for_too_long_is_waited_for_no_more() -> None:
    """And its lines come when it tells them."""
    now = [0.0]
    merge = Merge(["a", "b"], patience=10, clock=lambda: now[0])
    now[0] = 9
    merge.add("a", [line(5)], 5)
    assert drain(merge) == []
    now[0] = 11
    assert drain(merge) == [5]
    merge.add("b", [line(2, "b")], 3)
    assert drain(merge) == [2]


def test_who_is_far_ahead_waits() -> None:
    """No more than its room lies there, until the others have come as far."""
    merge = Merge(["a", "b"], room=10)

    def tell() -> None:
        for at in range(100):
            merge.add("a", [line(at)], at)
        merge.end("a")

    thread = threading.Thread(target=tell)
    thread.start()
    most = 0
    found: list[int] = []
    for at in range(100):
        merge.add("b", [], at)
        found += drain(merge)
        most = max(most, merge.waiting())
    merge.end("b")
    while (lines := merge.take(10)) is not None:
        found += [each.at for each in lines]
    thread.join()
    assert found == list(range(100))
    assert most <= 11


def test_a_readers_failure_reaches_who_takes_the_lines() -> None:
    """As it was raised; and nobody waits for ever once nobody reads."""
    merge = Merge(["a"], room=0)
    merge.fail(ToolError("no"))
    with pytest.raises(ToolError, match="no"):
        merge.take(0)
    merge.stop()
    assert not merge.add("a", [line(1)], 1)
