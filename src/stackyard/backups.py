"""What a backup of one environment holds, as texts by name, and whether it is whole. Pure.

Sums of all files stand in `backup.json`, so that what was cut short on its way is not restored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MANIFEST = "backup.json"
IMAGES = "images.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself."""

    environment: str
    account: str
    region: str
    when: str
    """UTC, ISO 8601."""
    who: str
    release: int
    """The last one; 0 before the first."""
    serial: int
    """Of the environment's state; -1 where there was none, or it was no state."""
    commit: str
    """Of the last release; empty where it is not known."""


def state_name(stack: str) -> str:
    """Return what a stack's state is called in a backup."""
    return f"{stack}.tfstate"


def record_name(number: int) -> str:
    """Return what a release's record is called in a backup."""
    return f"releases/{number}.json"


def write_manifest(about: About, files: Mapping[str, str]) -> str:
    """Return the manifest of a backup's files."""
    sums = {name: _sum(text) for name, text in sorted(files.items())}
    return json.dumps({"format": FORMAT, **asdict(about), "sha256": sums}, indent=2) + "\n"


def read_manifest(text: str) -> tuple[About, Mapping[str, str]]:
    """Return what a backup says of itself, and the sum of each file. Raises ValueError for what is no manifest."""
    try:
        data: dict[str, Any] = json.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError("another version of Stackyard wrote it")
        sums: dict[str, str] = data.pop("sha256")
        return About(**data), sums
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"it is no manifest of a backup ({error})") from error


def find_damage(sums: Mapping[str, str], files: Mapping[str, str | None]) -> list[str]:
    """Say what of a backup is not as it was written; None stands for a file that is not there."""
    damaged: list[str] = []
    for name, expected in sums.items():
        text = files.get(name)
        if text is None:
            damaged.append(f"{name} is missing")
        elif _sum(text) != expected:
            damaged.append(f"{name} was changed or cut short")
    return damaged


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
