"""What the embedded AWS writes down of its calls: every protocol of AWS's, and nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

SECRET = "correct-horse-battery-staple"


@dataclass
class Recording:
    """An emulator that writes its calls down."""

    emulator: Any
    file: Path


@pytest.fixture(scope="module")
def recording(start_emulator: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """One for all tests here."""
    calls = tmp_path_factory.mktemp("recording") / "calls.jsonl"
    return Recording(start_emulator("--calls", str(calls)), calls)


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Return the record's last entry of each operation, under service and operation."""
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    return {f"{entry['service']}:{entry['operation']}": entry for entry in entries}


def test_calls_are_written_down(recording: Recording) -> None:
    """Operation, parameters, status, and the ids in the answer, whichever way a service speaks."""
    emulator, calls = recording.emulator, recording.file
    api = emulator.client("apigateway").create_rest_api(name="shop", tags={"project": "acme"})["id"]
    emulator.client("apigateway").get_rest_api(restApiId=api)
    tagged = [{"ResourceType": "vpc", "Tags": [{"Key": "project", "Value": "acme"}]}]
    vpc = emulator.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged)["Vpc"]["VpcId"]
    emulator.client("iam").create_role(RoleName="web", Path="/acme/", AssumeRolePolicyDocument="{}")
    emulator.client("cloudwatch").describe_alarms(AlarmNames=["none"])
    emulator.client("codedeploy").create_application(applicationName="acme", computePlatform="Lambda")
    emulator.client("elbv2").describe_target_groups()
    found = read(calls)

    assert found["apigateway:CreateRestApi"]["parameters"] == {"name": "shop", "tags": {"project": "acme"}}
    assert found["apigateway:CreateRestApi"]["answer"]["id"] == api
    assert found["apigateway:GetRestApi"]["parameters"] == {"restApiId": api}
    assert found["ec2:CreateVpc"]["parameters"]["TagSpecifications"] == tagged
    assert found["ec2:CreateVpc"]["answer"]["Vpc"]["VpcId"] == vpc
    assert found["iam:CreateRole"]["answer"]["Role"]["Arn"].endswith(":role/acme/web")
    assert found["monitoring:DescribeAlarms"]["parameters"] == {"AlarmNames": ["none"]}
    assert found["codedeploy:CreateApplication"]["answer"]["applicationId"]
    assert "elasticloadbalancing:DescribeTargetGroups" in found
    assert all("Boto3" in entry["agent"] for name, entry in found.items() if name != "sts:GetCallerIdentity")


def test_nothing_secret_is_written_down(recording: Recording) -> None:
    """Neither what AWS calls sensitive, nor what is put into a bucket, nor what an answer holds but ids."""
    emulator, calls = recording.emulator, recording.file
    secrets, s3 = emulator.client("secretsmanager"), emulator.client("s3")
    secrets.create_secret(Name="acme/local/token", SecretString=SECRET)
    assert secrets.get_secret_value(SecretId="acme/local/token")["SecretString"] == SECRET
    place = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="acme-state", CreateBucketConfiguration=place)
    s3.put_object(Bucket="acme-state", Key="app/local/terraform.tfstate", Body=SECRET.encode())
    assert s3.get_object(Bucket="acme-state", Key="app/local/terraform.tfstate")["Body"].read() == SECRET.encode()
    found = read(calls)
    assert found["secretsmanager:CreateSecret"]["parameters"]["Name"] == "acme/local/token"
    assert found["s3:PutObject"]["parameters"]["Key"] == "app/local/terraform.tfstate"
    assert SECRET not in calls.read_text()


def test_refusals_are_written_down_and_strangers_are_not(recording: Recording) -> None:
    """A call that failed has its status; a request that nobody signed is no call."""
    emulator, calls = recording.emulator, recording.file
    client = emulator.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="acme-local-gone")
    before = calls.read_text()
    with pytest.raises(HTTPError):
        urlopen(f"{emulator.url}/2015-03-31/functions/acme-local-gone", timeout=10)  # noqa: S310  (loopback)
    assert read(calls)["lambda:GetFunction"]["status"] == 404
    assert calls.read_text() == before
