# The most that a service's role can ever do, whatever its policies say: its own environment's data, and nothing that
# grants rights. A deploy role may create roles only under it, or under the one in infrastructure.tf (write_roles.tf).
resource "aws_iam_policy" "boundary" {
  for_each = local.environments

  name        = "${local.project}-${each.key}_boundary"
  description = "Caps the roles of ${each.key}'s services"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Observe"
        Effect = "Allow"
        Action = [
          "cloudwatch:PutMetricData", "xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries",
          "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
        ]
        Resource = "*"
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [for kind in ["ecs", "lambda"] : "${local.arn["logs"]}:log-group:/aws/${kind}/${local.project}-${local.like[each.key]}-*:*"]
      },
      {
        # App Runner's groups, whose retention a schedule sets; long names are cut there (modules/apprunner-service).
        Sid      = "KeepLogsSoLong"
        Effect   = "Allow"
        Action   = ["logs:PutRetentionPolicy"]
        Resource = "${local.arn["logs"]}:log-group:/aws/apprunner/${substr("${local.project}-${local.like[each.key]}-", 0, 29)}*"
      },
      {
        # What ECS and App Runner do by a service's execution role.
        Sid      = "SignInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
        Resource = aws_ecr_repository.images.arn
      },
      {
        Sid    = "UseOwnData"
        Effect = "Allow"
        Action = [
          "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem",
          "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:UpdateItem",
          "lambda:InvokeFunction",
          "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject",
          "secretsmanager:GetSecretValue",
          "sns:Publish",
          "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
          "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath",
        ]
        Resource = concat(
          [for service, kind in { dynamodb = "table/", lambda = "function:", sns = "", sqs = "" } :
          "arn:${local.partition}:${service}:${var.region}:${var.account}:${kind}${local.project}-${local.like[each.key]}-*"],
          [
            "arn:${local.partition}:s3:::${local.project}-${local.like[each.key]}-*",
            "arn:${local.partition}:secretsmanager:${var.region}:${var.account}:secret:${local.project}/${each.key}/*",
            "arn:${local.partition}:ssm:${var.region}:${var.account}:parameter/${local.project}/${each.key}/*",
          ],
        )
      },
      {
        Sid      = "NeverGrant"
        Effect   = "Deny"
        Action   = ["iam:*", "organizations:*", "account:*", "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"]
        Resource = "*"
      },
      {
        Sid      = "NeverReadState"
        Effect   = "Deny"
        Action   = ["s3:*"]
        Resource = [local.state_bucket_arn, "${local.state_bucket_arn}/*"]
      },
    ]
  })
}
