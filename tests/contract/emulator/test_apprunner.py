"""App Runner, which is ours: it answers boto3 as AWS does, and refuses what AWS refuses."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme"
ROLE = "arn:aws:iam::123456789012:role/acme/dev/access"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MISSING = "arn:aws:apprunner:eu-west-1:123456789012:service/none/0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def image(emulator: Any) -> str:
    """An image in the emulated ECR, by digest."""
    ecr = emulator.client("ecr")
    ecr.create_repository(repositoryName="acme")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []})
    digest = ecr.put_image(repositoryName="acme", imageManifest=manifest, imageTag="web-1")["image"]["imageId"]
    return f"{REPOSITORY}@{digest['imageDigest']}"


def _source(image: str, **configuration: Any) -> dict[str, Any]:
    return {
        "ImageRepository": {
            "ImageIdentifier": image,
            "ImageRepositoryType": "ECR",
            "ImageConfiguration": configuration,
        },
        "AuthenticationConfiguration": {"AccessRoleArn": ROLE},
        "AutoDeploymentsEnabled": False,
    }


def _refused(code: str, words: str, call: Any, **request: Any) -> None:
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer: Any = cast("Any", refused.value).response
    assert answer["Error"]["Code"] == code
    assert words in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_service_from_its_creation_to_its_end(emulator: Any, image: str) -> None:
    """Each change is answered as in progress and found done; what was left out is filled in; the operations tell it."""
    client = emulator.client("apprunner")
    source = _source(image, RuntimeEnvironmentVariables={"GREETING": "hello"})
    created = client.create_service(
        ServiceName="acme-dev-web",
        SourceConfiguration=source,
        InstanceConfiguration={"Cpu": "1 vCPU", "Memory": "2 GB"},
        Tags=[{"Key": "service", "Value": "web"}],
    )["Service"]
    assert created["Status"] == "OPERATION_IN_PROGRESS"
    arn = created["ServiceArn"]
    assert arn == f"arn:aws:apprunner:eu-west-1:123456789012:service/acme-dev-web/{created['ServiceId']}"

    found = client.describe_service(ServiceArn=arn)["Service"]
    assert found["Status"] == "RUNNING"
    assert found["ServiceUrl"].endswith(".eu-west-1.awsapprunner.com")
    assert found["InstanceConfiguration"] == {"Cpu": "1024", "Memory": "2048"}
    assert found["SourceConfiguration"]["ImageRepository"]["ImageConfiguration"]["Port"] == "8080"
    assert found["HealthCheckConfiguration"]["Protocol"] == "TCP"
    assert found["NetworkConfiguration"]["IngressConfiguration"] == {"IsPubliclyAccessible": True}
    assert found["AutoScalingConfigurationSummary"]["AutoScalingConfigurationName"] == "DefaultConfiguration"

    client.update_service(ServiceArn=arn, InstanceConfiguration={"Cpu": "2048", "Memory": "4096"})
    changed = client.describe_service(ServiceArn=arn)["Service"]
    assert changed["InstanceConfiguration"] == {"Cpu": "2048", "Memory": "4096"}
    assert changed["SourceConfiguration"] == found["SourceConfiguration"]

    client.pause_service(ServiceArn=arn)
    _refused("InvalidStateException", "is PAUSED", client.update_service, ServiceArn=arn)
    client.resume_service(ServiceArn=arn)
    client.start_deployment(ServiceArn=arn)
    assert [each["ServiceName"] for each in client.list_services()["ServiceSummaryList"]] == ["acme-dev-web"]

    client.delete_service(ServiceArn=arn)
    assert client.describe_service(ServiceArn=arn)["Service"]["Status"] == "DELETED"
    assert client.list_services()["ServiceSummaryList"] == []
    operations = client.list_operations(ServiceArn=arn)["OperationSummaryList"]
    assert {each["Status"] for each in operations} == {"SUCCEEDED"}
    assert [each["Type"].partition("_")[0] for each in operations] == [
        "DELETE",
        "START",
        "RESUME",
        "PAUSE",
        "UPDATE",
        "CREATE",
    ]


def test_a_service_makes_its_log_groups_and_leaves_them(emulator: Any, image: str) -> None:
    """The groups are App Runner's own, as on AWS: retention is set on them, nobody creates them, they outlive it."""
    client, logs = emulator.client("apprunner"), emulator.client("logs")
    made = client.create_service(ServiceName="acme-dev-logs", SourceConfiguration=_source(image))["Service"]
    prefix = f"/aws/apprunner/acme-dev-logs/{made['ServiceId']}"
    client.delete_service(ServiceArn=made["ServiceArn"])
    groups = logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    assert [each["logGroupName"] for each in groups] == [f"{prefix}/application", f"{prefix}/service"]


def test_an_image_that_was_never_pushed_is_refused(emulator: Any, image: str) -> None:
    """By its digest or tag, at once and by name; AWS would end in CREATE_FAILED minutes later."""
    client = emulator.client("apprunner")
    absent = "sha256:" + hashlib.sha256(b"never pushed").hexdigest()
    for wrong in (f"{REPOSITORY}@{absent}", f"{REPOSITORY}:web-2", image.replace("/acme@", "/other@")):
        _refused(
            "InvalidRequestException",
            wrong,
            client.create_service,
            ServiceName="acme-dev-none",
            SourceConfiguration=_source(wrong),
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ServiceName": "a" * 41}, "ServiceName: length 41 is not from 4 to 40"),
        ({"ServiceName": "acme dev"}, "ServiceName: 'acme dev' does not match"),
        ({"InstanceConfiguration": {"Cpu": "1024", "Memory": "512"}}, "memory 512 with cpu 1024; allowed: 2048, 3072"),
        ({"InstanceConfiguration": {"Cpu": "3000"}}, "InstanceConfiguration.Cpu: '3000' does not match"),
        ({"HealthCheckConfiguration": {"Protocol": "UDP"}}, "'UDP' is none of TCP, HTTP"),
        ({"AutoScalingConfigurationArn": f"{MISSING}"}, "cannot be found"),
    ],
)
def test_values_that_app_runner_does_not_take(emulator: Any, image: str, change: dict[str, Any], words: str) -> None:
    """Names, pairs of processor and memory and references are checked, and nothing is made."""
    client = emulator.client("apprunner")
    request = {"ServiceName": "acme-dev-bad", "SourceConfiguration": _source(image), **change}
    code = "ResourceNotFoundException" if "AutoScalingConfigurationArn" in change else "InvalidRequestException"
    _refused(code, words, client.create_service, **request)
    assert client.list_services()["ServiceSummaryList"] == []


def test_what_does_not_exist_is_not_found(emulator: Any) -> None:
    """The error has the name that the provider takes for "gone"."""
    client = emulator.client("apprunner")
    _refused("ResourceNotFoundException", MISSING, client.describe_service, ServiceArn=MISSING)
    _refused("ResourceNotFoundException", MISSING, client.list_tags_for_resource, ResourceArn=MISSING)


def test_configurations_come_in_revisions(emulator: Any, image: str) -> None:
    """A revision that a service uses stays; the latest is found without its number; the status is in lower case."""
    client = emulator.client("apprunner")
    name = "AutoScalingConfigurationName"
    first, second = (
        client.create_auto_scaling_configuration(**{name: "acme-dev-scale"}, MaxSize=size)["AutoScalingConfiguration"]
        for size in (2, 3)
    )
    assert (first["AutoScalingConfigurationRevision"], second["AutoScalingConfigurationRevision"]) == (1, 2)
    assert first["Status"] == "active"
    arn = "AutoScalingConfigurationArn"
    latest = client.describe_auto_scaling_configuration(**{arn: first[arn].rpartition("/1/")[0]})
    assert latest["AutoScalingConfiguration"]["MaxSize"] == 3

    service = client.create_service(
        ServiceName="acme-dev-scaled", SourceConfiguration=_source(image), AutoScalingConfigurationArn=first[arn]
    )["Service"]
    _refused(
        "InvalidRequestException",
        "used by acme-dev-scaled",
        client.delete_auto_scaling_configuration,
        AutoScalingConfigurationArn=first[arn],
    )
    client.delete_service(ServiceArn=service["ServiceArn"])
    deleted = client.delete_auto_scaling_configuration(**{arn: first[arn]})["AutoScalingConfiguration"]
    assert deleted["Status"] == "inactive"
    listed = client.list_auto_scaling_configurations(**{name: "acme-dev-scale"})
    assert [each[arn] for each in listed["AutoScalingConfigurationSummaryList"]] == [second[arn]]
    _refused(
        "InvalidRequestException",
        "inactive",
        client.create_service,
        ServiceName="acme-dev-late",
        SourceConfiguration=_source(image),
        AutoScalingConfigurationArn=first[arn],
    )


def test_tags_come_and_go(emulator: Any) -> None:
    """On every kind of resource that App Runner has."""
    client = emulator.client("apprunner")
    made = client.create_vpc_connector(
        VpcConnectorName="acme-dev-vpc",
        Subnets=["subnet-1"],
        SecurityGroups=["sg-1"],
        Tags=[{"Key": "a", "Value": "1"}],
    )["VpcConnector"]
    assert (made["Status"], made["VpcConnectorRevision"]) == ("ACTIVE", 1)
    arn = made["VpcConnectorArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert client.delete_vpc_connector(VpcConnectorArn=arn)["VpcConnector"]["Status"] == "INACTIVE"


def test_lists_come_in_pages(emulator: Any) -> None:
    """The token of one page gets the next."""
    client = emulator.client("apprunner")
    for number in range(3):
        client.create_observability_configuration(
            ObservabilityConfigurationName=f"acme-dev-{number}", TraceConfiguration={"Vendor": "AWSXRAY"}
        )
    names: list[str] = []
    request: dict[str, Any] = {"MaxResults": 2}
    for _ in range(2):
        page = client.list_observability_configurations(**request)
        names += [each["ObservabilityConfigurationName"] for each in page["ObservabilityConfigurationSummaryList"]]
        request["NextToken"] = page.get("NextToken")
    assert names == ["acme-dev-0", "acme-dev-1", "acme-dev-2"]
    assert request["NextToken"] is None


def test_what_is_not_offered_says_so(emulator: Any) -> None:
    """At once, so that Terraform does not try again for minutes."""
    call = emulator.client("apprunner").list_connections
    _refused("UnknownOperationException", "does not offer App Runner's ListConnections", call)
