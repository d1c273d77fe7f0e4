"""One deployment: shifts an alias step by step in a thread of its own, and back when it is stopped or alarmed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from moto.core.exceptions import JsonRESTError, ServiceException

from stackyard.local.emulator.codedeploy.shifting import Shift, Wish
from stackyard.local.emulator.codedeploy.surroundings import Surroundings
from stackyard.local.emulator.minutes import Minutes
from stackyard.local.emulator.shapes import Json

ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


def make_id() -> str:
    """Return an id of the form that AWS's have."""
    return f"d-{uuid4().hex[:9].upper()}"


@dataclass(slots=True)
class Deployment:
    """What is known of a deployment; changed under its lock only."""

    group: Json
    revision: Json
    config: str
    wish: Wish
    shifts: Sequence[Shift]
    surroundings: Surroundings
    clock: Minutes
    description: str = ""
    creator: str = "user"
    id: str = field(default_factory=make_id)
    status: str = "Created"
    created: float = field(default_factory=time.time)
    ended: float | None = None
    error: Json = field(default_factory=dict[str, object])
    rollback: Json = field(default_factory=dict[str, object])
    percent: float = 0
    undone_by: Deployment | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _roll_back_on_stop: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=f"codedeploy-{self.id}", daemon=True).start()

    def stop(self, *, roll_back: bool) -> None:
        """Ask it to stop."""
        self._roll_back_on_stop = roll_back
        self._stop.set()

    def _run(self) -> None:
        try:
            self._shift_all()
        except (JsonRESTError, ServiceException) as error:
            # The function went meanwhile: a destroy does not ask.
            self._fail("Failed", "INVALID_LAMBDA_FUNCTION", str(error), undo=False)

    def _shift_all(self) -> None:
        trouble = self.surroundings.trouble(self.wish)
        if trouble:
            self._fail("Failed", "INVALID_LAMBDA_CONFIGURATION", trouble, undo=False)
            return
        with self.lock:
            self.status = "InProgress"
        begun = self.clock.now()
        for shift in self.shifts:
            if not self._wait_until(begun + shift.minute):
                return
            with self.lock:
                self.surroundings.shift(self.wish, shift.percent)
                self.percent = shift.percent
        with self.lock:
            self.status, self.ended = "Succeeded", time.time()

    def _wait_until(self, moment: float) -> bool:
        """Wait for the next step, at so many minutes, with an eye on the alarms; False when there will be none."""
        while True:
            ringing = self.surroundings.ringing(self._alarms())
            if ringing:
                words = f"One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the affected deployments have been stopped. Activated alarms: <{', '.join(ringing)}>"  # noqa: E501  (AWS's words)
                self._fail("Stopped", "ALARM_ACTIVE", words, undo=self._undoes("DEPLOYMENT_STOP_ON_ALARM"))
                return False
            left = moment - self.clock.now()
            if left <= 0 and not self._stop.is_set():
                return True
            if self._stop.wait(self.clock.pause(left)):
                undo = self._roll_back_on_stop or self._undoes("DEPLOYMENT_STOP_ON_REQUEST")
                self._fail("Stopped", "MANUAL_STOP", "The deployment was stopped by its user.", undo=undo)
                return False

    def _alarms(self) -> list[str]:
        watched: Json = self.group.get("alarmConfiguration") or {}
        return [alarm["name"] for alarm in watched.get("alarms") or ()] if watched.get("enabled") else []

    def _undoes(self, event: str) -> bool:
        configured: Json = self.group.get("autoRollbackConfiguration") or {}
        return bool(configured.get("enabled")) and event in configured.get("events", ())

    def _fail(self, status: str, code: str, message: str, *, undo: bool) -> None:
        with self.lock:
            self.error = {"code": code, "message": message}
            if undo:
                self.surroundings.shift(self.wish, 0)
                self.undone_by = self._undoing()
                words = f"Deployment {self.id} was stopped and rolled back."
                self.rollback = {"rollbackDeploymentId": self.undone_by.id, "rollbackMessage": words}
            self.status, self.ended = status, time.time()

    def _undoing(self) -> Deployment:
        """Return the deployment that a rollback is at CodeDeploy; here it is done at once."""
        done = Deployment(
            group=self.group, revision=self.revision, config=self.config, wish=self.wish, shifts=(),
            surroundings=self.surroundings, clock=self.clock, creator="codeDeployRollback", status="Succeeded",
        )  # fmt: skip
        done.ended, done.percent = time.time(), 100
        done.rollback = {"rollbackTriggeringDeploymentId": self.id}
        return done

    def describe(self) -> Json:
        """Return what GetDeployment says."""
        with self.lock:
            described: Json = {
                "applicationName": self.group["applicationName"],
                "deploymentGroupName": self.group["deploymentGroupName"],
                "deploymentConfigName": self.config,
                "deploymentId": self.id,
                "revision": self.revision,
                "status": self.status,
                "createTime": self.created,
                "creator": self.creator,
                "description": self.description,
                "deploymentStyle": self.group.get("deploymentStyle", {}),
                "computePlatform": "Lambda",
                "rollbackInfo": self.rollback,
                "autoRollbackConfiguration": self.group.get("autoRollbackConfiguration", {}),
            }
            if self.error:
                described["errorInformation"] = self.error
            if self.ended:
                described["completeTime"] = self.ended
            return described

    def target(self) -> Json:
        """Return what BatchGetDeploymentTargets says of its one target."""
        with self.lock:
            states = {"Created": "Pending", "Succeeded": "Succeeded", "Failed": "Failed", "Stopped": "Failed"}
            state = states.get(self.status, "InProgress")
            event: Json = {"lifecycleEventName": "AllowTraffic", "status": state, "startTime": self.created}
            if self.error:
                event["diagnostics"] = {"errorCode": "UnknownError", "message": self.error["message"]}
            return {
                "deploymentTargetType": "LambdaFunction",
                "lambdaTarget": {
                    "deploymentId": self.id,
                    "targetId": self.target_id,
                    "status": state,
                    "lifecycleEvents": [event],
                    "lambdaFunctionInfo": {
                        "functionName": self.wish.function,
                        "functionAlias": self.wish.alias,
                        "currentVersion": self.wish.current,
                        "targetVersion": self.wish.target,
                        "targetVersionWeight": self.percent / 100,
                    },
                },
            }

    @property
    def target_id(self) -> str:
        """Its target's id."""
        return f"{self.wish.function}:{self.wish.alias}"
