"""What must hold for every resource that infra makes, judged on what a `terraform test` has made: pure, no Terraform.

Nothing is public, nobody is anybody, what is stored is encrypted and ends some day, what a protected environment stands
on cannot be deleted. Rights are another's (`tests/infra/iam.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Values = Mapping[str, Any]
"""A resource's attributes, as Terraform's JSON has them: of any type."""

ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})

STORES: dict[str, tuple[Callable[[Values], bool], str]] = {
    "aws_cloudwatch_log_group": (lambda v: (v["retention_in_days"] or 0) > 0, "keeps logs for ever"),
    "aws_ecr_repository": (
        lambda v: (
            v["encryption_configuration"][0]["encryption_type"] in {"AES256", "KMS"}
            and v["image_tag_mutability"] == "IMMUTABLE"
            and v["image_scanning_configuration"][0]["scan_on_push"]
        ),
        "is not encrypted, scanned, or immutable",
    ),
    "aws_eks_cluster": (
        lambda v: "secrets" in v["encryption_config"][0]["resources"] and "audit" in v["enabled_cluster_log_types"],
        "does not encrypt its secrets by a key of its own, or keeps no audit log",
    ),
    "aws_kms_key": (lambda v: v["enable_key_rotation"] is True, "is never rotated"),
    "aws_sns_topic": (lambda v: bool(v["kms_master_key_id"]), "is not encrypted by a key of its own"),
    "aws_launch_template": (
        lambda v: (
            all(disk["ebs"][0]["encrypted"] == "true" for disk in v["block_device_mappings"])
            and v["metadata_options"][0]["http_tokens"] == "required"
        ),
        "has a disk that is not encrypted, or gives a role to who asks without a token",
    ),
}
"""Type -> what makes a resource that holds data fit for it, and what is wrong when it is not."""

COMPANIONS = {
    "aws_s3_bucket": {
        "aws_s3_bucket_public_access_block": "has no public access block",
        "aws_s3_bucket_server_side_encryption_configuration": "does not say how it is encrypted",
        "aws_s3_bucket_versioning": "keeps no versions",
        "aws_s3_bucket_lifecycle_configuration": "keeps what is old for ever",
        "aws_s3_bucket_policy": "lets in who comes without TLS",
    },
    "aws_ecr_repository": {"aws_ecr_lifecycle_policy": "keeps images for ever"},
}
"""Type -> the resources that each of it needs beside it, and what is wrong without."""

HOLDS_NOTHING = frozenset(
    """
    aws_api_gateway_account aws_api_gateway_api_key aws_api_gateway_base_path_mapping aws_api_gateway_deployment
    aws_api_gateway_domain_name aws_api_gateway_method_settings aws_api_gateway_rest_api aws_api_gateway_stage
    aws_api_gateway_usage_plan aws_api_gateway_usage_plan_key aws_api_gateway_vpc_link aws_appautoscaling_policy
    aws_appautoscaling_target aws_apprunner_auto_scaling_configuration_version
    aws_apprunner_observability_configuration aws_apprunner_service aws_apprunner_vpc_connector
    aws_cloudwatch_dashboard aws_cloudwatch_log_resource_policy aws_cloudwatch_metric_alarm
    aws_cloudwatch_query_definition aws_codedeploy_app aws_codedeploy_deployment_config
    aws_codedeploy_deployment_group aws_default_security_group aws_ecr_lifecycle_policy aws_ecr_repository_policy
    aws_ecs_cluster aws_ecs_service aws_ecs_task_definition aws_eip aws_eks_access_entry
    aws_eks_access_policy_association aws_eks_addon aws_eks_node_group aws_eks_pod_identity_association aws_flow_log
    aws_iam_openid_connect_provider aws_iam_policy aws_iam_role aws_iam_role_policy aws_iam_role_policy_attachment
    aws_internet_gateway aws_kms_alias aws_lambda_alias aws_lambda_function aws_lambda_permission aws_lb
    aws_lb_listener aws_lb_target_group aws_nat_gateway aws_route aws_route_table aws_route_table_association
    aws_s3_bucket aws_s3_bucket_lifecycle_configuration aws_s3_bucket_policy aws_s3_bucket_public_access_block
    aws_s3_bucket_server_side_encryption_configuration aws_s3_bucket_versioning aws_scheduler_schedule
    aws_security_group aws_sns_topic_policy aws_sns_topic_subscription aws_subnet aws_vpc aws_vpc_endpoint
    aws_vpc_security_group_ingress_rule aws_wafv2_web_acl
    aws_wafv2_web_acl_association aws_wafv2_web_acl_logging_configuration aws_xray_group terraform_data
    """.split()  # noqa: SIM905  (as a list it takes a line for each)
)
"""Types without data of their own, or (buckets) with companions. Any other type must say how it keeps its data."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One managed resource of a state."""

    address: str
    type: str
    values: Values


def read_resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    """Read the managed resources of a module in Terraform's JSON, and of those below it."""
    for each in module.get("resources", []):
        if each["mode"] == "managed":
            yield Resource(each["address"], each["type"], each["values"])
    for child in module.get("child_modules", []):
        yield from read_resources(child)


def find_broken(resources: Iterable[Resource], *, protected: bool) -> list[str]:
    """Return what breaks a rule, one sentence each; ``protected`` is the environment's."""
    every = list(resources)
    broken = [
        f"{each.address} {fault}"
        for each in every
        for fault in (*_find_open(each), *_find_unkept(each), *_find_undefended(each, protected=protected))
    ]
    for owner, companions in COMPANIONS.items():
        owned = [each for each in every if each.type == owner]
        for kind, fault in companions.items():
            there = sum(each.type == kind for each in every)
            broken += [f"{each.address} {fault}" for each in owned[there:]]
    return broken


def find_policies(value: object) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Find the statements of each IAM policy in a resource's attributes, whatever the attribute is called."""
    if isinstance(value, str) and '"Statement"' in value:
        statements = json.loads(value)["Statement"]
        yield [statements] if isinstance(statements, dict) else statements
    elif isinstance(value, Mapping):
        for each in cast("Mapping[str, object]", value).values():
            yield from find_policies(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from find_policies(each)


def _find_open(resource: Resource) -> Iterator[str]:
    """Find what is open to anybody: principals, ports, buckets, addresses."""
    kind, values = resource.type, resource.values
    for statements in find_policies(values):
        allowed = [each for each in statements if each["Effect"] == "Allow"]
        if any(_is_anybody(each.get("Principal")) or "NotPrincipal" in each for each in allowed):
            yield "lets in anybody"
    if kind == "aws_lambda_permission" and (values["principal"] == "*" or not values["source_arn"]):
        yield "lets anybody's API invoke the function"
    if any(ANYWHERE & _ranges(rule) for rule in _ingress(resource)):
        yield "lets in the whole internet"
    if kind == "aws_s3_bucket_public_access_block" and not all(
        values[key]
        for key in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    ):
        yield "leaves a bucket open"
    if kind == "aws_s3_bucket_acl":
        yield "is an ACL: who reads a bucket is said by its policy alone"
    if kind == "aws_ecs_service" and any(net["assign_public_ip"] for net in values["network_configuration"]):
        yield "has an address on the internet"
    if kind == "aws_lb" and values["internal"] is not True:
        yield "is on the internet, beside the gateway"


def _find_unkept(resource: Resource) -> Iterator[str]:
    """Find what holds data and does not keep it as it should."""
    if resource.type in STORES:
        fits, fault = STORES[resource.type]
        try:
            fit = fits(resource.values)
        except (KeyError, IndexError, TypeError):
            fit = False
        if not fit:
            yield fault
    elif resource.type not in HOLDS_NOTHING and not resource.type.startswith("aws_s3_bucket_"):
        yield "is of a type that tests/infra/rules.py does not know: does it store anything, and is that encrypted?"


def _find_undefended(resource: Resource, *, protected: bool) -> Iterator[str]:
    """Find what one call could take away from a protected environment."""
    if resource.type == "aws_lb" and protected and resource.values["enable_deletion_protection"] is not True:
        yield "can be deleted, though the environment is protected"


def _is_anybody(principal: object) -> bool:
    if isinstance(principal, Mapping):
        named = cast("Mapping[str, object]", principal).values()
        return any(_is_anybody(each) for each in named)
    if isinstance(principal, list):
        return any(_is_anybody(each) for each in cast("list[object]", principal))
    return principal == "*"


def _ingress(resource: Resource) -> Iterable[Values]:
    values = resource.values
    match resource.type:
        case "aws_security_group" | "aws_default_security_group" | "aws_network_acl" | "aws_default_network_acl":
            return values.get("ingress") or []
        case "aws_vpc_security_group_ingress_rule":
            return [values]
        case "aws_security_group_rule":
            return [values] if values["type"] == "ingress" else []
        case _:
            return []


def _ranges(rule: Values) -> set[str]:
    lists: list[list[str] | None] = [rule.get("cidr_blocks"), rule.get("ipv6_cidr_blocks")]
    single: list[str | None] = [rule.get("cidr_ipv4"), rule.get("cidr_ipv6"), rule.get("cidr_block")]
    ranges = {each for each in single if each}
    for listed in lists:
        ranges.update(listed or ())
    return ranges
