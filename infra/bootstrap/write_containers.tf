locals {
  apprunner = { for kind in local.apprunner_kinds : kind => "${local.arn["apprunner"]}:${kind}/*" }

  write_containers = { for name, arns in local.arns : name => [
    {
      # No DeregisterTaskDefinition: it knows neither names nor tags, so it would reach every environment's.
      Sid    = "WriteContainers"
      Effect = "Allow"
      Action = [
        "ecs:CreateCluster", "ecs:CreateService", "ecs:DeleteCluster", "ecs:DeleteService", "ecs:RegisterTaskDefinition",
        "ecs:TagResource", "ecs:UntagResource", "ecs:UpdateCluster", "ecs:UpdateService",
      ]
      Resource = values(arns.ecs)
    },
    {
      Sid       = "MakeScaling"
      Effect    = "Allow"
      Action    = ["application-autoscaling:RegisterScalableTarget", "application-autoscaling:TagResource"]
      Resource  = "${local.arn["application-autoscaling"]}:scalable-target/*"
      Condition = local.tagged[name].tag
    },
    {
      Sid    = "ChangeScaling"
      Effect = "Allow"
      Action = [
        "application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:UntagResource",
      ]
      Resource  = "${local.arn["application-autoscaling"]}:scalable-target/*"
      Condition = local.tagged[name].own
    },
    {
      # Target tracking makes its alarms in the caller's name.
      Sid      = "WatchLoad"
      Effect   = "Allow"
      Action   = ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"]
      Resource = "${local.arn["cloudwatch"]}:alarm:TargetTracking-service/${local.project}-${local.like[name]}/*"
    },
    {
      Sid    = "MakeAppRunner"
      Effect = "Allow"
      Action = [
        "apprunner:CreateAutoScalingConfiguration", "apprunner:CreateObservabilityConfiguration",
        "apprunner:CreateVpcConnector",
      ]
      Resource  = [for kind in local.apprunner_kinds : local.apprunner[kind] if kind != "service"]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "MakeAppRunnerServices"
      Effect    = "Allow"
      Action    = ["apprunner:CreateService"]
      Resource  = local.apprunner["service"]
      Condition = local.tagged[name].new
    },
    {
      Sid       = "TagAppRunner"
      Effect    = "Allow"
      Action    = ["apprunner:TagResource"]
      Resource  = values(local.apprunner)
      Condition = local.tagged[name].tag
    },
    {
      Sid       = "UseOwnAppRunner"
      Effect    = "Allow"
      Action    = ["apprunner:CreateService"]
      Resource  = [for kind in local.apprunner_kinds : local.apprunner[kind] if kind != "service"]
      Condition = local.tagged[name].own
    },
    {
      Sid    = "ChangeAppRunner"
      Effect = "Allow"
      Action = [
        "apprunner:DeleteAutoScalingConfiguration", "apprunner:DeleteObservabilityConfiguration", "apprunner:DeleteService",
        "apprunner:DeleteVpcConnector", "apprunner:UntagResource", "apprunner:UpdateService",
      ]
      Resource  = values(local.apprunner)
      Condition = local.tagged[name].own
    },
    {
      Sid      = "WriteSchedules"
      Effect   = "Allow"
      Action   = ["scheduler:CreateSchedule", "scheduler:DeleteSchedule", "scheduler:UpdateSchedule"]
      Resource = arns.schedule
    },
  ] }
}
