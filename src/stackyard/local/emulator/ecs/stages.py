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
    canary, linear = configuration.get("canaryConfiguration") or {}, configuration.get("linearConfiguration") or {}
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
    canary, linear = configuration.get("canaryConfiguration"), configuration.get("linearConfiguration")
    strategy = configuration["strategy"]
    if canary and strategy != "CANARY" or linear and strategy != "LINEAR":
        return f"deploymentConfiguration holds what is not the strategy {strategy}'s"
    if strategy == "BLUE_GREEN" and configuration.get("bakeTimeInMinutes") is None:
        return "bakeTimeInMinutes is needed for the strategy BLUE_GREEN"
    if not 3 <= float((linear or {}).get("stepPercent", 10)) <= 100:
        return "stepPercent must be from 3.0 to 100.0"
    if not 0.1 <= float((canary or {}).get("canaryPercent", 5)) <= 100:
        return "canaryPercent must be from 0.1 to 100.0"
    minutes = (
        (canary or {}).get("canaryBakeTimeInMinutes", 0),
        (linear or {}).get("stepBakeTimeInMinutes", 0),
        configuration.get("bakeTimeInMinutes") or 0,
    )
    if any(not 0 <= each <= 1440 for each in minutes):
        return "bake times are from 0 to 1440 minutes"
    needed = {"alternateTargetGroupArn", "productionListenerRule", "roleArn"}
    if not load_balancers or any(needed - set(each.get("advancedConfiguration") or {}) for each in load_balancers):
        return f"the strategy {strategy} needs the advancedConfiguration of the service's load balancer"
    return ""
