"""Ways out of an environment that somebody may try who has got hold of one of its roles; every one must be refused.

Each is asked with what an attacker would send: their own environment's tags and boundary where those are theirs to
choose, and of what is there already the tags that it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.infra.requests import (
    ADMINISTRATOR,
    API,
    CAPPED,
    DEV,
    EC2,
    ECR,
    ECS,
    EKS,
    FUNCTIONS,
    IAM,
    IMAGES,
    KEY,
    LOGS,
    MADE,
    NODES,
    OTHER,
    PROD,
    SECRETS,
    SERVICE,
    STATES,
    WIDER,
    Request,
)

DEPLOYER, PLANNER = f"{IAM}:role/acme/acme-dev_deploy", f"{IAM}:role/acme/acme-dev_plan"
PROD_DEPLOYER, PROD_SERVICE = f"{IAM}:role/acme/acme-prod_deploy", f"{IAM}:role/acme/prod/acme-prod-web"
FOREIGN, ADMIN = f"{IAM}:role/other/dev/other-dev-web", f"{IAM}:role/Admin"
BOUNDARY, WIDE = f"{IAM}:policy/acme-dev_boundary", f"{IAM}:policy/acme-dev_infrastructure"
GITHUB_POLICIES = [f"{IAM}:policy/acme-dev_{topic}" for topic in ("read", "deploy", "deploy-roles")]
PROVIDER = f"{IAM}:oidc-provider/token.actions.githubusercontent.com"
TRAIL = "arn:aws:cloudtrail:eu-west-1:111111111111:trail/audit"
USER, GROUP = f"{IAM}:user/mallory", f"{IAM}:group/admins"
AS_PROD = {"iam:PermissionsBoundary": f"{IAM}:policy/acme-prod_boundary"}
AS_ADMIN = {"iam:PermissionsBoundary": ADMINISTRATOR}
TO_LAMBDA, TO_EC2 = {"iam:PassedToService": "lambda.amazonaws.com"}, {"iam:PassedToService": "ec2.amazonaws.com"}
NODE_POLICY = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"

ATTEMPTS: Mapping[str, Sequence[Request]] = {
    "create a role without the boundary": [
        *(
            ("iam:CreateRole", role, keys)
            for role in (SERVICE, NODES)
            for keys in ({}, AS_PROD, AS_ADMIN, {"iam:PermissionsBoundary": f"{IAM}:policy/mine"})
        ),
        ("iam:CreateRole", SERVICE, WIDER),
        ("iam:CreateRole", NODES, CAPPED),
    ],
    "create a role somewhere else": [
        *(
            ("iam:CreateRole", role, keys)
            for role in (PROD_SERVICE, FOREIGN, ADMIN, DEPLOYER, f"{IAM}:role/acme/dev/other")
            for keys in (CAPPED, WIDER)
        ),
    ],
    "edit the boundary, or what GitHub's roles may do": [
        *(
            (f"iam:{verb}", policy, {})
            for verb in ("CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy")
            for policy in (BOUNDARY, WIDE, *GITHUB_POLICIES, f"{IAM}:policy/acme-prod_boundary")
        ),
        ("iam:CreatePolicy", f"{IAM}:policy/acme-mine", {}),
        ("iam:TagPolicy", BOUNDARY, MADE),
    ],
    "leave the boundary": [
        *(
            ("iam:DeleteRolePermissionsBoundary", role, keys)
            for role, keys in ((SERVICE, CAPPED), (NODES, WIDER), (DEPLOYER, {}), (PROD_SERVICE, AS_PROD))
        ),
        ("iam:PutRolePermissionsBoundary", SERVICE, WIDER),
        ("iam:PutRolePermissionsBoundary", SERVICE, AS_ADMIN),
        ("iam:PutRolePermissionsBoundary", NODES, AS_ADMIN),
        ("iam:PutRolePermissionsBoundary", DEPLOYER, CAPPED),
        ("iam:DeleteUserPermissionsBoundary", USER, {}),
    ],
    "attach a policy that is not the cluster's": [
        *(
            ("iam:AttachRolePolicy", role, {**keys, "iam:PolicyARN": policy})
            for role, keys in (
                (SERVICE, CAPPED),
                (NODES, WIDER),
                (DEPLOYER, {}),
                (DEPLOYER, WIDER),
                (PROD_SERVICE, AS_PROD),
            )
            for policy in (
                ADMINISTRATOR,
                "arn:aws:iam::aws:policy/IAMFullAccess",
                "arn:aws:iam::aws:policy/PowerUserAccess",
                f"{IAM}:policy/acme-dev_deploy",
                f"{IAM}:policy/acme-prod_deploy",
                f"{IAM}:policy/AmazonEKSWorkerNodePolicy",
            )
        ),
        *(
            ("iam:AttachRolePolicy", role, {**keys, "iam:PolicyARN": NODE_POLICY})
            for role, keys in ((SERVICE, CAPPED), (SERVICE, WIDER), (DEPLOYER, WIDER), (NODES, {}), (NODES, CAPPED))
        ),
        ("iam:AttachUserPolicy", USER, {}),
        ("iam:AttachGroupPolicy", GROUP, {}),
        ("iam:PutUserPolicy", USER, {}),
    ],
    "write rights into a role that is not the environment's, or not under its boundary": [
        *(
            (f"iam:{verb}", role, keys)
            for verb in ("PutRolePolicy", "DeleteRolePolicy")
            for role, keys in (
                (DEPLOYER, {}),
                (DEPLOYER, WIDER),
                (PLANNER, CAPPED),
                (PROD_SERVICE, AS_PROD),
                (PROD_SERVICE, CAPPED),
                (FOREIGN, CAPPED),
                (SERVICE, {}),
                (SERVICE, WIDER),
                (NODES, CAPPED),
            )
        ),
    ],
    "have somebody else trusted": [
        *(
            ("iam:UpdateAssumeRolePolicy", role, {})
            for role in (
                DEPLOYER,
                PLANNER,
                PROD_DEPLOYER,
                PROD_SERVICE,
                FOREIGN,
                ADMIN,
                f"{IAM}:role/acme/acme_gateway-logs",
                f"{IAM}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
            )
        ),
        *(("iam:DeleteRole", role, {}) for role in (DEPLOYER, PROD_SERVICE, FOREIGN)),
    ],
    "hand a role to a service": [
        *(
            ("iam:PassRole", role, keys)
            for role in (DEPLOYER, PROD_DEPLOYER, PROD_SERVICE, FOREIGN, ADMIN)
            for keys in (TO_LAMBDA, TO_EC2, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}, {})
        ),
        ("iam:PassRole", SERVICE, {}),
        ("iam:PassRole", SERVICE, TO_EC2),
        ("iam:PassRole", SERVICE, {"iam:PassedToService": "codebuild.amazonaws.com"}),
        ("iam:PassRole", SERVICE, {"iam:PassedToService": "cloudformation.amazonaws.com"}),
        ("iam:PassRole", NODES, TO_LAMBDA),
        ("iam:PassRole", NODES, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    ],
    "take another role": [
        *(("sts:AssumeRole", role, {}) for role in (DEPLOYER, PROD_DEPLOYER, PROD_SERVICE, ADMIN, NODES)),
    ],
    "make a user, a key, a password": [
        ("iam:CreateUser", USER, {}),
        ("iam:CreateUser", USER, CAPPED),
        ("iam:CreateAccessKey", USER, {}),
        ("iam:CreateLoginProfile", USER, {}),
        ("iam:UpdateLoginProfile", USER, {}),
        ("iam:UpdateAccessKey", USER, {}),
        ("iam:CreateServiceSpecificCredential", USER, {}),
        ("iam:AddUserToGroup", GROUP, {}),
        ("iam:PutGroupPolicy", GROUP, {}),
        ("iam:DeactivateMFADevice", USER, {}),
        ("iam:CreateInstanceProfile", f"{IAM}:instance-profile/mine", {}),
        ("iam:AddRoleToInstanceProfile", f"{IAM}:instance-profile/mine", {}),
    ],
    "have another issuer trusted": [
        ("iam:CreateOpenIDConnectProvider", PROVIDER, {}),
        ("iam:DeleteOpenIDConnectProvider", PROVIDER, {}),
        ("iam:AddClientIDToOpenIDConnectProvider", PROVIDER, {}),
        ("iam:RemoveClientIDFromOpenIDConnectProvider", PROVIDER, {}),
        ("iam:UpdateOpenIDConnectProviderThumbprint", PROVIDER, {}),
        ("iam:CreateSAMLProvider", f"{IAM}:saml-provider/mine", {}),
    ],
    "read or write another environment's state": [
        *(
            (f"s3:{verb}", f"{STATES}/{key}", {})
            for verb in (
                "GetObject",
                "PutObject",
                "DeleteObject",
                "GetObjectVersion",
                "DeleteObjectVersion",
                "PutObjectAcl",
            )
            for key in (
                "app/prod/terraform.tfstate",
                "app/prod/terraform.tfstate.tflock",
                "app/pr-12/terraform.tfstate",
                "app/devx/terraform.tfstate",
                "bootstrap/terraform.tfstate",
            )
        ),
        *(("s3:ListBucket", STATES, {"s3:prefix": prefix}) for prefix in ("", "app/", "app/prod/", "bootstrap/")),
        ("s3:ListBucket", STATES, {}),
        *(
            ("s3:ListBucketVersions", STATES, {"s3:prefix": prefix})
            for prefix in ("", "app/", "app/prod/", "bootstrap/")
        ),
        ("s3:ListBucketVersions", STATES, {}),
        *((f"s3:{verb}", f"{STATES}/drift/prod.json", {}) for verb in ("GetObject", "PutObject")),
    ],
    "rewrite history": [
        ("s3:GetObjectVersion", f"{STATES}/releases/prod/3.json", {}),
        ("s3:DeleteObject", f"{STATES}/drift/dev.json", {}),
        ("s3:PutObject", f"{STATES}/releases/prod/3.json", {}),
        ("s3:DeleteObject", f"{STATES}/releases/dev/3.json", {}),
        ("s3:DeleteObjectVersion", f"{STATES}/releases/dev/3.json", {}),
        ("s3:DeleteObject", f"{STATES}/app/dev/terraform.tfstate", {}),
        ("s3:DeleteObjectVersion", f"{STATES}/app/dev/terraform.tfstate", {}),
    ],
    "delete or open the state bucket": [
        *(
            (f"s3:{verb}", STATES, {})
            for verb in (
                "DeleteBucket",
                "DeleteBucketPolicy",
                "PutAccelerateConfiguration",
                "PutBucketAcl",
                "PutBucketCORS",
                "PutBucketLogging",
                "PutBucketNotification",
                "PutBucketOwnershipControls",
                "PutBucketPolicy",
                "PutBucketPublicAccessBlock",
                "PutBucketVersioning",
                "PutEncryptionConfiguration",
                "PutLifecycleConfiguration",
                "PutReplicationConfiguration",
            )
        ),
    ],
    "disable logging": [
        *(
            (f"cloudtrail:{verb}", TRAIL, {})
            for verb in ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors")
        ),
        *(
            (f"logs:{verb}", group, {})
            for verb in ("DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy", "DeleteSubscriptionFilter")
            for group in (
                f"{LOGS}/lambda/acme-prod-web",
                f"{LOGS}/vpc/acme-prod",
                f"{LOGS}/api-gateway/acme-prod",
                f"{LOGS}/lambda/other-dev-web",
                f"{LOGS}/cloudtrail/audit",
            )
        ),
        ("logs:DeleteLogStream", f"{LOGS}/lambda/acme-dev-web:log-stream:1", {}),
        ("ec2:DeleteFlowLogs", f"{EC2}:vpc-flow-log/fl-1", PROD),
        ("ec2:DeleteFlowLogs", f"{EC2}:vpc-flow-log/fl-1", OTHER),
        ("ec2:DeleteFlowLogs", f"{EC2}:vpc-flow-log/fl-1", {}),
        ("config:StopConfigurationRecorder", "arn:aws:config:eu-west-1:111111111111:configuration-recorder/x/1", {}),
        ("guardduty:DeleteDetector", "arn:aws:guardduty:eu-west-1:111111111111:detector/1", {}),
        ("cloudwatch:DeleteAlarms", "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:audit", {}),
        (
            "cloudwatch:DisableAlarmActions",
            "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:acme-prod-web-errors",
            PROD,
        ),
        ("sns:DeleteTopic", "arn:aws:sns:eu-west-1:111111111111:acme-prod_alarms", PROD),
        ("sns:SetTopicAttributes", "arn:aws:sns:eu-west-1:111111111111:audit", {}),
        ("apigateway:PATCH", f"{API}:/account", {}),
        ("apigateway:PATCH", f"{API}:/restapis/1/stages/prod", PROD),
    ],
    "run own code as somebody else": [
        ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:acme-prod-web", PROD),
        ("lambda:UpdateFunctionConfiguration", f"{FUNCTIONS}:acme-prod-web", PROD),
        ("lambda:UpdateAlias", f"{FUNCTIONS}:acme-prod-web", PROD),
        ("lambda:AddPermission", f"{FUNCTIONS}:acme-prod-web", PROD),
        ("lambda:CreateFunction", f"{FUNCTIONS}:other-dev-web", MADE),
        ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:other-dev-web", OTHER),
        ("lambda:PublishLayerVersion", "arn:aws:lambda:eu-west-1:111111111111:layer:x", {}),
        ("ecs:RunTask", f"{ECS}:task-definition/acme-prod-web:1", PROD),
        ("ecs:ExecuteCommand", f"{ECS}:task/acme-dev/1", DEV),
        ("ecs:UpdateService", f"{ECS}:service/acme-prod/acme-prod-web", PROD),
        ("ecs:RegisterTaskDefinition", f"{ECS}:task-definition/acme-prod-web:1", MADE),
        ("eks:CreateAccessEntry", f"{EKS}:cluster/acme-prod", {**PROD, **MADE}),
        ("eks:UpdateClusterConfig", f"{EKS}:cluster/acme-prod", PROD),
        ("ec2:RunInstances", f"{EC2}:instance/new", MADE),
        ("ec2:AssociateIamInstanceProfile", f"{EC2}:instance/1", DEV),
        ("ssm:SendCommand", f"{EC2}:instance/1", DEV),
        ("ssm:StartSession", f"{EC2}:instance/1", DEV),
        ("cloudformation:CreateStack", "arn:aws:cloudformation:eu-west-1:111111111111:stack/x/1", {}),
        ("codebuild:CreateProject", "arn:aws:codebuild:eu-west-1:111111111111:project/x", {}),
        ("glue:CreateDevEndpoint", "*", {}),
        ("sagemaker:CreateNotebookInstance", "arn:aws:sagemaker:eu-west-1:111111111111:notebook-instance/x", MADE),
    ],
    "put an image where others look, or let others in": [
        ("ecr:PutImage", f"{ECR}:repository/other", {}),
        ("ecr:SetRepositoryPolicy", IMAGES, {}),
        ("ecr:DeleteRepositoryPolicy", IMAGES, {}),
        ("ecr:DeleteRepository", IMAGES, {}),
        ("ecr:PutImageTagMutability", IMAGES, {}),
        ("ecr:PutLifecyclePolicy", IMAGES, {}),
        ("ecr:PutRegistryPolicy", "*", {}),
    ],
    "use other keys, or make an own key another's": [
        *(
            (f"kms:{verb}", KEY, tags)
            for verb in ("Decrypt", "CreateGrant", "ScheduleKeyDeletion")
            for tags in (PROD, OTHER, {})
        ),
        ("kms:ScheduleKeyDeletion", KEY, {**PROD, "kms:ScheduleKeyDeletionPendingWindowInDays": "30"}),
        ("kms:ScheduleKeyDeletion", KEY, {**DEV, "kms:ScheduleKeyDeletionPendingWindowInDays": "7"}),
        ("kms:PutKeyPolicy", KEY, DEV),
        ("kms:DisableKey", KEY, DEV),
        ("kms:ReplicateKey", KEY, DEV),
        ("kms:TagResource", KEY, {**PROD, **MADE}),
        ("kms:UpdateAlias", "arn:aws:kms:eu-west-1:111111111111:alias/acme-prod-eks", {}),
    ],
    "read or change other secrets": [
        *(
            (f"secretsmanager:{verb}", f"{SECRETS}:{name}", {})
            for verb in ("GetSecretValue", "PutSecretValue", "DeleteSecret", "PutResourcePolicy", "UpdateSecret")
            for name in ("acme/prod/x-1", "acme/devx/x-1", "other/dev/x-1")
        ),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/acme/prod/x", {}),
    ],
    "claim what is somebody else's": [
        *(
            ("ec2:CreateTags", f"{EC2}:{kind}/1", {**tags, **MADE, "aws:TagKeys": ("environment", "project")})
            for kind in (
                "vpc",
                "subnet",
                "route-table",
                "security-group",
                "vpc-endpoint",
                "launch-template",
                "instance",
            )
            for tags in (PROD, OTHER)
        ),
        ("apigateway:PATCH", f"{API}:/restapis/1", {**PROD, **MADE}),
        ("apigateway:PUT", f"{API}:/tags/1", {**PROD, **MADE}),
        (
            "elasticloadbalancing:AddTags",
            "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/x/1",
            {**PROD, **MADE},
        ),
        ("apprunner:TagResource", "arn:aws:apprunner:eu-west-1:111111111111:service/acme-prod-web/1", {**PROD, **MADE}),
        ("iam:TagRole", PROD_SERVICE, MADE),
    ],
    "reach the account itself": [
        ("iam:CreateAccountAlias", "*", {}),
        ("iam:UpdateAccountPasswordPolicy", "*", {}),
        ("organizations:LeaveOrganization", "*", {}),
        ("account:PutContactInformation", "arn:aws:account::111111111111:account", {}),
        ("s3:PutAccountPublicAccessBlock", "*", {}),
        ("ec2:DisableEbsEncryptionByDefault", "*", {}),
        (
            "iam:CreateServiceLinkedRole",
            f"{IAM}:role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail",
            {"iam:AWSServiceName": "cloudtrail.amazonaws.com"},
        ),
    ],
}
"""What is tried -> the requests that it takes; to no role of dev is any of them allowed."""
