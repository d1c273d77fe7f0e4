data "aws_partition" "current" {}

locals {
  # Two services with the same steps share a configuration. It cannot be changed, so its name says what is in it.
  names = { for service, rollout in var.services : service => "${var.name}-${rollout.strategy}-${rollout.percent}-${rollout.interval}" }
  steps = { for name in distinct(values(local.names)) : name => var.services[[for service, used in local.names : service if used == name][0]] }
}

resource "aws_codedeploy_app" "this" {
  name             = var.name
  compute_platform = "Lambda"
}

resource "aws_codedeploy_deployment_config" "this" {
  for_each = local.steps

  deployment_config_name = each.key
  compute_platform       = "Lambda"

  traffic_routing_config {
    type = each.value.strategy == "canary" ? "TimeBasedCanary" : "TimeBasedLinear"

    dynamic "time_based_canary" {
      for_each = each.value.strategy == "canary" ? [each.value] : []
      content {
        percentage = time_based_canary.value.percent
        interval   = time_based_canary.value.interval
      }
    }

    dynamic "time_based_linear" {
      for_each = each.value.strategy == "linear" ? [each.value] : []
      content {
        percentage = time_based_linear.value.percent
        interval   = time_based_linear.value.interval
      }
    }
  }

  lifecycle {
    # A group has the new one before the old one goes.
    create_before_destroy = true
  }
}

resource "aws_codedeploy_deployment_group" "this" {
  for_each = var.services

  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = each.key
  deployment_config_name = aws_codedeploy_deployment_config.this[local.names[each.key]].deployment_config_name
  service_role_arn       = aws_iam_role.this.arn

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
  }

  dynamic "alarm_configuration" {
    for_each = length(each.value.alarms) > 0 ? [each.value.alarms] : []
    content {
      enabled = true
      alarms  = alarm_configuration.value
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

# What CodeDeploy may do: shift these functions' alias and look at alarms.
resource "aws_iam_role" "this" {
  name                 = "${var.name}_rollout"
  path                 = "/${var.project}/${var.environment}/"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "codedeploy.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355:AWS's own policy for CodeDeploy (AWSCodeDeployRoleForLambda) has it so; it only reads how alarms stand
  name = "shift"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ShiftRequests"
        Effect = "Allow"
        Action = ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
        Resource = flatten([for service in sort(keys(var.services)) : [
          "arn:${data.aws_partition.current.partition}:lambda:${var.region}:${var.account}:function:${var.name}-${service}",
          "arn:${data.aws_partition.current.partition}:lambda:${var.region}:${var.account}:function:${var.name}-${service}:*",
        ]])
      },
      {
        # Alarms of any name may be asked for.
        Sid      = "LookAtAlarms"
        Effect   = "Allow"
        Action   = ["cloudwatch:DescribeAlarms"]
        Resource = "*"
      },
    ]
  })
}
