"""What of App Runner is offered: each operation by its name."""

from __future__ import annotations

from collections.abc import Callable

from stackyard.local.emulator.apprunner.backend import AppRunner
from stackyard.local.emulator.apprunner.errors import InvalidRequestError, UnknownOperationError
from stackyard.local.emulator.apprunner.records import AUTO_SCALING, OBSERVABILITY, VPC_CONNECTOR
from stackyard.local.emulator.jsonservice import Offer
from stackyard.local.emulator.shapes import Json

Operation = Callable[[AppRunner, Json], Json]

_OPERATIONS: dict[str, Operation] = {
    "CreateService": AppRunner.create_service,
    "DescribeService": AppRunner.describe_service,
    "ListServices": AppRunner.list_services,
    "UpdateService": AppRunner.update_service,
    "DeleteService": AppRunner.delete_service,
    "PauseService": AppRunner.pause_service,
    "ResumeService": AppRunner.resume_service,
    "StartDeployment": AppRunner.start_deployment,
    "ListOperations": AppRunner.list_operations,
    "TagResource": AppRunner.tag_resource,
    "UntagResource": AppRunner.untag_resource,
    "ListTagsForResource": AppRunner.list_tags,
}
for _kind in (AUTO_SCALING, VPC_CONNECTOR, OBSERVABILITY):
    _of_kind: dict[str, Operation] = {
        f"Create{_kind.name}": lambda backend, request, kind=_kind: backend.create_configuration(kind, request),
        f"Describe{_kind.name}": lambda backend, request, kind=_kind: backend.describe_configuration(kind, request),
        f"Delete{_kind.name}": lambda backend, request, kind=_kind: backend.delete_configuration(kind, request),
        f"List{_kind.name}s": lambda backend, request, kind=_kind: backend.list_configurations(kind, request),
    }
    _OPERATIONS.update(_of_kind)

OFFER = Offer(
    name="App Runner",
    model="apprunner",
    version="1.0",
    make=AppRunner,
    operations=_OPERATIONS,
    invalid=InvalidRequestError,
    unknown=UnknownOperationError,
)
