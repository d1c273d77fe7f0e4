"""What is served: ``deployment.json`` as the last deploy wrote it.

Owns the shape of that file. Says nothing about how a route is found or a function is run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from stackyard.errors import ConfigError

REDEPLOY = "uv run inv deploy --env local"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Throttle(_Part):
    """A token bucket: ``rate`` requests a second, ``burst`` at once."""

    rate: Annotated[float, Field(ge=0)]
    burst: Annotated[int, Field(ge=0)]


class Quota(_Part):
    """So many requests in a day, a week or a month."""

    limit: Annotated[int, Field(ge=0)]
    period: Literal["DAY", "WEEK", "MONTH"]


class ApiKey(_Part):
    """A key and what the usage plan grants to it."""

    id: str
    name: str
    value: str
    enabled: bool = True
    throttle: Throttle | None = None
    quota: Quota | None = None


class FunctionDefinition(_Part):
    """One Lambda function as deployed. Folders are relative to the project's root; memory in MiB, timeout in s."""

    service: str
    name: str
    version: str
    folder: str
    watch: tuple[str, ...]
    pythonpath: tuple[str, ...]
    handler: str
    memory: int
    timeout: float
    environment: dict[str, str]
    concurrency: int | None = None
    log_group: str


class ServerDefinition(_Part):
    """One service behind HTTP as deployed. Folders are relative to the project's root; memory in MiB.

    ``app`` is what uvicorn is told (``web.app:app``); ``environment`` is all that the platform would put there.
    """

    service: str
    kind: str
    version: str
    folder: str
    watch: tuple[str, ...]
    pythonpath: tuple[str, ...]
    app: str
    memory: int
    environment: dict[str, str]
    log_group: str


class Aws(_Part):
    """Where services find the emulated AWS, and the credentials they show it."""

    endpoint_url: str
    access_key_id: str = "local"
    secret_access_key: str = "local"  # noqa: S105  (what the emulator takes is no secret)
    session_token: str | None = None


class Deployment(_Part):
    """Everything that the gateway serves.

    ``functions`` are keyed by alias ARN, ``servers`` by scheme, host and port of the integrations that lead to them.
    """

    id: str
    project: str
    stage: str
    api_id: str
    account: str
    region: str
    openapi: dict[str, JsonValue]
    throttle: Throttle | None = None
    api_keys: tuple[ApiKey, ...] = ()
    stage_variables: dict[str, str] = {}
    functions: dict[str, FunctionDefinition] = {}
    servers: dict[str, ServerDefinition] = {}
    aws: Aws | None = None


def read_deployment(path: Path) -> Deployment:
    """Return what the file says. Raises ConfigError when there is none or it is not what a deploy writes."""
    try:
        return Deployment.model_validate(json.loads(path.read_bytes()))
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    except json.JSONDecodeError as error:
        why = f"is not JSON: {error}"
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        why = f"{place}: {first['msg']} (found {first['input']!r:.80})"
    raise ConfigError(str(path), why, fix="A deploy writes this file.", command=REDEPLOY)
