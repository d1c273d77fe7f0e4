mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/0123" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111111111111:acme-dev_alarms" }
  }
}

variables {
  name        = "acme-dev"
  environment = "dev"
  account     = "111111111111"
  region      = "eu-west-1"
  services = {
    api   = { kind = "lambda", path = "/", scaling = { min = null, max = 10 }, alarms = { enabled = true, errors = 5, latency_p99_ms = 3000 } }
    cart  = { kind = "eks", path = "/cart", scaling = { min = 1, max = 4 }, alarms = { enabled = true, errors = 1, latency_p99_ms = 500 } }
    front = { kind = "apprunner", path = "/front", scaling = { min = 1, max = 10 }, alarms = { enabled = true, errors = 5, latency_p99_ms = 3000 } }
    quiet = { kind = "lambda", path = "/quiet", scaling = { min = null, max = null }, alarms = { enabled = false, errors = 5, latency_p99_ms = 3000 } }
    shop  = { kind = "ecs", path = "/shop", scaling = { min = 1, max = 4 }, alarms = { enabled = true, errors = 5, latency_p99_ms = 3000 } }
  }
  dimensions = {
    api   = { FunctionName = "acme-dev-api" }
    cart  = { TargetGroup = "targetgroup/acme-dev-cart/1", LoadBalancer = "net/acme-dev/1" }
    front = { ServiceName = "acme-dev-front", ServiceID = "0123" }
    quiet = { FunctionName = "acme-dev-quiet" }
    shop  = { ClusterName = "acme-dev", ServiceName = "acme-dev-shop", TargetGroup = "targetgroup/acme-dev-shop/1", SecondTargetGroup = "targetgroup/acme-dev-shop/2", LoadBalancer = "net/acme-dev/1" }
  }
  log_groups = {
    gateway  = "/aws/api-gateway/acme-dev"
    services = { api = "/aws/lambda/acme-dev-api", cart = "/aws/eks/acme-dev-cart", front = "/aws/apprunner/acme-dev-front/0123/application", quiet = "/aws/lambda/acme-dev-quiet", shop = "/aws/ecs/acme-dev-shop" }
  }
}

run "watches_each_service_as_its_kind_asks" {
  command = apply

  assert {
    condition = toset(output.alarms) == toset([
      "acme-dev-api-capacity", "acme-dev-api-errors", "acme-dev-api-latency", "acme-dev-api-throttles",
      "acme-dev-cart-errors", "acme-dev-cart-latency", "acme-dev-cart-unhealthy",
      "acme-dev-front-capacity", "acme-dev-front-errors", "acme-dev-front-latency",
      "acme-dev-shop-capacity", "acme-dev-shop-errors", "acme-dev-shop-latency", "acme-dev-shop-unhealthy",
      "acme-dev_errors",
    ])
    error_message = "Each kind must have its alarms, and a service that is not watched none."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.errors["cart"].threshold == 1 && aws_cloudwatch_metric_alarm.latency["cart"].threshold == 500 && aws_cloudwatch_metric_alarm.compute["api-capacity"].threshold == 8
    error_message = "Thresholds must be those of the service's file."
  }
  assert {
    condition     = alltrue([for alarm in local.alarms : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == alarm.alarm_actions && length(alarm.alarm_description) > 40])
    error_message = "Every alarm must say why, and tell the topic when it begins and when it is over."
  }
  assert {
    condition     = output.rollout_alarms["shop"] == { errors = "acme-dev-shop-errors", latency = "acme-dev-shop-latency" } && !contains(keys(output.rollout_alarms), "quiet")
    error_message = "A rollout must find the alarms by their words."
  }
}

run "speaks_in_secret_to_who_subscribed" {
  command = apply
  variables {
    email = "ops@example.com"
  }
  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == aws_kms_key.alarms.arn && aws_kms_key.alarms.enable_key_rotation
    error_message = "What alarms say must be encrypted by the environment's key."
  }
  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "ops@example.com"
    error_message = "The address must be told."
  }
  assert {
    condition     = [for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement.Principal] == [{ Service = "cloudwatch.amazonaws.com" }]
    error_message = "Only alarms may speak."
  }
}

run "shows_every_service_on_one_page" {
  command = apply

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 1 + 3 + 3 * length(var.services)
    error_message = "The alarms, the gateway, and a row for each service."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[0].properties.alarms) == length(output.alarms)
    error_message = "Every alarm must be on the page."
  }
  assert {
    condition     = aws_xray_group.this[0].filter_expression == "service(\"acme-dev/dev\")"
    error_message = "The group must hold what came in by the gateway."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "acme_dev"
  }
  expect_failures = [var.name]
}

run "reject_errors" {
  command = plan
  variables {
    services   = { api = { kind = "lambda", path = "/", scaling = { min = null, max = null }, alarms = { enabled = true, errors = 0, latency_p99_ms = 3000 } } }
    dimensions = { api = { FunctionName = "acme-dev-api" } }
  }
  expect_failures = [var.services]
}

run "reject_latency" {
  command = plan
  variables {
    services   = { api = { kind = "lambda", path = "/", scaling = { min = null, max = null }, alarms = { enabled = true, errors = 5, latency_p99_ms = 30000 } } }
    dimensions = { api = { FunctionName = "acme-dev-api" } }
  }
  expect_failures = [var.services]
}
