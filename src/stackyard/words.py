"""Small pieces of English."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Write ``1 image``, ``2 images``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Write what a screen would act on (colours, line ends) as its escape."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
