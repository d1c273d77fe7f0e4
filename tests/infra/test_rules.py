"""The rules find what they are there for: each is shown a resource that keeps it and one that breaks it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.metrics import find_unmeasured, read_metrics
from tests.infra.rules import HOLDS_NOTHING, STORES, Resource, find_broken, read_resources
from tests.terraform import ROOT

ANYBODY = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Principal": "*", "Resource": "*"}]}
ONE_OF_MANY = {
    "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ["111111111111", "*"]}}
}
ALL_BUT = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotPrincipal": {"AWS": "111111111111"}}]}
REFUSED = {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Principal": "*", "Resource": "*"}]}
SHUT: dict[str, Any] = dict.fromkeys(
    ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
)
BUCKET = [
    Resource("b", "aws_s3_bucket", {}),
    Resource("b-shut", "aws_s3_bucket_public_access_block", SHUT),
    *(Resource(f"b-{kind}", f"aws_s3_bucket_{kind}", {})
      for kind in ("server_side_encryption_configuration", "versioning", "lifecycle_configuration", "policy")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "values", "fault"),
    [
        ("aws_s3_bucket_policy", {"policy": json.dumps(ANYBODY)}, "lets in anybody"),
        ("aws_iam_role", {"assume_role_policy": json.dumps(ONE_OF_MANY)}, "lets in anybody"),
        ("aws_ecr_repository_policy", {"policy": json.dumps(ALL_BUT)}, "lets in anybody"),
        ("aws_api_gateway_rest_api", {"nested": [{"policy": json.dumps(ANYBODY)}]}, "lets in anybody"),
        ("aws_lambda_permission", {"principal": "*", "source_arn": "arn:aws:s3:::b"}, "lets anybody's API"),
        ("aws_lambda_permission", {"principal": "apigateway.amazonaws.com", "source_arn": None}, "lets anybody's API"),
        ("aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}]}, "whole internet"),
        ("aws_security_group", {"ingress": [{"cidr_blocks": None, "ipv6_cidr_blocks": ["::/0"]}]}, "whole internet"),
        ("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "0.0.0.0/0"}, "whole internet"),
        ("aws_security_group_rule", {"type": "ingress", "cidr_blocks": ["0.0.0.0/0"]}, "whole internet"),
        ("aws_s3_bucket_public_access_block", {**SHUT, "block_public_policy": False}, "leaves a bucket open"),
        ("aws_s3_bucket_acl", {"acl": "public-read"}, "is an ACL"),
        ("aws_ecs_service", {"network_configuration": [{"assign_public_ip": True}]}, "address on the internet"),
        ("aws_lb", {"internal": False, "enable_deletion_protection": True}, "on the internet"),
        ("aws_lb", {"internal": True, "enable_deletion_protection": False}, "can be deleted"),
        ("aws_cloudwatch_log_group", {"retention_in_days": 0}, "keeps logs for ever"),
        ("aws_ecr_repository", {"encryption_configuration": [], "image_tag_mutability": "IMMUTABLE"}, "not encrypted"),
        ("aws_ecr_repository", {}, "keeps images for ever"),
        ("aws_eks_cluster", {"encryption_config": [], "enabled_cluster_log_types": ["audit"]}, "encrypt its secrets"),
        ("aws_kms_key", {"enable_key_rotation": False}, "never rotated"),
        ("aws_sns_topic", {"kms_master_key_id": ""}, "not encrypted"),
        ("aws_launch_template", {"block_device_mappings": [{"ebs": [{"encrypted": None}]}]}, "not encrypted"),
        ("aws_dynamodb_table", {}, "does not know"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_found(kind: str, values: dict[str, Any], fault: str) -> None:
    """A resource that breaks a rule is named, with what is wrong."""
    assert any(fault in each for each in find_broken([Resource("it", kind, values)], protected=True))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("aws_iam_role", {"assume_role_policy": json.dumps(REFUSED)}),
        ("aws_security_group", {"ingress": [], "egress": [{"cidr_blocks": ["0.0.0.0/0"]}]}),
        ("aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/16"]}]}),
        ("aws_lambda_permission", {"principal": "apigateway.amazonaws.com", "source_arn": "arn:aws:execute-api:::x"}),
    ],
)
def test_what_keeps_the_rules_passes(kind: str, values: dict[str, Any]) -> None:
    """To refuse somebody, to let in a network of one's own, and to call out is no fault."""
    assert find_broken([Resource("it", kind, values)], protected=True) == []


def test_a_balancer_may_go_where_nothing_is_protected() -> None:
    """Deletion protection is asked for in protected environments only."""
    balancer = Resource("it", "aws_lb", {"internal": True, "enable_deletion_protection": False})
    assert find_broken([balancer], protected=False) == []


@pytest.mark.parametrize("left_out", range(1, len(BUCKET)))
def test_a_bucket_needs_all_of_its_settings(left_out: int) -> None:
    """A bucket is fit with five settings beside it, and unfit without any one of them."""
    assert find_broken(BUCKET, protected=False) == []
    assert len(find_broken([each for each in BUCKET if each != BUCKET[left_out]], protected=False)) == 1


def test_resources_are_read_from_every_module() -> None:
    """What modules within modules make is read; data sources, which make nothing, are not."""
    made: dict[str, Any] = {"mode": "managed", "type": "aws_vpc", "values": {}}
    looked: dict[str, Any] = {"mode": "data", "address": "data.aws_vpc.this", "type": "aws_vpc", "values": {}}
    below: dict[str, Any] = {"child_modules": [{"resources": [{**made, "address": "module.a.module.b.aws_vpc.this"}]}]}
    root: dict[str, Any] = {"resources": [{**made, "address": "aws_vpc.this"}, looked], "child_modules": [below]}
    assert [each.address for each in read_resources(root)] == ["aws_vpc.this", "module.a.module.b.aws_vpc.this"]


def test_every_type_of_infra_is_known() -> None:
    """Each type of resource in infra is said to hold data or none."""
    texts = [path.read_text() for path in Path(ROOT, "infra").glob("**/*.tf") if ".terraform" not in path.parts]
    used = {kind for text in texts for kind in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)}
    assert used - (STORES.keys() | HOLDS_NOTHING) == set()


API = Resource("api", "aws_api_gateway_rest_api", {"name": "acme-dev", "body": '{"paths": {"/shop": {"get": {}}}}'})
STAGE = Resource("stage", "aws_api_gateway_stage", {"stage_name": "dev"})
DETAILS = Resource("details", "aws_api_gateway_method_settings", {"settings": [{"metrics_enabled": True}]})


def alarm(metric: str, **dimensions: str) -> Resource:
    values: dict[str, Any] = {
        "namespace": "AWS/ApiGateway",
        "metric_name": metric,
        "dimensions": dimensions,
        "metric_query": [],
    }
    return Resource("alarm", "aws_cloudwatch_metric_alarm", values)


@pytest.mark.parametrize(
    ("watching", "fault"),
    [
        (alarm("5xxError", ApiName="acme-dev", Stage="dev"), "has no 5xxError"),
        (alarm("5XXError", ApiName="acme-dev", Path="/shop"), "has no 5XXError by ApiName, Path"),
        (alarm("5XXError", ApiName="acme-prod", Stage="dev"), "nothing measures"),
        (alarm("Count", ApiName="acme-dev", Stage="dev", Method="ANY", Resource="/shop"), "nothing measures"),
        (alarm("Count", ApiName="acme-dev", Stage="dev", Method="GET", Resource="/cart"), "nothing measures"),
    ],
)
def test_a_metric_that_nothing_measures_is_found(watching: Resource, fault: str) -> None:
    """A misspelt name, dimensions that AWS does not have, and values that no resource has."""
    (found,) = find_unmeasured([API, STAGE, DETAILS, watching])
    assert fault in found


def test_metrics_of_methods_need_to_be_asked_for() -> None:
    """Without detailed metrics a method has none; with them it has."""
    watching = alarm("Count", ApiName="acme-dev", Stage="dev", Method="GET", Resource="/shop")
    assert find_unmeasured([API, STAGE, DETAILS, watching]) == []
    assert len(find_unmeasured([API, STAGE, watching])) == 1


def test_metrics_are_read_from_dashboards_and_from_math() -> None:
    """Every widget's metrics, and those below an alarm's expression."""
    widget = {"properties": {"metrics": [["AWS/Lambda", "Errors", "FunctionName", "web", {"stat": "Sum"}]]}}
    page = Resource("page", "aws_cloudwatch_dashboard", {"dashboard_body": json.dumps({"widgets": [widget]})})
    part = {"namespace": "AWS/ECS", "metric_name": "CPUUtilization", "dimensions": {"ClusterName": "acme"}}
    math = Resource("math", "aws_cloudwatch_metric_alarm", {"metric_query": [{"metric": []}, {"metric": [part]}]})
    assert [(each.by, each.name) for each in read_metrics([page, math])] == [
        ("page", "Errors"),
        ("math", "CPUUtilization"),
    ]
