"""Requests of several threads come one after another, and what a failed one held is let go."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

from stackyard.tools.awsfailures import let_go
from stackyard.tools.turns import Turns


def test_turns_have_a_gap_between_them() -> None:
    """However many want one at once."""
    turns, never = Turns(gap=0.02), threading.Event()
    moments: list[float] = []

    def ask(rank: int) -> None:
        assert turns.wait(rank, never)
        moments.append(time.monotonic())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    # What a thread notes is a little later than its turn was, by as much as the machine is busy.
    assert moments[-1] - moments[0] >= 0.02 * 7 - 0.01


def test_who_is_furthest_behind_is_first() -> None:
    """Not who came first."""
    turns, never = Turns(gap=0.5), threading.Event()
    assert turns.wait(0, never)
    order: list[int] = []

    def ask(rank: int) -> None:
        turns.wait(rank, never)
        order.append(rank)

    threads = [threading.Thread(target=ask, args=(rank,)) for rank in (30, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == [10, 20, 30]


def test_nobody_waits_once_all_is_stopped() -> None:
    """Their turn would have come in a minute."""
    turns, stopped = Turns(gap=60), threading.Event()
    assert turns.wait(0, stopped)
    stopped.set()
    assert not turns.wait(1, stopped)


def test_a_failure_that_is_dealt_with_holds_nothing() -> None:
    """As botocore leaves it: caught by one function, kept by another, raised by a third; without a collection."""

    class Page:
        """Something large."""

    def call() -> None:
        raise ConnectionError

    def get_response() -> Exception | None:
        kept: Exception | None = None
        try:
            call()
        except ConnectionError as error:
            kept = error
        return kept

    def look() -> weakref.ref[Page]:
        page = Page()
        error = get_response()
        try:
            if error is not None:
                raise error
        except ConnectionError as caught:
            let_go(caught)
        return weakref.ref(page)

    gc.disable()
    try:
        assert look()() is None
    finally:
        gc.enable()
