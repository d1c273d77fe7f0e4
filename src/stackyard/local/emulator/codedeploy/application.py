"""What of CodeDeploy is offered: each operation by its name."""

from __future__ import annotations

from collections.abc import Callable

from stackyard.local.emulator.codedeploy.backend import CodeDeploy
from stackyard.local.emulator.codedeploy.errors import InvalidInputError, UnknownOperationError
from stackyard.local.emulator.jsonservice import Offer
from stackyard.local.emulator.shapes import Json

_OPERATIONS: dict[str, Callable[[CodeDeploy, Json], Json]] = {
    "CreateApplication": CodeDeploy.create_application,
    "GetApplication": CodeDeploy.get_application,
    "UpdateApplication": CodeDeploy.update_application,
    "DeleteApplication": CodeDeploy.delete_application,
    "ListApplications": CodeDeploy.list_applications,
    "CreateDeploymentConfig": CodeDeploy.create_config,
    "GetDeploymentConfig": CodeDeploy.get_config,
    "DeleteDeploymentConfig": CodeDeploy.delete_config,
    "CreateDeploymentGroup": CodeDeploy.create_group,
    "GetDeploymentGroup": CodeDeploy.get_group,
    "UpdateDeploymentGroup": CodeDeploy.update_group,
    "DeleteDeploymentGroup": CodeDeploy.delete_group,
    "ListDeploymentGroups": CodeDeploy.list_groups,
    "CreateDeployment": CodeDeploy.create_deployment,
    "GetDeployment": CodeDeploy.get_deployment,
    "StopDeployment": CodeDeploy.stop_deployment,
    "ListDeployments": CodeDeploy.list_deployments,
    "ListDeploymentTargets": CodeDeploy.list_targets,
    "BatchGetDeploymentTargets": CodeDeploy.get_targets,
    "TagResource": CodeDeploy.tag_resource,
    "UntagResource": CodeDeploy.untag_resource,
    "ListTagsForResource": CodeDeploy.list_tags,
}

OFFER = Offer(
    name="CodeDeploy",
    model="codedeploy",
    version="1.1",
    make=CodeDeploy,
    operations=_OPERATIONS,
    invalid=InvalidInputError,
    unknown=UnknownOperationError,
)
