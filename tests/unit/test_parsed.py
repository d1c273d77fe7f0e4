"""What a slow parser made of a text is kept, and believed only for that text."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stackyard.tools.parsed import read_parsed


def counting(asked: list[str]) -> Any:
    def parse(text: str) -> dict[str, Any]:
        asked.append(text)
        return tomllib.loads(text)

    return parse


def test_a_text_is_parsed_once(tmp_path: Path) -> None:
    """The same from the file as from the parser, for the last text only."""
    kept, asked = tmp_path / "cache/lock.json", list[str]()
    first, second = 'a = 1\n[[b]]\nc = ["ü", true, 1.5]', "a = 2"
    for text in (first, first, second, second, first):
        assert read_parsed(text, counting(asked), kept) == tomllib.loads(text)
    assert asked == [first, second, first]


@pytest.mark.parametrize("kept", [b"", b"\xff", b"[]", b"null", b'{"of": 1}', b'{"parsed": {"a": 2}}'])
def test_a_damaged_file_is_written_again(tmp_path: Path, kept: bytes) -> None:
    """Whatever it holds."""
    file = tmp_path / "lock.json"
    file.write_bytes(kept)
    assert read_parsed("a = 1", tomllib.loads, file) == {"a": 1}
    assert json.loads(file.read_text())["parsed"] == {"a": 1}


def test_nothing_fails_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """There is no folder and none can be made, or the text holds what JSON cannot."""
    (tmp_path / "file").touch()
    assert read_parsed("a = 1", tomllib.loads, tmp_path / "file/lock.json") == {"a": 1}
    dated = "a = 2026-11-23"
    for _ in range(2):
        assert read_parsed(dated, tomllib.loads, tmp_path / "lock.json") == tomllib.loads(dated)
    assert not (tmp_path / "lock.json").exists()


def test_what_the_parser_raises_is_raised(tmp_path: Path) -> None:
    """And not kept."""
    for _ in range(2):
        with pytest.raises(tomllib.TOMLDecodeError):
            read_parsed("not = [toml", tomllib.loads, tmp_path / "lock.json")
