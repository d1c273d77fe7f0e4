"""Requests that must get through the bootstrap's policies, and such that must not: action, resource, condition keys."""

from __future__ import annotations

from collections.abc import Mapping

from tests.infra.iam import Context

Request = tuple[str, str, Context]

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
ECS = "arn:aws:ecs:eu-west-1:111111111111"
EKS = "arn:aws:eks:eu-west-1:111111111111"
ECR = "arn:aws:ecr:eu-west-1:111111111111"
API = "arn:aws:apigateway:eu-west-1:"
SECRETS = "arn:aws:secretsmanager:eu-west-1:111111111111:secret"
LOGS = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws"
SCALING = "arn:aws:application-autoscaling:eu-west-1:111111111111"
ROLLOUTS = "arn:aws:codedeploy:eu-west-1:111111111111"
FIREWALLS = "arn:aws:wafv2:eu-west-1:111111111111:regional"
ALARMS = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm"
DASHBOARDS = "arn:aws:cloudwatch::111111111111:dashboard"
TOPICS = "arn:aws:sns:eu-west-1:111111111111"
TRACES = "arn:aws:xray:eu-west-1:111111111111:group"
STAGE = "arn:aws:apigateway:eu-west-1::/restapis/1/stages/dev"
SCHEDULES = "arn:aws:scheduler:eu-west-1:111111111111:schedule/default"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

STATES, FAR_STATES = (
    "arn:aws:s3:::acme-state-111111111111-eu-west-1",
    "arn:aws:s3:::acme-state-222222222222-eu-central-1",
)
IMAGES, FAR_IMAGES = f"{ECR}:repository/acme", "arn:aws:ecr:eu-central-1:222222222222:repository/acme"
RELEASES = {"s3:prefix": "releases/prod/"}

MAY: list[Request] = [
    ("cloudwatch:PutMetricAlarm", f"{ALARMS}:acme-dev-web-errors", {}),
    ("cloudwatch:PutMetricAlarm", f"{ALARMS}:acme-dev_errors", {}),
    ("cloudwatch:PutDashboard", f"{DASHBOARDS}/acme-dev", {}),
    ("sns:Subscribe", f"{TOPICS}:acme-dev_alarms", {"sns:Protocol": "email"}),
    ("sns:SetTopicAttributes", f"{TOPICS}:acme-dev_alarms", DEV),
    ("xray:CreateGroup", f"{TRACES}/acme-dev/1", MADE),
    ("s3:PutObject", f"{STATES}/releases/dev/3.json", {}),
    ("s3:DeleteObject", f"{STATES}/releases/dev/underway.json", {}),
    ("s3:GetObject", f"{STATES}/releases/prod/3.json", {}),
    ("s3:ListBucket", STATES, RELEASES),
    ("s3:GetObject", f"{FAR_STATES}/releases/far/3.json", {}),
    ("s3:ListBucket", FAR_STATES, {"s3:prefix": "releases/far/"}),
    ("ecr:BatchDeleteImage", IMAGES, {}),
    ("ecr:BatchGetImage", FAR_IMAGES, {}),
    ("ecr:GetDownloadUrlForLayer", FAR_IMAGES, {}),
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
    ("ecs:CreateService", f"{ECS}:service/acme-dev/acme-dev-web", MADE),
    ("eks:CreateCluster", "*", MADE),
    ("eks:CreateAddon", f"{EKS}:cluster/acme-dev", MADE),
    ("apprunner:CreateService", f"{RUNNER}:autoscalingconfiguration/x/1/1", DEV),
    ("kms:TagResource", "arn:aws:kms:eu-west-1:111111111111:key/new", MADE),
    ("kms:ScheduleKeyDeletion", KEY, {**DEV, "kms:ScheduleKeyDeletionPendingWindowInDays": "30"}),
    ("wafv2:CreateWebACL", f"{FIREWALLS}/webacl/acme-dev/new", MADE),
    ("wafv2:CreateWebACL", f"{FIREWALLS}/managedruleset/AWSManagedRulesCommonRuleSet/1", MADE),
    ("apigateway:SetWebACL", STAGE, DEV),
    ("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:111111111111:log-group:aws-waf-logs-acme-dev", MADE),
    ("apigateway:POST", f"{API}:/domainnames", MADE),
    ("apigateway:POST", f"{API}:/domainnames/dev.acme.example/basepathmappings", {}),
    ("iam:CreateRole", SERVICE, CAPPED),
    ("iam:PutRolePolicy", NODES, WIDER),
    ("iam:AttachRolePolicy", NODES, {**WIDER, "iam:PolicyARN": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"}),
    ("iam:PassRole", SERVICE, {"iam:PassedToService": "tasks.apprunner.amazonaws.com"}),
    ("iam:PassRole", f"{IAM}:role/acme/dev/acme-dev_flow-logs", {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}),
    ("iam:PassRole", f"{IAM}:role/acme/dev/acme-dev_rollout", {"iam:PassedToService": "codedeploy.amazonaws.com"}),
    ("iam:PassRole", f"{IAM}:role/acme/dev/acme-dev_ecs-rollout", {"iam:PassedToService": "ecs.amazonaws.com"}),
    ("ecs:StopServiceDeployment", f"{ECS}:service-deployment/acme-dev/acme-dev-web/1", {}),
    ("ecs:StopServiceDeployment", f"{ECS}:service/acme-dev/acme-dev-web", {}),
    ("ecs:DescribeServiceRevisions", f"{ECS}:service-revision/acme-dev/acme-dev-web/1", {}),
    ("codedeploy:CreateDeployment", f"{ROLLOUTS}:deploymentgroup:acme-dev/web", {}),
    ("codedeploy:CreateDeploymentConfig", f"{ROLLOUTS}:deploymentconfig:acme-dev-canary-10-5", {}),
    ("codedeploy:GetDeploymentConfig", f"{ROLLOUTS}:deploymentconfig:CodeDeployDefault.LambdaAllAtOnce", {}),
    ("codedeploy:StopDeployment", "*", {}),
    ("ecs:ListTasks", "*", {"ecs:cluster": f"{ECS}:cluster/acme-dev"}),
    ("logs:FilterLogEvents", f"{LOGS}/lambda/acme-dev-web", {}),
    ("apigateway:POST", f"{API}:/vpclinks", MADE),
    ("apigateway:DELETE", f"{API}:/usageplans/1", DEV),
    ("apigateway:PUT", f"{API}:/restapis/1", DEV),
    ("apigateway:POST", f"{API}:/restapis/1/deployments", DEV),
    ("apigateway:POST", f"{API}:/restapis/1/stages", {**DEV, **MADE}),
    ("apigateway:POST", f"{API}:/usageplans/1/keys", DEV),
]

MAY_NOT: list[Request] = [
    ("cloudwatch:DeleteAlarms", f"{ALARMS}:acme-prod-web-errors", PROD),
    ("cloudwatch:PutMetricAlarm", f"{ALARMS}:acme-prod_errors", PROD),
    ("cloudwatch:PutMetricAlarm", f"{ALARMS}:other-dev-web-errors", OTHER),
    ("cloudwatch:SetAlarmState", f"{ALARMS}:acme-dev-web-errors", DEV),
    ("cloudwatch:DeleteDashboards", f"{DASHBOARDS}/acme-prod", {}),
    ("sns:SetTopicAttributes", f"{TOPICS}:acme-prod_alarms", PROD),
    ("sns:Subscribe", f"{TOPICS}:acme-prod_alarms", PROD),
    ("sns:Publish", f"{TOPICS}:acme-dev_alarms", DEV),
    ("xray:DeleteGroup", f"{TRACES}/acme-prod/1", PROD),
    ("apigateway:POST", f"{API}:/domainnames/prod.acme.example/basepathmappings", {}),
    ("apigateway:PATCH", f"{API}:/domainnames/prod.acme.example", PROD),
    ("wafv2:DeleteWebACL", f"{FIREWALLS}/webacl/acme-prod/1", PROD),
    ("wafv2:DeleteLoggingConfiguration", f"{FIREWALLS}/webacl/acme-prod/1", PROD),
    ("apigateway:SetWebACL", STAGE, PROD),
    ("apigateway:SetWebACL", STAGE, OTHER),
    ("apigateway:SetWebACL", STAGE, {}),
    ("logs:PutResourcePolicy", "*", {}),
    ("logs:DeleteLogGroup", "arn:aws:logs:eu-west-1:111111111111:log-group:aws-waf-logs-acme-prod", PROD),
    ("s3:DeleteObject", f"{STATES}/releases/dev/3.json", {}),
    ("s3:PutObject", f"{STATES}/releases/prod/3.json", {}),
    ("s3:GetObject", f"{STATES}/app/prod/terraform.tfstate", {}),
    ("s3:ListBucket", STATES, {"s3:prefix": "app/prod/"}),
    ("s3:PutObject", f"{FAR_STATES}/releases/far/3.json", {}),
    ("s3:GetObject", f"{FAR_STATES}/app/far/terraform.tfstate", {}),
    ("ecr:PutImage", FAR_IMAGES, {}),
    ("ecr:BatchDeleteImage", FAR_IMAGES, {}),
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
    ("ecs:UpdateService", f"{ECS}:service/acme-prod/acme-prod-web", DEV),
    ("ecs:DeregisterTaskDefinition", "*", {}),
    ("ecs:StopServiceDeployment", f"{ECS}:service-deployment/acme-prod/acme-prod-web/1", {}),
    ("iam:PassRole", f"{IAM}:role/acme/prod/acme-prod_ecs-rollout", {"iam:PassedToService": "ecs.amazonaws.com"}),
    ("eks:CreateCluster", "*", {}),
    ("eks:DeleteCluster", f"{EKS}:cluster/acme-prod", PROD),
    ("eks:AssociateAccessPolicy", f"{EKS}:access-entry/acme-prod/role/1/x/1", {}),
    ("apprunner:DeleteService", f"{RUNNER}:service/acme-prod-web/1", PROD),
    ("apprunner:TagResource", f"{RUNNER}:service/acme-prod-web/1", {**PROD, **MADE}),
    ("codedeploy:CreateDeployment", f"{ROLLOUTS}:deploymentgroup:acme-prod/web", {}),
    ("codedeploy:ListDeployments", f"{ROLLOUTS}:deploymentgroup:acme-dev-eu/web", {}),
    ("codedeploy:GetDeployment", f"{ROLLOUTS}:deploymentgroup:acme-prod/web", {}),
    ("codedeploy:DeleteApplication", f"{ROLLOUTS}:application:acme-prod", {}),
    ("ecs:ListTasks", "*", {"ecs:cluster": f"{ECS}:cluster/acme-prod"}),
    ("logs:FilterLogEvents", f"{LOGS}/lambda/acme-prod-web", {}),
    ("scheduler:DeleteSchedule", f"{SCHEDULES}/acme-prod-web_app", {}),
    (
        "application-autoscaling:RegisterScalableTarget",
        f"{SCALING}:scalable-target/1",
        PROD,
    ),
    ("kms:TagResource", KEY, {**PROD, **MADE}),
    ("kms:ScheduleKeyDeletion", KEY, {**DEV, "kms:ScheduleKeyDeletionPendingWindowInDays": "7"}),
    ("kms:CreateGrant", KEY, PROD),
    ("kms:Decrypt", KEY, DEV),
    ("secretsmanager:GetSecretValue", f"{SECRETS}:acme/dev/x-1", {}),
    ("secretsmanager:DescribeSecret", f"{SECRETS}:acme/prod/x-1", {}),
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
    ("apigateway:PATCH", f"{API}:/vpclinks/1", PROD),
    ("apigateway:DELETE", f"{API}:/restapis/1", {}),
    ("apigateway:PUT", f"{API}:/restapis/1", {"aws:ResourceTag/environment": "dev"}),
    ("apigateway:POST", f"{API}:/restapis/1/deployments", {}),
    ("apigateway:PATCH", f"{API}:/usageplans/1", {}),
    ("apigateway:PATCH", f"{API}:/apikeys/1", OTHER),
    ("apigateway:POST", f"{API}:/usageplans", MADE_FOR_PROD),
]

PREVIEW = {"aws:ResourceTag/project": "acme", "aws:ResourceTag/environment": "pr-12"}
MADE_FOR_PREVIEW = {"aws:RequestTag/project": "acme", "aws:RequestTag/environment": "pr-12"}
IN_PREVIEW = f"{IAM}:role/acme/pr-12/acme-pr-12-web"
CAPPED_AS_PREVIEW = {"iam:PermissionsBoundary": f"{IAM}:policy/acme-previews_boundary"}
STATE = "arn:aws:s3:::acme-state-111111111111-eu-west-1"
FUNCTIONS = "arn:aws:lambda:eu-west-1:111111111111:function"

PREVIEWS_MAY: list[Request] = [
    ("cloudwatch:PutMetricAlarm", f"{ALARMS}:acme-pr-12-web-errors", {}),
    ("wafv2:UpdateWebACL", f"{FIREWALLS}/webacl/acme-pr-12/1", {}),
    ("s3:PutObject", f"{STATE}/app/pr-12/terraform.tfstate", {}),
    ("s3:DeleteObject", f"{STATE}/app/pr-12/terraform.tfstate.tflock", {}),
    ("s3:DeleteObject", f"{STATE}/app/pr-12/terraform.tfstate", {}),
    ("s3:PutObject", f"{STATE}/releases/pr-12/1.json", {}),
    ("s3:ListBucket", STATE, {"s3:prefix": "app/pr-"}),
    ("s3:ListBucket", STATE, {"s3:prefix": "releases/pr-12/"}),
    ("lambda:CreateFunction", f"{FUNCTIONS}:acme-pr-12-web", {}),
    ("iam:CreateRole", IN_PREVIEW, CAPPED_AS_PREVIEW),
    ("apigateway:POST", f"{API}:/restapis", MADE_FOR_PREVIEW),
    ("apigateway:PATCH", f"{API}:/restapis/1", PREVIEW),
    ("ec2:CreateVpc", f"{EC2}:vpc/new", MADE_FOR_PREVIEW),
    ("ec2:CreateSubnet", f"{EC2}:vpc/1", PREVIEW),
    (
        "ec2:AuthorizeSecurityGroupIngress",
        f"{EC2}:security-group/1",
        {**PREVIEW, "aws:ResourceTag/Name": "acme-pr-12_x"},
    ),
    ("secretsmanager:DescribeSecret", f"{SECRETS}:acme/previews/x-1", {}),
]

PREVIEWS_MAY_NOT: list[Request] = [
    ("cloudwatch:DeleteAlarms", f"{ALARMS}:acme-dev-web-errors", DEV),
    ("wafv2:UpdateWebACL", f"{FIREWALLS}/webacl/acme-dev/1", {}),
    ("s3:PutObject", f"{STATE}/app/dev/terraform.tfstate", {}),
    ("s3:DeleteObject", f"{STATE}/app/prod/terraform.tfstate", {}),
    ("s3:DeleteObject", f"{STATE}/releases/pr-12/1.json", {}),
    ("s3:ListBucket", STATE, {"s3:prefix": "app/"}),
    ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:acme-prod-web", {}),
    ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:acme-dev-web", {}),
    ("iam:CreateRole", IN_PREVIEW, {}),
    ("iam:CreateRole", IN_PREVIEW, CAPPED),
    ("iam:CreateRole", SERVICE, CAPPED_AS_PREVIEW),
    ("iam:PassRole", SERVICE, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("apigateway:POST", f"{API}:/restapis", MADE),
    ("apigateway:PATCH", f"{API}:/restapis/1", PROD),
    ("ec2:CreateVpc", f"{EC2}:vpc/new", MADE),
    ("ec2:DeleteVpc", f"{EC2}:vpc/1", DEV),
    ("ec2:CreateTags", f"{EC2}:vpc/1", {**PROD, **MADE_FOR_PREVIEW}),
    ("secretsmanager:DescribeSecret", f"{SECRETS}:acme/dev/x-1", {}),
]

FOR_CLUSTER = {"aws:RequestTag/eks:eks-cluster-name": "acme-dev"}
OF_CLUSTER = {"aws:ResourceTag/eks:eks-cluster-name": "acme-dev"}
OF_OTHER_CLUSTER = {"aws:ResourceTag/eks:eks-cluster-name": "acme-prod"}

THROUGH: Mapping[str, list[Request]] = {
    "boundary": [
        ("secretsmanager:GetSecretValue", f"{SECRETS}:acme/dev/x-1", {}),
        ("ecr:GetAuthorizationToken", "*", {}),
        ("ecr:BatchGetImage", f"{ECR}:repository/acme", {}),
        ("logs:PutLogEvents", f"{LOGS}/ecs/acme-dev-web:log-stream:x", {}),
        ("logs:PutRetentionPolicy", f"{LOGS}/apprunner/acme-dev-web/1/service", {}),
        ("xray:PutTraceSegments", "*", {}),
    ],
    "infrastructure": [
        ("logs:PutLogEvents", f"{LOGS}/vpc/acme-dev:log-stream:x", {}),
        ("logs:PutLogEvents", f"{LOGS}/eks/acme-dev-web:log-stream:x", {}),
        ("ec2:DescribeInstances", "*", {}),
        ("ec2:RunInstances", f"{EC2}:instance/new", FOR_CLUSTER),
        ("ec2:RunInstances", f"{EC2}:subnet/1", DEV),
        ("ec2:RunInstances", f"{EC2}:launch-template/1", OF_CLUSTER),
        ("ec2:CreateTags", f"{EC2}:instance/new", {"ec2:CreateAction": "RunInstances"}),
        ("ec2:DetachVolume", f"{EC2}:volume/1", OF_CLUSTER),
        ("elasticloadbalancing:RegisterTargets", f"{BALANCING}:targetgroup/x/1", OF_CLUSTER),
        ("elasticloadbalancing:ModifyListener", f"{BALANCING}:listener/net/acme-dev/1/2", DEV),
        ("ecr:BatchGetImage", f"{ECR}:repository/acme", {"aws:ResourceAccount": "111111111111"}),
        ("ecr:BatchGetImage", f"{ECR}:repository/eks/coredns", {"aws:ResourceAccount": "222222222222"}),
        ("eks-auth:AssumeRoleForPodIdentity", f"{EKS}:cluster/acme-dev", {}),
        ("kms:Decrypt", KEY, DEV),
        ("lambda:UpdateAlias", "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-web", {}),
        ("iam:PassRole", NODES, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ],
}

STOPPED: Mapping[str, list[Request]] = {
    "boundary": [
        ("secretsmanager:GetSecretValue", f"{SECRETS}:acme/prod/x-1", {}),
        ("logs:PutLogEvents", f"{LOGS}/ecs/acme-prod-web:log-stream:x", {}),
        ("logs:PutRetentionPolicy", f"{LOGS}/ecs/acme-dev-web", {}),
        ("ecr:BatchGetImage", f"{ECR}:repository/other", {}),
        ("ec2:RunInstances", f"{EC2}:instance/new", FOR_CLUSTER),
        ("iam:PassRole", SERVICE, {"iam:PassedToService": "lambda.amazonaws.com"}),
        ("s3:GetObject", "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate", {}),
    ],
    "infrastructure": [
        ("ec2:RunInstances", f"{EC2}:instance/new", {}),
        ("ec2:RunInstances", f"{EC2}:subnet/1", {**PROD, **FOR_CLUSTER}),
        ("ec2:DetachVolume", f"{EC2}:volume/1", OF_OTHER_CLUSTER),
        ("ec2:CreateTags", f"{EC2}:volume/1", {}),
        ("ec2:TerminateInstances", f"{EC2}:instance/1", OF_CLUSTER),
        ("ec2:AuthorizeSecurityGroupIngress", f"{EC2}:security-group/1", OF_CLUSTER),
        ("elasticloadbalancing:RegisterTargets", f"{BALANCING}:targetgroup/x/1", OF_OTHER_CLUSTER),
        ("elasticloadbalancing:ModifyListener", f"{BALANCING}:listener/net/acme-prod/1/2", PROD),
        ("ecr:BatchGetImage", f"{ECR}:repository/other", {"aws:ResourceAccount": "111111111111"}),
        ("eks:DescribeCluster", f"{EKS}:cluster/acme-prod", {}),
        ("kms:Decrypt", KEY, PROD),
        ("lambda:UpdateAlias", "arn:aws:lambda:eu-west-1:111111111111:function:acme-prod-web", {}),
        ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-web", {}),
        ("secretsmanager:GetSecretValue", f"{SECRETS}:acme/dev/x-1", {}),
        ("iam:PassRole", SERVICE, {"iam:PassedToService": "ec2.amazonaws.com"}),
        ("iam:PassRole", NODES, {"iam:PassedToService": "lambda.amazonaws.com"}),
        ("iam:PutRolePolicy", NODES, {}),
        ("iam:CreateRole", f"{IAM}:role/acme/dev/acme-dev_x", {}),
        ("sts:AssumeRole", f"{IAM}:role/acme/acme-prod_deploy", {}),
        ("s3:GetObject", "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate", {}),
    ],
}
