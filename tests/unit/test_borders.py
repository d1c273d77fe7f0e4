"""Arrows between rooms point one way (docs/architecture.md), imports inside functions included.

Ruff's banned-api says so while one types; it works file by file, and where it is lifted it is lifted whole. Here each
room has its own list.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
OWN = "stackyard"

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "screen": {"errors"},
    "decisions": {"decisions", "kinds", "errors"},
    "kinds": {"kinds", "errors"},
    "tools": {"tools", "decisions", "errors"},
    "local": {"local", "console", "gateway", "tools", "decisions", "errors"},
    "emulator": {"emulator", "tools", "errors"},
    "gateway": {"gateway", "tools", "decisions", "errors"},
    "console": {"console", "gateway", "decisions"},
    "commands": {"commands", "screen", "local", "tools", "kinds", "decisions", "errors"},
    "testing": {"screen", "tools", "errors"},
}
"""Room -> the rooms that it may look into."""

GUARDED: dict[str, tuple[str, ...]] = {
    "subprocess": ("tools/process.py",),
    "boto3": ("tools/aws.py",),
    "botocore": ("tools/aws.py", "tools/awsfailures.py", "tools/ekstoken.py", "local/emulator/"),
    "kubernetes": ("tools/kubernetes.py", "local/emulator/"),
    "moto": ("local/emulator/",),
    "waitress": ("local/emulator/",),
    "invoke": (),
    "uvloop": ("local/gateway/",),
    "httptools": ("local/gateway/",),
}
"""Package -> the only places below src/stackyard that may import it."""

FILES = sorted(path for path in (SOURCE / OWN).rglob("*.py") if "__pycache__" not in path.parts)


def room_of(module: str) -> str:
    """Return the room of a module of ours, by its dotted name without the package's."""
    parts = module.split(".")
    if parts[:3] == ["local", "gateway", "__main__"]:
        return "local"  # the command line, which puts the console before the gateway
    if parts[0] == "local" and len(parts) > 1 and parts[1] in {"console", "emulator", "gateway"}:
        return parts[1]
    if parts[0] == "bar":
        return "screen"
    return parts[0] if parts[0] in ROOMS else "decisions"


def imports_of(path: Path) -> set[str]:
    """Return every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE / OWN).as_posix())
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    """Decisions know no tool, tools know no command, and each outside library is known in one place."""
    place = path.relative_to(SOURCE / OWN).as_posix()
    room = room_of(place.removesuffix(".py").replace("/", "."))
    for name in imports_of(path):
        top = name.split(".")[0]
        if name.startswith(f"{OWN}."):
            other = room_of(name.removeprefix(f"{OWN}."))
            assert other == room or other in ROOMS[room], f"{place} ({room}) imports {name} ({other})"
        elif top in GUARDED:
            assert place.startswith(GUARDED[top]), f"{place} imports {name}"


def test_servicekit_knows_nothing_of_stackyard() -> None:
    """It goes into every image."""
    for path in (SOURCE / "servicekit/servicekit").rglob("*.py"):
        assert not any(name.split(".")[0] == OWN for name in imports_of(path)), path
