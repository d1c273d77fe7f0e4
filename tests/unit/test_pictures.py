"""Pictures of a terminal: what was printed stands in them, and they ask no other host for anything."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.pictures import render_svg
from tests.unit.test_docs import ROOT

DRAWN = sorted((ROOT / "docs/pictures").glob("*.svg"))


def words(svg: str) -> str:
    """Return the text of a picture; raises where it is no XML."""
    text = "".join(ElementTree.fromstring(svg).itertext())  # noqa: S314  (our own file)
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_colours_and_words_come_through() -> None:
    """Escape sequences become colours, and none of them is left."""
    svg = render_svg("\x1b[1m▸ plan\x1b[0m\n  \x1b[32m2 to change\x1b[0m\n", "inv deploy")
    assert "▸ plan" in words(svg)
    assert "2 to change" in words(svg)
    assert "\x1b" not in svg
    assert "font-weight: bold" in svg


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_a_picture_stands_alone(path: Path) -> None:
    """It asks no host, but for XML's own names, and shows no path of the machine that drew it."""
    svg = path.read_text(encoding="utf-8")
    asked = re.findall(r"(?:url\(|href=|src=)[\"']?(https?:[^\"')\s]+)", svg)
    assert asked == []
    assert not re.search(r"/(home|root|work|Users|tmp)/", words(svg))
