"""The catalog: every service of the project as its ``service.yaml`` says, checked against one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from stackyard.addresses import (
    FILE,
    FOLDER,
    default_path,
    find_crowding,
    find_path_clashes,
    find_port_clashes,
)
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS, Kind
from stackyard.manifest import Service, ServiceFile, check_kind
from stackyard.models import config_error, merge, parse_file
from stackyard.names import (
    LOCAL,
    PREVIEWS,
    check_service_name,
    check_together,
    group_of,
    module_name,
)
from stackyard.project import Project
from stackyard.yamlfile import YamlFile, read_yaml


@dataclass(frozen=True, slots=True)
class Entry:
    """A service of the catalog, with everything that follows from its name."""

    name: str
    service: Service
    path: str
    folder: str
    """Relative to the project's root."""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variable -> the whole name of its secret."""

    @property
    def package(self) -> str:
        """Its Python package."""
        return module_name(self.name)

    @property
    def kind(self) -> Kind:
        """What it runs on."""
        return KINDS[self.service.kind]


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every service as one environment has it, in the order of their names."""

    environment: str
    entries: tuple[Entry, ...]

    def names(self) -> tuple[str, ...]:
        """Return the services' names."""
        return tuple(entry.name for entry in self.entries)


def read_catalog(root: Path, project: Project, environment: str, taken: AbstractSet[str]) -> Catalog:
    """Read every service as ``environment`` has it.

    Raises one ConfigError that lists what is wrong in any file, for any environment, so that what is
    deployable to one is known to be right for all.
    """
    problems: list[str] = []
    broken: list[ConfigError] = []
    known = [LOCAL, *project.environments, *([PREVIEWS] if project.previews else [])]
    files: dict[str, YamlFile] = {}
    for folder in sorted(path for path in (root / FOLDER).glob("*") if path.is_dir()):
        if folder.name.startswith((".", "_")) or _is_left_over(folder):
            continue
        found = check_folder(folder, taken)
        problems += found
        if not found:
            try:
                files[folder.name] = read_yaml(folder / FILE, f"{FOLDER}/{folder.name}/{FILE}")
            except ConfigError as error:
                broken.append(error)
    catalogs: dict[str, Catalog] = {}
    for name in known:
        entries: list[Entry] = []
        for service, file in files.items():
            try:
                entries.append(_read_entry(project, name, service, file, known))
            except ConfigError as error:
                problems.append(error.what)
        problems += [*check_paths(entries), *check_ports(entries)]
        problems += find_crowding((entry.path, entry.service.catalog) for entry in entries)
        catalogs[name] = Catalog(name, tuple(entries))
    if len(broken) == 1 and not problems:
        raise broken[0]
    problems = [str(error) for error in broken] + problems
    if problems:
        unique = list(dict.fromkeys(problems))
        raise config_error(FOLDER, unique)
    return Catalog(environment, catalogs[group_of(environment)].entries)


def _is_left_over(folder: Path) -> bool:
    """Tell whether a folder holds nothing but what Python and git leave behind when a service is removed."""
    return not any(path.is_file() for path in folder.rglob("*") if "__pycache__" not in path.parts)


def check_folder(folder: Path, taken: AbstractSet[str]) -> list[str]:
    """Say what a service's folder lacks, or what its name collides with."""
    shown = f"{FOLDER}/{folder.name}"
    wrong = check_service_name(folder.name, taken)
    if wrong:
        return [f"{shown}: the name `{folder.name}` {wrong}; rename the folder and its package"]
    package = module_name(folder.name)
    needed = {
        FILE: "what the service is; begin with `kind: lambda`",
        "pyproject.toml": "its dependencies; a workspace member needs one",
        f"{package}/__init__.py": "its package",
    }
    return [f"{shown}/{name} is missing ({why})" for name, why in needed.items() if not (folder / name).is_file()]


def _read_entry(project: Project, environment: str, name: str, file: YamlFile, known: list[str]) -> Entry:
    shown = f"{FOLDER}/{name}/{FILE}"
    whole = parse_file(ServiceFile, file, shown)
    for other in cast("Iterable[str]", whole.overrides):
        if other not in known:
            line = file.line_of(("overrides", other))
            raise ConfigError(f"{shown}:{line}: `overrides.{other}`: there is no such environment: {', '.join(known)}")
    base = {key: value for key, value in file.data.items() if key != "overrides"}
    over = cast("Mapping[str, Mapping[str, object]]", file.data.get("overrides") or {}).get(environment) or {}
    context = f"(as merged for {environment})" if over else ""
    service = parse_file(Service, file, shown, merge(base, over), context)
    kind = KINDS[service.kind]
    problems: list[str] = []
    for key, why in check_kind(service):
        line = next((file.lines[k] for k in (("overrides", environment, *key), key) if k in file.lines), None)
        problems.append(f"{shown}:{line}: {why}" if line else f"{shown}: {why}")
    if problems:
        raise config_error(shown, problems, context)
    issuer = service.auth.jwt.issuer
    if environment != LOCAL and issuer and not issuer.startswith("https://"):
        line = file.line_of(("auth", "jwt", "issuer"))
        raise ConfigError(f"{shown}:{line}: `auth.jwt.issuer` is `{issuer}`: {environment} needs https")
    wrong = check_together(project.project, environment, name, kind.name_limit)
    if wrong:
        raise ConfigError(f"{shown}: {wrong}; shorten one of the three names")
    secrets = {key: secret_name(value, project.project, environment) for key, value in service.secrets.items()}
    own = f"{project.project}/{environment}/"
    foreign = [key for key, value in secrets.items() if environment != LOCAL and not value.startswith(own)]
    if foreign:
        key = foreign[0]
        line = file.line_of(("overrides", environment, "secrets", key)) or file.line_of(("secrets", key))
        raise ConfigError(
            f"{shown}:{line}: `secrets.{key}` is `{secrets[key]}`, which {environment}'s services may not read: only "
            f"what begins with `{own}`; a name without a slash gets that by itself"
        )
    entry = Entry(name, service, service.path or default_path(name), f"{FOLDER}/{name}", secrets)
    called = f"{entry.package}/{kind.handler_file}"
    if not (file.path.parent / called).is_file():
        raise ConfigError(f"{entry.folder}/{called} is missing (what {service.kind} calls)")
    return entry


def secret_name(name: str, project: str, environment: str) -> str:
    """Return a secret's whole name: one without a slash is the environment's own."""
    return name if "/" in name else f"{project}/{environment}/{name}"


def check_ports(entries: Iterable[Entry]) -> list[str]:
    """Say which private services share a port of the load balancer, or that it has too many."""
    return find_port_clashes(entry.name for entry in entries if entry.kind.private)


def check_paths(entries: Iterable[Entry]) -> list[str]:
    """Say which services claim the same path."""
    return find_path_clashes((entry.name, entry.path) for entry in entries)
