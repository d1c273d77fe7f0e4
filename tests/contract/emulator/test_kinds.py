"""What services of every kind are made of, with real Terraform: applied, planned again, changed, destroyed.

The stack stands in ``stack/``. What needs minutes on the laptop for the provider's own waits is left out of it.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STACK = Path(__file__).parent / "stack"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
QUIET = ("-input=false", "-no-color", "-parallelism=30")


def _push(emulator: Any, tag: str) -> str:
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"tag": tag}})
    image = emulator.client("ecr").put_image(repositoryName="kinds", imageManifest=manifest, imageTag=tag)["image"]
    return f"{REGISTRY}/kinds@{image['imageId']['imageDigest']}"


@pytest.fixture
def terraform(
    emulator: Any, tmp_path: Path, terraform_environment: dict[str, str], make_terraform: Callable[..., Any]
) -> Any:
    """Terraform in a copy of the stack, its state in a file beside it."""
    emulator.client("ecr").create_repository(repositoryName="kinds")
    shutil.copytree(STACK, tmp_path / "infra" / "stack")
    running = make_terraform(tmp_path, {**terraform_environment, **emulator.environment})
    running.run("stack", "init", "-input=false", "-no-color")
    return running


def test_every_kind_is_held(terraform: Any, emulator: Any) -> None:
    """A second plan is empty after the apply and after a change, what we read back is right, and all of it ends."""
    first = ("-var", f"image={_push(emulator, 'one')}")
    second = ("-var", f"image={_push(emulator, 'two')}", "-var", "greeting=welcome", "-var", "rate=2.5")
    terraform.run("stack", "apply", *QUIET, "-auto-approve", *first)
    terraform.run("stack", "plan", *QUIET, "-detailed-exitcode", *first, label="second plan")
    _check_ecs(emulator, first[1].removeprefix("image="), revision=1, greeting="hello")
    _check_api(emulator)

    terraform.run("stack", "apply", *QUIET, "-auto-approve", *second, label="change")
    terraform.run("stack", "plan", *QUIET, "-detailed-exitcode", *second, label="plan after the change")
    _check_ecs(emulator, second[1].removeprefix("image="), revision=2, greeting="welcome")
    _check_apprunner(emulator, second[1].removeprefix("image="))
    _check_limits(emulator)

    terraform.run("stack", "destroy", *QUIET, "-auto-approve", *second)
    assert emulator.client("apprunner").list_services()["ServiceSummaryList"] == []
    assert emulator.client("eks").list_clusters()["clusters"] == []
    groups = emulator.client("ec2").describe_security_groups()["SecurityGroups"]
    assert {group["GroupName"] for group in groups} == {"default"}
    logging.getLogger(__name__).info("%s", {step: round(seconds, 1) for step, seconds in terraform.seconds.items()})


def _check_ecs(emulator: Any, image: str, *, revision: int, greeting: str) -> None:
    """Check what a rollout's verification reads: the running definition and that nothing is under way."""
    ecs = emulator.client("ecs")
    (service,) = ecs.describe_services(cluster="acme-local", services=["acme-local-desk"])["services"]
    assert service["taskDefinition"].endswith(f":task-definition/acme-local-desk:{revision}")
    assert (service["runningCount"], service["pendingCount"], service["desiredCount"]) == (2, 0, 2)
    (deployment,) = service["deployments"]
    assert (deployment["status"], deployment["rolloutState"]) == ("PRIMARY", "COMPLETED")
    assert (deployment["taskDefinition"], deployment["runningCount"]) == (service["taskDefinition"], 2)
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}

    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = definition["containerDefinitions"]
    assert container["image"] == image
    assert {"name": "GREETING", "value": greeting} in container["environment"]
    (secret,) = container["secrets"]
    found = emulator.client("secretsmanager").describe_secret(SecretId=secret["valueFrom"])
    assert (secret["name"], found["Name"]) == ("DATABASE_URL", "acme/local/url")


def _check_apprunner(emulator: Any, image: str) -> None:
    client = emulator.client("apprunner")
    (summary,) = client.list_services()["ServiceSummaryList"]
    service = client.describe_service(ServiceArn=summary["ServiceArn"])["Service"]
    repository = service["SourceConfiguration"]["ImageRepository"]
    assert (service["Status"], repository["ImageIdentifier"]) == ("RUNNING", image)
    assert repository["ImageConfiguration"]["RuntimeEnvironmentVariables"]["GREETING"] == "welcome"
    assert list(repository["ImageConfiguration"]["RuntimeEnvironmentSecrets"]) == ["DATABASE_URL"]
    tags = client.list_tags_for_resource(ResourceArn=summary["ServiceArn"])["Tags"]
    assert {"Key": "project", "Value": "acme"} in tags


def _check_api(emulator: Any) -> None:
    """Check that the import kept what makes the integrations work."""
    gateway, links = emulator.client("apigateway"), emulator.client("apigateway").get_vpc_links()["items"]
    (api,) = gateway.get_rest_apis()["items"]
    resources = gateway.get_resources(restApiId=api["id"], embed=["methods"])["items"]
    methods = {each["path"]: each["resourceMethods"] for each in resources if "resourceMethods" in each}
    desk, web = methods["/desk/{proxy+}"]["ANY"], methods["/web/{proxy+}"]["ANY"]
    assert (desk["apiKeyRequired"], web["apiKeyRequired"]) == (True, False)
    assert desk["methodIntegration"]["connectionId"] == links[0]["id"]
    assert desk["methodIntegration"]["connectionType"] == "VPC_LINK"
    assert web["methodIntegration"]["type"] == "HTTP_PROXY"
    assert web["methodIntegration"]["uri"] == "https://${stageVariables.url_web}/web/{proxy}"
    parameters = web["methodIntegration"]["requestParameters"]
    assert parameters["integration.request.header.x-stackyard-path"] == "context.path"
    assert methods["/web/services.json"]["GET"]["methodIntegration"]["type"] == "MOCK"
    stage = gateway.get_stage(restApiId=api["id"], stageName="local")
    assert stage["variables"]["url_web"].endswith(".eu-west-1.awsapprunner.com")


def _check_limits(emulator: Any) -> None:
    (plan,) = emulator.client("apigateway").get_usage_plans()["items"]
    assert plan["throttle"] == {"rateLimit": 2.5, "burstLimit": 20}
    assert plan["quota"] == {"limit": 2500, "offset": 0, "period": "DAY"}
