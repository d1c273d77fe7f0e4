"""One service deployment: leads requests to the new tasks stage by stage in a thread of its own, and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from moto.core.utils import utcnow

from stackyard.local.emulator.ecs.stages import Stages
from stackyard.local.emulator.minutes import Minutes
from stackyard.local.emulator.shapes import Json

UNDER_WAY = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


@dataclass(frozen=True, slots=True)
class Revision:
    """What a service was at one time."""

    arn: str
    task_definition: str
    load_balancers: Sequence[Json]
    created: datetime = field(default_factory=utcnow)


@dataclass(slots=True)
class Deployment:
    """What is known of a service deployment; changed under its lock only."""

    service_arn: str
    cluster_arn: str
    source: Revision | None
    target: Revision
    configuration: Json
    tasks: int
    status: str = "IN_PROGRESS"
    stage: str = "PRE_SCALE_UP"
    reason: str = ""
    percent: float = 0
    alarmed: Sequence[str] = ()
    failed_tasks: int = 0
    rolled_back: Json = field(default_factory=dict[str, object])
    created: datetime = field(default_factory=utcnow)
    ended: datetime | None = None
    id: str = field(default_factory=lambda: uuid4().hex[:21])
    lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _roll_back: bool = True

    @property
    def arn(self) -> str:
        """Its ARN (Service Authorization Reference: Amazon ECS)."""
        return f"{self.service_arn.replace(':service/', ':service-deployment/')}/{self.id}"

    def finish(self) -> None:
        """End it well."""
        with self.lock:
            self.percent, self.status, self.ended = 100, "SUCCESSFUL", utcnow()
            self.stage = "CLEAN_UP"

    def stop(self, *, roll_back: bool) -> None:
        """Ask it to end."""
        with self.lock:
            if self.status == "IN_PROGRESS":
                self.status = "ROLLBACK_REQUESTED" if roll_back else "STOP_REQUESTED"
        self._roll_back = roll_back
        self._stop.set()

    def play(self, stages: Stages, clock: Minutes, world: World) -> None:
        """Go through the stages in a thread."""

        def run() -> None:
            if self._lead_over(stages, clock, world):
                world.arrive()
                self.finish()

        threading.Thread(target=run, name=f"ecs-{self.id}", daemon=True).start()

    def _lead_over(self, stages: Stages, clock: Minutes, world: World) -> bool:
        """Return whether it came to its end."""
        self._enter("SCALE_UP")
        trouble = world.trouble()
        if trouble:
            self.failed_tasks = 3
            self._undo(f"(deployment circuit breaker) tasks failed to start: {trouble}", world)
            return False
        begun = clock.now()
        for after, percent in stages.shifts:
            if not self._wait_until(begun + after, clock, world):
                return False
            self._enter("PRODUCTION_TRAFFIC_SHIFT", percent)
        self._enter("BAKE_TIME", 100)
        return self._wait_until(begun + stages.shifts[-1][0] + stages.bake, clock, world)

    def _enter(self, stage: str, percent: float = 0) -> None:
        with self.lock:
            self.stage, self.percent = stage, percent

    def _wait_until(self, moment: float, clock: Minutes, world: World) -> bool:
        """Wait with an eye on the alarms and on who stops it; False when it ended."""
        while True:
            if world.gone():
                self._end("STOPPED", "the service was deleted")
                return False
            self.alarmed = world.ringing()
            if self.alarmed:
                self._undo(f"alarm detected: {', '.join(self.alarmed)}", world)
                return False
            left = moment - clock.now()
            if left <= 0 and not self._stop.is_set():
                return True
            if self._stop.wait(clock.pause(left)):
                self._stopped(world)
                return False

    def _stopped(self, world: World) -> None:
        if self._roll_back:
            self._undo("Service deployment rollback requested by user.", world)
        else:
            self._end("STOPPED", "another service deployment began")

    def _undo(self, why: str, world: World) -> None:
        reason = f"Service deployment rolled back because of: {why}"
        with self.lock:
            self.status, self.percent, self.reason = "ROLLBACK_IN_PROGRESS", 0, reason
            self.rolled_back = {"reason": reason, "startedAt": utcnow()}
            if self.source:
                self.rolled_back["serviceRevisionArn"] = self.source.arn
        world.go_back()
        self._end("ROLLBACK_SUCCESSFUL", reason)

    def _end(self, status: str, reason: str) -> None:
        with self.lock:
            self.status, self.reason, self.ended = status, reason, utcnow()

    def brief(self) -> Json:
        """Return what ListServiceDeployments says."""
        with self.lock:
            told: Json = {
                "serviceDeploymentArn": self.arn,
                "serviceArn": self.service_arn,
                "clusterArn": self.cluster_arn,
                "createdAt": self.created,
                "startedAt": self.created,
                "targetServiceRevisionArn": self.target.arn,
                "status": self.status,
                "statusReason": self.reason,
            }
            return told | ({"finishedAt": self.ended} if self.ended else {})

    def describe(self) -> Json:
        """Return what DescribeServiceDeployments says."""
        told = self.brief()
        del told["targetServiceRevisionArn"]
        with self.lock:
            watched: Json = self.configuration.get("alarms") or {}
            told |= {
                "updatedAt": utcnow(),
                "targetServiceRevision": self._summary(self.target, self.percent),
                "sourceServiceRevisions": [self._summary(self.source, 100 - self.percent)] if self.source else [],
                "lifecycleStage": self.stage,
                "deploymentConfiguration": self.configuration,
                "deploymentCircuitBreaker": {
                    "status": "TRIGGERED" if self.failed_tasks else "MONITORING",
                    "failureCount": self.failed_tasks,
                    "threshold": 3,
                },
                "alarms": {
                    "status": "TRIGGERED" if self.alarmed else "MONITORING" if watched.get("enable") else "DISABLED",
                    "alarmNames": watched.get("alarmNames") or [],
                    "triggeredAlarmNames": list(self.alarmed),
                },
            }
            return told | ({"rollback": self.rolled_back} if self.rolled_back else {})

    def _summary(self, revision: Revision, percent: float) -> Json:
        return {
            "arn": revision.arn,
            "requestedTaskCount": self.tasks,
            "runningTaskCount": self.tasks,
            "pendingTaskCount": 0,
            "requestedProductionTrafficWeight": percent,
        }


@dataclass(frozen=True, slots=True)
class World:
    """What a deployment asks of the rest, and does to its service."""

    trouble: Callable[[], str]
    """Why the new tasks do not start."""
    ringing: Callable[[], Sequence[str]]
    """Its alarms that are in ALARM."""
    gone: Callable[[], bool]
    """Whether the service was deleted."""
    arrive: Callable[[], None]
    """Has the service run the new tasks only."""
    go_back: Callable[[], None]
    """Has it run the old ones only."""
