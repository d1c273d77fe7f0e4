"""CodeDeploy, which is ours: it answers boto3 as AWS does, shifts an alias step by step, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from stackyard.project import Target, Throttle
from stackyard.tools import codedeploy
from stackyard.tools.aws import Aws
from stackyard.tools.rollout import Standing
from tests.minutes import RolloutClock
from tests.waiting import until

ROLE = "arn:aws:iam::123456789012:role/acme/dev/acme-dev_rollout"
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LINEAR = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 1}}
TARGET = Target(
    project="acme", name="dev", account="123456789012", region="eu-west-1", protected=False, throttle=Throttle()
)


@pytest.fixture(scope="module")
def client(paced: Any) -> Iterator[Any]:
    """CodeDeploy with a group that watches an alarm, and a function `acme-dev-web` of two versions."""
    ecr = paced.client("ecr")
    ecr.create_repository(repositoryName="acme")
    functions, name = paced.client("lambda"), "acme-dev-web"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = paced.client("iam").create_role(RoleName="acme-dev-web", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for number in (1, 2):
        config = {"size": number, "digest": f"sha256:{number:064}"}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []})
        pushed = ecr.put_image(repositoryName="acme", imageManifest=manifest, imageTag=f"web-{number}")["image"]
        uri = f"{REPOSITORY}@{pushed['imageId']['imageDigest']}"
        if number == 1:
            functions.create_function(
                FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": uri}, Publish=True
            )
        else:
            functions.update_function_code(FunctionName=name, ImageUri=uri, Publish=True)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    paced.client("cloudwatch").put_metric_alarm(
        AlarmName="web fails", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    made = paced.client("codedeploy")
    made.create_application(applicationName="acme-dev", computePlatform="Lambda")
    made.create_deployment_config(
        deploymentConfigName="acme-dev-linear-40-1", computePlatform="Lambda", trafficRoutingConfig=LINEAR
    )
    made.create_deployment_group(
        applicationName="acme-dev",
        deploymentGroupName="web",
        serviceRoleArn=ROLE,
        deploymentConfigName="acme-dev-linear-40-1",
        alarmConfiguration={"enabled": True, "alarms": [{"name": "web fails"}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
        tags=[{"Key": "project", "Value": "acme"}],
    )
    yield made
    made.delete_application(applicationName="acme-dev")


@pytest.fixture
def aws(paced: Any, client: Any) -> Aws:
    """What the tasks use, with the alias at version 1 and nothing ringing."""
    paced.client("cloudwatch").set_alarm_state(AlarmName="web fails", StateValue="OK", StateReason="a test")
    paced.client("lambda").update_alias(
        FunctionName="acme-dev-web", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {}}
    )
    return Aws(TARGET, paced.url)


def started(aws: Aws, **how: bool) -> codedeploy.Shifting:
    """Begin to go from version 1 to 2, and insist on it."""
    shifting = codedeploy.start(aws, "web", "1", "2", **how)
    assert shifting is not None
    return shifting


def ended(aws: Aws, shifting: codedeploy.Shifting) -> Standing:
    """Wait for a deployment's end."""

    def look() -> Standing | None:
        standing = codedeploy.look_at(aws, shifting)
        return standing if standing.done or standing.failed else None

    found = until(look, "the deployment's end", 60)
    assert found is not None
    return found


def weights(aws: Aws) -> tuple[str, dict[str, float]]:
    """Return where the alias points."""
    alias = codedeploy.find_alias(aws, "web")
    assert alias is not None
    return alias.version, dict(alias.weights)


def refused(call: Any, **request: Any) -> str:
    """Return the name of the refusal."""
    with pytest.raises(ClientError) as error:
        call(**request)
    return cast("Any", error.value).response["Error"]["Code"]


def test_requests_come_step_by_step(aws: Aws, clock: RolloutClock) -> None:
    """The group has one deployment at a time; the alias ends at the new version, without weights."""
    shifting = started(aws)
    until(lambda: weights(aws) == ("1", {"2": 0.4}), "the first step")
    assert codedeploy.start(aws, "web", "1", "2") is None
    assert codedeploy.find_under_way(aws, "web") == shifting
    clock.go_on(1)
    until(lambda: weights(aws) == ("1", {"2": 0.8}), "the second step")
    clock.go_on(1)
    assert ended(aws, shifting).done
    assert weights(aws) == ("2", {})
    assert codedeploy.find_under_way(aws, "web") is None


def test_an_alarm_brings_them_back(aws: Aws, paced: Any, client: Any) -> None:
    """With its name, and with a deployment of CodeDeploy's own that undid it."""
    shifting = started(aws)
    until(lambda: weights(aws) == ("1", {"2": 0.4}), "the first step")
    paced.client("cloudwatch").set_alarm_state(AlarmName="web fails", StateValue="ALARM", StateReason="a test")
    assert ended(aws, shifting).failed == "the alarm web fails went off"
    assert weights(aws) == ("1", {})
    info = client.get_deployment(deploymentId=shifting.id)["deploymentInfo"]
    undoing = client.get_deployment(deploymentId=info["rollbackInfo"]["rollbackDeploymentId"])["deploymentInfo"]
    assert (info["status"], undoing["status"], undoing["creator"]) == ("Stopped", "Succeeded", "codeDeployRollback")


def test_it_can_be_stopped_and_can_take_no_steps(aws: Aws) -> None:
    """A stop brings requests back when it asks for that; stopping what has ended is no error."""
    shifting = started(aws)
    until(lambda: weights(aws) == ("1", {"2": 0.4}), "the first step")
    codedeploy.stop(aws, shifting)
    assert ended(aws, shifting).failed == "somebody stopped it"
    assert weights(aws) == ("1", {})
    codedeploy.stop(aws, shifting)
    assert ended(aws, started(aws, at_once=True)).done
    assert weights(aws) == ("2", {})


def test_what_cannot_be_deployed_fails(aws: Aws) -> None:
    """An alias that is elsewhere, a version that is not there: the deployment is taken, and fails with its reason."""
    for old, new, words in (("2", "1", "The alias live is at version 1"), ("1", "9", "is not there")):
        shifting = codedeploy.start(aws, "web", old, new)
        assert shifting is not None
        failed = ended(aws, shifting).failed
        assert words in failed
        assert failed.startswith("AllowTraffic failed: ")
    assert weights(aws) == ("1", {})


def test_what_codedeploy_refuses(client: Any) -> None:
    """By AWS's names for it."""
    group = {"applicationName": "acme-dev", "deploymentGroupName": "web"}
    again = client.create_application
    assert refused(again, applicationName="acme-dev", computePlatform="Lambda") == "ApplicationAlreadyExistsException"
    assert refused(again, applicationName="other", computePlatform="ECS") == "InvalidInputException"
    assert refused(again, applicationName="a" * 101, computePlatform="Lambda") == "InvalidInputException"
    assert refused(client.get_application, applicationName="none") == "ApplicationDoesNotExistException"
    missing = group | {"deploymentGroupName": "none"}
    assert refused(client.get_deployment_group, **missing) == "DeploymentGroupDoesNotExistException"
    config = {"deploymentConfigName": "acme-dev-linear-40-1"}
    assert refused(client.delete_deployment_config, **config) == "DeploymentConfigInUseException"
    assert refused(client.get_deployment, deploymentId="d-000000000") == "DeploymentDoesNotExistException"
    hooked = {"version": 0.0, "Resources": [], "Hooks": [{"BeforeAllowTraffic": "f"}]}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(hooked)}}
    assert refused(client.create_deployment, **group, revision=revision) == "InvalidRevisionException"
    longest = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 2881}}
    made = {"deploymentConfigName": "long", "computePlatform": "Lambda", "trafficRoutingConfig": longest}
    assert refused(client.create_deployment_config, **made) == "InvalidInputException"
