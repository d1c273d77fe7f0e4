"""What really runs for a service, asked of the AWS service that runs it.

Owns where each compute kind keeps an image's digest, settings and version. Names follow from project, environment and
service, so nothing but the catalog is needed to ask. Kubernetes is asked by `stackyard.tools.kubernetes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.tools.aws import Aws


@dataclass(frozen=True, slots=True)
class LiveFunction:
    """What the alias ``live`` of a Lambda function runs. Memory in MiB, timeout in s."""

    name: str
    alias_arn: str
    version: str
    digest: str
    memory: int
    timeout: int
    handler: str
    environment: Mapping[str, str]
    concurrency: int | None
    log_group: str


@dataclass(frozen=True, slots=True)
class LiveServer:
    """What a service behind HTTP runs. ``secrets`` are the ARNs that its platform turns into variables."""

    name: str
    version: str
    digest: str
    memory: int
    app: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    log_group: str


Live = LiveFunction | LiveServer


def find_live(aws: Aws, kind: str, service: str) -> Live | None:
    """Return what runs for a service, or None where it is not there. Raises StackyardError.

    Args:
        aws: The AWS of its environment.
        kind: ``lambda``, ``apprunner`` or ``ecs``.
        service: Its name.

    """
    name = aws.target.resource_name(service)
    if kind == "lambda":
        return _function(aws, name)
    if kind == "apprunner":
        return _app_runner(aws, name)
    if kind == "ecs":
        return _ecs(aws, name, service)
    raise AssertionError(kind)


def _function(aws: Aws, name: str) -> LiveFunction | None:
    client = aws.client("lambda")
    with aws.explained(f"function {name}"):
        try:
            answer = client.get_function(FunctionName=name, Qualifier="live")
            alias = client.get_alias(FunctionName=name, Name="live")
        except client.exceptions.ResourceNotFoundException:
            return None
    facts = cast("dict[str, Any]", answer["Configuration"])
    uri = cast("str", _deep(answer, "Code", "ResolvedImageUri") or _deep(answer, "Code", "ImageUri") or "")
    command = _deep(facts, "ImageConfigResponse", "ImageConfig", "Command") or [""]
    return LiveFunction(
        name=name,
        alias_arn=alias["AliasArn"],
        version=alias["FunctionVersion"],
        digest=_digest(uri) or f"sha256:{facts.get('CodeSha256', '')}",
        memory=facts["MemorySize"],
        timeout=facts["Timeout"],
        handler=command[0],
        environment=_deep(facts, "Environment", "Variables"),
        concurrency=_deep(answer, "Concurrency", "ReservedConcurrentExecutions") or None,
        log_group=_deep(facts, "LoggingConfig", "LogGroup") or f"/aws/lambda/{name}",
    )


def publish(aws: Aws, service: str) -> str:
    """Publish what a function holds and return the version: the newest, where nothing has changed since it.

    Empty where there is no such function.
    """
    name = aws.target.resource_name(service)
    client = aws.client("lambda")
    with aws.explained(f"function {name}"):
        try:
            return str(client.publish_version(FunctionName=name)["Version"])
        except client.exceptions.ResourceNotFoundException:
            return ""


def _app_runner(aws: Aws, name: str) -> LiveServer | None:
    client = aws.client("apprunner")
    with aws.explained(f"App Runner service {name}"):
        token: dict[str, str] = {}
        while True:
            page = client.list_services(**token)
            found = [item for item in page["ServiceSummaryList"] if item["ServiceName"] == name]
            if found or not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        if not found:
            return None
        service = client.describe_service(ServiceArn=found[0]["ServiceArn"])["Service"]
    image = _deep(service, "SourceConfiguration", "ImageRepository")
    settings = _deep(image, "ImageConfiguration")
    variables = cast("dict[str, str]", _deep(settings, "RuntimeEnvironmentVariables"))
    return LiveServer(
        name=name,
        version=str(service["ServiceId"])[:8],
        digest=_digest(image.get("ImageIdentifier", "")),
        memory=int(_deep(service, "InstanceConfiguration").get("Memory", 0)),
        app=_app(str(settings.get("StartCommand", "")).split()) or variables.get("UVICORN_APP", ""),
        environment=variables,
        secrets=_deep(settings, "RuntimeEnvironmentSecrets"),
        log_group=f"/aws/apprunner/{name}/{service['ServiceId']}/application",
    )


def _ecs(aws: Aws, name: str, container_name: str) -> LiveServer | None:
    client = aws.client("ecs")
    with aws.explained(f"ECS service {name}"):
        try:
            answer = client.describe_services(cluster=aws.target.resource_name(), services=[name])
        except client.exceptions.ClusterNotFoundException:
            return None
        active = [item for item in answer["services"] if item["status"] == "ACTIVE"]
        if not active:
            return None
        task = client.describe_task_definition(taskDefinition=active[0]["taskDefinition"])["taskDefinition"]
    container = next(item for item in task["containerDefinitions"] if item["name"] == container_name)
    options = _deep(container, "logConfiguration", "options")
    return LiveServer(
        name=name,
        version=str(task["revision"]),
        digest=_digest(container["image"]),
        memory=int(task.get("memory") or 0),
        app=_app(container.get("command") or []),
        environment={item["name"]: item["value"] for item in container.get("environment", [])},
        secrets={item["name"]: item["valueFrom"] for item in container.get("secrets", [])},
        log_group=options.get("awslogs-group", ""),
    )


def _app(command: list[str]) -> str:
    """Return the ASGI application that a command names: the word with a colon."""
    return next((word for word in command if ":" in word), "")


def _digest(image: str) -> str:
    return image.rpartition("@")[2] if "@" in image else ""


def _deep(data: Mapping[str, Any], *names: str) -> Any:  # what AWS answers has no types
    """Return what lies below ``names``, or an empty mapping where something on the way is missing or null."""
    here: Any = data
    for name in names:
        here = here.get(name) or {}
    return here
