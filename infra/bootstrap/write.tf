locals {
  # What a deploy needs beyond reading, by topic; each topic is a policy.
  write = { for name, arns in local.arns : name => {
    deploy            = local.write_core[name]
    deploy-roles      = local.write_roles[name]
    deploy-network    = local.write_network[name]
    deploy-edge       = concat(local.write_gateway[name], local.write_edge[name])
    deploy-containers = local.write_containers[name]
    # Ten policies are all that a role can have, so small topics share one.
    deploy-balancing       = concat(local.write_balancing[name], local.write_monitoring[name])
    deploy-security-groups = concat(local.write_security_groups[name], local.write_rollouts[name])
    deploy-kubernetes      = local.write_kubernetes[name]
  } }

  write_core = { for name, arns in local.arns : name => [
    {
      Sid      = "WriteOwnState"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [arns.state, arns.releases, arns.drift]
    },
    {
      Sid    = "LockOwnState"
      Effect = "Allow"
      Action = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      # The state of a destroyed preview is deleted with it.
      Resource = ["${arns.state}${name == "previews" ? "*" : ".tflock"}", "${trimsuffix(arns.releases, "*")}underway.json"]
    },
    {
      Sid      = "SignInToRegistry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = "*"
    },
    {
      # It may delete because taking an old release's tags away is called so. ECR tells images of one repository apart by
      # nothing, so environments of one account share this right as they share the repository.
      Sid    = "PushImages"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability", "ecr:BatchDeleteImage", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload",
        "ecr:PutImage", "ecr:UploadLayerPart",
      ]
      Resource = aws_ecr_repository.images.arn
    },
    {
      Sid      = "PullImages"
      Effect   = "Allow"
      Action   = ["ecr:GetDownloadUrlForLayer"]
      Resource = concat([aws_ecr_repository.images.arn], local.elsewhere_images)
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
  ] }
}
