# Every alarm is about something that callers feel or soon will, and each has its reason in its description, which is
# what a person reads first. Where no data is no fault, no data is no alarm: a service that nobody calls is not ill.
locals {
  watched = { for name, service in var.services : name => service if service.alarms.enabled }

  # A service has two resources in the gateway, each with metrics of its own (API Gateway: Amazon API Gateway dimensions and metrics).
  routes = { for name, service in var.services : name => {
    1 = { ApiName = var.name, Stage = var.environment, Method = "ANY", Resource = service.path }
    2 = { ApiName = var.name, Stage = var.environment, Method = "ANY", Resource = "${trimsuffix(service.path, "/")}/{proxy+}" }
  } }
  stage = { ApiName = var.name, Stage = var.environment }

  # One failure in the night must not wake anybody, whatever share of the requests it is.
  least = 3
  # Over a list, a resource that nobody asked for counts for nothing; `e1 + e2` would be missing then.
  failed = "SUM([e1, e2])"
  asked  = "SUM([c1, c2])"

  # An ecs service has two target groups, of which one serves: which one, is its rollouts' (docs/decisions/0028).
  hosts = { for name, service in var.services : name => { for group in ["TargetGroup", "SecondTargetGroup"] : group => {
    TargetGroup  = var.dimensions[name][group]
    LoadBalancer = var.dimensions[name]["LoadBalancer"]
  } if group == "TargetGroup" || service.kind == "ecs" } if contains(["ecs", "eks"], service.kind) }

  # What single metrics tell, by kind. `max` is what one service may grow to.
  compute = merge(
    { for name, service in local.watched : "${name}-throttles" => {
      service    = name
      says       = "Lambda turned requests to ${name} away in 3 of 5 minutes: its scaling.max, or the account's concurrency, is used up."
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = ["FunctionName"]
      statistic  = "Sum"
      compare    = "GreaterThanThreshold"
      threshold  = 0
      period     = 60
      of         = 5
      datapoints = 3
    } if service.kind == "lambda" },
    { for name, service in local.watched : "${name}-capacity" => {
      service    = name
      says       = "${name} has had 4 of 5 of the requests at once that scaling.max (${service.scaling.max}) lets it have, for 3 minutes. Above it Lambda turns requests away."
      namespace  = "AWS/Lambda"
      metric     = "ConcurrentExecutions"
      dimensions = ["FunctionName"]
      statistic  = "Maximum"
      compare    = "GreaterThanOrEqualToThreshold"
      threshold  = ceil(service.scaling.max * 0.8)
      period     = 60
      of         = 3
      datapoints = 3
    } if service.kind == "lambda" && service.scaling.max != null },
    { for name, service in local.watched : "${name}-capacity" => {
      service    = name
      says       = "${name} has run on all the instances that scaling.max (${service.scaling.max}) lets it have for 15 minutes."
      namespace  = "AWS/AppRunner"
      metric     = "ActiveInstances"
      dimensions = ["ServiceName", "ServiceID"]
      statistic  = "Maximum"
      compare    = "GreaterThanOrEqualToThreshold"
      threshold  = service.scaling.max
      period     = 300
      of         = 3
      datapoints = 3
    } if service.kind == "apprunner" && coalesce(service.scaling.max, 0) > coalesce(service.scaling.min, 0) },
    { for name, service in local.watched : "${name}-capacity" => {
      service    = name
      says       = "Tasks of ${name} have had no processor to spare for 15 minutes, so scaling.max (${service.scaling.max}) is too low, or cpu is."
      namespace  = "AWS/ECS"
      metric     = "CPUUtilization"
      dimensions = ["ClusterName", "ServiceName"]
      statistic  = "Average"
      compare    = "GreaterThanThreshold"
      threshold  = 90
      period     = 300
      of         = 3
      datapoints = 3
    } if service.kind == "ecs" },
  )
}

# Neither of these two waits for a service, so that a service's rollout can be told to watch them.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.watched

  alarm_name          = "${var.name}-${each.key}-errors"
  alarm_description   = "More than ${each.value.alarms.errors} % of the requests to ${each.key}, and ${local.least} at the least, failed (5xx) in 2 of 3 minutes. inv logs --env ${var.environment} ${each.key} --level error"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.alarms.errors
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "failing"
    label       = "% of the requests to ${each.key} that failed"
    expression  = "IF(${local.failed} >= ${local.least}, 100 * ${local.failed} / ${local.asked}, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { for route in setproduct(["e", "c"], keys(local.routes[each.key])) : join("", route) => route }
    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value[0] == "e" ? "5XXError" : "Count"
        stat        = metric_query.value[0] == "e" ? "Sum" : "SampleCount"
        period      = 60
        dimensions  = local.routes[each.key][metric_query.value[1]]
      }
    }
  }

  # What speaks to the topic must be let in first.
  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each = local.watched

  alarm_name          = "${var.name}-${each.key}-latency"
  alarm_description   = "One in a hundred requests to ${each.key} has taken longer than ${each.value.alarms.latency_p99_ms} ms for 15 minutes. inv logs --env ${var.environment} ${each.key}"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.alarms.latency_p99_ms
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "slowest"
    label       = "p99 of ${each.key} (ms)"
    expression  = "MAX([l1, l2])"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.routes[each.key]
    content {
      id          = "l${metric_query.key}"
      return_data = false

      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = "Latency"
        stat        = "p99"
        period      = 300
        dimensions  = metric_query.value
      }
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_cloudwatch_metric_alarm" "compute" {
  for_each = local.compute

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = { for dimension in each.value.dimensions : dimension => var.dimensions[each.value.service][dimension] }
  statistic           = each.value.statistic
  comparison_operator = each.value.compare
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.of
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  depends_on = [aws_sns_topic_policy.alarms]
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = { for name, service in local.watched : name => service if contains(["ecs", "eks"], service.kind) }

  alarm_name          = "${var.name}-${each.key}-unhealthy"
  alarm_description   = "An instance of ${each.key} has not answered /health for 5 minutes, and no other has taken its place. inv logs --env ${var.environment} ${each.key}"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "unhealthy"
    label       = "instances of ${each.key} that do not answer"
    expression  = each.value.kind == "ecs" ? "MAX([h1, h2])" : "MAX([h1])"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { for group, dimensions in local.hosts[each.key] : group == "TargetGroup" ? "h1" : "h2" => dimensions }
    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/NetworkELB"
        metric_name = "UnHealthyHostCount"
        stat        = "Maximum"
        period      = 60
        dimensions  = metric_query.value
      }
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}

# What no service's routes count: the gateway's own failures, and services that fail a little each.
resource "aws_cloudwatch_metric_alarm" "gateway" {
  alarm_name          = "${var.name}_errors"
  alarm_description   = "More than 5 % of all requests to ${var.environment}, and ${local.least} at the least, failed (5xx) in 2 of 3 minutes. inv status --env ${var.environment}"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "failing"
    label       = "% of the requests that failed"
    expression  = "IF(e >= ${local.least}, 100 * e / c, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { e = "5XXError", c = "Count" }
    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/ApiGateway"
        metric_name = metric_query.value
        stat        = metric_query.key == "e" ? "Sum" : "SampleCount"
        period      = 60
        dimensions  = local.stage
      }
    }
  }

  depends_on = [aws_sns_topic_policy.alarms]
}
