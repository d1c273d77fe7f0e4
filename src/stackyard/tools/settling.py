"""See how the rollout of a service stands at AWS, and what it said before it failed. Kubernetes is asked elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.errors import StackyardError
from stackyard.tools.aws import Aws
from stackyard.tools.rollout import Standing
from stackyard.tools.standing import judge_app_runner, judge_ecs, judge_function, tell_stopped

LINES = 20
"""Lines of a log that an error shows."""

_PATIENCE = {"lambda": 300.0, "apprunner": 1200.0, "ecs": 1800.0}
_PAGES = 5


@dataclass(frozen=True, slots=True)
class Rolling:
    """A service whose new version is coming in, with what Terraform said of it."""

    name: str
    kind: str
    resource: str
    version: str
    image: str
    log_group: str
    details: Mapping[str, str]

    @property
    def patience(self) -> float:
        """Seconds that it gets."""
        return _PATIENCE[self.kind]

    @property
    def digest(self) -> str:
        """The image that it is to run."""
        return self.image.partition("@")[2]


def rolling_services(services: Mapping[str, Mapping[str, Any]]) -> list[Rolling]:
    """Return the services of an applied state's outputs that are waited for here."""
    return [
        Rolling(
            name=name,
            kind=facts["kind"],
            resource=facts["resource"],
            version=str(facts["version"]),
            image=facts["image"],
            log_group=facts["log_group"],
            details=facts["details"],
        )
        for name, facts in sorted(services.items())
        if facts["kind"] in _PATIENCE
    ]


def look_at_service(aws: Aws, service: Rolling) -> Standing:
    """Say how the rollout of a service stands. Raises StackyardError where AWS does not answer."""
    with aws.explained(f"rollout of {service.name}"):
        if service.kind == "lambda":
            ask = aws.client("lambda").get_function_configuration
            return judge_function(ask(FunctionName=service.resource, Qualifier=service.version))
        if service.kind == "apprunner":
            client, arn = aws.client("apprunner"), service.details["service_arn"]
            described = client.describe_service(ServiceArn=arn)["Service"]
            operations = client.list_operations(ServiceArn=arn, MaxResults=1)["OperationSummaryList"]
            return judge_app_runner(described, operations[0] if operations else {}, service.digest)
        found = aws.client("ecs").describe_services(cluster=service.details["cluster"], services=[service.resource])
        return judge_ecs(found["services"][0] if found["services"] else {}, service.details["task_definition"])


def last_words(aws: Aws, service: Rolling, since: float) -> str:
    """Return what a service said since a moment (s since 1970) and why its tasks stopped; empty where nobody can tell.

    Told in addition to why the rollout failed, so a right that is missing hides nothing.
    """
    told: list[str] = []
    with contextlib.suppress(StackyardError):
        if service.kind == "ecs":
            told += _stopped(aws, service)
    groups = [service.log_group]
    if service.kind == "apprunner":
        # The one beside it has what App Runner itself says of the deployment.
        groups = [service.log_group.removesuffix("/application") + "/service", service.log_group]
    for group in groups:
        with contextlib.suppress(StackyardError):
            told += _last_lines(aws, group, since)
    return "\n".join(told[-2 * LINES :])


def _stopped(aws: Aws, service: Rolling) -> list[str]:
    client, cluster = aws.client("ecs"), service.details["cluster"]
    with aws.explained(f"tasks of {service.name}"):
        arns = client.list_tasks(cluster=cluster, serviceName=service.resource, desiredStatus="STOPPED")["taskArns"]
        if not arns:
            return []
        tasks = client.describe_tasks(cluster=cluster, tasks=arns[:100])["tasks"]
    return [f"task stopped: {line}" for line in tell_stopped(tasks, service.details["task_definition"])]


def _last_lines(aws: Aws, group: str, since: float) -> list[str]:
    client, lines, token = aws.client("logs"), list[str](), dict[str, str]()
    with aws.explained(f"log group {group}"):
        for _ in range(_PAGES):
            try:
                page = cast(
                    "dict[str, Any]",
                    client.filter_log_events(logGroupName=group, startTime=max(0, int(since * 1000)), **token),
                )
            except client.exceptions.ResourceNotFoundException:
                return []
            lines += [str(event["message"]).rstrip() for event in page["events"]]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
    return lines[-LINES:]
