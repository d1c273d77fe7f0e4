# The environment on one page: what callers see first, then a row for each service.
locals {
  height = 6

  # Titled lists of metrics, each a list as CloudWatch's dashboards have it (Dashboard Body Structure and Syntax).
  first_row = [
    { title = "Requests", metrics = [["AWS/ApiGateway", "Count", local.stage, "SampleCount", "requests"]] },
    { title = "Failures", metrics = [["AWS/ApiGateway", "5XXError", local.stage, "Sum", "5xx"], ["AWS/ApiGateway", "4XXError", local.stage, "Sum", "4xx"]] },
    { title = "Latency (ms)", metrics = [for stat in ["p50", "p90", "p99"] : ["AWS/ApiGateway", "Latency", local.stage, stat, stat]] },
  ]

  service_rows = { for name, service in var.services : name => [
    { title = "${name}: requests", metrics = concat(
      [for route in values(local.routes[name]) : ["AWS/ApiGateway", "Count", route, "SampleCount", route.Resource]],
      [for route in values(local.routes[name]) : ["AWS/ApiGateway", "5XXError", route, "Sum", "${route.Resource} 5xx"]],
    ) },
    { title = "${name}: latency (ms)", metrics = flatten([for route in values(local.routes[name]) : [
      for stat in ["p50", "p99"] : { list = ["AWS/ApiGateway", "Latency", route, stat, "${route.Resource} ${stat}"] }
    ]])[*].list },
    { title = "${name}: ${service.kind}", metrics = concat(
      [for metric in local.kind_metrics[service.kind] :
      [metric.namespace, metric.name, { for dimension in metric.dimensions : dimension => var.dimensions[name][dimension] }, metric.stat, metric.name]],
      flatten([for group, dimensions in lookup(local.hosts, name, {}) : [for metric in [["HealthyHostCount", "Minimum"], ["UnHealthyHostCount", "Maximum"]] :
      { list = ["AWS/NetworkELB", metric[0], dimensions, metric[1], group == "TargetGroup" ? metric[0] : "${metric[0]}, second"] }]])[*].list,
    ) },
  ] }

  kind_metrics = {
    lambda = [for metric in [["ConcurrentExecutions", "Maximum"], ["Throttles", "Sum"], ["Errors", "Sum"], ["Duration", "p99"]] :
    { namespace = "AWS/Lambda", name = metric[0], stat = metric[1], dimensions = ["FunctionName"] }]
    apprunner = [for metric in [["ActiveInstances", "Maximum"], ["CPUUtilization", "Average"], ["MemoryUtilization", "Average"], ["Concurrency", "Maximum"]] :
    { namespace = "AWS/AppRunner", name = metric[0], stat = metric[1], dimensions = ["ServiceName", "ServiceID"] }]
    ecs = [for metric in ["CPUUtilization", "MemoryUtilization"] :
    { namespace = "AWS/ECS", name = metric, stat = "Average", dimensions = ["ClusterName", "ServiceName"] }]
    eks = []
  }

  alarms = concat(
    [aws_cloudwatch_metric_alarm.gateway],
    values(aws_cloudwatch_metric_alarm.errors), values(aws_cloudwatch_metric_alarm.latency),
    values(aws_cloudwatch_metric_alarm.compute), values(aws_cloudwatch_metric_alarm.unhealthy),
  )

  widgets = concat(
    [{ type = "alarm", title = "Alarms", x = 0, y = 0, body = { alarms = sort(local.alarms[*].arn) } }],
    flatten([for row, widgets in concat([local.first_row], values(local.service_rows)) : [for column, widget in widgets : {
      type  = "metric"
      title = widget.title
      x     = 8 * column
      y     = local.height * (row + 1)
      body = {
        view   = "timeSeries"
        region = var.region
        period = 60
        metrics = [for metric in widget.metrics : concat(
          [metric[0], metric[1]],
          flatten([for dimension, value in metric[2] : [dimension, value]]),
          [{ stat = metric[3], label = metric[4] }],
        )]
      }
    }]]),
  )
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    start = "-PT3H"
    widgets = [for widget in local.widgets : {
      type       = widget.type
      x          = widget.x
      y          = widget.y
      width      = widget.type == "alarm" ? 24 : 8
      height     = local.height
      properties = merge({ title = widget.title }, widget.body)
    }]
  })
}

# Saved queries of CloudWatch Logs Insights, over the JSON that servicekit and the gateway write.
resource "aws_cloudwatch_query_definition" "this" {
  for_each = {
    failures = { groups = [var.log_groups.gateway], query = "fields @timestamp, status, method, path, latency, request_id, error, integration_error | filter status >= 500 | sort @timestamp desc | limit 200" }
    slowest  = { groups = [var.log_groups.gateway], query = "fields @timestamp, latency, integration_latency, method, path, status, request_id | sort latency desc | limit 50" }
    traffic  = { groups = [var.log_groups.gateway], query = "stats count(*) as requests, pct(latency, 99) as p99_ms, sum(status >= 500) as failed by resource, bin(5m)" }
    errors   = { groups = sort(values(var.log_groups.services)), query = "fields @timestamp, service, message, request_id, exception | filter level in [\"ERROR\", \"CRITICAL\"] | sort @timestamp desc | limit 200" }
  }

  name            = "${var.name}/${each.key}"
  log_group_names = each.value.groups
  query_string    = each.value.query
}
