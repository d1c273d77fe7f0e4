"""Locks that live as long as who holds them, and files that are replaced in one step."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stackyard.errors import MissingError
from stackyard.tools.holding import Holder, find_holder, is_alive, is_held, take, unwritable, who_am_i, write_atomically

GONE = 2**22 + 1
"""No process has this number (Linux: pid_max is 2^22 at the most)."""


def test_a_lock_is_held_once_until_released(tmp_path: Path) -> None:
    """A file left lying about means nothing."""
    path = tmp_path / "deep/down.lock"
    assert not is_held(path)
    hold = take(path)
    assert hold is not None
    assert is_held(path)
    assert take(path) is None
    assert take(path, patience=0.02) is None
    hold.release()
    assert path.exists()
    assert not is_held(path)
    again = take(path)
    assert again is not None
    again.release()


def test_a_lock_is_held_for_as_long_as_a_child_has_it(tmp_path: Path) -> None:
    """Whoever inherited the file goes on holding it; a copy of the descriptor stands for the child's."""
    hold = take(tmp_path / "x.lock")
    assert hold is not None
    inherited = os.dup(hold.fd)
    hold.release()
    assert is_held(tmp_path / "x.lock")
    os.close(inherited)
    assert not is_held(tmp_path / "x.lock")


def test_who_holds_a_lock_is_written_beside_it(tmp_path: Path) -> None:
    """For the one who comes second."""
    path = tmp_path / "x.lock"
    assert find_holder(path) is None
    hold = take(path)
    assert hold is not None
    hold.describe("deploy --env dev", child=GONE)
    holder = find_holder(path)
    assert holder is not None
    assert (holder.pid, holder.who, holder.child, holder.alive()) == (os.getpid(), who_am_i(), GONE, True)
    assert holder.sentence() == (f"{who_am_i()} (process {os.getpid()}) runs `deploy --env dev` since {holder.since}")
    hold.release()


@pytest.mark.parametrize("text", ["", "not json", "[]", "{}", '{"pid": 1, "more": 2}', "\udcff"])
def test_a_spoilt_note_is_no_holder(tmp_path: Path, text: str) -> None:
    """It is a courtesy; the lock is what counts."""
    (tmp_path / "x.holder").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert find_holder(tmp_path / "x.lock") is None


@pytest.mark.parametrize(
    ("pid", "alive"),
    [(os.getpid(), True), (1, True), (GONE, False), (0, False), (-1, False)],
    ids=["ours", "the first", "gone", "a group", "all"],
)
def test_a_process_is_alive_or_not(pid: int, alive: bool) -> None:
    """Never by asking a group."""
    assert is_alive(pid) is alive
    assert Holder(pid, "", "", "").alive() is alive


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Old text or new; no other file is left, and it is for its owner alone."""
    path = tmp_path / "deep/x.json"
    write_atomically(path, "one ☃")
    first = path.stat().st_ino
    write_atomically(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_ino != first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["x.json"]


def below_a_file(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file" / "x"


def onto_a_folder(tmp_path: Path) -> Path:
    (tmp_path / "x/y").mkdir(parents=True)
    return tmp_path / "x"


def in_proc(_: Path) -> Path:
    return Path("/proc/x")


@pytest.mark.parametrize("place", [below_a_file, onto_a_folder, in_proc])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    """With exit code 3, a look at the disk as the command, and nothing left behind."""
    path = place(tmp_path)
    with pytest.raises(MissingError, match=r"^cannot write x: ") as caught:
        write_atomically(path, "text")
    assert caught.value.command == f"df -h {path.parent}; ls -ld {path.parent}"
    assert not list(tmp_path.glob(".x.*"))


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """In the same words."""
    with pytest.raises(MissingError, match=r"^cannot write x: "):
        take(below_a_file(tmp_path))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "there is no right to write"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_a_cause_is_said_in_words(number: int, words: str) -> None:
    """What the system calls it where there are no better ones."""
    error = unwritable(Path("/there/x"), OSError(number, os.strerror(number)))
    assert str(error) == f"cannot write x: {words}: /there"
