"""Each patch of the emulator: what AWS does, that ours does it, and that moto alone still does not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackyard.local.emulator.patches import PATCHES

ALL = [name for names in PATCHES.values() for name in names]
HERE = {"LocationConstraint": "eu-west-1"}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def unpatched(start_emulator: Callable[..., Any]) -> Any:
    """An emulator without a single patch."""
    return start_emulator(*(f"--without={name}" for name in ALL))


def _use_tls_only_bucket(running: Any, bucket: str) -> str:
    s3 = running.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    s3.put_object(Bucket=bucket, Key="state", Body=b"kept")
    return s3.get_object(Bucket=bucket, Key="state")["Body"].read().decode()


def test_tls_only_policy_lets_its_owner_in(emulator: Any, unpatched: Any) -> None:
    """A bucket whose policy denies plain HTTP can be written and read; without the patch it cannot."""
    assert _use_tls_only_bucket(emulator, "tls-only") == "kept"
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        _use_tls_only_bucket(unpatched, "tls-only")


def test_unconditional_deny_still_denies(emulator: Any) -> None:
    """The patch leaves out conditional statements only: a plain Deny holds."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="denied", CreateBucketConfiguration=HERE)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::denied/*"}
    s3.put_bucket_policy(Bucket="denied", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        s3.put_object(Bucket="denied", Key="state", Body=b"")


def _push(running: Any, command: str) -> tuple[str, str]:
    """Push an image that differs in its configuration only; return the manifest's hash and ECR's digest."""
    ecr = running.client("ecr")
    configuration = {"digest": "sha256:" + hashlib.sha256(command.encode()).hexdigest(), "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": []})
    image = ecr.put_image(repositoryName="digests", imageManifest=manifest, imageTag=command)["image"]
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest(), image["imageId"]["imageDigest"]


def test_digest_is_the_manifests_hash(emulator: Any, unpatched: Any) -> None:
    """Images that differ in their configuration only have digests of their own; without the patch they share one."""
    for running in (emulator, unpatched):
        running.client("ecr").create_repository(repositoryName="digests")
    for command in ("serve", "work"):
        expected, found = _push(emulator, command)
        assert found == expected
    assert _push(unpatched, "serve")[1] == _push(unpatched, "work")[1]


def _tag_twice(running: Any) -> list[str]:
    """Give one image two tags, and return the tags under which the first finds it."""
    ecr = running.client("ecr")
    ecr.create_repository(repositoryName="tags")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []})
    for tag in ("first", "second"):
        ecr.put_image(repositoryName="tags", imageManifest=manifest, imageTag=tag)
    answer = ecr.batch_get_image(repositoryName="tags", imageIds=[{"imageTag": "first"}, {"imageTag": "none"}])
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]
    return [image["imageId"]["imageTag"] for image in answer["images"]]


def test_an_image_is_answered_under_the_tag_that_was_asked_for(emulator: Any, unpatched: Any) -> None:
    """Also after it got another; without the patch it is answered under the last one."""
    assert _tag_twice(emulator) == ["first"]
    assert _tag_twice(unpatched) == ["second"]


def _use_ecs(running: Any, name: str) -> Any:
    """Make a service of three tasks, with limits of its own; return what describes it."""
    ecs = running.client("ecs")
    ecs.create_cluster(clusterName=name)
    definition = {"name": "app", "image": "app", "memory": 128}
    for _ in range(2):
        ecs.register_task_definition(family=name, containerDefinitions=[definition])
    ecs.create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=f"{name}:1",
        desiredCount=3,
        healthCheckGracePeriodSeconds=60,
        availabilityZoneRebalancing="ENABLED",
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        enableECSManagedTags=True,
    )
    return lambda: ecs.describe_services(cluster=name, services=[name])["services"][0]


def test_a_service_is_described_with_what_it_was_given(emulator: Any, unpatched: Any) -> None:
    """Grace period, circuit breaker and the like stand in its description, changed ones too; without the patch not."""
    described = _use_ecs(emulator, "members")
    found = described()
    assert (found["healthCheckGracePeriodSeconds"], found["availabilityZoneRebalancing"]) == (60, "ENABLED")
    assert found["deploymentConfiguration"]["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert found["enableECSManagedTags"]
    ecs = emulator.client("ecs")
    ecs.update_service(cluster="members", service="members", healthCheckGracePeriodSeconds=30)
    assert (described()["healthCheckGracePeriodSeconds"], described()["enableECSManagedTags"]) == (30, True)
    assert "healthCheckGracePeriodSeconds" not in _use_ecs(unpatched, "members")()


def test_a_service_runs_what_it_was_asked_to_run(emulator: Any, unpatched: Any) -> None:
    """Every task runs at once and the only deployment is of the current definition; without the patch none does."""
    described = _use_ecs(emulator, "steady")
    before = described()["deployments"]
    ecs = emulator.client("ecs")
    ecs.update_service(cluster="steady", service="steady", taskDefinition="steady:2", desiredCount=4)
    found = described()
    (deployment,) = found["deployments"]
    assert (found["runningCount"], found["pendingCount"]) == (4, 0)
    assert (deployment["rolloutState"], deployment["status"], deployment["runningCount"]) == ("COMPLETED", "PRIMARY", 4)
    assert deployment["taskDefinition"] == found["taskDefinition"]
    assert deployment["id"] != before[0]["id"]
    assert ecs.describe_clusters(clusters=["steady"])["clusters"][0]["runningTasksCount"] == 4
    assert _use_ecs(unpatched, "steady")()["deployments"][0]["rolloutState"] == "IN_PROGRESS"


def test_a_change_of_a_service_is_a_service_deployment(emulator: Any, unpatched: Any) -> None:
    """The newest is told first; without the patch there are none (test_ecs_deployments.py has the rest)."""

    def listed(running: Any) -> list[str]:
        _use_ecs(running, "deployed")
        ecs = running.client("ecs")
        ecs.update_service(cluster="deployed", service="deployed", taskDefinition="deployed:2")
        found = ecs.list_service_deployments(cluster="deployed", service="deployed")["serviceDeployments"]
        return [each["status"] for each in found]

    assert listed(emulator) == ["SUCCESSFUL", "SUCCESSFUL"]
    with pytest.raises(ClientError):
        listed(unpatched)


def _register_target(running: Any) -> Any:
    _use_ecs(running, "scaled")
    scaling = running.client("application-autoscaling")
    arn = scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId="service/scaled/scaled",
        MinCapacity=1,
        MaxCapacity=4,
        Tags={"project": "acme"},
    )["ScalableTargetARN"]
    return scaling, arn


def test_a_scalable_target_keeps_its_tags(emulator: Any, unpatched: Any) -> None:
    """Those that it was registered with, and those that come and go; without the patch the call fails."""
    scaling, arn = _register_target(emulator)
    scaling.tag_resource(ResourceARN=arn, Tags={"owner": "web"})
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"project": "acme", "owner": "web"}
    scaling.untag_resource(ResourceARN=arn, TagKeys=["project"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"owner": "web"}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        scaling.list_tags_for_resource(ResourceARN=f"{arn}0")
    scaling, arn = _register_target(unpatched)
    with pytest.raises(ClientError, match="500"):
        scaling.list_tags_for_resource(ResourceARN=arn)


def _import(running: Any, integration: dict[str, Any], **members: Any) -> tuple[str, dict[str, Any]]:
    """Import a document with one method that needs a key; return the method's name and what it is."""
    gateway = running.client("apigateway")
    needed: list[str] = []
    method = {"security": [{"key": needed}], "responses": {}, "x-amazon-apigateway-integration": integration}
    document: dict[str, Any] = {
        "openapi": "3.0.1",
        "info": {"title": "imported", "version": "1"},
        "paths": {"/desk": {**members, "x-amazon-apigateway-any-method": method}},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
    }
    api = gateway.create_rest_api(name="imported")["id"]
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
    resources = gateway.get_resources(restApiId=api, embed=["methods"])["items"]
    ((name, found),) = next(each for each in resources if each["path"] == "/desk")["resourceMethods"].items()
    return name, found


def test_an_imported_api_is_what_its_document_says(emulator: Any, unpatched: Any) -> None:
    """Method, key, type and VPC link come out as AWS has them, MOCK integrations too; without the patch they do not."""
    private = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": "http://desk.example:8080/desk",
        "connectionType": "VPC_LINK",
        "connectionId": "link1",
    }
    mock = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    name, method = _import(emulator, private)
    assert (name, method["apiKeyRequired"]) == ("ANY", True)
    assert method["methodIntegration"]["type"] == "HTTP_PROXY"
    assert method["methodIntegration"]["connectionId"] == "link1"
    _, method = _import(emulator, mock, parameters=[])
    assert (method["methodIntegration"]["type"], method["methodIntegration"].get("uri")) == ("MOCK", None)

    name, method = _import(unpatched, private)
    assert (name, method["apiKeyRequired"]) == ("X-AMAZON-APIGATEWAY-ANY-METHOD", False)
    assert "connectionId" not in method["methodIntegration"]
    with pytest.raises(ClientError, match="500"):
        _import(unpatched, mock)


def _change_plan(running: Any) -> Any:
    """Make a usage plan with a throttled stage, change its limits, and take the stage away."""
    gateway = running.client("apigateway")
    api = gateway.create_rest_api(name="limited")["id"]
    stage = {"apiId": api, "stage": "dev", "throttle": {"/desk/GET": {"rateLimit": 1.0, "burstLimit": 1}}}
    plan = gateway.create_usage_plan(name="limited", apiStages=[stage], quota={"limit": 10, "period": "DAY"})["id"]
    for change in (
        {"op": "replace", "path": "/quota/limit", "value": "20"},
        {"op": "replace", "path": "/throttle/rateLimit", "value": "2.5"},
        {"op": "remove", "path": "/apiStages", "value": f"{api}:dev"},
    ):
        gateway.update_usage_plan(usagePlanId=plan, patchOperations=[change])
    return gateway.get_usage_plan(usagePlanId=plan)


def test_a_usage_plan_can_be_changed_and_taken_from_its_stage(emulator: Any, unpatched: Any) -> None:
    """Limits stay numbers, fractions are allowed, and a throttled stage is found again; without the patch it fails."""
    plan = _change_plan(emulator)
    assert (plan["quota"]["limit"], plan["throttle"]["rateLimit"], plan["apiStages"]) == (20, 2.5, [])
    with pytest.raises(ClientError, match="500"):
        _change_plan(unpatched)


def _create_cluster(running: Any) -> dict[str, Any]:
    subnets = [each["SubnetId"] for each in running.client("ec2").describe_subnets()["Subnets"][:2]]
    eks = running.client("eks")
    eks.create_cluster(
        name="held",
        roleArn="arn:aws:iam::123456789012:role/eks",
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
        computeConfig={"enabled": True, "nodePools": ["system"]},
    )
    return eks.describe_cluster(name="held")["cluster"]


def test_a_cluster_is_described_with_what_it_was_given(emulator: Any, unpatched: Any) -> None:
    """Auto Mode, access and its own security group, which ends with it; without the patch they are missing."""
    found = _create_cluster(emulator)
    assert found["accessConfig"]["authenticationMode"] == "API"
    assert found["computeConfig"] == {"enabled": True, "nodePools": ["system"]}
    assert found["kubernetesNetworkConfig"]["serviceIpv4Cidr"] == "172.20.0.0/16"
    ec2 = emulator.client("ec2")
    own = found["resourcesVpcConfig"]["clusterSecurityGroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[own])["SecurityGroups"]
    assert group["VpcId"] == found["resourcesVpcConfig"]["vpcId"]
    emulator.client("eks").delete_cluster(name="held")
    with pytest.raises(ClientError, match=r"InvalidGroup\.NotFound"):
        ec2.describe_security_groups(GroupIds=[own])
    assert "accessConfig" not in _create_cluster(unpatched)


def test_a_cluster_can_be_changed(emulator: Any, unpatched: Any) -> None:
    """The answer is an update that is found done, for settings and version alike; without the patch it is empty."""
    subnets = [each["SubnetId"] for each in emulator.client("ec2").describe_subnets()["Subnets"][:2]]
    request = {"roleArn": "arn:aws:iam::123456789012:role/eks", "resourcesVpcConfig": {"subnetIds": subnets}}
    eks = emulator.client("eks")
    eks.create_cluster(name="changed", version="1.33", **request)
    closed = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    for change in (
        eks.update_cluster_config(name="changed", resourcesVpcConfig=closed),
        eks.update_cluster_config(name="changed", upgradePolicy={"supportType": "STANDARD"}),
        eks.update_cluster_version(name="changed", version="1.34"),
    ):
        found = eks.describe_update(name="changed", updateId=change["update"]["id"])["update"]
        assert (found["status"], found["type"]) == ("Successful", change["update"]["type"])
    cluster = eks.describe_cluster(name="changed")["cluster"]
    assert (cluster["version"], cluster["upgradePolicy"]) == ("1.34", {"supportType": "STANDARD"})
    assert cluster["resourcesVpcConfig"]["subnetIds"] == subnets
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"]
    unpatched.client("eks").create_cluster(name="changed", **request)
    answer = unpatched.client("eks").update_cluster_config(name="changed", resourcesVpcConfig=closed)
    assert "update" not in answer


def _make_cluster(running: Any) -> str:
    made = running.client("eks").create_cluster(
        name="acme", roleArn="arn:aws:iam::123456789012:role/cluster", resourcesVpcConfig={"subnetIds": []}
    )
    return made["cluster"]["endpoint"]


def test_a_clusters_endpoint_leads_to_the_emulator(emulator: Any, unpatched: Any) -> None:
    """By region and name; without the patch it leads nowhere."""
    assert _make_cluster(emulator) == f"{emulator.url}/kubernetes/eu-west-1/acme"
    assert _make_cluster(unpatched).endswith(".eks.amazonaws.com/")


def test_empty_object_can_be_put(emulator: Any) -> None:
    """boto3 announces even an empty body with ``Expect``; the answer comes at once, not when the client gives up."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="empty", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="empty", Key="nothing", Body=b"")
    assert s3.head_object(Bucket="empty", Key="nothing")["ContentLength"] == 0


def test_every_patch_is_named_once_and_exists() -> None:
    """The registry names each patch once; an unknown name would never be applied."""
    assert len(ALL) == len(set(ALL))


def test_one_of_many_racing_writers_wins(emulator: Any) -> None:
    """Terraform's lock file rests on conditional writes: of writers at once, exactly one creates the object."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="locks", CreateBucketConfiguration=HERE)

    def lock(number: int) -> bool:
        try:
            s3.put_object(Bucket="locks", Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lock, range(24))) == 1


def _use_query(running: Any) -> list[str]:
    logs = running.client("logs")
    number = logs.put_query_definition(name="acme/failures", queryString="limit 1")["queryDefinitionId"]
    logs.put_query_definition(name="acme/failures", queryString="limit 2", queryDefinitionId=number)
    found = logs.describe_query_definitions(queryDefinitionNamePrefix="acme/")["queryDefinitions"]
    logs.delete_query_definition(queryDefinitionId=number)
    left = logs.describe_query_definitions()["queryDefinitions"]
    return [each["queryString"] for each in found] + [each["name"] for each in left]


def test_a_query_can_be_saved_changed_and_deleted(emulator: Any, unpatched: Any) -> None:
    """Saved queries are what moto alone has none of."""
    assert _use_query(emulator) == ["limit 2"]
    with pytest.raises(ClientError):
        _use_query(unpatched)


def _use_group(running: Any) -> list[Any]:
    xray = running.client("xray")
    group = xray.create_group(GroupName="acme", FilterExpression="fault", Tags=[{"Key": "a", "Value": "b"}])["Group"]
    xray.update_group(GroupARN=group["GroupARN"], FilterExpression="error")
    xray.tag_resource(ResourceARN=group["GroupARN"], Tags=[{"Key": "a", "Value": "c"}])
    tags = xray.list_tags_for_resource(ResourceARN=group["GroupARN"])["Tags"]
    found = xray.get_group(GroupName="acme")["Group"]["FilterExpression"]
    xray.delete_group(GroupARN=group["GroupARN"])
    return [tags, found]


def test_traces_have_groups(emulator: Any, unpatched: Any) -> None:
    """A group is made, changed, tagged and deleted; a second of its name, or one that is gone, is refused."""
    assert _use_group(emulator) == [[{"Key": "a", "Value": "c"}], "error"]
    with pytest.raises(ClientError, match="not found"):
        emulator.client("xray").get_group(GroupName="acme")
    with pytest.raises(ClientError):
        _use_group(unpatched)
