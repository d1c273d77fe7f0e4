"""What Python and Terraform would read differently is refused, with its line; the rest keeps its lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackyard.errors import ConfigError, MissingError, StackyardError
from stackyard.yamlfile import YamlFile, read_yaml, skim_yaml


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the test's YAML goes."""
    return tmp_path / "x.yaml"


def read(file: Path, text: str | bytes) -> YamlFile:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(file, "x.yaml")


def refuse(file: Path, text: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(file, text)
    return caught.value


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_a_line_break_that_some_readers_do_not_know_is_refused(file: Path, character: str) -> None:
    """It would end the value for one and not for another; as an escape it means the same to all."""
    code = f"{ord(character):04x}"
    error = refuse(file, f"a: 1\nb: x{character}c: 2\n")
    assert str(error) == f"x.yaml:2: has the character U+{code.upper()}, which YAML readers disagree on"
    assert f'"\\u{code}"' in error.fix
    assert read(file, f'b: "x\\u{code}y"\n').data == {"b": f"x{character}y"}


def test_skimming_reads_the_same_and_fails_the_same(file: Path) -> None:
    """Ten times faster, for who wants a key or two; what is no mapping is told as ever."""
    text = "a: 1\nb: {c: [x, z]}\n"
    assert read(file, text).data == skim_yaml(file, "x.yaml")
    for broken in ("a: [\n", "- a\n", "", "a: !foo 1\n"):
        file.write_text(broken)
        with pytest.raises(ConfigError, match=r"^x\.yaml"):
            skim_yaml(file, "x.yaml")


def test_every_key_knows_its_line(file: Path) -> None:
    """Keys of mappings and items of lists, nested; an unknown key has the line of what is around it."""
    yaml = read(file, "a: 1\nb:\n  c:\n    - x\n    - {d: z}\n")
    assert yaml.data == {"a": 1, "b": {"c": ["x", {"d": "z"}]}}
    assert [yaml.line_of(key) for key in [("a",), ("b", "c"), ("b", "c", 1), ("b", "c", 1, "d")]] == [1, 3, 5, 5]
    assert yaml.line_of(("b", "unknown", "deep")) == 2
    assert yaml.line_of(("unknown",)) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a: 1\nb: [1, 2\n", 3, id="open bracket"),
        pytest.param("a: 1\n\tb: 2\n", 2, id="tab"),
        pytest.param("a: b: c\n", 1, id="two colons"),
        pytest.param('a: "x\n', 2, id="open quote"),
        pytest.param("a: 1\n---\nb: 2\n", 2, id="two documents"),
        pytest.param("a: *nothing\n", 1, id="alias to nothing"),
        pytest.param("a: !foo 1\n", 1, id="unknown tag"),
        pytest.param("a: 1\n}\n", 2, id="stray brace"),
    ],
)
def test_broken_yaml_is_named_with_its_line(file: Path, text: str, line: int) -> None:
    """File and line come first, as editors and terminals link them."""
    error = refuse(file, text)
    assert error.what.startswith(f"x.yaml:{line}"), error
    assert "\n" not in str(error)
    assert error.command == "inv services"
    assert error.detail == "" or error.detail.strip(" ^\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("# only a comment\n", "is empty", id="comment"),
        pytest.param("- a\n- b\n", "at its top level", id="list"),
        pytest.param("just words\n", "at its top level", id="text"),
        pytest.param(b"a: \xff\xfe\n", "is not UTF-8", id="not UTF-8"),
        pytest.param("a: \x07\n", "special characters are not allowed", id="control character"),
        pytest.param("a: " + "[" * 5000, "nested too deeply", id="nested too deeply"),
        pytest.param("a: 2026-13-45\n", "disagree", id="no date"),
        pytest.param(f"a: {'9' * 5000}\n", "holds a value that is none", id="endless number"),
    ],
)
def test_what_is_no_mapping_is_refused(file: Path, text: str | bytes, words: str) -> None:
    """Each with its own words, none with a traceback."""
    error = refuse(file, text)
    assert words in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "x.yaml:3: `a` is given twice, first in line 1", id="top"),
        pytest.param("a:\n  b: 1\n  b: 2\n", "x.yaml:3: `a.b` is given twice, first in line 2", id="nested"),
        pytest.param('a: 1\n"a": 2\n', "x.yaml:2: `a` is given twice, first in line 1", id="quoted"),
        pytest.param("b: &x {c: 1}\na:\n  <<: *x\n", "x.yaml:3: merge keys", id="merge key"),
        pytest.param("a: &x {b: 1}\nc: *x\n", "x.yaml:1: `c` is an alias", id="alias"),
        pytest.param("a: &x {b: *x}\n", "x.yaml:1: `a.b` is an alias", id="alias of itself"),
        pytest.param("a: !!set {b}\n", "x.yaml:1: `a` has the tag", id="set"),
        pytest.param("? [a, b]\n: 1\n", "x.yaml:1: a list or a mapping stands where a key must", id="list as a key"),
        pytest.param("a: 1\nb:\n", "x.yaml:2: `b` has no value", id="no value"),
        pytest.param("a: null\n", "x.yaml:1: `a` has no value", id="null"),
        pytest.param("a: [1, ~]\n", "x.yaml:1: `a.1` has no value", id="null in a list"),
    ],
)
def test_what_hides_its_meaning_is_refused(file: Path, text: str, words: str) -> None:
    """Terraform keeps the last of two keys and Python may keep another; a person sees neither."""
    assert words in str(refuse(file, text))


@pytest.mark.parametrize("key", ["on", "yes", "y", "N", "12", "1e3", "0x1F", ".5", "2026-01-01", "~", "1_0", "true"])
def test_a_key_that_is_text_to_one_reader_only_is_refused(file: Path, key: str) -> None:
    """Terraform makes `true` of the key `y` and `1000` of `1e3`; quoted they are what they look like."""
    assert f"x.yaml:1: the key `{key}` is not text" in str(refuse(file, f"{key}: x\n"))
    assert read(file, f'"{key}": x\n').data == {key: "x"}


# What Terraform 1.11's yamldecode makes of each, where it is not what PyYAML makes of it, was read off `terraform
# console`: 014 is 14 and not 12, 12:30 is text and not 750, 1e3 is 1000 and not text, 0b11 is text and not 3.
@pytest.mark.parametrize(
    "value",
    [
        *("014", "000000000001", "08", "0o14", "0x1F", "0b11", "+1", "-01", "+0x10"),
        *("1e3", "1e+3", "1.5e3", "1.e+3", "1e-3", "1E3", ".5", "1.", "+.5", ".inf", "-.INF", ".nan"),
        *("1_000", "1_0.5", "12:30", "190:20:30", "2026-01-01", "2026-01-01T10:00:00Z"),
        *("yes", "no", "on", "off", "y", "n", "Yes", "OFF"),
        *("!!int '12'", "!!binary aGk=", "!!str 12", "!!float '3'"),
    ],
)
def test_a_value_that_readers_disagree_on_is_refused(file: Path, value: str) -> None:
    """The error quotes the value and offers it as text."""
    error = refuse(file, f"a: 1\nb: {value}\n")
    assert str(error).startswith("x.yaml:2: `b`"), error
    assert "readers disagree on" in str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("12", 12), ("-3", -3), ("0.5", 0.5), ("1.10", 1.1), ("111111111111", 111111111111)),
        *(("true", True), ("False", False), ("tRue", "tRue"), ("x", "x"), ("e3", "e3"), ("10 MB", "10 MB")),
        *(('"014"', "014"), ("'yes'", "yes"), ('"2026-01-01"', "2026-01-01"), ('"~"', "~"), ('""', "")),
        *(("|\n  12\n  yes", "12\nyes\n"), ("ä ☃", "ä ☃"), ("{}", {}), ("[]", [])),
    ],
)
def test_a_value_that_readers_agree_on_is_read(file: Path, text: str, value: object) -> None:
    """Quoted text is text, whatever it looks like."""
    assert read(file, f"a: {text}\n").data == {"a": value}


@pytest.mark.parametrize("how", ["missing", "folder", "below a file"])
def test_a_file_that_cannot_be_read_is_missing(tmp_path: Path, how: str) -> None:
    """It ends with exit code 3 and names the file, not the machine's path."""
    (tmp_path / "file").touch()
    path = {"missing": tmp_path / "none", "folder": tmp_path, "below a file": tmp_path / "file" / "x"}[how]
    with pytest.raises(MissingError, match=r"^x\.yaml: (there is no such file|cannot be read)"):
        read_yaml(path, "x.yaml")


def test_a_byte_order_mark_is_read_over(file: Path) -> None:
    """Some editors write one; Terraform reads over it too."""
    assert read(file, b"\xef\xbb\xbfa: 1\n").data == {"a": 1}


@pytest.mark.parametrize("text", ['"\\e[31m": 1\na: [\n', 'a: {"\\e[31m": 1, "\\e[31m": 2}\n'])
def test_no_error_drives_the_terminal(file: Path, text: str) -> None:
    """Escapes in keys are shown as escapes."""
    with pytest.raises(StackyardError) as caught:
        read(file, text)
    assert "\x1b" not in str(caught.value)
