"""Puts what is generated into a page that people write, between two marks. Knows no page."""

from __future__ import annotations


def place(text: str, begin: str, end: str, made: str) -> str:
    """Return the text with ``made`` between its marks; a text without them stays as it is."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    return f"{before}{begin}\n{made}\n{end}{after}" if found and closed else text
