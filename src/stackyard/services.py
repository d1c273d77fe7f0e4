"""What ``service.yaml`` may say, and the catalog: every service of the project, checked against one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, create_model

from stackyard.errors import ConfigError
from stackyard.models import FileModel, config_error, merge, parse_file
from stackyard.names import LOCAL, check_service_name, check_together, module_name
from stackyard.project import Project
from stackyard.yamlfile import YamlFile, read_yaml

FOLDER = "src/services"
FILE = "service.yaml"
ENVIRONMENT_BYTES = 4096
"""All environment variables of a function together (Lambda: Lambda quotas)."""

Kind = Literal["lambda"]

_VARIABLE = r"^[A-Za-z][A-Za-z0-9_]*$"
_RESERVED_VARIABLES = ("AWS_", "SERVICE_", "LAMBDA_")
_RESERVED_PATHS = {
    f"/{LOCAL}": "is the stage of the laptop's own gateway",
    "/ping": "is API Gateway's own health check",
    "/sping": "is API Gateway's own health check",
    **dict.fromkeys(("/health", "/liveness", "/readiness", "/docs", "/openapi.json"), "is every service's own"),
}
"""API Gateway: Amazon API Gateway important notes. A service there would hide what the owner of / answers itself."""


def _check_variable(name: str) -> str:
    if name.upper().startswith(_RESERVED_VARIABLES):
        raise ValueError("names beginning with AWS_, LAMBDA_ or SERVICE_ are set for you")
    return name


def _check_variables(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if "\0" in text:
            raise ValueError(f"`{name}` holds a zero byte")
    size = sum(len(name.encode()) + len(text.encode()) for name, text in value.items())
    if size > ENVIRONMENT_BYTES - 512:
        raise ValueError(f"{size} bytes; Lambda has room for {ENVIRONMENT_BYTES} with what is set for you")
    return value


class Scaling(FileModel):
    """How far a service may grow."""

    max: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Requests at once at the most (Lambda's reserved concurrency). Unset: the account's own limit.",
    )


class Service(FileModel):
    """One service, as it runs in one environment."""

    kind: Kind = Field(description="What it runs on.")
    path: str | None = Field(
        default=None,
        max_length=128,
        pattern=r"^/([a-z0-9][a-z0-9_-]*)?$",
        description='Its public path, "/" or one segment. Default: "/" for the service named api, else "/<name>".',
    )
    memory: int = Field(default=1024, ge=128, le=10240, description="MiB.")
    timeout: int = Field(
        default=29, ge=1, le=900, description="Seconds. Through the gateway a request gets at most 29."
    )
    scaling: Scaling = Field(default_factory=Scaling, description="How far it may grow.")
    environment: Annotated[
        dict[Annotated[str, Field(pattern=_VARIABLE), AfterValidator(_check_variable)], str],
        AfterValidator(_check_variables),
    ] = Field(default_factory=dict, description="Environment variables; text only.")
    api_key: bool = Field(default=False, description="Whether callers must send an API key (x-api-key).")


_overridable: dict[str, Any] = {
    name: (Annotated[field.annotation, Field(description=field.description), *field.metadata], None)
    for name, field in Service.model_fields.items()
    if name != "kind"
}
Override = create_model("Override", __base__=FileModel, **_overridable)
Override.__doc__ = "What one environment has instead."


class ServiceFile(Service):
    """A ``service.yaml``: one service, and what single environments have instead."""

    overrides: dict[str, Override] = Field(  # pyright: ignore[reportInvalidTypeForm, reportUnknownVariableType]  (made above from Service)
        default_factory=dict, description="By environment; merged over the rest."
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A service of the catalog, with everything that follows from its name."""

    name: str
    service: Service
    path: str
    folder: str
    """Relative to the project's root."""

    @property
    def package(self) -> str:
        """Its Python package."""
        return module_name(self.name)


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
    known = [LOCAL, *project.environments]
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
        problems += check_paths(entries)
        catalogs[name] = Catalog(name, tuple(entries))
    if len(broken) == 1 and not problems:
        raise broken[0]
    problems = [str(error) for error in broken] + problems
    if problems:
        unique = list(dict.fromkeys(problems))
        raise config_error(FOLDER, unique)
    return catalogs[environment]


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
        f"{package}/lambda_handler.py": "what Lambda calls",
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
    wrong = check_together(project.project, environment, name)
    if wrong:
        raise ConfigError(f"{shown}: {wrong}; shorten one of the three names")
    return Entry(name, service, service.path or default_path(name), f"{FOLDER}/{name}")


def default_path(name: str) -> str:
    """Return the public path of a service that names none."""
    return "/" if name == "api" else f"/{name}"


def check_paths(entries: Iterable[Entry]) -> list[str]:
    """Say which services claim the same path. Paths are compared as the gateway does, to the letter."""
    owners: dict[str, str] = {}
    problems: list[str] = []
    for entry in entries:
        if entry.path in _RESERVED_PATHS:
            problems.append(f"{entry.folder}/{FILE}: the path {entry.path} {_RESERVED_PATHS[entry.path]}; give another")
        other = owners.setdefault(entry.path, entry.name)
        if other != entry.name:
            what = "both own /" if entry.path == "/" else f"both have the path {entry.path}"
            problems.append(
                f"{FOLDER}/{other}/{FILE} and {entry.folder}/{FILE} {what}; give one of them another `path`"
            )
    return problems
