"""What ``stackyard.yaml`` may say: the project and its environments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from stackyard.errors import MissingError
from stackyard.models import FileModel, config_error, parse_file
from stackyard.names import (
    ENVIRONMENT_LENGTH,
    LOCAL,
    NAME,
    PREVIEW_PREFIX,
    PREVIEWS,
    PROJECT_LENGTH,
    is_preview,
)
from stackyard.yamlfile import read_yaml

FILE = "stackyard.yaml"
EMULATED_ACCOUNT = "123456789012"

REGION = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"
REPOSITORY = r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$"
Region = Annotated[str, Field(pattern=REGION, description="An AWS region, such as eu-west-1.", examples=["eu-west-1"])]

Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # CloudWatch Logs: PutRetentionPolicy


class Throttle(FileModel):
    """How many requests the gateway lets through (API Gateway: Throttle requests to your REST APIs)."""

    rate: float = Field(default=100, gt=0, le=10000, description="Requests per second over time.")
    burst: int = Field(default=200, ge=1, le=5000, description="Requests at once.")


class Network(FileModel):
    """The network of services that are not reached from the internet; made where a service needs it."""

    nat: Literal["none", "single", "per-zone"] = Field(
        default="single",
        description="Gateways to the internet: one, one a zone, or none (AWS's own services by endpoints only).",
    )
    zones: Literal[2, 3] = Field(default=2, description="Availability zones.")
    cidr: str = Field(
        default="10.0.0.0/16",
        pattern=r"^(10|172|192)\.[0-9]{1,3}\.[0-9]{1,3}\.0/(1[6-9]|2[0-2])$",
        description="Private addresses, /16 to /22.",
    )


PrincipalArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$")]


class Cluster(FileModel):
    """The Kubernetes cluster; made where a service of kind eks needs it."""

    nodes: Literal["auto", "managed"] = Field(
        default="auto", description="EKS Auto Mode, or a managed group of Graviton nodes."
    )
    public_endpoint: bool = Field(default=True, description="Whether its API is reached from the internet, signed in.")
    admins: list[PrincipalArn] = Field(
        default_factory=list[str],
        description="ARNs of IAM roles and users that may do all in it, as the deploy role may: who deploys by hand.",
    )


class Alarms(FileModel):
    """What watches an environment (infra/modules/monitoring)."""

    enabled: bool = Field(default=True, description="Whether there are alarms and a dashboard.")
    email: str | None = Field(
        default=None,
        max_length=254,
        pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="Who is told; AWS asks there once. Unset: nobody, until something subscribes to the topic.",
    )


class PreviewAlarms(Alarms):
    """The same for previews, which nobody waits for, and which cost as much to watch as others."""

    enabled: bool = Field(default=False, description="Whether there are alarms and a dashboard.")


class Waf(FileModel):
    """A firewall before the gateway: AWS's rules, and a limit for each address (AWS WAF)."""

    mode: Literal["count", "block"] = Field(
        default="count", description="What it does with a request that a rule minds: only log it, or answer 403."
    )
    rate: int = Field(
        default=2000, ge=10, le=2_000_000_000, description="Requests that one address may make in five minutes."
    )


class Domain(FileModel):
    """A name of the team's own for the gateway (API Gateway: Set up custom domain names for REST APIs)."""

    name: str = Field(
        pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$",
        max_length=253,
        description="A host, in small letters.",
    )
    certificate: str = Field(
        pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$",
        description="ARN of its certificate in AWS Certificate Manager, in the environment's region.",
    )
    only: bool = Field(
        default=False, description="Whether the gateway's own address is closed; first have DNS lead here."
    )


class Place(FileModel):
    """What environments and previews have in common: where they live, and on what terms."""

    account: str = Field(pattern=r"^[0-9]{12}$", description="The AWS account, 12 digits in quotes.")
    region: Region | None = Field(default=None, description="Its AWS region, where it is not the project's.")
    log_retention: Retention = Field(default=30, description="Days that logs are kept.")
    throttle: Throttle = Field(default_factory=Throttle, description="The gateway's limits.")
    waf: Waf | None = Field(
        default=None, description="The firewall before the gateway; without it there is none. About $9 a month."
    )
    xray: bool = Field(default=True, description="Whether requests are traced with X-Ray.")
    network: Network = Field(default_factory=Network, description="Where services of kind ecs and eks stand.")
    eks: Cluster = Field(default_factory=Cluster, description="Where services of kind eks run.")


class Environment(Place):
    """One environment: where it lives and how carefully it is treated."""

    alarms: Alarms = Field(default_factory=Alarms, description="Who is told when something is wrong.")
    protected: bool = Field(default=False, description="Deploys ask first.")
    domain: Domain | None = Field(default=None, description="A name of your own for the gateway, by TLS 1.2 or newer.")


class Previews(Place):
    """What environments named ``pr-<number>`` are made from: they come and go with pull requests."""

    log_retention: Retention = Field(default=3, description="Days that logs are kept.")
    alarms: PreviewAlarms = Field(default_factory=PreviewAlarms, description="Who is told when something is wrong.")
    max: int = Field(default=5, ge=1, le=100, description="How many there may be at once.")


class Project(FileModel):
    """The project: its names, its home and its environments."""

    project: str = Field(pattern=NAME, max_length=PROJECT_LENGTH, description="Begins every AWS name.")
    repository: str = Field(pattern=REPOSITORY, description="At GitHub: owner/name.")
    owner_id: int | None = Field(default=None, gt=0, description="GitHub's number of the owner; pins the trust to it.")
    repository_id: int | None = Field(default=None, gt=0, description="GitHub's number of the repository.")
    region: Region = Field(description="The AWS region of every environment that names no other.")
    environments: dict[
        Annotated[str, Field(pattern=NAME, max_length=ENVIRONMENT_LENGTH)],
        Environment,
    ] = Field(min_length=1, description="The environments by name. `local` always exists and is not listed.")
    previews: Previews | None = Field(
        default=None, description="What previews, called `pr-` and a number, are made from; without it there are none."
    )

    @model_validator(mode="after")
    def _ids_together(self) -> Project:
        if (self.owner_id is None) != (self.repository_id is None):
            raise ValueError("owner_id and repository_id go together: give both or neither")
        return self


@dataclass(frozen=True, slots=True)
class Target:
    """One environment as the tasks see it: its settings with the project's defaults applied."""

    project: str
    name: str
    account: str
    region: str
    protected: bool
    throttle: Throttle
    alarmed: bool = False
    """Whether it has alarms."""

    @property
    def emulated(self) -> bool:
        """Whether it lives in the embedded AWS."""
        return self.name == LOCAL

    @property
    def preview(self) -> bool:
        """Whether it comes and goes with a pull request."""
        return is_preview(self.name)

    @property
    def state_bucket(self) -> str:
        """The bucket that holds Terraform's state and the release records of the account."""
        return f"{self.project}-state-{self.account}-{self.region}"

    @property
    def image_repository(self) -> str:
        """The ECR repository that holds the project's images."""
        return self.project

    @property
    def registry(self) -> str:
        """The host of the account's image registry (Amazon ECR: Private registry)."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    def resource_name(self, service: str = "") -> str:
        """Return the AWS name of a service, or of what the environment's services share."""
        return f"{self.project}-{self.name}" + (f"-{service}" if service else "")


def read_project(root: Path) -> Project:
    """Read ``stackyard.yaml``. Raises ConfigError or MissingError."""
    file = read_yaml(root / FILE, FILE)
    project = parse_file(Project, file, FILE)
    if LOCAL in project.environments:
        line = file.line_of(("environments", LOCAL))
        why = f"{FILE}:{line}: `environments.{LOCAL}`: this environment always exists, on the laptop; remove it here"
        raise config_error(FILE, [why])
    problems = [f"{FILE}:{file.line_of(('environments', name))}: {why}" for name, why in find_overlaps(project)]
    if problems:
        raise config_error(FILE, problems)
    return project


def find_overlaps(project: Project) -> list[tuple[str, str]]:
    """Return each environment whose AWS names could be taken for another's, and why.

    In one account ``acme-dev-eu-api`` would be dev's ``eu-api`` and dev-eu's ``api``, and what dev's role may touch
    would reach into dev-eu. ``<name>-plan`` is the GitHub environment that may only plan,
    ``previews`` the one that deploys what begins with ``pr-``.
    """
    accounts = {LOCAL: EMULATED_ACCOUNT, **{name: each.account for name, each in project.environments.items()}}
    overlaps: list[tuple[str, str]] = []
    previews = project.previews.account if project.previews else ""
    for name in project.environments:
        if name in {PREVIEWS, f"{PREVIEWS}-plan"} or name.startswith(PREVIEW_PREFIX):
            overlaps.append((name, f"`environments.{name}`: this name is kept for previews"))
        if f"{name}-" == PREVIEW_PREFIX and accounts[name] == previews:
            why = "previews are in the same account, and their AWS names begin as this one's do"
            overlaps.append((name, f"`environments.{name}`: {why}; rename it"))
        for other, account in accounts.items():
            if name == f"{other}-plan":
                overlaps.append((name, f"`environments.{name}`: this name is kept for who may plan `{other}`"))
            elif name.startswith(f"{other}-") and accounts[name] == account:
                why = f"begins with `{other}-` and is in the same account, so their AWS names would mix"
                overlaps.append((name, f"`environments.{name}`: it {why}; rename one"))
    return overlaps


def find_target(project: Project, name: str) -> Target:
    """Return an environment by name. Raises MissingError that lists those there are."""
    place = find_place(project, name)
    return Target(
        project=project.project,
        name=name,
        account=place.account,
        region=place.region or project.region,
        protected=isinstance(place, Environment) and place.protected,
        throttle=place.throttle,
        alarmed=place.alarms.enabled,
    )


def find_place(project: Project, name: str) -> Environment | Previews:
    """Return an environment's own settings. Raises MissingError that lists those there are."""
    if name == LOCAL:
        return Environment(account=EMULATED_ACCOUNT, alarms=Alarms(enabled=False))
    if name in project.environments:
        return project.environments[name]
    if is_preview(name) and project.previews is not None:
        return project.previews
    known = ", ".join([LOCAL, *project.environments, *([f"{PREVIEW_PREFIX}<number>"] if project.previews else [])])
    shown = name if re.fullmatch(r"[\w.-]{1,40}", name) else repr(name)
    what, why = f"there is no environment {shown}", f"{FILE} has {known}"
    if is_preview(name):
        fix = f'Say in {FILE} where previews live: previews: {{account: "…"}}'
        raise MissingError(what, f"{why}, and no `previews`", fix=fix, command=f"inv doctor --env {name}")
    raise MissingError(what, why, command="inv services --env local")
