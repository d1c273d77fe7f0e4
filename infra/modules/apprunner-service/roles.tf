data "aws_partition" "current" {}

locals {
  # [account, region, repository]; the variable's validation has made sure of the form.
  registry   = try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.[a-z.]+/([^@]+)@", var.image), ["", "", ""])
  repository = "arn:${data.aws_partition.current.partition}:ecr:${local.registry[1]}:${local.registry[0]}:repository/${local.registry[2]}"

  statements = concat(
    var.tracing ? [{
      # X-Ray knows no resources for these.
      Sid      = "WriteTraces"
      Effect   = "Allow"
      Action   = ["xray:GetSamplingRules", "xray:GetSamplingStatisticSummaries", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"]
    }] : [],
    length(var.service.secrets) > 0 ? [{
      Sid      = "ReadOwnSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = sort(distinct(values(var.service.secrets)))
    }] : [],
  )
}

# What the service itself may do. App Runner reads its secrets with this role, too.
resource "aws_iam_role" "this" {
  name                 = "${local.full_name}_run"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "tasks.apprunner.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = length(local.statements) > 0 ? 1 : 0

  name   = "run"
  role   = aws_iam_role.this.name
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

# What App Runner may do to start it. No service can be called so: names of services hold no "_".
resource "aws_iam_role" "access" {
  name                 = "${local.full_name}_pull"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "build.apprunner.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "access" {
  name = "start"
  role = aws_iam_role.access.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # A registry is signed in to as a whole.
        Sid      = "SignInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
        Resource = local.repository
      },
    ]
  })
}
