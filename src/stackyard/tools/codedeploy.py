"""Have CodeDeploy bring requests to a new version of a Lambda function by and by, and see how that stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from stackyard.tools.aws import Aws
from stackyard.tools.rollout import Standing
from stackyard.tools.standing import judge_shift

ALIAS = "live"
AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"
"""CodeDeploy's own configuration that takes no steps."""

_UNDER_WAY = ("Created", "Queued", "InProgress", "Baking", "Ready")


@dataclass(frozen=True, slots=True)
class Alias:
    """Where an alias points: a version, and parts of the requests that other versions get."""

    version: str
    weights: Mapping[str, float]
    """From 0 to 1, by version."""


@dataclass(frozen=True, slots=True)
class Shifting:
    """A deployment under way: its id, the service, and the versions that requests come from and go to."""

    id: str
    service: str
    old: str
    new: str


def find_alias(aws: Aws, service: str) -> Alias | None:
    """Return where the alias of a service's function points, or None where it is not there."""
    client, name = aws.client("lambda"), aws.target.resource_name(service)
    with aws.explained(f"alias of {name}"):
        try:
            found = client.get_alias(FunctionName=name, Name=ALIAS)
        except client.exceptions.ResourceNotFoundException:
            return None
    routing = cast("dict[str, Any]", found.get("RoutingConfig") or {})
    return Alias(found["FunctionVersion"], routing.get("AdditionalVersionWeights") or {})


def find_digest(aws: Aws, service: str, version: str) -> str | None:
    """Return the digest of the image of a function's version, or None where it is not there."""
    client, name = aws.client("lambda"), aws.target.resource_name(service)
    with aws.explained(f"version {version} of {name}"):
        try:
            found = client.get_function(FunctionName=name, Qualifier=version)
        except client.exceptions.ResourceNotFoundException:
            return None
    return cast("str", found["Code"].get("ImageUri", "")).partition("@")[2] or None


def render_appspec(function: str, old: str, new: str) -> str:
    """Render what CodeDeploy is told (CodeDeploy: AppSpec 'resources' section for AWS Lambda deployments)."""
    properties = {"Name": function, "Alias": ALIAS, "CurrentVersion": old, "TargetVersion": new}
    resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{"function": resource}]})


def parse_appspec(revision: Mapping[str, Any]) -> tuple[str, str]:
    """Return the versions that a deployment's revision goes from and to; empty where it was not made here."""
    content = cast("dict[str, str]", revision.get("appSpecContent") or revision.get("string") or {})
    try:
        (resource,) = (each for part in json.loads(content["content"])["Resources"] for each in part.values())
        return resource["Properties"]["CurrentVersion"], resource["Properties"]["TargetVersion"]
    except (ValueError, KeyError, TypeError):
        return "", ""


def find_under_way(aws: Aws, service: str) -> Shifting | None:
    """Return the deployment of a service that has not ended, or None."""
    client, application = aws.client("codedeploy"), aws.target.resource_name()
    gone = (
        client.exceptions.ApplicationDoesNotExistException,
        client.exceptions.DeploymentGroupDoesNotExistException,
    )
    with aws.explained(f"deployments of {service}"):
        try:
            found = client.list_deployments(
                applicationName=application, deploymentGroupName=service, includeOnlyStatuses=list(_UNDER_WAY)
            )["deployments"]
        except gone:
            return None
        if not found:
            return None
        info = client.get_deployment(deploymentId=found[0])["deploymentInfo"]
    return Shifting(found[0], service, *parse_appspec(info.get("revision") or {}))


def start(aws: Aws, service: str, old: str, new: str, *, at_once: bool = False) -> Shifting | None:
    """Begin to bring requests from one version to another; None where another deployment is under way."""
    client, application = aws.client("codedeploy"), aws.target.resource_name()
    content = render_appspec(aws.target.resource_name(service), old, new)
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}}
    with aws.explained(f"rollout of {service}"):
        try:
            made = client.create_deployment(
                applicationName=application,
                deploymentGroupName=service,
                revision=revision,
                description=f"version {old} to {new}",
                **({"deploymentConfigName": AT_ONCE} if at_once else {}),
            )
        except client.exceptions.DeploymentLimitExceededException:
            return None
    return Shifting(made["deploymentId"], service, old, new)


def stop(aws: Aws, shifting: Shifting) -> None:
    """Stop a deployment and have the requests brought back. One that has ended meanwhile is left as it is."""
    client = aws.client("codedeploy")
    with aws.explained(f"stop the rollout of {shifting.service}"):
        try:
            client.stop_deployment(deploymentId=shifting.id, autoRollbackEnabled=True)
        except client.exceptions.DeploymentAlreadyCompletedException:
            return


def look_at(aws: Aws, shifting: Shifting) -> Standing:
    """Say how a deployment stands."""
    client = aws.client("codedeploy")
    alias = find_alias(aws, shifting.service)
    percent = 100 * alias.weights.get(shifting.new, 1.0 * (alias.version == shifting.new)) if alias else 0
    with aws.explained(f"rollout of {shifting.service}"):
        info = client.get_deployment(deploymentId=shifting.id)["deploymentInfo"]
        back = cast("dict[str, str]", info.get("rollbackInfo") or {}).get("rollbackDeploymentId")
        undoing = client.get_deployment(deploymentId=back)["deploymentInfo"] if back else None
        targets: Sequence[Mapping[str, Any]] = ()
        if info["status"] == "Failed":
            ids = client.list_deployment_targets(deploymentId=shifting.id)["targetIds"]
            found = client.batch_get_deployment_targets(deploymentId=shifting.id, targetIds=ids)
            targets = found["deploymentTargets"]
    return judge_shift(info, undoing, targets, round(percent, 1))
