locals {
  # What a plan needs, and no more. It is for `terraform plan -lock=false`: who may only read may take no lock either.
  read = { for name, arns in local.arns : name => [
    {
      Sid      = "ReadOwnState"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [arns.state, arns.releases]
    },
    {
      # Terraform lists "env:/" to find workspaces.
      Sid       = "ListOwnState"
      Effect    = "Allow"
      Action    = ["s3:ListBucket"]
      Resource  = local.state_bucket_arn
      Condition = { StringLike = { "s3:prefix" = ["app/${name}/*", "releases/${name}/*", "env:/"] } }
    },
    {
      Sid      = "ReadImages"
      Effect   = "Allow"
      Action   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetRepositoryPolicy", "ecr:ListImages"]
      Resource = aws_ecr_repository.images.arn
    },
    {
      Sid    = "ReadFunctions"
      Effect = "Allow"
      Action = [
        "lambda:GetAlias", "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConcurrency",
        "lambda:GetFunctionConfiguration", "lambda:GetPolicy", "lambda:ListAliases", "lambda:ListTags",
        "lambda:ListVersionsByFunction",
      ]
      Resource = arns.functions
    },
    {
      Sid      = "ReadServiceRoles"
      Effect   = "Allow"
      Action   = ["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:ListRoleTags"]
      Resource = arns.roles
    },
    {
      Sid      = "ReadGateway"
      Effect   = "Allow"
      Action   = ["apigateway:GET"]
      Resource = arns.gateway
    },
    {
      Sid      = "ReadLogGroups"
      Effect   = "Allow"
      Action   = ["logs:ListTagsForResource"]
      Resource = arns.log_groups
    },
    {
      # Describing knows no single group.
      Sid      = "FindLogGroups"
      Effect   = "Allow"
      Action   = ["logs:DescribeLogGroups"]
      Resource = "arn:${local.partition}:logs:${var.region}:${var.account}:log-group:*"
    },
    {
      # An API's ARN holds no name, only a number: what tells environments apart is the tag that infra/app gives.
      Sid      = "NotOtherEnvironments"
      Effect   = "Deny"
      Action   = local.gateway_verbs
      Resource = arns.gateway
      Condition = {
        StringNotEquals = { "aws:ResourceTag/environment" = name }
        Null            = { "aws:ResourceTag/environment" = "false" }
      }
    },
  ] }

  gateway_verbs = ["apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT"]
}
