locals {
  # What a deploy needs beyond reading.
  write = { for name, arns in local.arns : name => [
    {
      Sid      = "WriteOwnState"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [arns.state, arns.releases]
    },
    {
      Sid      = "LockOwnState"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = "${arns.state}.tflock"
    },
    {
      Sid      = "SignInToRegistry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
    },
    {
      Sid    = "PushImages"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
      ]
      Resource = aws_ecr_repository.images.arn
    },
    {
      Sid    = "WriteFunctions"
      Effect = "Allow"
      Action = [
        "lambda:AddPermission", "lambda:CreateAlias", "lambda:CreateFunction", "lambda:DeleteAlias", "lambda:DeleteFunction",
        "lambda:DeleteFunctionConcurrency", "lambda:PublishVersion", "lambda:PutFunctionConcurrency",
        "lambda:RemovePermission", "lambda:TagResource", "lambda:UntagResource", "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
      ]
      Resource = arns.functions
    },
    {
      Sid    = "WriteLogGroups"
      Effect = "Allow"
      Action = [
        "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy",
        "logs:TagResource", "logs:UntagResource",
      ]
      Resource = flatten([for group in arns.log_groups : [group, "${group}:*"]])
    },
    {
      Sid      = "WriteGateway"
      Effect   = "Allow"
      Action   = local.gateway_verbs
      Resource = arns.gateway
    },
    {
      Sid      = "NoOtherTag"
      Effect   = "Deny"
      Action   = local.gateway_verbs
      Resource = arns.gateway
      Condition = {
        StringNotEquals = { "aws:RequestTag/environment" = name }
        Null            = { "aws:RequestTag/environment" = "false" }
      }
    },
    {
      Sid       = "GrantWithinBoundary"
      Effect    = "Allow"
      Action    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      Resource  = arns.roles
      Condition = { StringEquals = { "iam:PermissionsBoundary" = arns.boundary } }
    },
    {
      Sid      = "WriteServiceRoles"
      Effect   = "Allow"
      Action   = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"]
      Resource = arns.roles
    },
    {
      Sid       = "HandRolesToServices"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = arns.roles
      Condition = { StringEquals = { "iam:PassedToService" = ["lambda.amazonaws.com"] } }
    },
    {
      # The first API of an account makes the role by which API Gateway sends traces.
      Sid       = "LetGatewayTrace"
      Effect    = "Allow"
      Action    = ["iam:CreateServiceLinkedRole"]
      Resource  = "arn:${local.partition}:iam::${var.account}:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway"
      Condition = { StringEquals = { "iam:AWSServiceName" = "ops.apigateway.amazonaws.com" } }
    },
    {
      Sid      = "NeverWithoutBoundary"
      Effect   = "Deny"
      Action   = ["iam:DeleteRolePermissionsBoundary"]
      Resource = "*"
    },
    {
      Sid      = "NeverAnotherBoundary"
      Effect   = "Deny"
      Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
      Resource = [for other in local.arns : other.boundary]
    },
  ] }
}
