"""The policies of infra/bootstrap, read as IAM reads them: they say what they mean, reach far enough, and no further."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.infra.iam import Statement, generic, is_allowed, kinds_of, overlap, parse
from tests.infra.rights import READS, WRITES
from tests.terraform import ROOT, found

RUN = "makes_roles_for_this_accounts_environments"
"""The run of infra/bootstrap's tests whose plan is read: project acme, environments dev and prod."""

UNLISTED = {
    # AWS's own policies use them (AmazonEKSComputePolicy, AmazonEKSLoadBalancingPolicy).
    ("ec2:CreateTags", "ec2:CreateAction"),
    ("elasticloadbalancing:AddTags", "elasticloadbalancing:CreateAction"),
}
"""Conditions that AWS's reference forgets at their action."""

Policies = Mapping[str, list[Statement]]


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """Every policy that the bootstrap makes, by its name, as Terraform plans it."""
    binary, env = found()
    env["TF_DATA_DIR"] = str(tmp_path_factory.mktemp("terraform"))
    module = ROOT / "infra" / "bootstrap"
    for arguments in (["init", "-backend=false", "-input=false", "-no-color"], ["test", "-json", "-verbose"]):
        argv = [*binary.argv, f"-chdir={module}", *arguments]
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (plan,) = (line["test_plan"] for line in lines if line["type"] == "test_plan" and line["@testrun"] == RUN)
    changes = [change["change"]["after"] for change in plan["resource_changes"] if change["type"] == "aws_iam_policy"]
    return {change["name"]: parse(change["policy"]) for change in changes}


def role(policies: Policies, environment: str, purpose: str) -> list[Statement]:
    """Return what GitHub's role for an environment may do: a deploy role reads, too."""
    topics = ("read",) if purpose == "plan" else ("read", "deploy")
    begin = tuple(f"acme-{environment}_{topic}" for topic in topics)
    return [statement for name, statements in policies.items() if name.startswith(begin) for statement in statements]


def named(statements: Iterable[Statement]) -> set[str]:
    """Return every action that is allowed anywhere."""
    return {action for statement in statements if statement.allow for action in statement.actions}


def types(kind: str) -> set[str]:
    """Return the types of resources or data sources that infra/app and the modules use."""
    files = [path for folder in ("app", "modules") for path in (ROOT / "infra" / folder).rglob("*.tf")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if ".terraform" not in path.parts)
    return set(re.findall(rf'^{kind} "(aws_\w+)"', text, re.MULTILINE))


def test_every_resource_type_has_its_rights(policies: Policies) -> None:
    """What infra/app makes its roles may read, make, change and unmake; a type nobody looked up fails here."""
    assert types("resource") == set(WRITES)
    assert types("resource") | types("data") == set(READS)
    reading, writing = named(role(policies, "dev", "plan")), named(role(policies, "dev", "deploy"))
    assert {kind: missing for kind, actions in READS.items() if (missing := set(actions) - reading)} == {}
    assert {kind: missing for kind, actions in WRITES.items() if (missing := set(actions) - writing)} == {}


def test_every_action_is_one_of_aws(policies: Policies) -> None:
    """A misspelt action is allowed by IAM without a word, and lets nothing through."""
    actions = {action for statements in policies.values() for statement in statements for action in statement.actions}
    assert {action for action in actions if "*" not in action and not kinds_of(action)} == set()


def test_every_statement_can_be_met(policies: Policies) -> None:
    """Each action works on a resource of its statement, with every key of its condition; each resource is of use.

    A right that asks for what a request never has is none.
    """
    wrong: list[str] = []
    for name, statements in policies.items():
        for statement in statements:
            actions = [action for action in statement.actions if "*" not in action]
            if not statement.allow or statement.inverted or not actions:
                continue
            met = {action: [kind for kind in kinds_of(action) if _reaches(statement, kind.arn)] for action in actions}
            keys = {key for keys in statement.conditions.values() for key in keys}
            for action, kinds in met.items():
                if not any(all(generic(key) in kind.keys or (action, key) in UNLISTED for key in keys) for kind in kinds):
                    wrong.append(f"{name} {statement.sid}: {action} never meets {statement.resources} with {keys}")
            for resource in statement.resources:
                if not any(overlap(resource, kind.arn) for kinds in met.values() for kind in kinds):
                    wrong.append(f"{name} {statement.sid}: {resource} is of no use")
    assert wrong == []


@pytest.mark.parametrize("purpose", ["plan", "deploy"])
def test_every_kind_of_resource_is_covered(policies: Policies, purpose: str) -> None:
    """AWS asks for an action on each resource that it works on: the subnet and its VPC, the alias and its key."""
    statements = role(policies, "dev", purpose)
    missing = [
        f"{action} on {kind.arn}"
        for action in sorted(named(statements))
        for kind in kinds_of(action)
        # A network load balancer's listener is not an application's.
        if kind.required
        and not re.search(r":listener/(app|gwy)/", kind.arn)
        and not any(action in statement.actions and _reaches(statement, kind.arn) for statement in statements)
    ]
    assert missing == []


def test_a_boundary_lets_through_what_modules_give(policies: Policies) -> None:
    """Every action that a module writes into a role's policy is in a boundary: it would have no effect otherwise."""
    for boundary, modules in {
        "acme-dev_boundary": ("lambda-service", "ecs-service", "apprunner-service", "eks-service"),
        "acme-dev_infrastructure": ("network", "eks-cluster"),
    }.items():
        allowed = [statement for statement in policies[boundary] if statement.allow]
        text = "".join(_without_comments(path) for each in modules for path in (ROOT / "infra/modules" / each).glob("*.tf"))
        given = set(re.findall(r'"((?:[a-z0-9-]+):[A-Z]\w+)"', text)) - {"sts:AssumeRole", "sts:TagSession", "aws:SourceAccount"}
        assert given
        patterns = {pattern for statement in allowed for pattern in statement.actions}
        assert {action for action in given if not any(overlap(action, pattern) for pattern in patterns)} == set()


def test_the_clusters_policies_are_those_that_may_be_attached(policies: Policies) -> None:
    """Each AWS policy that modules/eks-cluster attaches is in the deploy role's list, and nothing else is."""
    used = set(re.findall(r'"(Amazon\w+)"', (ROOT / "infra/modules/eks-cluster/roles.tf").read_text(encoding="utf-8")))
    (attach,) = (one for one in role(policies, "dev", "deploy") if "iam:AttachRolePolicy" in one.actions)
    assert {arn.rpartition("/")[2] for arn in attach.conditions["ArnEquals"]["iam:PolicyARN"]} == used


EC2 = "arn:aws:ec2:eu-west-1:111111111111"
IAM = "arn:aws:iam::111111111111"
DEV = {"aws:ResourceTag/project": "acme", "aws:ResourceTag/environment": "dev"}
PROD = {"aws:ResourceTag/project": "acme", "aws:ResourceTag/environment": "prod"}
OTHER = {"aws:ResourceTag/project": "other", "aws:ResourceTag/environment": "dev"}
MADE = {"aws:RequestTag/project": "acme", "aws:RequestTag/environment": "dev"}
MADE_FOR_PROD = {"aws:RequestTag/project": "acme", "aws:RequestTag/environment": "prod"}
CAPPED = {"iam:PermissionsBoundary": f"{IAM}:policy/acme-dev_boundary"}
WIDER = {"iam:PermissionsBoundary": f"{IAM}:policy/acme-dev_infrastructure"}
SERVICE, NODES = f"{IAM}:role/acme/dev/acme-dev-web", f"{IAM}:role/acme/dev/acme-dev_eks-nodes"
BALANCING = "arn:aws:elasticloadbalancing:eu-west-1:111111111111"
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1"
RUNNER = "arn:aws:apprunner:eu-west-1:111111111111"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

Request = tuple[str, str, Mapping[str, str]]

MAY: list[Request] = [
    ("ec2:CreateVpc", f"{EC2}:vpc/new", MADE),
    ("ec2:CreateTags", f"{EC2}:vpc/new", {**MADE, "ec2:CreateAction": "CreateVpc"}),
    ("ec2:CreateSubnet", f"{EC2}:vpc/1", DEV),
    ("ec2:CreateSubnet", f"{EC2}:subnet/new", MADE),
    ("ec2:CreateNatGateway", f"{EC2}:subnet/1", DEV),
    ("ec2:DeleteVpc", f"{EC2}:vpc/1", DEV),
    ("ec2:RevokeSecurityGroupEgress", f"{EC2}:security-group/default", {}),
    ("ec2:CreateTags", f"{EC2}:security-group/default", {**MADE, "aws:TagKeys": "environment"}),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        f"{EC2}:security-group/1",
        {**DEV, "aws:ResourceTag/Name": "acme-dev_services"},
    ),
    ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group-rule/new", {}),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        f"{EC2}:security-group/1",
        {"aws:ResourceTag/aws:eks:cluster-name": "acme-dev"},
    ),
    ("ec2:RunInstances", f"{EC2}:instance/new", {"ec2:LaunchTemplate": f"{EC2}:launch-template/1"}),
    ("elasticloadbalancing:CreateListener", f"{BALANCING}:loadbalancer/net/acme-dev/1", {**DEV, **MADE}),
    ("ecs:CreateService", "arn:aws:ecs:eu-west-1:111111111111:service/acme-dev/acme-dev-web", MADE),
    ("eks:CreateCluster", "*", MADE),
    ("eks:CreateAddon", "arn:aws:eks:eu-west-1:111111111111:cluster/acme-dev", MADE),
    ("apprunner:CreateService", f"{RUNNER}:autoscalingconfiguration/x/1/1", DEV),
    ("kms:TagResource", "arn:aws:kms:eu-west-1:111111111111:key/new", MADE),
    ("kms:ScheduleKeyDeletion", KEY, {**DEV, "kms:ScheduleKeyDeletionPendingWindowInDays": "30"}),
    ("iam:CreateRole", SERVICE, CAPPED),
    ("iam:PutRolePolicy", NODES, WIDER),
    ("iam:AttachRolePolicy", NODES, {**WIDER, "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}),
    ("iam:PassRole", SERVICE, {"iam:PassedToService": "tasks.apprunner.amazonaws.com"}),
    ("iam:PassRole", f"{IAM}:role/acme/dev/acme-dev_flow-logs", {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}),
    ("apigateway:POST", "arn:aws:apigateway:eu-west-1::/vpclinks", MADE),
    ("apigateway:DELETE", "arn:aws:apigateway:eu-west-1::/usageplans/1", DEV),
]

MAY_NOT: list[Request] = [
    ("ec2:CreateVpc", f"{EC2}:vpc/new", {}),
    ("ec2:CreateVpc", f"{EC2}:vpc/new", MADE_FOR_PROD),
    # EC2 may show a request's tags beside every resource of it.
    ("ec2:CreateSubnet", f"{EC2}:vpc/1", {**PROD, **MADE}),
    ("ec2:CreateNatGateway", f"{EC2}:subnet/1", {**PROD, **MADE}),
    ("ec2:CreateVpcEndpoint", f"{EC2}:route-table/1", {**PROD, **MADE}),
    ("ec2:CreateFlowLogs", f"{EC2}:subnet/1", {**PROD, **MADE}),
    ("ec2:CreateRoute", f"{EC2}:route-table/1", PROD),
    ("ec2:DeleteVpc", f"{EC2}:vpc/1", PROD),
    ("ec2:DeleteVpc", f"{EC2}:vpc/1", OTHER),
    ("ec2:DeleteVpc", f"{EC2}:vpc/1", {}),
    ("ec2:CreateTags", f"{EC2}:vpc/1", {**PROD, **MADE}),
    ("ec2:CreateTags", f"{EC2}:vpc/1", MADE),
    ("ec2:CreateTags", f"{EC2}:vpc/1", {**DEV, **MADE_FOR_PROD}),
    ("ec2:CreateTags", f"{EC2}:security-group/1", {**PROD, **MADE, "aws:TagKeys": "environment"}),
    ("ec2:CreateTags", f"{EC2}:security-group/1", {**DEV, **MADE, "aws:TagKeys": "Name"}),
    ("ec2:RevokeSecurityGroupIngress", f"{EC2}:security-group/1", PROD),
    ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/claimed", DEV),
    ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/1", {**PROD, "aws:ResourceTag/Name": "acme-prod_x"}),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        f"{EC2}:security-group/1",
        {"aws:ResourceTag/aws:eks:cluster-name": "acme-prod"},
    ),
    ("ec2:RunInstances", f"{EC2}:instance/new", {}),
    ("ec2:RunInstances", f"{EC2}:subnet/1", {**PROD, "ec2:LaunchTemplate": f"{EC2}:launch-template/1"}),
    ("elasticloadbalancing:CreateListener", f"{BALANCING}:loadbalancer/net/acme-prod/1", {**PROD, **MADE}),
    ("elasticloadbalancing:DeleteTargetGroup", f"{BALANCING}:targetgroup/x/1", PROD),
    ("elasticloadbalancing:AddTags", f"{BALANCING}:targetgroup/x/1", {**PROD, **MADE}),
    ("ecs:UpdateService", "arn:aws:ecs:eu-west-1:111111111111:service/acme-prod/acme-prod-web", DEV),
    ("ecs:DeregisterTaskDefinition", "*", {}),
    ("eks:CreateCluster", "*", {}),
    ("eks:DeleteCluster", "arn:aws:eks:eu-west-1:111111111111:cluster/acme-prod", PROD),
    ("eks:AssociateAccessPolicy", "arn:aws:eks:eu-west-1:111111111111:access-entry/acme-prod/role/1/x/1", {}),
    ("apprunner:DeleteService", f"{RUNNER}:service/acme-prod-web/1", PROD),
    ("apprunner:TagResource", f"{RUNNER}:service/acme-prod-web/1", {**PROD, **MADE}),
    ("scheduler:DeleteSchedule", "arn:aws:scheduler:eu-west-1:111111111111:schedule/default/acme-prod-web_app", {}),
    ("application-autoscaling:RegisterScalableTarget", "arn:aws:application-autoscaling:eu-west-1:111111111111:scalable-target/1", PROD),
    ("kms:TagResource", KEY, {**PROD, **MADE}),
    ("kms:ScheduleKeyDeletion", KEY, {**DEV, "kms:ScheduleKeyDeletionPendingWindowInDays": "7"}),
    ("kms:CreateGrant", KEY, PROD),
    ("kms:Decrypt", KEY, DEV),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/x-1", {}),
    ("secretsmanager:DescribeSecret", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/prod/x-1", {}),
    ("iam:CreateRole", SERVICE, {}),
    ("iam:CreateRole", SERVICE, WIDER),
    ("iam:PutRolePermissionsBoundary", SERVICE, WIDER),
    ("iam:PutRolePolicy", NODES, CAPPED),
    ("iam:DeleteRolePermissionsBoundary", SERVICE, CAPPED),
    ("iam:AttachRolePolicy", SERVICE, {**CAPPED, "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
    ("iam:AttachRolePolicy", NODES, {**WIDER, "iam:PolicyARN": ADMINISTRATOR}),
    ("iam:PutRolePolicy", f"{IAM}:role/acme/acme-dev_deploy", WIDER),
    ("iam:UpdateAssumeRolePolicy", f"{IAM}:role/acme/acme-dev_deploy", {}),
    ("iam:CreatePolicyVersion", f"{IAM}:policy/acme-dev_infrastructure", {}),
    ("iam:PassRole", NODES, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("iam:PassRole", SERVICE, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("iam:PassRole", f"{IAM}:role/acme/prod/acme-prod-web", {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/vpclinks/1", PROD),
    ("apigateway:PATCH", "arn:aws:apigateway:eu-west-1::/apikeys/1", OTHER),
    ("apigateway:POST", "arn:aws:apigateway:eu-west-1::/usageplans", MADE_FOR_PROD),
]


def _label(request: Request) -> str:
    action, resource, context = request
    return f"{action} {resource.rpartition(':')[2]} {' '.join(context.values())}"


@pytest.mark.parametrize("request_", MAY, ids=_label)
def test_dev_deploys(policies: Policies, request_: Request) -> None:
    """What a deploy of dev asks for is let through."""
    assert is_allowed(role(policies, "dev", "deploy"), *request_)


@pytest.mark.parametrize("request_", MAY_NOT, ids=_label)
def test_dev_never_reaches_further(policies: Policies, request_: Request) -> None:
    """Another environment, another project, what bears no tag, and more rights are out of a deploy's reach."""
    assert not is_allowed(role(policies, "dev", "deploy"), *request_)


CLUSTER_TAG = "aws:ResourceTag/eks:eks-cluster-name"


@pytest.mark.parametrize(
    ("boundary", "request_", "through"),
    [
        ("boundary", ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/x-1", {}), True),
        ("boundary", ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/prod/x-1", {}), False),
        ("boundary", ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111111111111:repository/acme", {}), True),
        ("boundary", ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/ecs/acme-dev-web:log-stream:x", {}), True),
        ("boundary", ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/ecs/acme-prod-web:log-stream:x", {}), False),
        ("boundary", ("ec2:RunInstances", f"{EC2}:instance/new", {}), False),
        ("boundary", ("iam:PassRole", SERVICE, {}), False),
        ("infrastructure", ("ec2:RunInstances", f"{EC2}:instance/new", {"aws:RequestTag/eks:eks-cluster-name": "acme-dev"}), True),
        ("infrastructure", ("ec2:RunInstances", f"{EC2}:subnet/1", DEV), True),
        ("infrastructure", ("ec2:RunInstances", f"{EC2}:subnet/1", PROD), False),
        ("infrastructure", ("ec2:DetachVolume", f"{EC2}:volume/1", {CLUSTER_TAG: "acme-dev"}), True),
        ("infrastructure", ("ec2:DetachVolume", f"{EC2}:volume/1", {CLUSTER_TAG: "acme-prod"}), False),
        ("infrastructure", ("ec2:TerminateInstances", f"{EC2}:instance/1", {CLUSTER_TAG: "acme-dev"}), False),
        ("infrastructure", ("elasticloadbalancing:RegisterTargets", f"{BALANCING}:targetgroup/x/1", {CLUSTER_TAG: "acme-prod"}), False),
        ("infrastructure", ("kms:Decrypt", KEY, PROD), False),
        ("infrastructure", ("iam:PassRole", NODES, {"iam:PassedToService": "ec2.amazonaws.com"}), True),
        ("infrastructure", ("iam:PassRole", SERVICE, {"iam:PassedToService": "ec2.amazonaws.com"}), False),
        ("infrastructure", ("iam:CreateRole", NODES, {}), False),
        ("infrastructure", ("iam:PutRolePolicy", NODES, {}), False),
        ("infrastructure", ("sts:AssumeRole", f"{IAM}:role/acme/acme-prod_deploy", {}), False),
        ("infrastructure", ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/x-1", {}), False),
        ("infrastructure", ("eks:DescribeCluster", "arn:aws:eks:eu-west-1:111111111111:cluster/acme-prod", {}), False),
    ],
)  # fmt: skip
def test_boundaries(policies: Policies, boundary: str, request_: Request, through: bool) -> None:
    """A boundary lets an environment's own roles work, and no policy beside it could make them reach further."""
    assert is_allowed(policies[f"acme-dev_{boundary}"], *request_) is through


def _reaches(statement: Statement, arn: str) -> bool:
    return any(overlap(resource, arn) for resource in statement.resources)


def _without_comments(path: Path) -> str:
    return re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
