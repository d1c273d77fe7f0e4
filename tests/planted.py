"""Secrets that are recognised wherever they turn up: in what was printed, in argv, in files, in a bucket."""

from __future__ import annotations

import os
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackyard.local.layout import Layout
from stackyard.tools.process import SystemRunner
from stackyard.tools.terraform_binary import find_terraform


@dataclass
class Planted:
    """Values that nobody may see, by what they are, and what is searched for them."""

    values: dict[str, str]
    seen: dict[str, str] = field(default_factory=dict[str, str])

    def note(self, where: str, text: str) -> None:
        """Keep a text that is searched at the end: a key may be made after it was printed."""
        self.seen[f"{len(self.seen)} {where}"] = text

    def found(self, files: Path, others: Mapping[str, bytes]) -> list[str]:
        """Return what was found where: in notes, in every file below a folder, in ``others``."""
        places = [
            *((where, text.encode()) for where, text in self.seen.items()),
            *_contents(files),
            *others.items(),
        ]
        assert all(len(value) >= 20 for value in self.values.values()), "a short value is found by chance"
        return [
            f"{name} in {where}"
            for where, data in places
            for name, value in self.values.items()
            if value.encode() in data
        ]


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each file below a folder; a plan's members as well, for they are packed."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if path.is_symlink() or not path.is_file():
                continue
            yield str(path), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as packed:
                    yield from ((f"{path}: {name}", packed.read(name)) for name in packed.namelist())


def note_calls(folder: Path, project: Path) -> Mapping[str, str]:
    """Put programs before terraform and git that write each call's arguments and variables down; return PATH with them.

    They write to ``calls`` in the folder.
    """
    folder.mkdir()
    terraform = shlex.join(find_terraform(SystemRunner(), Layout(project).cache).argv)
    git = SystemRunner().which("git")
    for name, real in (("terraform", terraform), ("git", git)):
        program = folder / name
        program.write_text(f'#!/bin/sh\n{{ echo "$0 $@"; env; }} >> {folder}/calls\nexec {real} "$@"\n')
        program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}
