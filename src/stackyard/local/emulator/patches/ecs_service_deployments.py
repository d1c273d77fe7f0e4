"""A change of a service must be a service deployment, which can lead requests to the new tasks by and by.

moto knows no service deployments, no revisions and no strategy but the rolling one. Here a rolling one is done at
once, and one by blue-green, canary or linear goes on by itself (`stackyard.local.emulator.ecs`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend as Backend
from moto.ecs.models import Service
from moto.ecs.responses import EC2ContainerServiceResponse as Response

from stackyard.local.emulator.ecs.deployment import UNDER_WAY, Deployment, Revision, World
from stackyard.local.emulator.ecs.stages import GRADUAL, find_trouble, plan_stages
from stackyard.local.emulator.minutes import Minutes
from stackyard.local.emulator.patches.ecs_steady_services import settle
from stackyard.local.emulator.shapes import Json
from stackyard.local.emulator.surroundings import is_in_ecr, missing_image, ringing

_TRIGGERS = ("load_balancers", "network_configuration", "force_new_deployment")
"""What begins a deployment beside a new task definition ("UpdateService", Amazon ECS API Reference)."""


@dataclass(slots=True)
class _History:
    """A service's deployments, newest first, and what it is now."""

    revision: Revision
    configuration: Json
    deployments: list[Deployment] = field(default_factory=list[Deployment])


_histories: dict[str, _History] = {}
"""By the service's ARN."""


def apply() -> None:
    """Wrap ``create_service`` and ``update_service``, and offer what there was not."""
    create, update = Backend.create_service, Backend.update_service

    def create_service(self: Backend, *arguments: Any, **named: Any) -> Service:
        service = create(self, *arguments, **named)
        history = _histories[service.arn] = _History(_revision(service), {"strategy": "ROLLING"})
        _record(service, history, None).finish()
        return service

    def update_service(self: Backend, service_properties: dict[str, Any]) -> Service:
        asked = dict(service_properties)
        name = str(asked["service"]).rpartition("/")[2]
        before = self.services.get(f"{str(asked.get('cluster', 'default')).rpartition('/')[2]}:{name}")
        history = _histories[before.arn] if before else None
        if before and history:
            _check(asked.get("deployment_configuration"), asked.get("load_balancers") or before.load_balancers)
        source = before.task_definition if before else None
        service = update(self, service_properties)
        if history:
            history.configuration = asked.get("deployment_configuration") or history.configuration
            if service.task_definition != source or any(asked.get(each) for each in _TRIGGERS):
                _deploy(self, service, history)
        return service

    Backend.create_service, Backend.update_service = create_service, update_service
    offered = (list_service_deployments, describe_service_deployments, describe_service_revisions)
    for each in (*offered, stop_service_deployment):
        setattr(Response, each.__name__, each)


def _check(configuration: Json | None, load_balancers: list[Json]) -> None:
    if configuration and configuration.get("strategy") in GRADUAL:
        trouble = find_trouble(configuration, load_balancers)
        if trouble:
            raise InvalidParameterException(trouble)


def _revision(service: Service) -> Revision:
    number = uuid4().int % 10**19
    arn = f"{service.arn.replace(':service/', ':service-revision/')}/{number:019}"
    return Revision(arn, str(service.task_definition), tuple(service.load_balancers))


def _record(service: Service, history: _History, source: Revision | None) -> Deployment:
    target = history.revision if source is None else _revision(service)
    made = Deployment(service.arn, service.cluster_arn, source, target, history.configuration, service.desired_count)
    history.deployments.insert(0, made)
    return made


def _deploy(backend: Backend, service: Service, history: _History) -> None:
    for other in history.deployments:
        if other.status in UNDER_WAY:
            other.stop(roll_back=False)
    source = history.revision
    made = _record(service, history, source)
    if history.configuration.get("strategy") not in GRADUAL:
        history.revision = made.target
        made.finish()
        return
    settled = cast("Json", service.deployments[0])
    service.deployments[:] = [
        settled | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": f"{made.arn} in progress."},
        settled
        | {"id": f"ecs-svc/{uuid4().int % 10**19:019}", "status": "ACTIVE", "taskDefinition": source.task_definition},
    ]

    def arrive() -> None:
        history.revision = made.target
        settle(backend, service)

    def go_back() -> None:
        service.task_definition, service.load_balancers = source.task_definition, list(source.load_balancers)
        settle(backend, service)

    watched: Json = history.configuration.get("alarms") or {}
    names: list[str] = watched.get("alarmNames") or [] if watched.get("enable") else []
    world = World(
        trouble=lambda: _missing_image(backend, made.target.task_definition),
        ringing=partial(ringing, backend.account_id, backend.region_name, names),
        gone=lambda: service.status == "INACTIVE",
        arrive=arrive,
        go_back=go_back,
    )
    made.play(plan_stages(history.configuration), Minutes.as_told(), world)


def _missing_image(backend: Backend, task_definition: str) -> str:
    definition = backend.describe_task_definition(task_definition)
    containers = cast("list[Json]", definition.container_definitions)  # pyright: ignore[reportUnknownMemberType]  (moto's has none)
    images = [str(container["image"]) for container in containers]
    return next((missing_image(image) for image in images if is_in_ecr(image) and missing_image(image)), "")


def list_service_deployments(self: Response) -> ActionResult:
    """Return a service's deployments, newest first."""
    cluster, name, wanted = (_asked(self, each) for each in ("cluster", "service", "status"))
    service = self.ecs_backend._get_service(cluster or "default", str(name).rpartition("/")[2])  # pyright: ignore[reportPrivateUsage]  (moto's way to find one, with its errors)
    found = [each.brief() for each in _histories[service.arn].deployments]
    return ActionResult({"serviceDeployments": [each for each in found if not wanted or each["status"] in wanted]})


def describe_service_deployments(self: Response) -> ActionResult:
    """Describe service deployments by their ARNs."""
    wanted = _asked(self, "serviceDeploymentArns")
    return ActionResult(
        {"serviceDeployments": [each.describe() for each in _all() if each.arn in wanted], "failures": []}
    )


def describe_service_revisions(self: Response) -> ActionResult:
    """Describe revisions of services by their ARNs."""
    wanted, found = _asked(self, "serviceRevisionArns"), dict[str, Json]()
    for each in _all():
        for revision in (each.target, each.source):
            if revision and revision.arn in wanted:
                found[revision.arn] = {
                    "serviceRevisionArn": revision.arn,
                    "serviceArn": each.service_arn,
                    "clusterArn": each.cluster_arn,
                    "taskDefinition": revision.task_definition,
                    "loadBalancers": list(revision.load_balancers),
                    "createdAt": revision.created,
                }
    return ActionResult({"serviceRevisions": list(found.values()), "failures": []})


def stop_service_deployment(self: Response) -> ActionResult:
    """Stop a service deployment that is under way."""
    arn = _asked(self, "serviceDeploymentArn")
    found = next((each for each in _all() if each.arn == arn), None)
    if found is None:
        raise ECSException("ServiceDeploymentNotFoundException", f"there is no service deployment {arn}")
    if found.status not in UNDER_WAY:
        raise ECSException("ConflictException", "The service deployment has ended already.")
    found.stop(roll_back=_asked(self, "stopType") != "ABORT")
    return ActionResult({"serviceDeploymentArn": arn})


def _all() -> list[Deployment]:
    return [each for history in list(_histories.values()) for each in list(history.deployments)]


def _asked(response: Response, name: str) -> Any:  # what was asked has no types
    return response._get_param(name)  # pyright: ignore[reportPrivateUsage]  (moto's way to read requests)
