"""Wait for what other processes do: look again and again, until it is so or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds in which what a test waits for must have happened, on a busy machine too."""


def until(look: Callable[[], T], what: str, seconds: float = PATIENCE, explain: Callable[[], str] = str) -> T:
    """Return the first true thing that ``look`` sees; fail with what ``explain`` says when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end  # asked first: what happened while this process stood still is still seen
        if found := look():
            return found
        assert not late, f"not within {seconds:g} s: {what}\n{explain()}".rstrip()
        time.sleep(0.02)
