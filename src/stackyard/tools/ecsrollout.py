"""Have ECS bring requests to new tasks by blue-green, canary or linear, and see how that stands.

Terraform's provider cannot say the strategy before 6.x, so it is said here, whole, with each change of the tasks.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.errors import ToolError
from stackyard.manifest import Rollout
from stackyard.tools.aws import Aws
from stackyard.tools.rollout import Standing
from stackyard.tools.standing import judge_service_deployment

ROLLING = "ROLLING"
SHIFT_DELAY = 10
"""Minutes that ECS adds to each shift behind a network load balancer (Amazon ECS: Network Load Balancer resources for
blue/green, linear and canary deployments)."""

_UNDER_WAY = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_LISTED_WITHIN = 60.0
_STRATEGIES = {"blue-green": "BLUE_GREEN", "canary": "CANARY", "linear": "LINEAR"}


@dataclass(frozen=True, slots=True)
class Tasks:
    """What an ECS service is at: the ARN of its task definition, its strategy, where its requests come from."""

    task_definition: str
    strategy: str
    load_balancers: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Leading:
    """A service deployment under way: its ARN, the service, the task definitions that requests come from and go to."""

    arn: str
    service: str
    old: str
    new: str


def find_tasks(aws: Aws, service: str) -> Tasks | None:
    """Return what a service is at, or None where it is not there."""
    client, name = aws.client("ecs"), aws.target.resource_name(service)
    with aws.explained(f"ECS service {name}"):
        try:
            found = client.describe_services(cluster=aws.target.resource_name(), services=[name])["services"]
        except client.exceptions.ClusterNotFoundException:
            return None
    active = [each for each in found if each["status"] == "ACTIVE"]
    if not active:
        return None
    configuration = cast("dict[str, Any]", active[0].get("deploymentConfiguration") or {})
    balancers = tuple(active[0].get("loadBalancers") or ())
    return Tasks(active[0]["taskDefinition"], configuration.get("strategy") or ROLLING, balancers)


def find_image(aws: Aws, service: str, task_definition: str) -> str:
    """Return the digest of the image that a task definition has for a service; empty where it names none."""
    with aws.explained(f"task definition {task_definition}"):
        found = aws.client("ecs").describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
    images = (each["image"] for each in found["containerDefinitions"] if each["name"] == service)
    return str(next(images, "")).partition("@")[2]


def render_configuration(rollout: Rollout, *, at_once: bool = False) -> dict[str, Any]:
    """Render a service's whole deployment configuration (Amazon ECS API: DeploymentConfiguration)."""
    rendered: dict[str, Any] = {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    if rollout.alarms:
        # Terraform takes alarms that are switched off for a change, so they are not named at all.
        rendered["alarms"] = {"alarmNames": list(rollout.alarms), "enable": True, "rollback": True}
    if at_once or rollout.strategy not in _STRATEGIES:
        return rendered | {"strategy": ROLLING}
    rendered |= {"strategy": _STRATEGIES[rollout.strategy], "bakeTimeInMinutes": 0}
    if rollout.strategy == "blue-green":
        rendered["bakeTimeInMinutes"] = rollout.interval
    if rollout.strategy == "canary":
        steps = {"canaryPercent": float(rollout.percent), "canaryBakeTimeInMinutes": rollout.interval}
        rendered["canaryConfiguration"] = steps
    if rollout.strategy == "linear":
        steps = {"stepPercent": float(rollout.percent), "stepBakeTimeInMinutes": rollout.interval}
        rendered["linearConfiguration"] = steps
    return rendered


def render_load_balancer(details: Mapping[str, str]) -> dict[str, Any]:
    """Render how requests reach a service, from what Terraform told of it (Amazon ECS API: LoadBalancer)."""
    return {
        "targetGroupArn": details["target_group_arn"],
        "containerName": details["container"],
        "containerPort": 8080,
        "advancedConfiguration": {
            "alternateTargetGroupArn": details["second_group_arn"],
            "productionListenerRule": details["listener_arn"],
            "roleArn": details["role_arn"],
        },
    }


def is_prepared(tasks: Tasks, details: Mapping[str, str]) -> bool:
    """Tell whether ECS knows all that it needs to lead a service's requests."""
    wanted = render_load_balancer(details)["advancedConfiguration"]
    return any((each.get("advancedConfiguration") or {}).items() >= wanted.items() for each in tasks.load_balancers)


def find_under_way(aws: Aws, service: str) -> Leading | None:
    """Return the service deployment of a service that has not ended, or None."""
    found = _list(aws, service, status=list(_UNDER_WAY))
    return _describe(aws, service, found[0]) if found else None


def start(aws: Aws, service: str, task_definition: str, rollout: Rollout, *, at_once: bool = False) -> Leading:
    """Begin to bring requests to the tasks of a task definition. Raises ToolError where ECS does not begin."""
    configuration = render_configuration(rollout, at_once=at_once)
    return _update(aws, service, taskDefinition=task_definition, deploymentConfiguration=configuration)


def prepare(aws: Aws, service: str, details: Mapping[str, str], rollout: Rollout) -> Leading:
    """Tell ECS how it leads a service's requests; the tasks are replaced by their like.

    A rolling deployment has to come first (Amazon ECS: Update the deployment strategy from rolling update to Amazon
    ECS blue/green).
    """
    configuration = render_configuration(rollout, at_once=True)
    return _update(aws, service, loadBalancers=[render_load_balancer(details)], deploymentConfiguration=configuration)


def end_strategy(aws: Aws, service: str, rollout: Rollout) -> None:
    """Have the next change of a service come all at once; nothing is deployed by that."""
    name = aws.target.resource_name(service)
    configuration = render_configuration(rollout, at_once=True)
    with aws.explained(f"strategy of {service}"):
        aws.client("ecs").update_service(
            cluster=aws.target.resource_name(), service=name, deploymentConfiguration=configuration
        )


def stop(aws: Aws, leading: Leading) -> None:
    """Stop a service deployment and have the requests brought back. One that has ended is left as it is."""
    client = aws.client("ecs")
    with aws.explained(f"stop the rollout of {leading.service}"):
        try:
            client.stop_service_deployment(serviceDeploymentArn=leading.arn, stopType="ROLLBACK")
        except client.exceptions.ConflictException:
            return


def look_at(aws: Aws, leading: Leading) -> Standing:
    """Say how a service deployment stands."""
    with aws.explained(f"rollout of {leading.service}"):
        found = aws.client("ecs").describe_service_deployments(serviceDeploymentArns=[leading.arn])
    return judge_service_deployment(found["serviceDeployments"][0])


def _update(aws: Aws, service: str, **changes: Any) -> Leading:
    cluster, name = aws.target.resource_name(), aws.target.resource_name(service)
    before = set(_list(aws, service))
    with aws.explained(f"rollout of {service}"):
        aws.client("ecs").update_service(cluster=cluster, service=name, **changes)
    deadline = time.monotonic() + _LISTED_WITHIN
    while True:
        new = [arn for arn in _list(aws, service) if arn not in before]
        if new:
            return _describe(aws, service, new[0])
        if time.monotonic() > deadline:
            raise ToolError(f"rollout of {service}", f"ECS began no deployment within {_LISTED_WITHIN:.0f} s")
        time.sleep(1)


def _list(aws: Aws, service: str, **only: Any) -> list[str]:
    """Return the ARNs of a service's latest deployments, newest first."""
    cluster, name = aws.target.resource_name(), aws.target.resource_name(service)
    with aws.explained(f"deployments of {name}"):
        found = aws.client("ecs").list_service_deployments(cluster=cluster, service=name, **only)
    newest = sorted(found["serviceDeployments"], key=lambda each: each["createdAt"], reverse=True)
    return [each["serviceDeploymentArn"] for each in newest]


def _describe(aws: Aws, service: str, arn: str) -> Leading:
    client = aws.client("ecs")
    with aws.explained(f"rollout of {service}"):
        found = client.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
        target = found["targetServiceRevision"]["arn"]
        source = next((each["arn"] for each in found.get("sourceServiceRevisions") or ()), None)
        arns = [each for each in (target, source) if each]
        revisions = client.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    tasks = {each["serviceRevisionArn"]: each["taskDefinition"] for each in revisions}
    return Leading(arn, service, tasks.get(source, ""), tasks[target])
