"""When which part of the requests goes to the new version. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

from stackyard.local.emulator.codedeploy.errors import InvalidInputError, InvalidRevisionError
from stackyard.local.emulator.shapes import Json

FUNCTION = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class Shift:
    """One step: so many minutes after the start, so many of a hundred requests."""

    minute: float
    percent: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What an AppSpec file asks for."""

    function: str
    alias: str
    current: str
    target: str


def plan_shifts(routing: Json) -> tuple[Shift, ...]:
    """Return the steps of a ``trafficRoutingConfig``; the last one is all of the requests."""
    match routing["type"]:
        case "AllAtOnce":
            return (Shift(0, 100),)
        case "TimeBasedCanary":
            canary: Json = routing["timeBasedCanary"]
            return (Shift(0, canary["canaryPercentage"]), Shift(canary["canaryInterval"], 100))
        case "TimeBasedLinear":
            linear: Json = routing["timeBasedLinear"]
            percent, interval = linear["linearPercentage"], linear["linearInterval"]
            steps = -(-100 // percent)
            return tuple(Shift(step * interval, min(100, (step + 1) * percent)) for step in range(steps))
        case other:
            raise InvalidInputError(f"trafficRoutingConfig.type: {other!r}")


def check_routing(routing: Json) -> None:
    """Refuse steps that CodeDeploy does not take (AWS CodeDeploy quotas: 1 to 99 %, 2880 minutes in all)."""
    part: Json = routing.get("timeBasedCanary") or routing.get("timeBasedLinear") or {}
    percent = part.get("canaryPercentage", part.get("linearPercentage", 10))
    if routing["type"] != "AllAtOnce" and not part:
        raise InvalidInputError(f"trafficRoutingConfig: {routing['type']} needs its percentage and interval")
    if not 1 <= percent <= 99:
        raise InvalidInputError(f"trafficRoutingConfig: {percent} is no percentage from 1 to 99")
    if plan_shifts(routing)[-1].minute > 2880:
        raise InvalidInputError("trafficRoutingConfig: longer than 2880 minutes")


def read_revision(revision: Json) -> Wish:
    """Read an AppSpec file that came as JSON. Raises InvalidRevisionError."""
    content: Json = revision.get("appSpecContent") or revision.get("string") or {}
    try:
        document = cast("Json", json.loads(content.get("content", "")))
        ((_, resource),) = (pair for each in document["Resources"] for pair in cast("Json", each).items())
        properties: Json = resource["Properties"]
        if resource["Type"] != FUNCTION or document.get("Hooks"):
            raise InvalidRevisionError("only Lambda functions without hooks are deployed here")
        return Wish(*(str(properties[name]) for name in ("Name", "Alias", "CurrentVersion", "TargetVersion")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRevisionError(f"the AppSpec file is not JSON of one Lambda function: {error!r}") from error
