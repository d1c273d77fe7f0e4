"""Settings that moto takes and forgets, and registries that it does not tell apart: Terraform and promotions ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients import make_client

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
PATCHES = ("s3_lifecycle_newer_versions", "elbv2_private_link_rules", "ecr_other_registries")


@pytest.fixture(scope="module")
def unpatched(start_emulator: Callable[..., Any]) -> Any:
    """An emulator without these patches."""
    return start_emulator(*(f"--without={name}" for name in PATCHES))


def _keep_versions(running: Any) -> dict[str, Any]:
    """Put a rule for old versions, and return what is answered of it."""
    s3, kept = running.client("s3"), {"NoncurrentDays": 90, "NewerNoncurrentVersions": 20}
    s3.create_bucket(Bucket="versions", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    rules = [
        {"ID": "plain", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 1}},
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": kept},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="versions", LifecycleConfiguration={"Rules": rules})
    answer = s3.get_bucket_lifecycle_configuration(Bucket="versions")["Rules"]
    assert answer[0] == rules[0]
    return answer[1]["NoncurrentVersionExpiration"]


def test_a_bucket_keeps_how_many_old_versions_it_keeps(emulator: Any, unpatched: Any) -> None:
    """Terraform waits until it is answered; without the patch it is forgotten."""
    assert _keep_versions(emulator) == {"NoncurrentDays": 90, "NewerNoncurrentVersions": 20}
    assert _keep_versions(unpatched) == {"NoncurrentDays": 90}


def _balance(running: Any) -> list[str | None]:
    """Make a network load balancer, and return what it says of PrivateLink before and after that is switched off."""
    networks, balancers = running.client("ec2"), running.client("elbv2")
    vpc = networks.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = networks.create_subnet(VpcId=vpc, CidrBlock="10.8.1.0/24")["Subnet"]["SubnetId"]
    group = networks.create_security_group(GroupName="links", Description="links", VpcId=vpc)["GroupId"]
    wish = {"Name": "links", "Type": "network", "Subnets": [subnet], "SecurityGroups": [group]}
    arn = balancers.create_load_balancer(**wish)["LoadBalancers"][0]["LoadBalancerArn"]

    def told() -> str | None:
        [found] = balancers.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return found.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")

    before, off = told(), {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off"}
    balancers.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group], **off)
    return [before, told()]


def test_a_load_balancer_keeps_its_rules_for_private_link(emulator: Any, unpatched: Any) -> None:
    """On unless it is switched off; without the patch there is no word of it."""
    assert _balance(emulator) == ["on", "off"]
    assert _balance(unpatched) == [None, None]


def _look_next_door(running: Any) -> list[str]:
    """Push an image in one account, and return the digests that another finds in the first one's registry."""
    one, other = (make_client(running.url, "ecr", number) for number in ("111111111111", "222222222222"))
    for client in (one, other):
        client.create_repository(repositoryName="acme")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []})
    one.put_image(repositoryName="acme", imageTag="api-1", imageManifest=manifest)
    wish = {"repositoryName": "acme", "imageIds": [{"imageTag": "api-1"}]}
    assert other.batch_get_image(**wish)["images"] == []
    found = other.batch_get_image(registryId="111111111111", **wish)["images"]
    return [image["imageId"]["imageTag"] for image in found]


def test_a_registry_that_is_named_is_asked(emulator: Any, unpatched: Any) -> None:
    """Another account's images are found there; without the patch the caller's own registry is asked."""
    assert _look_next_door(emulator) == ["api-1"]
    assert _look_next_door(unpatched) == []
