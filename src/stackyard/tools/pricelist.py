"""Reads AWS's price list, the public files that need no credentials (AWS Price List Bulk API).

As CSV, a line at a time: EC2's list of one region has several hundred megabytes, and as JSON it would have to be held
whole.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from stackyard.errors import ToolError

BASE = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws"
VARIABLE = "STACKYARD_PRICE_LIST"
"""Names a mirror of it."""
_TIMEOUT = httpx.Timeout(30.0)
_TOLD = 50_000_000
"""Bytes after which progress is told."""
_PREAMBLE = 10
"""Lines before the headings, at the most."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One service's list in one region, while it is read."""

    url: str
    on: str
    """The day on which AWS published it, ISO 8601."""
    rows: Iterator[Mapping[str, str]]
    """The lines that were asked for, by the columns' headings."""


def open_client() -> httpx.Client:
    """Return what lists are read with; to be closed."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=True)


@contextmanager
def open_listing(
    client: httpx.Client,
    service: str,
    region: str,
    wanted: Collection[str],
    told: Callable[[str], None] = lambda _: None,
) -> Generator[Listing | None]:
    """Open a service's list; None where AWS has none for the region.

    ``wanted`` are pieces of text: a line without any of them is passed over. ``told`` hears how far it got. Raises
    ToolError.
    """
    url = f"{os.environ.get(VARIABLE) or BASE}/{service}/current/{region}/index.csv"
    try:
        with client.stream("GET", url) as response:
            if response.status_code in {403, 404}:
                # S3 says "forbidden" of what is not there to those who may not list.
                yield None
                return
            if response.status_code != 200:
                raise _unread(url, f"it answered {response.status_code}")
            yield _read(url, _lines(response, service, told), wanted)
    except (httpx.HTTPError, httpx.InvalidURL, csv.Error) as error:
        raise _unread(url, str(error) or type(error).__name__) from error


def _read(url: str, lines: Iterator[str], wanted: Collection[str]) -> Listing:
    published = ""
    for _, cells in zip(range(_PREAMBLE), csv.reader(lines), strict=False):
        if cells[:1] == ["Publication Date"] and len(cells) > 1:
            published = cells[1][:10]
        if cells[:1] == ["SKU"]:
            if not published:
                raise _unread(url, "it does not say when it was published")
            kept = (line for line in lines if any(each in line for each in wanted))
            return Listing(url, published, _rows(cells, kept))
    raise _unread(url, "it is no price list")


def _rows(headings: list[str], lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    for cells in csv.reader(lines, strict=True):
        if len(cells) == len(headings):
            yield dict(zip(headings, cells, strict=True))


def _lines(response: httpx.Response, service: str, told: Callable[[str], None]) -> Iterator[str]:
    due = _TOLD
    for line in response.iter_lines():
        yield line
        if response.num_bytes_downloaded >= due:
            told(f"{service}: {response.num_bytes_downloaded // 1_000_000} MB")
            due = response.num_bytes_downloaded + _TOLD


def _unread(url: str, why: str) -> ToolError:
    return ToolError(
        "AWS's price list cannot be read",
        f"{url}: {why}",
        fix=f"The prices here stay as they are. Is there a proxy? {VARIABLE} names a mirror of {BASE}.",
        command="inv prices --check",
    )
