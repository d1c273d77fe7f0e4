"""What a service deployment does and when, from the strategy that was asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from stackyard.local.emulator.shapes import Json

GRADUAL = ("BLUE_GREEN", "CANARY", "LINEAR")


@dataclass(frozen=True, slots=True)
class Stages:
    """Shifts of requests to the new tasks as (minute after the first, percent), and minutes that the old ones stay."""

    shifts: tuple[tuple[float, float], ...]
    bake: float


def plan_stages(configuration: Json) -> Stages:
    """Return the stages of a gradual strategy, with AWS's defaults (Amazon ECS API: DeploymentConfiguration)."""
    bake = float(configuration.get("bakeTimeInMinutes") or 0)
    canary: Json = configuration.get("canaryConfiguration") or {}
    linear: Json = configuration.get("linearConfiguration") or {}
    if configuration["strategy"] == "CANARY":
        first, later = canary.get("canaryPercent", 5.0), canary.get("canaryBakeTimeInMinutes", 10)
        return Stages(((0, first), (later, 100)), bake)
    if configuration["strategy"] == "LINEAR":
        percent, minutes = linear.get("stepPercent", 10.0), linear.get("stepBakeTimeInMinutes", 6)
        steps = int(-(-100 // percent))
        return Stages(tuple((step * minutes, min(100.0, (step + 1) * percent)) for step in range(steps)), bake)
    return Stages(((0, 100),), bake)


def find_trouble(configuration: Json, load_balancers: list[Json]) -> str:
    """Say why ECS would not take a gradual strategy; empty when it would.

    Source: Amazon ECS API, DeploymentConfiguration, CanaryConfiguration, LinearConfiguration and
    AdvancedConfiguration.
    """
    canary: Json = configuration.get("canaryConfiguration") or {}
    linear: Json = configuration.get("linearConfiguration") or {}
    strategy = configuration["strategy"]
    needed = {"alternateTargetGroupArn", "productionListenerRule", "roleArn"}
    minutes = (
        canary.get("canaryBakeTimeInMinutes", 0),
        linear.get("stepBakeTimeInMinutes", 0),
        configuration.get("bakeTimeInMinutes") or 0,
    )
    troubles = {
        f"deploymentConfiguration holds what is not the strategy {strategy}'s": (canary and strategy != "CANARY")
        or (linear and strategy != "LINEAR"),
        "bakeTimeInMinutes is needed for the strategy BLUE_GREEN": strategy == "BLUE_GREEN"
        and configuration.get("bakeTimeInMinutes") is None,
        "stepPercent must be from 3.0 to 100.0": not 3 <= float(linear.get("stepPercent", 10)) <= 100,
        "canaryPercent must be from 0.1 to 100.0": not 0.1 <= float(canary.get("canaryPercent", 5)) <= 100,
        "bake times are from 0 to 1440 minutes": any(not 0 <= each <= 1440 for each in minutes),
        f"the strategy {strategy} needs the advancedConfiguration of the service's load balancer": not load_balancers
        or any(needed - set(each.get("advancedConfiguration") or {}) for each in load_balancers),
    }
    return next((words for words, so in troubles.items() if so), "")
