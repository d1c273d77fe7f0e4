"""What tasks print that look at what runs."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from stackyard.documents.deploys import Underway
from stackyard.documents.document import document

Level = Literal["debug", "info", "warning", "error", "critical"]


@document
class RunningRelease(TypedDict):
    """The last release, briefly."""

    number: int
    when: str
    """UTC, ISO 8601."""
    who: str
    commit: str
    dirty: bool


@document
class ServiceStatus(TypedDict):
    """How one service is."""

    name: str
    kind: str
    path: str
    digest: str
    """Of what runs; empty where nothing does."""
    recorded: str
    """Of the last release; empty where that has none."""
    health: str
    """well, asks for a key, or what is wrong."""
    trouble: str
    """Why it could not be told what runs; else empty."""
    runs: str
    """as released, another image, not there, not in the release, or unknown: and why."""
    well: bool


@document
class Traffic(TypedDict):
    """The last hour; null where there is no figure."""

    requests: int | None
    """At the gateway."""
    refused: int | None
    """Answered with 4xx."""
    failed: int | None
    """Answered with 5xx."""
    latency_p99: float | None
    """Milliseconds."""
    calls: int | None
    """As the service's platform counts them, like what follows."""
    errors: int | None
    throttled: int | None


@document
class Alarm(TypedDict):
    """An alarm that rings."""

    name: str
    since: str
    """UTC, ISO 8601."""
    reason: str


@document
class DriftWord(TypedDict):
    """When drift was last looked for."""

    looked: str
    """UTC, ISO 8601."""
    changes: int
    """Resources that had been changed."""


@document
class Status(TypedDict):
    """How an environment is."""

    environment: str
    url: str
    """Where the gateway answers; empty where nothing is deployed."""
    well: bool
    """Whether the exit code is 0."""
    release: RunningRelease | None
    underway: Underway | None
    services: list[ServiceStatus]
    traffic: dict[str, Traffic]
    """By service; gateway for all of them."""
    alarms: list[Alarm]
    drift: DriftWord | None
    """Null where it was never looked for."""
    troubles: dict[str, str]
    """What could not be read, and why."""


@document
class LogLine(TypedDict):
    """One line of a log. `inv logs --json` prints one such object a line."""

    time: int
    """Milliseconds since 1970, UTC: when it happened; of a request, when that began."""
    service: str
    """Or gateway."""
    level: Level
    kind: Literal["service", "access", "platform", "text"]
    """Written by a service, by the gateway for each request, by what runs services, or by anything else."""
    message: str
    ids: list[str]
    """Requests and traces that it belongs to."""
    fields: dict[str, Any]
    """What else it says."""
    details: str
    """Traceback, stack; else empty."""


@document
class TraceLine(LogLine):
    """One line of a request."""

    after: int
    """Milliseconds since its first line."""


@document
class Trace(TypedDict):
    """One request's way through all services."""

    id: str
    """As it was asked for."""
    ids: list[str]
    """All that its lines bear."""
    milliseconds: int
    """From the first line to the last."""
    lines: list[TraceLine]
    """In the order in which they happened."""
