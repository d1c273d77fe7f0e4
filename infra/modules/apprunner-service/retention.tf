# App Runner makes its two log groups itself, with an id in their names that is known only afterwards, and keeps what is
# in them for ever. Terraform cannot make them first and would fail to make them second; so it owns what sets their
# retention: EventBridge Scheduler, at once and every day again, which also takes back what was changed by hand.
locals {
  partition = data.aws_partition.current.partition
  log_arns  = [for group in local.log_groups : "arn:${local.partition}:logs:${local.registry[1]}:${local.registry[0]}:log-group:${group}"]
}

resource "aws_scheduler_schedule" "retention" {
  #checkov:skip=CKV_AWS_297:what is encrypted is the name of a log group and a number of days
  for_each = toset(["application", "service"])

  # By its whole name, which says whose it is: a schedule has no tags. EventBridge Scheduler allows 64 characters.
  name                = "${local.full_name}_${substr(each.key, 0, 3)}"
  description         = "Keeps ${local.full_name}'s ${each.key} logs for ${var.log_retention} days"
  schedule_expression = "rate(1 days)"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = "arn:${local.partition}:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy"
    role_arn = aws_iam_role.retention.arn
    input    = jsonencode({ LogGroupName = local.log_groups[each.key], RetentionInDays = var.log_retention })
  }

  depends_on = [aws_iam_role_policy.retention]
}

resource "aws_iam_role" "retention" {
  name                 = "${local.full_name}_logs"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "scheduler.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.registry[0] } }
    }]
  })
}

resource "aws_iam_role_policy" "retention" {
  name = "retain"
  role = aws_iam_role.retention.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "KeepOwnLogsSoLong"
      Effect   = "Allow"
      Action   = ["logs:PutRetentionPolicy"]
      Resource = flatten([for arn in local.log_arns : [arn, "${arn}:*"]])
    }]
  })
}
