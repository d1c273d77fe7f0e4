locals {
  partition = data.aws_partition.current.partition
  # [account, region, repository]; the variable's validation has made sure of the form.
  registry   = try(regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.[a-z.]+/([^@]+)@", var.image), ["", "", ""])
  repository = "arn:${local.partition}:ecr:${local.registry[1]}:${local.registry[0]}:repository/${local.registry[2]}"

  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

# What the service itself may do.
resource "aws_iam_role" "this" {
  name                 = "${local.full_name}_task"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "this" {
  count = var.tracing ? 1 : 0

  name = "run"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      # X-Ray knows no resources for these.
      Sid      = "WriteTraces"
      Effect   = "Allow"
      Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = "*"
    }]
  })
}

# What ECS may do to start it. No service can be called so: names of services hold no "_".
resource "aws_iam_role" "execution" {
  name                 = "${local.full_name}_exec"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary
  assume_role_policy   = local.assumed_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
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
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = local.repository
      },
      {
        Sid      = "WriteOwnLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      }
      ], length(var.service.secrets) > 0 ? [{
        Sid      = "ReadOwnSecrets"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = sort(distinct(values(var.service.secrets)))
    }] : [])
  })
}
