"""``inv status``: how an environment is, on one screen.

Observe everything at once (release, what runs, health, traffic, alarms, drift); each part that cannot be read says why
in its own place and hides nothing else. Judge what was seen, show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from stackyard.commands.applied import Applied, read_applied
from stackyard.commands.cluster import find_service
from stackyard.commands.record import find_underway, read_last
from stackyard.commands.session import Session
from stackyard.errors import StackyardError
from stackyard.local.journals import now, read_journal
from stackyard.loglines import GATEWAY
from stackyard.releases import Release, Underway, short_commit, short_time
from stackyard.tools.http import get
from stackyard.tools.live import Live
from stackyard.tools.metrics import Ringing, find_ringing, read_metrics
from stackyard.traffic import HOUR, Traffic, count_requests, plan_metrics, sum_up
from stackyard.words import plural, printable

T = TypeVar("T")

ILL, UNKNOWN = 4, 3
"""Exit codes: something is not well; something could not be told."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """How one service is."""

    name: str
    kind: str
    path: str
    digest: str
    """Of what runs; empty where nothing does."""
    recorded: str
    """Of the last release; empty where that has none."""
    health: str
    """``well``, ``asks for a key``, or what is wrong."""
    trouble: str = ""
    """Why it could not be told what runs."""

    @property
    def runs(self) -> str:
        """Say what runs, beside the release."""
        if self.trouble:
            return f"unknown: {self.trouble}"
        if not self.digest:
            return "not there"
        if not self.recorded:
            return "not in the release"
        return "as released" if self.digest == self.recorded else "another image"

    @property
    def well(self) -> bool:
        """Whether it is as it should be."""
        return self.runs == "as released" and self.health in GOOD


GOOD = frozenset({"well", "asks for a key"})


@dataclass(frozen=True, slots=True)
class Drift:
    """When drift was last looked for, and how many changes there were."""

    looked: str
    changes: int


@dataclass(frozen=True, slots=True)
class Status:
    """How an environment is."""

    environment: str
    url: str
    release: Release | None
    underway: Underway | None
    services: Sequence[ServiceStatus]
    traffic: Mapping[str, Traffic]
    alarms: Sequence[Ringing]
    drift: Drift | None
    troubles: Mapping[str, str] = field(default_factory=dict[str, str])
    """What could not be read, and why."""

    @property
    def code(self) -> int:
        """The exit code."""
        told = [service for service in self.services if not service.trouble]
        if self.alarms or self.underway or not all(service.well for service in told):
            return ILL
        return UNKNOWN if self.troubles or len(told) < len(self.services) else 0

    def record(self) -> dict[str, object]:
        """Return it as data."""
        release = self.release and {
            name: getattr(self.release, name) for name in ("number", "when", "who", "commit", "dirty")
        }
        return {
            "environment": self.environment,
            "url": self.url,
            "well": self.code == 0,
            "release": release,
            "underway": self.underway and {"who": self.underway.who, "when": self.underway.when},
            "services": [{**asdict(each), "runs": each.runs, "well": each.well} for each in self.services],
            "traffic": {name: asdict(each) for name, each in self.traffic.items()},
            "alarms": [asdict(each) for each in self.alarms],
            "drift": self.drift and asdict(self.drift),
            "troubles": dict(self.troubles),
        }


def status(session: Session) -> Status:
    """Look at an environment. Raises MissingError without credentials or a running laptop."""
    session.aws.check_caller()
    for name in ("s3", "cloudwatch", "lambda"):
        session.aws.client(name)  # made once; threads that all make it would each do the work
    troubles: dict[str, str] = {}

    def settle(name: str, future: Future[T]) -> T | None:
        try:
            return future.result()
        except StackyardError as error:
            troubles[name] = printable(str(error))
            return None

    with ThreadPoolExecutor(16) as pool:
        start = pool.submit
        futures = (start(read_last, session), start(find_underway, session), start(_drift, session))
        alarms = start(_alarms, session)
        applied = settle("deployed", start(read_applied, session))
        traffic = start(_traffic, session, applied)
        services: Mapping[str, Mapping[str, Any]] = applied.services if applied else {}
        running = {name: start(find_service, session, str(each["kind"]), name) for name, each in services.items()}
        health = {name: start(_health, applied, name) for name in services} if applied else {}
        release = settle("release", futures[0])
        described = [
            _describe(name, services[name], release, running[name], health[name].result()) for name in sorted(services)
        ]
        return Status(
            environment=session.target.name,
            url=applied.url if applied else "",
            release=release,
            underway=settle("underway", futures[1]),
            services=described,
            traffic=settle("traffic", traffic) or {},
            alarms=settle("alarms", alarms) or [],
            drift=settle("drift", futures[2]),
            troubles=troubles,
        )


def _describe(
    name: str, facts: Mapping[str, Any], release: Release | None, running: Future[Live | None], health: str
) -> ServiceStatus:
    live, trouble = None, ""
    try:
        live = running.result()
    except StackyardError as error:
        trouble = printable(str(error))
    recorded = release.digests.get(name, "") if release else ""
    digest = live.digest if live else ""
    return ServiceStatus(name, str(facts["kind"]), str(facts["path"]), digest, recorded, health, trouble)


def _health(applied: Applied, name: str) -> str:
    """Ask a service through the gateway. One behind a key or a token refuses: that is the sign that it is reached."""
    if not applied.url:
        return "the gateway is not running"
    facts = applied.services[name]
    answer = get(f"{applied.url}{str(facts['path']).rstrip('/')}/health", 10)
    if answer.status == 200:
        return "well"
    guarded = (answer.status == 403 and facts.get("api_key")) or (answer.status == 401 and facts.get("auth"))
    return "asks for a key" if guarded else f"answers {answer.status or 'nothing'}"


def _traffic(session: Session, applied: Applied | None) -> dict[str, Traffic]:
    if applied is None:
        return {}
    if session.target.emulated:
        # No one puts metrics into the embedded AWS; the gateway has its own record.
        pages = read_journal(session.layout.journal, now() - HOUR * 1000, stopped=lambda _seconds: True)
        return count_requests((line for page in pages for line in page), applied.services)
    metrics = plan_metrics(session.target.resource_name(), applied.stage, applied.openapi, applied.services)
    return sum_up(metrics, read_metrics(session.aws, metrics, HOUR), applied.services)


def _alarms(session: Session) -> list[Ringing]:
    others = sorted({name for entry in session.catalog.entries for name in entry.service.rollout.alarms})
    return find_ringing(session.aws, session.target.resource_name(), others)


def _drift(session: Session) -> Drift | None:
    """Read the word that `inv drift` leaves."""
    target = session.target
    key = f"drift/{target.name}.json"
    # Asked for by its list: S3 says of a missing key that it is forbidden to who may list some prefixes only.
    if key not in session.aws.list_keys(target.state_bucket, key):
        return None
    try:
        told = json.loads(session.aws.read_text(target.state_bucket, key) or "")
        return Drift(str(told["looked"]), int(told["changes"]))
    except (ValueError, KeyError, TypeError):
        return None


def show_status(session: Session, found: Status, *, json: bool) -> int:
    """Print it, and return the exit code."""
    screen = session.screen
    if json:
        screen.json(found.record())
        return found.code
    moment = datetime.now(UTC)
    for name, words in (
        ("environment", f"{found.environment}  {found.url}".rstrip()),
        ("release", _release_words(found)),
        ("traffic", _whole_words(found)),
        ("alarms", _alarm_words(found)),
        ("drift", _unknown(found, "drift") or drift_words(found.drift, moment)),
    ):
        screen.data(f"{name:<12} {words}")
    if "deployed" in found.troubles:
        screen.data(f"{'services':<12} unknown: {found.troubles['deployed']}")
    elif found.services:
        screen.data("")
        rows = [[*_service_cells(each), *traffic_cells(found.traffic.get(each.name))] for each in found.services]
        screen.table(["SERVICE", "KIND", "PATH", "IMAGE", "RUNS", "HEALTH", "REQUESTS/H", "4XX", "5XX", "ERRORS"], rows)
    for alarm in found.alarms:
        screen.data(f"ALARM {alarm.name} since {short_time(alarm.since)}: {printable(alarm.reason)[:160]}")
    return found.code


def _service_cells(service: ServiceStatus) -> list[str]:
    return [service.name, service.kind, service.path, service.digest[:19] or "-", service.runs, service.health]


def traffic_cells(traffic: Traffic | None) -> list[str]:
    """Write requests, 4xx, 5xx and errors; `-` where there is no figure."""
    if traffic is None:
        return ["-"] * 4
    requests = traffic.calls if traffic.requests is None else traffic.requests
    return [
        "-" if value is None else str(value) for value in (requests, traffic.refused, traffic.failed, traffic.errors)
    ]


def drift_words(drift: Drift | None, moment: datetime) -> str:
    """Say when drift was looked for."""
    if drift is None:
        return "never looked for"
    try:
        ago = moment - datetime.fromisoformat(drift.looked)
    except (ValueError, TypeError):
        return f"looked for at {printable(drift.looked)}"
    hours = ago.total_seconds() / 3600
    age = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
    what = plural(drift.changes, "resource") + " changed past Terraform" if drift.changes else "none"
    return f"{what}, looked for {age} ago"


def _unknown(found: Status, part: str) -> str:
    return f"unknown: {found.troubles[part]}" if part in found.troubles else ""


def _release_words(found: Status) -> str:
    if unknown := _unknown(found, "release"):
        return unknown
    release = found.release
    if release is None:
        return f"none yet; next: inv deploy --env {found.environment}"
    commit = f", commit {short_commit(release.commit)}{'+' if release.dirty else ''}" if release.commit else ""
    words = f"{release.number}, {short_time(release.when)} UTC, {release.who}{commit}"
    under = found.underway
    return words + (f"; what {under.who} began at {short_time(under.when)} has left no release" if under else "")


def _whole_words(found: Status) -> str:
    if unknown := _unknown(found, "traffic"):
        return unknown
    whole = found.traffic.get(GATEWAY)
    if whole is None or whole.requests is None:
        return "no requests in the last hour"
    slow = f", p99 {whole.latency_p99:g} ms" if whole.latency_p99 is not None else ""
    return (
        f"{plural(whole.requests, 'request')} in the last hour, {whole.refused or 0} 4xx, {whole.failed or 0} 5xx{slow}"
    )


def _alarm_words(found: Status) -> str:
    if unknown := _unknown(found, "alarms"):
        return unknown
    return plural(len(found.alarms), "alarm") + " in ALARM" if found.alarms else "none in ALARM"
