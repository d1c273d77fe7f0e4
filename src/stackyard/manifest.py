"""What ``service.yaml`` may say of one service, and which of its settings go together."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, create_model

from stackyard.addresses import PATH, PATH_LENGTH
from stackyard.kinds import KINDS, Kind, Size
from stackyard.kinds.kind import ALL_AT_ONCE, Strategy
from stackyard.models import FileModel

ENVIRONMENT_BYTES = 4096
"""All environment variables of a function together (Lambda: Lambda quotas)."""
FUNCTION_VARIABLE_BYTES = 150
"""What a secret's name and ARN take of that room."""

ROLLOUT_ALARMS = frozenset({"errors", "latency"})
"""Words for those of a service's own alarms that a rollout can watch (infra/modules/monitoring)."""

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
Origin = Annotated[
    str,
    Field(
        pattern=r"^(\*|(https://[a-z0-9-]+(\.[a-z0-9-]+)*|http://(localhost|127\.0\.0\.1))(:[1-9][0-9]{0,4})?)$",
        description="https:// and a host in small letters, without a path or a slash at the end",
    ),
]
Issuer = Annotated[
    str,
    Field(
        max_length=200,
        pattern=r"^(https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|http://(localhost|127\.0\.0\.1))(:[1-9][0-9]{0,4})?"
        r"(/[A-Za-z0-9._~-]+)*/?$",
        description="an https address as the tokens have it in `iss`, to the last slash",
    ),
]
Audience = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~:/@=+-]{1,200}$")]
Scope = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~:/*+-]{1,100}$")]
Method = Literal["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
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


class ServiceAlarms(FileModel):
    """From where on a service is ill, as its callers see it (infra/modules/monitoring)."""

    enabled: bool = Field(default=True, description="Whether it has alarms, where its environment has any.")
    errors: float = Field(default=5, gt=0, lt=100, description="Percent of the requests that fail (5xx).")
    latency_p99_ms: int = Field(
        default=3000, ge=1, le=29000, description="Milliseconds that one request of a hundred may take longer than."
    )


class Rollout(FileModel):
    """How requests come to a new version."""

    strategy: Strategy = Field(
        default=ALL_AT_ONCE,
        description="`canary`: some of the requests first, the rest after the interval; `linear`: so many more at each "
        "interval; both for `lambda` and `ecs`. `blue-green`: every request at once, the old tasks kept for an "
        "interval; for `ecs`.",
    )
    percent: int = Field(
        default=10,
        ge=1,
        le=99,
        description="Of all requests, for `canary` and `linear`; with `ecs` from 3 for `linear`.",
    )
    interval: int = Field(default=5, ge=1, le=2880, description="Minutes; with `ecs` up to 1440.")
    alarms: Annotated[list[AlarmName], Field(max_length=10)] = Field(
        default_factory=list,
        description="Alarms that undo the rollout: `errors` and `latency` are the service's own, others are names in "
        "CloudWatch. For `lambda` and `ecs`.",
    )

    def steps(self) -> int:
        """Return how often requests are shifted."""
        return {"linear": math.ceil(100 / self.percent), "canary": 2}.get(self.strategy, 1)

    def minutes(self) -> int:
        """Return how long it waits, all intervals together."""
        if self.strategy == "linear":
            return self.interval * (self.steps() - 1)
        return 0 if self.strategy == ALL_AT_ONCE else self.interval


class Cors(FileModel):
    """Which pages of other origins a browser lets call the service, and how (Fetch: CORS protocol)."""

    origins: Annotated[list[Origin], Field(max_length=20)] = Field(
        default_factory=list,
        description="Origins as a browser sends them, like https://shop.example.com; http only for localhost. "
        '"*": every page there is. None: no other origin\'s.',
    )
    methods: Annotated[list[Method], Field(min_length=1)] = Field(
        default_factory=lambda: ["GET", "HEAD", "POST"], description="What such a page may do."
    )
    headers: Annotated[list[HeaderName], Field(max_length=20)] = Field(
        default_factory=lambda: ["authorization", "content-type", "x-api-key", "x-request-id"],
        description="What headers it may send beside those that every page may.",
    )
    expose: Annotated[list[HeaderName], Field(max_length=20)] = Field(
        default_factory=lambda: ["x-request-id"], description="What headers of an answer it may read."
    )
    credentials: bool = Field(default=False, description="Whether the browser sends cookies along.")
    max_age: int = Field(default=600, ge=0, le=86400, description="Seconds that a browser remembers all this.")

    def size(self) -> int:
        """Return the bytes that it takes of a function's environment."""
        return len(self.model_dump_json()) + len("SERVICE_CORS") if self.origins else 0


class Jwt(FileModel):
    """The bearer tokens that callers must send: JSON Web Tokens of one issuer."""

    issuer: Issuer | None = Field(
        default=None,
        description="Who makes the tokens: the address that they have in `iss`, to the last slash. http only for "
        "localhost, in `local`.",
    )
    audience: Annotated[list[Audience], Field(max_length=10)] = Field(
        default_factory=list,
        description="Whom a token must be for, one of these: `aud`, or `client_id` where there is no `aud` (Cognito).",
    )
    scopes: Annotated[list[Scope], Field(max_length=20)] = Field(
        default_factory=list, description="What every request's token must allow, all of it: `scope` or `scp`."
    )


class Auth(FileModel):
    """Who may ask."""

    jwt: Jwt = Field(default_factory=Jwt, description="The bearer tokens that callers must send.")

    def size(self) -> int:
        """Return the bytes that it takes of a function's environment."""
        return len(self.model_dump_json()) + len("SERVICE_AUTH") if self.jwt.issuer else 0


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
    alarms: ServiceAlarms = Field(default_factory=ServiceAlarms, description="From where on it is ill.")
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
    cors: Cors = Field(default_factory=Cors, description="Which pages of other origins may call it from a browser.")
    auth: Auth = Field(default_factory=Auth, description="Who may ask: everyone, or who has a token.")
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
    problems += _check_cors(service.cors)
    problems += _check_auth(service)
    both = sorted(set(service.environment) & set(service.secrets))
    if both:
        problems.append((("secrets", both[0]), f"`{both[0]}` is in `environment` and in `secrets`; keep one"))
    told = service.cors.size() + service.auth.size()
    room = ENVIRONMENT_BYTES - 512 - FUNCTION_VARIABLE_BYTES * len(service.secrets) - told
    if kind.runs == "function" and sum(len(f"{n}{v}".encode()) for n, v in service.environment.items()) > room:
        why = f"{len(service.secrets)} secrets, `cors` and `auth` leave {room} bytes for `environment`"
        problems.append((("environment",), why))
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
    own = sorted(set(rollout.alarms) & ROLLOUT_ALARMS)
    if own and not service.alarms.enabled:
        why = f"`rollout.alarms` names {' and '.join(own)}, which `alarms.enabled: false` leaves out"
        problems.append((("rollout", "alarms"), why))
    if rollout.strategy == ALL_AT_ONCE:
        return problems
    if rollout.interval > kind.longest_interval:
        why = f"`rollout.interval` is {rollout.interval}; {kind.name} has {kind.longest_interval} minutes at the most"
        problems.append((("rollout", "interval"), why))
    if rollout.minutes() > kind.slowest:
        why = f"the rollout takes {rollout.minutes()} minutes; {kind.slowest} are allowed for {kind.name}"
        problems.append((("rollout", "interval"), why))
    if rollout.strategy == "linear" and rollout.percent < kind.least_step:
        why = f"`rollout.percent` is {rollout.percent}; {kind.name} goes on by {kind.least_step} at the least"
        problems.append((("rollout", "percent"), why))
    return problems


def _check_cors(cors: Cors) -> list[tuple[tuple[str, ...], str]]:
    if cors.model_fields_set and "origins" not in cors.model_fields_set:
        return [(("cors",), "`cors` needs `origins`; without any, no page of another origin may call the service")]
    if "*" in cors.origins and cors.credentials:
        why = 'any page could act in the name of who is signed in: with `credentials`, name the origins, not "*"'
        return [(("cors", "credentials"), why)]
    if "*" in cors.origins and len(cors.origins) > 1:
        return [(("cors", "origins"), '"*" is every origin; leave it out or keep it alone')]
    return []


def _check_auth(service: Service) -> list[tuple[tuple[str, ...], str]]:
    lacking = [name for name in ("issuer", "audience") if not getattr(service.auth.jwt, name)]
    if "auth" not in service.model_fields_set or not lacking:
        return []
    return [(("auth",), f"`auth.jwt` needs {' and '.join(f'`{name}`' for name in lacking)}")]


_KIND_KEYS = frozenset[str]().union(*(kind.keys for kind in KINDS.values()))
