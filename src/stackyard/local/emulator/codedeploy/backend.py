"""CodeDeploy of one account and region: what each operation does.

Applications, groups and configurations are kept as they were asked for. A minute of a deployment takes a second here
(`stackyard.local.emulator.minutes`).
"""

from __future__ import annotations

import time
from typing import TypeVar
from uuid import uuid4

from stackyard.local.emulator.codedeploy.deployment import ENDED, Deployment
from stackyard.local.emulator.codedeploy.errors import (
    ALREADY_EXISTS,
    DOES_NOT_EXIST,
    DeploymentAlreadyCompletedError,
    DeploymentConfigInUseError,
    DeploymentLimitExceededError,
    InvalidInputError,
    ResourceArnError,
)
from stackyard.local.emulator.codedeploy.shifting import check_routing, plan_shifts, read_revision
from stackyard.local.emulator.codedeploy.surroundings import Surroundings
from stackyard.local.emulator.minutes import Minutes
from stackyard.local.emulator.shapes import Json

Key = TypeVar("Key")
Found = TypeVar("Found")

_AT_ONCE = "CodeDeployDefault.LambdaAllAtOnce"


class CodeDeploy:
    """The applications of one account and region. Not for two threads at once."""

    def __init__(self, account: str, region: str) -> None:
        self._arn = f"arn:aws:codedeploy:{region}:{account}"
        self._surroundings = Surroundings(account, region)
        self._applications: dict[str, Json] = {}
        self._groups: dict[tuple[str, str], Json] = {}
        self._configs: dict[str, Json] = {_AT_ONCE: _config(_AT_ONCE, {"type": "AllAtOnce"})}
        self._deployments: dict[str, Deployment] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def create_application(self, request: Json) -> Json:
        """Make an application; only those for Lambda are offered."""
        name, platform = request["applicationName"], request.get("computePlatform", "Server")
        if name in self._applications:
            raise ALREADY_EXISTS["Application"](f"there is an application {name}")
        if platform != "Lambda":
            raise InvalidInputError(f"computePlatform: {platform}; the embedded AWS has Lambda only")
        made = {"applicationId": str(uuid4()), "applicationName": name, "computePlatform": platform}
        self._applications[name] = made | {"createTime": time.time(), "linkedToGitHub": False}
        self._tag(f"application:{name}", request)
        return {"applicationId": made["applicationId"]}

    def get_application(self, request: Json) -> Json:
        """Describe an application."""
        return {"application": self._application(request)}

    def update_application(self, request: Json) -> Json:
        """Rename an application."""
        found, name = self._application(request), request.get("newApplicationName") or request["applicationName"]
        del self._applications[found["applicationName"]]
        self._groups = {
            (name if app == found["applicationName"] else app, group): each
            for (app, group), each in self._groups.items()
        }
        self._applications[name] = found | {"applicationName": name}
        return {}

    def delete_application(self, request: Json) -> Json:
        """Delete an application and its groups."""
        name = request["applicationName"]
        self._applications.pop(name, None)
        self._groups = {key: each for key, each in self._groups.items() if key[0] != name}
        return {}

    def list_applications(self, _request: Json) -> Json:
        """List the applications' names."""
        return {"applications": sorted(self._applications)}

    def create_config(self, request: Json) -> Json:
        """Make a deployment configuration."""
        name, routing = request["deploymentConfigName"], request.get("trafficRoutingConfig")
        if name in self._configs:
            raise ALREADY_EXISTS["DeploymentConfig"](f"there is a deployment configuration {name}")
        if request.get("computePlatform") != "Lambda" or routing is None:
            raise InvalidInputError("the embedded AWS has deployment configurations for Lambda only")
        check_routing(routing)
        self._configs[name] = _config(name, routing)
        return {"deploymentConfigId": self._configs[name]["deploymentConfigId"]}

    def get_config(self, request: Json) -> Json:
        """Describe a deployment configuration."""
        return {"deploymentConfigInfo": self._config(request["deploymentConfigName"])}

    def delete_config(self, request: Json) -> Json:
        """Delete a deployment configuration that no group has."""
        name = request["deploymentConfigName"]
        users = [group for (_, group), each in self._groups.items() if each["deploymentConfigName"] == name]
        if users:
            raise DeploymentConfigInUseError(f"{name} is used by {', '.join(users)}")
        self._configs.pop(name, None)
        return {}

    def create_group(self, request: Json) -> Json:
        """Make a deployment group."""
        self._application(request)
        key = (request["applicationName"], request["deploymentGroupName"])
        if key in self._groups:
            raise ALREADY_EXISTS["DeploymentGroup"](f"there is a deployment group {key[1]}")
        request = {"deploymentConfigName": _AT_ONCE, **request}
        self._config(request["deploymentConfigName"])
        self._tag(f"deploymentgroup:{'/'.join(key)}", request)
        made = {name: value for name, value in request.items() if name != "tags"}
        self._groups[key] = made | {"deploymentGroupId": str(uuid4()), "computePlatform": "Lambda"}
        return {"deploymentGroupId": self._groups[key]["deploymentGroupId"]}

    def get_group(self, request: Json) -> Json:
        """Describe a deployment group."""
        return {"deploymentGroupInfo": self._group(request["applicationName"], request["deploymentGroupName"])}

    def update_group(self, request: Json) -> Json:
        """Change what the request names."""
        application, name = request["applicationName"], request["currentDeploymentGroupName"]
        group = self._group(application, name)
        new = request.get("newDeploymentGroupName") or name
        changes = {key: value for key, value in request.items() if not key.endswith("DeploymentGroupName")}
        self._config(changes.get("deploymentConfigName", group["deploymentConfigName"]))
        del self._groups[application, name]
        self._groups[application, new] = group | changes | {"deploymentGroupName": new}
        return {"hooksNotCleanedUp": []}

    def delete_group(self, request: Json) -> Json:
        """Delete a deployment group."""
        self._groups.pop((request["applicationName"], request["deploymentGroupName"]), None)
        return {"hooksNotCleanedUp": []}

    def list_groups(self, request: Json) -> Json:
        """List an application's groups."""
        application = request["applicationName"]
        groups = sorted(group for app, group in self._groups if app == application)
        return {"applicationName": application, "deploymentGroups": groups}

    def create_deployment(self, request: Json) -> Json:
        """Begin to shift requests; one deployment of a group at a time."""
        application, name = request["applicationName"], request.get("deploymentGroupName", "")
        group = self._group(application, name)
        running = [each.id for each in self._of_group(application, name) if each.status not in ENDED]
        if running:
            raise DeploymentLimitExceededError(
                f"The Deployment Group '{name}' already has an active Deployment '{running[0]}'"
            )
        config = request.get("deploymentConfigName") or group["deploymentConfigName"]
        revision: Json = request.get("revision") or {}
        made = Deployment(
            group=group,
            revision=revision,
            config=config,
            wish=read_revision(revision),
            shifts=plan_shifts(self._config(config)["trafficRoutingConfig"]),
            surroundings=self._surroundings,
            clock=Minutes.as_told(),
            description=request.get("description", ""),
        )
        self._deployments[made.id] = made
        made.start()
        return {"deploymentId": made.id}

    def get_deployment(self, request: Json) -> Json:
        """Say how a deployment stands."""
        return {"deploymentInfo": self._deployment(request["deploymentId"]).describe()}

    def stop_deployment(self, request: Json) -> Json:
        """Stop a deployment."""
        found = self._deployment(request["deploymentId"])
        if found.status in ENDED:
            raise DeploymentAlreadyCompletedError(f"The deployment {found.id} has ended: {found.status}")
        found.stop(roll_back=bool(request.get("autoRollbackEnabled")))
        return {"status": "Pending", "statusMessage": "The deployment is being stopped."}

    def list_deployments(self, request: Json) -> Json:
        """List a group's deployments, the newest first."""
        statuses = request.get("includeOnlyStatuses") or ()
        found = self._of_group(request.get("applicationName", ""), request.get("deploymentGroupName", ""))
        shown = [each for each in found if not statuses or each.status in statuses]
        return {"deployments": [each.id for each in sorted(shown, key=lambda each: each.created, reverse=True)]}

    def list_targets(self, request: Json) -> Json:
        """List a deployment's targets: the one function."""
        return {"targetIds": [self._deployment(request["deploymentId"]).target_id]}

    def get_targets(self, request: Json) -> Json:
        """Describe a deployment's targets."""
        return {"deploymentTargets": [self._deployment(request["deploymentId"]).target()]}

    def tag_resource(self, request: Json) -> Json:
        """Give tags."""
        self._tags_of(request).update({tag["Key"]: tag.get("Value", "") for tag in request["Tags"]})
        return {}

    def untag_resource(self, request: Json) -> Json:
        """Take tags away."""
        tags = self._tags_of(request)
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, request: Json) -> Json:
        """List the tags."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags_of(request).items()]}

    def _application(self, request: Json) -> Json:
        return _find(self._applications, request["applicationName"], "Application")

    def _group(self, application: str, name: str) -> Json:
        _find(self._applications, application, "Application")
        return _find(self._groups, (application, name), "DeploymentGroup")

    def _config(self, name: str) -> Json:
        return _find(self._configs, name, "DeploymentConfig")

    def _deployment(self, name: str) -> Deployment:
        undoing = {each.undone_by.id: each.undone_by for each in self._deployments.values() if each.undone_by}
        return _find(self._deployments | undoing, name, "Deployment")

    def _of_group(self, application: str, name: str) -> list[Deployment]:
        wanted = (application, name)
        return [
            each
            for each in self._deployments.values()
            if (each.group["applicationName"], each.group["deploymentGroupName"]) == wanted
        ]

    def _tag(self, resource: str, request: Json) -> None:
        given = request.get("tags") or ()
        self._tags[f"{self._arn}:{resource}"] = {tag["Key"]: tag.get("Value", "") for tag in given}

    def _tags_of(self, request: Json) -> dict[str, str]:
        arn = request["ResourceArn"]
        if arn not in self._tags:
            raise ResourceArnError(f"nothing that has tags: {arn}")
        return self._tags[arn]


def _config(name: str, routing: Json) -> Json:
    return {
        "deploymentConfigId": str(uuid4()),
        "deploymentConfigName": name,
        "computePlatform": "Lambda",
        "trafficRoutingConfig": routing,
        "createTime": time.time(),
    }


def _find(there: dict[Key, Found], name: Key, noun: str) -> Found:
    if name not in there:
        raise DOES_NOT_EXIST[noun](f"there is no {noun} {name}")
    return there[name]
