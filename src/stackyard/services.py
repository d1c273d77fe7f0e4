"""What ``service.yaml`` may say, and the catalog: every service of the project, checked against one another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, create_model

from stackyard.addresses import (
    FILE,
    FOLDER,
    PATH,
    PATH_LENGTH,
    default_path,
    find_crowding,
    find_path_clashes,
    find_port_clashes,
)
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS, Kind, Size
from stackyard.kinds.kind import ALL_AT_ONCE, Strategy
from stackyard.models import FileModel, config_error, merge, parse_file
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

ENVIRONMENT_BYTES = 4096
"""All environment variables of a function together (Lambda: Lambda quotas)."""
FUNCTION_VARIABLE_BYTES = 150
"""What a secret's name and ARN take of that room."""
LONGEST_ROLLOUT = 2880
"""Minutes from the first to the last shift (AWS CodeDeploy quotas)."""

KindName = Literal["lambda", "apprunner", "ecs", "eks"]

_VARIABLE = r"^[A-Za-z][A-Za-z0-9_]*$"
_RESERVED_VARIABLES = ("AWS_", "SERVICE_", "LAMBDA_")


def _check_variable(name: str) -> str:
    if name.upper().startswith(_RESERVED_VARIABLES) or name == "PORT":
        raise ValueError("PORT and names beginning with AWS_, LAMBDA_ or SERVICE_ are set for you")
    return name


def _check_variables(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if "\0" in text:
            raise ValueError(f"`{name}` holds a zero byte")
    size = sum(len(name.encode()) + len(text.encode()) for name, text in value.items())
    if size > ENVIRONMENT_BYTES - 512:
        raise ValueError(f"{size} bytes; Lambda has room for {ENVIRONMENT_BYTES} with what is set for you")
    return value


Variable = Annotated[str, Field(pattern=_VARIABLE), AfterValidator(_check_variable)]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,256}$")]
AlarmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _./:+=@,()#-]{0,254}$")]


class Scaling(FileModel):
    """How far a service may grow."""

    min: int | None = Field(default=None, ge=1, le=1000, description="Instances at the least; not for `lambda`.")
    max: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Instances at the most; for `lambda` requests at once (reserved concurrency, unset by default).",
    )
    concurrency: int | None = Field(
        default=None, ge=1, le=200, description="Requests at once that one instance takes; for `apprunner`."
    )


class Usage(FileModel):
    """What the holder of a service's API key may use (API Gateway: Usage plans and API keys for REST APIs)."""

    rate: float = Field(default=10, gt=0, le=10000, description="Requests per second over time.")
    burst: int = Field(default=20, ge=1, le=5000, description="Requests at once.")
    quota: int | None = Field(default=None, ge=1, description="Requests in a period. Unset: no limit.")
    period: Literal["day", "week", "month"] = Field(default="month", description="The quota's period.")


class Rollout(FileModel):
    """How requests come to a new version."""

    strategy: Strategy = Field(
        default=ALL_AT_ONCE,
        description="`canary`: some of the requests first, the rest after the interval; `linear`: so many more at each "
        "interval. Both for `lambda` only.",
    )
    percent: int = Field(default=10, ge=1, le=99, description="Of all requests, for `canary` and `linear`.")
    interval: int = Field(default=5, ge=1, le=2880, description="Minutes, for `canary` and `linear`.")
    alarms: Annotated[list[AlarmName], Field(max_length=10)] = Field(
        default_factory=list,
        description="Names of CloudWatch alarms that undo the rollout; for `canary`, `linear` and `ecs`.",
    )

    def minutes(self) -> int:
        """Return how long it takes until every request comes to the new version."""
        if self.strategy == "linear":
            return self.interval * (math.ceil(100 / self.percent) - 1)
        return self.interval if self.strategy == "canary" else 0


class Service(FileModel):
    """One service, as it runs in one environment."""

    kind: KindName = Field(description="What it runs on.")
    path: str | None = Field(
        default=None,
        max_length=PATH_LENGTH,
        pattern=PATH,
        description='Its public path, "/" or one segment. Default: "/" for the service named api, else "/<name>".',
    )
    memory: int | None = Field(
        default=None, ge=128, le=122880, description="MiB. Default: lambda 1024, apprunner 2048, ecs and eks 512."
    )
    cpu: int | None = Field(
        default=None,
        ge=64,
        le=16384,
        description="1024 is one vCPU. Default: apprunner 1024, ecs and eks 256. With `lambda` it follows from memory.",
    )
    timeout: int | None = Field(
        default=None,
        ge=1,
        le=900,
        description="Seconds, for `lambda`; 29 by default. Through the gateway a request gets at most 29.",
    )
    scaling: Scaling = Field(default_factory=Scaling, description="How far it may grow.")
    rollout: Rollout = Field(
        default_factory=Rollout, description="How requests come to a new version: all of them at once, or by and by."
    )
    environment: Annotated[dict[Variable, str], AfterValidator(_check_variables)] = Field(
        default_factory=dict, description="Environment variables; text only."
    )
    secrets: dict[Variable, SecretName] = Field(
        default_factory=dict,
        description="Environment variables whose values are secrets of AWS Secrets Manager. `db` is the secret "
        "<project>/<environment>/db.",
    )
    vpc: bool = Field(default=False, description="Whether an `apprunner` service joins the environment's network.")
    api_key: bool = Field(default=False, description="Whether callers must send an API key (x-api-key).")
    usage: Usage | None = Field(default=None, description="What a caller with the API key may use.")
    example: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^/[A-Za-z0-9._~!&()*+,;=:@%/?-]*$",
        description="A GET request that shows the service, below its path; smoke tests ask it.",
    )
    catalog: bool = Field(
        default=False, description="Whether the gateway answers /services.json below its path: every service's address."
    )


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


def check_kind(service: Service) -> list[tuple[tuple[str, ...], str]]:
    """Say which settings do not go with the service's kind, or with one another, by their keys."""
    kind = KINDS[service.kind]
    given = {name for name in service.model_fields_set if getattr(service, name) is not None}
    given |= {f"scaling.{name}" for name in ("min", "concurrency") if getattr(service.scaling, name) is not None}
    problems: list[tuple[tuple[str, ...], str]] = []
    for name in sorted(given & (_KIND_KEYS - kind.keys)):
        have = ", ".join(other.name for other in KINDS.values() if name in other.keys)
        problems.append((tuple(name.split(".")), f"`{name}` is not for kind {kind.name}, only for {have}"))
    if problems:
        return problems
    low = service.scaling.min or kind.scaling.get("min")
    high = service.scaling.max or kind.scaling.get("max")
    wrong = kind.check(Size(service.memory or kind.memory, service.cpu or kind.cpu, low, high))
    if wrong:
        problems.append((("memory",), wrong))
    if low is not None and high is not None and low > high:
        problems.append((("scaling",), f"scaling.min is {low} and scaling.max is {high}; min must not be above max"))
    if service.usage is not None and not service.api_key:
        problems.append((("usage",), "`usage` limits the holders of an API key; it needs `api_key: true`"))
    problems += _check_rollout(service, kind)
    both = sorted(set(service.environment) & set(service.secrets))
    if both:
        problems.append((("secrets", both[0]), f"`{both[0]}` is in `environment` and in `secrets`; keep one"))
    room = ENVIRONMENT_BYTES - 512 - FUNCTION_VARIABLE_BYTES * len(service.secrets)
    if kind.runs == "function" and sum(len(f"{n}{v}".encode()) for n, v in service.environment.items()) > room:
        problems.append((("secrets",), f"{len(service.secrets)} secrets leave {room} bytes for `environment`"))
    return problems


def _check_rollout(service: Service, kind: Kind) -> list[tuple[tuple[str, ...], str]]:
    # Percent, interval and alarms may stand beside `all-at-once`: one environment's override goes back to it.
    rollout = service.rollout
    if rollout.strategy not in kind.strategies:
        have = ", ".join(other.name for other in KINDS.values() if rollout.strategy in other.strategies)
        why = f"`{rollout.strategy}` is not for kind {kind.name}, only for {have}; {kind.name} {kind.replaces}"
        return [(("rollout", "strategy"), why)]
    problems: list[tuple[tuple[str, ...], str]] = []
    if rollout.alarms and not kind.alarms:
        have = ", ".join(other.name for other in KINDS.values() if other.alarms)
        problems.append((("rollout", "alarms"), f"`rollout.alarms` is not for kind {kind.name}, only for {have}"))
    if rollout.minutes() > LONGEST_ROLLOUT:
        why = f"the rollout takes {rollout.minutes()} minutes; CodeDeploy has {LONGEST_ROLLOUT} at the most"
        problems.append((("rollout", "interval"), why))
    return problems


_KIND_KEYS = frozenset[str]().union(*(kind.keys for kind in KINDS.values()))


def check_ports(entries: Iterable[Entry]) -> list[str]:
    """Say which private services share a port of the load balancer, or that it has too many."""
    return find_port_clashes(entry.name for entry in entries if entry.kind.private)


def check_paths(entries: Iterable[Entry]) -> list[str]:
    """Say which services claim the same path."""
    return find_path_clashes((entry.name, entry.path) for entry in entries)
