"""Rights of the deploy role that no call of the recorded stories needs, and why they stay: reviewed, one by one.

The stories are tests/local/test_kinds.py (every kind of service, from bootstrap to destroy) and test_rollouts.py. A
right that is in neither and not here fails the former: take it away, or say here who needs it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.infra.reads import READS
from tests.infra.rights import WRITES

UNHELD = (
    "aws_apprunner_vpc_connector",
    "aws_eks_access_entry",
    "aws_eks_access_policy_association",
    "aws_eks_addon",
    "aws_eks_node_group",
    "aws_eks_pod_identity_association",
    "aws_launch_template",
    "aws_lb",
    "aws_lb_listener",
)
"""Types of resources that the embedded AWS is not asked for: `emulated` leaves them out (docs/gotchas.md)."""

UNWATCHED = (
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_query_definition",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_xray_group",
)
"""What watches an environment. The laptop's is not watched; tests/contract/test_monitoring.py makes them."""

EDGE = (
    "aws_api_gateway_base_path_mapping",
    "aws_api_gateway_domain_name",
    "aws_wafv2_web_acl",
    "aws_wafv2_web_acl_association",
    "aws_wafv2_web_acl_logging_configuration",
)
"""Types of resources that `local` never asks for: tests/contract/test_edge.py makes them."""

ROLLOUTS = frozenset(
    {
        "codedeploy:CreateApplication",
        "codedeploy:CreateDeployment",
        "codedeploy:CreateDeploymentConfig",
        "codedeploy:CreateDeploymentGroup",
        "codedeploy:DeleteApplication",
        "codedeploy:DeleteDeploymentConfig",
        "codedeploy:DeleteDeploymentGroup",
        "codedeploy:GetApplication",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:GetDeploymentGroup",
        "codedeploy:ListTagsForResource",
        "codedeploy:StopDeployment",
        "codedeploy:TagResource",
        "codedeploy:UpdateDeploymentGroup",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
    }
)
"""What only a new version of a function, brought by and by, needs: test_rollouts.py shows it."""

LED = frozenset(
    {
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "ecs:ListServiceDeployments",
        "ecs:StopServiceDeployment",
    }
)
"""What only new tasks of an ECS service, brought by and by, need: test_rollouts.py shows it, too."""

STAY: Mapping[str, frozenset[str]] = {
    "of resources that the embedded AWS does not hold": frozenset(
        action for kind in UNHELD for action in (*READS[kind], *WRITES[kind])
    ),
    "of what watches an environment, which the laptop's does without": frozenset(
        action for kind in UNWATCHED for action in (*READS[kind], *WRITES[kind])
    ),
    "of the firewall and the domain, which environments in AWS may have": frozenset(
        action for kind in EDGE for action in (*READS[kind], *WRITES[kind])
    ),
    "when Terraform changes a setting of what is there, or takes a tag away": frozenset(
        {
            "application-autoscaling:UntagResource",
            "apprunner:UntagResource",
            "apprunner:UpdateService",
            "codedeploy:UntagResource",
            "codedeploy:UpdateApplication",
            "ec2:ModifySecurityGroupRules",
            "ec2:ModifySubnetAttribute",
            "ec2:ModifyVpcEndpoint",
            "ec2:ReplaceRoute",
            "ec2:ReplaceRouteTableAssociation",
            "ec2:RevokeSecurityGroupIngress",
            "ecs:UntagResource",
            "ecs:UpdateCluster",
            "eks:AssociateEncryptionConfig",
            "eks:UpdateClusterConfig",
            "eks:UpdateClusterVersion",
            "elasticloadbalancing:ModifyTargetGroup",
            "iam:PutRolePermissionsBoundary",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "kms:DisableKeyRotation",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
            "lambda:UntagResource",
            "lambda:UpdateFunctionConfiguration",
            "logs:DeleteRetentionPolicy",
            "logs:UntagResource",
            "scheduler:UpdateSchedule",
        }
    ),
    "for services that say scaling.max (lambda)": frozenset(
        {"lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"}
    ),
    "host names in the network, which the laptop does without": frozenset({"ec2:ModifyVpcAttribute"}),
    "what docker asks of ECR when it pushes and copies": frozenset(
        {
            "ecr:BatchCheckLayerAvailability",
            "ecr:CompleteLayerUpload",
            "ecr:GetAuthorizationToken",
            "ecr:InitiateLayerUpload",
            "ecr:UploadLayerPart",
        }
    ),
    "keeping the images of releases, which the laptop does not": frozenset({"ecr:BatchDeleteImage", "ecr:ListImages"}),
    "finding out why a rollout fails, and ending one that nobody wants any more": frozenset(
        {
            "codedeploy:BatchGetDeploymentTargets",
            "codedeploy:ListDeploymentTargets",
            "ecs:DescribeTasks",
            "ecs:ListTasks",
            "logs:FilterLogEvents",
        }
    ),
    "asked for beside CreateDeployment (CodeDeploy: Actions, resources, and condition keys)": frozenset(
        {"codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"}
    ),
    "EKS encrypts its secrets in the name of who makes the cluster": frozenset({"kms:CreateGrant"}),
    "telling a state or a record that was lost from one that there never was": frozenset({"s3:GetObjectVersion"}),
    "EKS updates run on, and are asked for": frozenset({"eks:DescribeUpdate"}),
}
"""Why they stay -> the rights."""


def explain(unused: frozenset[str]) -> str:
    """Say which rights are allowed and were not used, by the reason for which they stay."""
    lines = [f"allowed, and not used: {len(unused)}"]
    for why, actions in STAY.items():
        found = sorted(unused & actions)
        lines += [f"  {why}: {', '.join(found)}"] if found else []
    return "\n".join(lines)
