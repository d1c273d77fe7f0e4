"""Read what the local gateway writes down: its requests, what services print, its own words; also while it grows.

The other end of `local.gateway.journal`. One file in the order of things, and the one before it (``.1``) once it has
become too large.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from stackyard.loglines import GATEWAY, Line, parse_line

PAGE = 500

NEAR = 256 * 1024
"""Bytes before what is sought from which on lines are read one by one."""

SLACK = 60_000
"""ms by which lines may stand out of order: a request stands where it ended."""

LATEST = 250
"""ms after which a line is in the journal at the latest, unless the machine is very busy."""


def read_journal(
    path: Path, start: int, *, follow: bool = False, stopped: Callable[[float], bool]
) -> Iterator[list[Line]]:
    """Read lines from ``start`` (ms since 1970) on, some at a time, none at the end of what is there.

    ``stopped`` waits as many seconds, and tells whether to end. What is older is skipped, not read.
    """
    before = path.with_name(path.name + ".1")
    for each in (before, path):
        try:
            file = each.open("rb")
        except FileNotFoundError:
            continue
        if each == before:
            with file:
                _skip(file, start)
                yield from _pages(file, start)
        else:
            _skip(file, start)
            yield from _follow(path, file, start, stopped, follow=follow)
            return
    while follow and not path.exists():
        yield []
        if stopped(0.2):
            return
    if follow:
        yield from _follow(path, path.open("rb"), start, stopped, follow=True)


def _follow(
    path: Path, file: BufferedReader, start: int, stopped: Callable[[float], bool], *, follow: bool
) -> Iterator[list[Line]]:
    try:
        while True:
            yield from _pages(file, start)
            yield []
            if not follow or stopped(0.1):
                return
            if _is_replaced(path, file):
                yield from _pages(file, start)  # what was written before it was put aside
                file.close()
                file = path.open("rb")
    finally:
        file.close()


def _skip(file: BufferedReader, start: int) -> None:
    """Go to a place before the first line of ``start`` (ms since 1970), by halves."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()  # the rest of a line
        line = next((line for raw in file if (line := parse_record(raw)) is not None), None)
        if line is not None and line.at < start - SLACK:
            low = middle
        else:
            high = middle
    file.seek(low)
    if low:
        file.readline()


def _is_replaced(path: Path, file: BufferedReader) -> bool:
    try:
        there, here = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return False
    return (there.st_ino, there.st_dev) != (here.st_ino, here.st_dev)


def _pages(file: BufferedReader, start: int) -> Iterator[list[Line]]:
    page: list[Line] = []
    while True:
        place = file.tell()
        raw = file.readline()
        if not raw.endswith(b"\n"):
            file.seek(place)  # nothing, or a line that is being written
            break
        line = parse_record(raw)
        if line is not None and line.at >= start:
            page.append(line)
            if len(page) >= PAGE:
                yield page
                page = []
    if page:
        yield page


def parse_record(raw: bytes) -> Line | None:
    """Read one record of the journal; None for what is none."""
    try:
        data = json.loads(raw)
        record = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
        if record.get("kind") == "access":
            ended = int(record["requestTimeEpoch"] + record["responseLatency"])
            return parse_line(GATEWAY, raw.decode("utf-8", "replace"), ended)
        at = int(datetime.fromisoformat(record["time"]).timestamp() * 1000)
        service, text = str(record.get("service") or GATEWAY), str(record["line"])
    except (KeyError, ValueError, TypeError):
        return None
    if record.get("kind") == "note":
        return Line(at, at, service, "info", text, "platform")
    line = parse_line(service, text, at)
    # Pipes are read a few times a second: the line knows better when it was written.
    return replace(line, at=line.moment) if 0 <= at - line.moment < LATEST else line


def now() -> int:
    """Return the time in ms since 1970."""
    return int(time.time() * 1000)
