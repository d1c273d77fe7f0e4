"""What the files of a new service say: the templates beside this module, and how they are filled in.

A template is a folder below ``templates``: ``template.json`` says what it is, ``*.j2`` files are rendered, others are
taken as they are. ``every`` holds what all services have. Knows nothing of what exists already.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from stackyard.addresses import default_path
from stackyard.kinds import Kind
from stackyard.names import module_name

TEMPLATES = Path(__file__).with_name("templates")
EVERY = "every"
DEFAULT = "api"


class About(TypedDict):
    """A ``template.json``."""

    title: str
    """What one gets, to choose by."""
    about: str
    """What the service does, as a sentence without its full stop."""
    example: str
    environment: dict[str, str]
    dependencies: list[str]


@dataclass(frozen=True, slots=True)
class NewService:
    """A service to render. Its name and path have been checked: they go into YAML, TOML and Python as they are."""

    name: str
    kind: Kind
    path: str
    template: str
    api_key: bool = False


def find_templates(folder: Path = TEMPLATES) -> tuple[str, ...]:
    """Return the templates' names."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/template.json")))


class Templates:
    """The templates, each read and compiled once; ``cache`` is a folder that keeps what was compiled."""

    def __init__(self, folder: Path = TEMPLATES, *, cache: Path | None = None) -> None:
        self._folder = folder
        compiled = FileSystemBytecodeCache(str(cache)) if cache and _is_writable(cache) else None
        self._jinja = Environment(  # noqa: S701  what comes out is no HTML, and what goes in is checked
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=compiled,
        )
        self._jinja.filters["in_order"] = _in_order
        self._about: dict[str, About] = {}
        self._files: dict[str, tuple[str, ...]] = {}

    def render(self, service: NewService) -> dict[str, str]:
        """Return a service's files: their paths below its folder, and their texts."""
        package = module_name(service.name)
        names = [*self._list(EVERY), *self._list(service.template)]
        about = self._describe(service.template)
        values: Mapping[str, object] = {
            "name": service.name,
            "package": package,
            "kind": service.kind,
            "path": service.path,
            "default_path": default_path(service.name),
            "api_key": service.api_key,
            "extra": service.kind.extra,
            **about,
        }
        rendered: dict[str, str] = {}
        for name in names:
            if "lambda" in Path(name).name and service.kind.runs != "function":
                continue
            _, _, place = name.partition("/")
            head, slash, rest = place.partition("/")
            place = (package if slash and head == "package" else head) + slash + rest.replace("{package}", package)
            if name.endswith(".j2"):
                rendered[place.removesuffix(".j2")] = self._jinja.get_template(name).render(values)
            else:
                rendered[place] = (self._folder / name).read_text(encoding="utf-8")
        return rendered

    def _list(self, template: str) -> tuple[str, ...]:
        if template not in self._files:
            found = (path for path in (self._folder / template).rglob("*") if path.is_file())
            names = sorted(path.relative_to(self._folder).as_posix() for path in found)
            self._files[template] = tuple(name for name in names if not name.endswith(("/template.json", ".pyc")))
        return self._files[template]

    def _describe(self, template: str) -> About:
        if template not in self._about:
            self._about[template] = describe_template(template, self._folder)
        return self._about[template]


def describe_template(template: str, folder: Path = TEMPLATES) -> About:
    """Read what a template says of itself."""
    return cast("About", json.loads((folder / template / "template.json").read_text(encoding="utf-8")))


def _is_writable(folder: Path) -> bool:
    """Make a folder, and tell whether it can be written; on a full or read-only disk there is no cache."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK)


def _in_order(text: str) -> str:
    """Sort lines of imports by what they import from: where a service's own come depends on its name."""
    return "".join(sorted(text.splitlines(keepends=True), key=lambda line: line.split()[1]))
