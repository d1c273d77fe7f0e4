"""Who has got hold of one of dev's roles gets no further: by policies and boundaries as IAM evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.attempts import ATTEMPTS
from tests.infra.iam import Role, Statement, kinds_of, level_of, overlap, parse
from tests.infra.requests import SECRETS, STATES

ANYTHING = Statement("Anything", allow=True, actions=("*",), resources=("*",), inverted=False, conditions={})
"""What somebody may have written into a role of the environment: only its boundary is left to hold it."""

FREE_UNDER_BOUNDARY = {
    # Nodes of the cluster are made and tagged in their role's name, as AWS's own policies for it have it.
    ("infrastructure", "ec2:CreateTags"),
}


def read(bootstrap: Mapping[str, list[Mapping[str, Any]]]) -> dict[str, list[Statement]]:
    """Return every policy of the bootstrap by its name."""
    return {policy["name"]: parse(policy["policy"]) for policy in bootstrap["aws_iam_policy"]}


@pytest.fixture(scope="module")
def callers(bootstrap: Mapping[str, list[Mapping[str, Any]]]) -> Mapping[str, Role]:
    """Dev's roles: those of GitHub, and such under each boundary that have all the rights there are."""
    policies = read(bootstrap)

    def github(*topics: str) -> Role:
        begin = tuple(f"acme-dev_{topic}" for topic in topics)
        return Role(
            "111111111111", [each for name, all_ in policies.items() if name.startswith(begin) for each in all_]
        )

    return {
        "deploy": github("read", "deploy"),
        "plan": github("read"),
        "service": Role("111111111111", [ANYTHING], policies["acme-dev_boundary"]),
        "infrastructure": Role("111111111111", [ANYTHING], policies["acme-dev_infrastructure"]),
    }


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("caller", ["deploy", "plan", "service", "infrastructure"])
def test_attempts_are_refused(callers: Mapping[str, Role], caller: str, attempt: str) -> None:
    """From the deploy role, the plan role, and a service's or the cluster's that was given every right."""
    got_through = [
        request
        for request in ATTEMPTS[attempt]
        if (caller, request[0]) not in FREE_UNDER_BOUNDARY and callers[caller].may(*request)
    ]
    assert got_through == []


def test_attempts_are_such_as_aws_knows() -> None:
    """A refusal of what AWS never asks would prove nothing: actions exist, and work on what the attempt names."""
    wrong = [
        (action, resource)
        for requests in ATTEMPTS.values()
        for action, resource, _ in requests
        if not any(overlap(resource, kind.arn) for kind in kinds_of(action))
    ]
    assert wrong == []


GRANTS = {
    # Within the boundaries, to the environment's roles (test_policies.py).
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    # To named services.
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    # For the environment's own functions, keys, stage and topic, and the gateway's way in.
    "apigateway:SetWebACL",
    "ec2:ModifyVpcEndpointServicePermissions",
    "kms:CreateGrant",
    "lambda:AddPermission",
    "lambda:RemovePermission",
    "sns:CreateTopic",
    "sns:SetTopicAttributes",
}


def test_who_plans_only_reads(callers: Mapping[str, Role]) -> None:
    """By AWS's own levels: every action of the plan role lists or reads."""
    levels = {level_of(action) for each in callers["plan"].policies if each.allow for action in each.actions}
    assert levels <= {"List", "Read"}


def test_who_deploys_grants_by_reviewed_actions_only(callers: Mapping[str, Role]) -> None:
    """What AWS calls permissions management is in the deploy role by intent: each of these is held by a condition."""
    actions = {action for each in callers["deploy"].policies if each.allow for action in each.actions}
    assert {action for action in actions if level_of(action) == "Permissions management"} == GRANTS


@pytest.mark.parametrize("caller", ["deploy", "plan"])
def test_no_secret_is_read_by_who_deploys(callers: Mapping[str, Role], caller: str) -> None:
    """Not even the environment's own: that is for its services."""
    own = f"{SECRETS}:acme/dev/x-1"
    assert not callers[caller].may("secretsmanager:GetSecretValue", own, {})
    assert callers["service"].may("secretsmanager:GetSecretValue", own, {})


def test_the_state_bucket_speaks_tls_only(
    bootstrap: Mapping[str, list[Mapping[str, Any]]], callers: Mapping[str, Role]
) -> None:
    """What the role may do with its state it may over TLS 1.2 and newer."""
    bucket = parse(bootstrap["aws_s3_bucket_policy"][0]["policy"])
    request = ("s3:GetObject", f"{STATES}/app/dev/terraform.tfstate")
    safe = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
    assert callers["deploy"].may(*request, safe, bucket)
    assert not callers["deploy"].may(*request, {"aws:SecureTransport": "false"}, bucket)
    assert not callers["deploy"].may(*request, {**safe, "s3:TlsVersion": "1.1"}, bucket)


@pytest.mark.parametrize(
    ("account", "key", "may"),
    [
        ("222222222222", "releases/dev/3.json", True),
        ("222222222222", "app/dev/terraform.tfstate", False),
        ("222222222222", "bootstrap/terraform.tfstate", False),
        ("333333333333", "releases/dev/3.json", False),
    ],
)
def test_other_accounts_read_releases(
    bootstrap: Mapping[str, list[Mapping[str, Any]]], account: str, key: str, *, may: bool
) -> None:
    """The project's own other account, and nothing but releases; whatever its roles are allowed at home."""
    bucket, safe = parse(bootstrap["aws_s3_bucket_policy"][0]["policy"]), {"aws:SecureTransport": "true"}
    elsewhere = Role(account, [ANYTHING])
    assert elsewhere.may("s3:GetObject", f"{STATES}/{key}", safe, bucket, "111111111111") is may
    for verb in ("PutObject", "DeleteObject"):
        assert not elsewhere.may(f"s3:{verb}", f"{STATES}/{key}", safe, bucket, "111111111111")
