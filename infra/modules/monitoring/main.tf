locals {
  topic_arn = "arn:${var.partition}:sns:${var.region}:${var.account}:${var.name}_alarms"
  alarm_arn = "arn:${var.partition}:cloudwatch:${var.region}:${var.account}:alarm:${var.name}"
}

# A key of our own, because CloudWatch may not use the one that SNS has (Amazon CloudWatch: Notifying users on alarm changes).
resource "aws_kms_key" "alarms" {
  description             = "${var.name}: what alarms say, on its way"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheAccountsPoliciesDecide"
        Effect    = "Allow"
        Action    = "kms:*"
        Principal = { AWS = "arn:${var.partition}:iam::${var.account}:root" }
        Resource  = "*"
      },
      {
        Sid       = "AlarmsSpeak"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
      },
    ]
  })
}

resource "aws_kms_alias" "alarms" {
  name          = "alias/${var.name}-alarms"
  target_key_id = aws_kms_key.alarms.key_id
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}_alarms"
  kms_master_key_id = aws_kms_key.alarms.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OwnAlarmsSpeak"
      Effect    = "Allow"
      Action    = "sns:Publish"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Resource  = local.topic_arn
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account }
        ArnLike      = { "aws:SourceArn" = ["${local.alarm_arn}-*", "${local.alarm_arn}_*"] }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.email
}

# Traces of requests that came in by this environment's gateway: X-Ray calls a stage "<API>/<stage>".
resource "aws_xray_group" "this" {
  count = var.tracing ? 1 : 0

  group_name        = var.name
  filter_expression = "service(\"${var.name}/${var.environment}\")"

  insights_configuration {
    insights_enabled      = false
    notifications_enabled = false
  }
}
