"""What AWS does in a caller's name behind a call, and so asks IAM for; each with AWS's page that says so."""

from __future__ import annotations

from collections.abc import Mapping

_LINK = "arn:{partition}:ec2:{region}:{account}:vpc-endpoint-service/vpce-svc-1"
_ALARM = "arn:{partition}:cloudwatch:{region}:{account}:alarm:TargetTracking-{ResourceId}-AlarmHigh-1"
_OWN_IMAGES = "arn:{partition}:ecr:{region}:{account}:repository/{project}"

BEHIND: Mapping[str, tuple[tuple[str, str, Mapping[str, str]], ...]] = {
    # API Gateway: Grant permissions for API Gateway to create a VPC link.
    "apigateway:CreateVpcLink": (
        ("ec2:CreateVpcEndpointServiceConfiguration", _LINK, {}),
        ("ec2:DescribeVpcEndpointServiceConfigurations", "*", {}),
        ("ec2:ModifyVpcEndpointServicePermissions", _LINK, {}),
    ),
    "apigateway:DeleteVpcLink": (("ec2:DeleteVpcEndpointServiceConfigurations", _LINK, {}),),
    # Application Auto Scaling: User permissions to call target tracking policies.
    "application-autoscaling:PutScalingPolicy": (
        ("cloudwatch:DescribeAlarms", _ALARM, {}),
        ("cloudwatch:PutMetricAlarm", _ALARM, {}),
    ),
    "application-autoscaling:DeleteScalingPolicy": (("cloudwatch:DeleteAlarms", _ALARM, {}),),
    # AWS Lambda: Amazon ECR permissions for container images.
    "lambda:CreateFunction": (
        ("ecr:BatchGetImage", _OWN_IMAGES, {}),
        ("ecr:GetDownloadUrlForLayer", _OWN_IMAGES, {}),
        ("ecr:GetRepositoryPolicy", _OWN_IMAGES, {}),
    ),
    # The first of its kind in an account has AWS make a role (IAM: Create a service-linked role).
    **{
        operation: (
            (
                "iam:CreateServiceLinkedRole",
                f"arn:{{partition}}:iam::{{account}}:role/aws-service-role/{service}/{role}",
                {"iam:AWSServiceName": service},
            ),
        )
        for operation, service, role in (
            ("apprunner:CreateService", "apprunner.amazonaws.com", "AWSServiceRoleForAppRunner"),
            ("ecs:CreateCluster", "ecs.amazonaws.com", "AWSServiceRoleForECS"),
            ("eks:CreateCluster", "eks.amazonaws.com", "AWSServiceRoleForAmazonEKS"),
        )
    },
}
"""Operation -> what its service asks for in the caller's name: action, resource, condition keys."""
