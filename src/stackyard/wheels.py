"""Decide what of a package's folder goes into its wheel, and so into an image.

Pure. Knows uv's build backend as far as ``module-root`` and ``module-name`` say it all. With anything beyond, and with
any other backend, the whole folder counts: a tag that changes too often costs a build, one that should have and does
not brings yesterday's code to AWS. `tests/contract/test_wheels.py` holds this against real wheels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast

_SETTINGS = {"module-root", "module-name"}


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel is made of."""

    places: tuple[str, ...]
    """Files and folders, relative to the package's own; ``.`` is all of it."""
    metadata: str = ""
    """Hash of what ``pyproject.toml`` says to it; empty where the file counts as a whole, among the others."""


WHOLE = Wheel((".",))


def plan_wheel(pyproject: Mapping[str, Any]) -> Wheel:
    """Name what a wheel is made of, by a parsed ``pyproject.toml`` (uv: "The uv build backend").

    Tools' settings and dependency groups in it count for nothing; the README does where it is named there.
    """
    project, build = _table(pyproject, "project"), _table(pyproject, "build-system")
    settings = _table(pyproject, "tool", "uv", "build-backend")
    modules = _modules(project, settings)
    readme = _table(project, "readme").get("file") or project.get("readme")
    licences = "license-files" in project or _table(project, "license")
    places = (*modules, *([readme] if isinstance(readme, str) else []))
    known = build.get("build-backend") == "uv_build" and not settings.keys() - _SETTINGS and not licences
    if not known or not modules or any(_leads_away(place) for place in places):
        return WHOLE
    said = json.dumps([project, build, settings], sort_keys=True, default=str)
    return Wheel(places, hashlib.sha256(said.encode()).hexdigest())


def _modules(project: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return the packages' folders; none where they cannot be told."""
    name = project.get("name")
    names = settings.get("module-name", re.sub(r"[-_.]+", "_", name).lower() if isinstance(name, str) else None)
    listed = cast("list[object]", names if isinstance(names, list) else [names])
    root = settings.get("module-root", "src")
    if not isinstance(root, str):
        return []
    found = [PurePosixPath(root, each.partition(".")[0]) for each in listed if isinstance(each, str) and each]
    return [path.as_posix() for path in found] if len(found) == len(listed) else []


def _leads_away(place: str) -> bool:
    path = PurePosixPath(place)
    return path.is_absolute() or ".." in path.parts


def _table(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a table below others; an empty one for what is none."""
    found: object = data
    for name in names:
        found = cast("Mapping[str, object]", found).get(name) if isinstance(found, Mapping) else None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
