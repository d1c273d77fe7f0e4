"""The Terraform stacks, applied for real: Terraform, the AWS provider and the emulated AWS."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

ACCOUNT = "123456789012"
REGION = "eu-west-1"
BUCKET = f"acme-state-{ACCOUNT}-{REGION}"
BOOTSTRAP = ("-var", f"account={ACCOUNT}", "-var", f"region={REGION}", "-var", "emulated=true")
QUIET = ("-input=false", "-no-color", "-parallelism=30")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _push(emulator: Any, service: str, revision: int) -> str:
    """Put an image's manifest into the repository and return its digest."""
    configuration = {"digest": "sha256:" + hashlib.sha256(f"{service} {revision}".encode()).hexdigest(), "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": []})
    image = emulator.client("ecr").put_image(
        repositoryName="acme", imageManifest=manifest, imageTag=f"{service}-{revision}"
    )
    return image["image"]["imageId"]["imageDigest"]


def _write_service(project: Path, name: str, text: str) -> None:
    folder = project / "src" / "services" / name
    folder.mkdir(parents=True)
    (folder / "service.yaml").write_text(text)


def _variables(digests: Mapping[str, str]) -> tuple[str, ...]:
    return ("-var", "environment=local", "-var", f"image_digests={json.dumps(dict(digests))}")


@pytest.fixture
def terraform(
    project: Path, emulator: Any, terraform_environment: dict[str, str], make_terraform: Callable[..., Any]
) -> Iterator[Any]:
    """Terraform in a bootstrapped account; logs what took how long (``pytest -o log_cli_level=INFO``)."""
    emulator.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    running = make_terraform(project, {**terraform_environment, **emulator.environment})
    running.seconds["emulator"] = emulator.seconds
    running.init("bootstrap", "bootstrap/terraform.tfstate")
    running.run("bootstrap", "plan", *QUIET, "-out=bootstrap.tfplan", *BOOTSTRAP)
    running.run("bootstrap", "apply", *QUIET, "bootstrap.tfplan")
    yield running
    logging.getLogger(__name__).info("%s", {step: round(seconds, 2) for step, seconds in running.seconds.items()})


def test_stacks_apply_and_then_plan_nothing(terraform: Any, project: Path, emulator: Any) -> None:
    """Each apply leaves nothing for a second plan: one service, three, a new image, one gone. The state survives."""
    changes = ("plan", *QUIET, "-detailed-exitcode")
    terraform.run("bootstrap", *changes, *BOOTSTRAP, label="second plan")

    attached = emulator.client("iam").list_attached_role_policies(RoleName="acme-local_deploy")["AttachedPolicies"]
    assert {"acme-local_read", "acme-local_deploy", "acme-local_deploy-roles"} < {one["PolicyName"] for one in attached}

    digests = {"api": _push(emulator, "api", 1)}
    _write_service(project, "api", "# all as it comes\n")
    terraform.init("app", "app/local/terraform.tfstate")
    terraform.run("app", "plan", *QUIET, "-out=one.tfplan", *_variables(digests), label="plan of 1")
    terraform.run("app", "apply", *QUIET, "one.tfplan", label="apply of 1")
    terraform.run("app", *changes, *_variables(digests), label="second plan of 1")

    _write_service(project, "worker", "memory: 512\napi_key: true\nscaling: {max: 5}\nenvironment: {GREETING: hello}\n")
    auth = "auth: {jwt: {issuer: 'https://id.example.com/', audience: [billing]}}\n"
    _write_service(project, "billing-run", f"{auth}timeout: 5\noverrides: {{local: {{path: /billing}}}}\n")
    digests |= {name: _push(emulator, name, 1) for name in ("worker", "billing-run")}
    terraform.run("app", "plan", *QUIET, "-out=three.tfplan", *_variables(digests), label="plan of 3")
    terraform.run("app", "apply", *QUIET, "three.tfplan", label="apply of 3")
    terraform.run("app", *changes, *_variables(digests), label="second plan of 3")
    outputs = json.loads(terraform.run("app", "output", "-json").stdout)
    _check_what_runs(emulator, outputs, digests)

    digests["api"] = _push(emulator, "api", 2)
    done = terraform.run("app", "apply", *QUIET, "-auto-approve", *_variables(digests), label="apply of a new image")
    assert "0 added, 2 changed, 0 destroyed" in done.stdout
    terraform.run("app", *changes, *_variables(digests), label="second plan of a new image")
    alias = emulator.client("lambda").get_alias(FunctionName="acme-local-api", Name="live")
    assert alias["FunctionVersion"] == "2"

    shutil.rmtree(project / "src" / "services" / "billing-run")
    terraform.run("app", "apply", *QUIET, "-auto-approve", *_variables(digests), label="apply of a removal")
    terraform.run("app", *changes, *_variables(digests), label="second plan of a removal")
    remaining = {function["FunctionName"] for function in emulator.client("lambda").list_functions()["Functions"]}
    assert remaining == {"acme-local-api", "acme-local-worker"}

    terraform.run("app", "destroy", *QUIET, "-auto-approve", *_variables(digests))
    assert emulator.client("lambda").list_functions()["Functions"] == []
    refused = terraform.run("bootstrap", "destroy", *QUIET, "-auto-approve", *BOOTSTRAP, codes=(1,))
    assert "aws_s3_bucket.state" in refused.stderr
    assert "prevent_destroy" in refused.stderr


def _check_what_runs(emulator: Any, outputs: dict[str, Any], digests: Mapping[str, str]) -> None:
    """Ask the emulated AWS, not Terraform, what is there."""
    services = outputs["services"]["value"]
    assert {name: service["path"] for name, service in services.items()} == {
        "api": "/",
        "worker": "/worker",
        "billing-run": "/billing",
    }
    functions = emulator.client("lambda")
    for name, digest in digests.items():
        function = functions.get_function(FunctionName=f"acme-local-{name}", Qualifier="live")
        assert function["Code"]["ImageUri"].endswith(f"acme@{digest}")
        variables = function["Configuration"]["Environment"]["Variables"]
        assert variables["SERVICE_PATH"] == services[name]["path"]
        assert ("SERVICE_AUTH" in variables) == services[name]["auth"] == (name == "billing-run")
    gateway = emulator.client("apigateway")
    (key,) = gateway.get_api_keys(includeValues=True)["items"]
    (plan,) = gateway.get_usage_plans(keyId=key["id"])["items"]
    assert len(key["value"]) >= 20
    assert plan["apiStages"] == [{"apiId": outputs["api_id"]["value"], "stage": "local"}]
    assert plan["throttle"] == {"rateLimit": 10.0, "burstLimit": 20}
    document = json.loads(outputs["openapi"]["value"])
    resources = gateway.get_resources(restApiId=outputs["api_id"]["value"], limit=100)["items"]
    assert {resource["path"] for resource in resources} == set(document["paths"])
    roles = emulator.client("iam").get_role(RoleName="acme-local-worker")["Role"]
    assert roles["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/acme-local_boundary")


def test_mistakes_name_their_file(
    project: Path, emulator: Any, terraform_environment: dict[str, str], make_terraform: Callable[..., Any]
) -> None:
    """Whoever runs Terraform by hand with mistakes in the files reads which file, which key, what is allowed."""
    (project / "infra" / "app" / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    _write_service(project, "api", "memroy: 512\nmemory: 12\n")
    _write_service(project, "worker", "environment: [\n")
    running = make_terraform(project, {**terraform_environment, **emulator.environment})
    running.run("app", "init", "-input=false", "-no-color")
    done = running.run("app", "plan", *QUIET, *_variables({}), codes=(1,))
    words = " ".join(done.stderr.split())
    assert "src/services/worker/service.yaml: not YAML" in words
    assert (
        "src/services/api/service.yaml: unknown key memroy; allowed: alarms, api_key, auth, catalog, cors, cpu,"
        in words
    )
    assert "src/services/api/service.yaml: memory is 12; allowed: whole MiB from 128 to 122880." in words
    assert "image_digests has no digest for: api" in words
