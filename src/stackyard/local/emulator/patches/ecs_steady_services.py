"""A service must reach the state that it was asked for.

moto starts no task and never finishes a deployment, so whoever waits for a steady service (Terraform, a deploy) waits
until it gives up; after an update the deployment still names the old task definition. Here every task that is wanted
runs, and the one deployment is the current one, completed. moto's MOTO_ECS_SERVICE_RUNNING is one number for all
services.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from moto.core.utils import utcnow
from moto.ecs.models import EC2ContainerServiceBackend, Service


def apply() -> None:
    """Wrap ``create_service`` and ``update_service`` of the backend."""
    create, update = EC2ContainerServiceBackend.create_service, EC2ContainerServiceBackend.update_service

    def create_service(self: EC2ContainerServiceBackend, *arguments: Any, **named: Any) -> Service:
        return settle(self, create(self, *arguments, **named))

    def update_service(self: EC2ContainerServiceBackend, service_properties: dict[str, Any]) -> Service:
        return settle(self, update(self, service_properties))

    EC2ContainerServiceBackend.create_service = create_service
    EC2ContainerServiceBackend.update_service = update_service


def settle(backend: EC2ContainerServiceBackend, service: Service) -> Service:
    """Have a service run what it was asked to run, and nothing else."""
    service.running_count, service.pending_count = service.desired_count, 0
    if service.deployments:
        _settle_deployment(service)
    cluster = backend.clusters[service.cluster_name]
    others = (each for each in backend.services.values() if each.cluster_name == cluster.name)
    cluster.running_tasks_count = sum(each.running_count for each in others if each.status == "ACTIVE")
    cluster.pending_tasks_count = 0
    return service


def _settle_deployment(service: Service) -> None:
    deployment = cast("dict[str, Any]", service.deployments[0])
    now = utcnow()
    if deployment["taskDefinition"] != service.task_definition:
        # Digits only after the slash, as AWS's; the provider tells deployments apart by it.
        deployment |= {"id": f"ecs-svc/{uuid.uuid4().int % 10**19:019}", "createdAt": now}
    service.deployments[:] = [
        deployment
        | {
            "taskDefinition": service.task_definition,
            "desiredCount": service.desired_count,
            "runningCount": service.desired_count,
            "pendingCount": 0,
            "rolloutState": "COMPLETED",
            "rolloutStateReason": f"ECS deployment {deployment['id']} completed.",
            "updatedAt": now,
        }
    ]
