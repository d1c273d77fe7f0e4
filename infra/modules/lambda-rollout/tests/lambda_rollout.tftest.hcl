mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_rollout" }
  }
}

variables {
  name                 = "acme-dev"
  project              = "acme"
  environment          = "dev"
  account              = "111111111111"
  region               = "eu-west-1"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_infrastructure"
  services = {
    api    = { strategy = "canary", percent = 10, interval = 5, alarms = ["api errors"] }
    shop   = { strategy = "canary", percent = 10, interval = 5, alarms = [] }
    worker = { strategy = "linear", percent = 25, interval = 1, alarms = [] }
  }
}

run "shifts_as_each_service_asks" {
  command = apply

  assert {
    condition     = toset(keys(aws_codedeploy_deployment_config.this)) == toset(["acme-dev-canary-10-5", "acme-dev-linear-25-1"])
    error_message = "Services with the same steps must share a configuration."
  }
  assert {
    condition     = [for c in one(aws_codedeploy_deployment_config.this["acme-dev-canary-10-5"].traffic_routing_config).time_based_canary : [c.percentage, c.interval]] == [[10, 5]]
    error_message = "A canary must have its percentage and interval."
  }
  assert {
    condition     = [for c in one(aws_codedeploy_deployment_config.this["acme-dev-linear-25-1"].traffic_routing_config).time_based_linear : [c.percentage, c.interval]] == [[25, 1]]
    error_message = "A linear rollout must have its percentage and interval."
  }
  assert {
    condition = { for name, group in aws_codedeploy_deployment_group.this : name => group.deployment_config_name } == {
      api = "acme-dev-canary-10-5", shop = "acme-dev-canary-10-5", worker = "acme-dev-linear-25-1"
    }
    error_message = "Each service must have a group with its configuration."
  }
}

run "rolls_back_by_itself" {
  command = apply

  assert {
    condition     = alltrue([for group in aws_codedeploy_deployment_group.this : one(group.auto_rollback_configuration).enabled && length(one(group.auto_rollback_configuration).events) == 3])
    error_message = "Failures, alarms and stops must all be rolled back."
  }
  assert {
    condition     = one(aws_codedeploy_deployment_group.this["api"].alarm_configuration).alarms == toset(["api errors"]) && length(aws_codedeploy_deployment_group.this["shop"].alarm_configuration) == 0
    error_message = "Alarms must be watched where they are named."
  }
}

run "may_shift_these_functions_only" {
  command = apply

  assert {
    condition     = aws_iam_role.this.name == "acme-dev_rollout" && aws_iam_role.this.path == "/acme/dev/" && aws_iam_role.this.permissions_boundary == var.permissions_boundary
    error_message = "The role must be the environment's own, under its boundary."
  }
  assert {
    condition     = length([for arn in jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource : arn if !can(regex("^arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-(api|shop|worker)(:\\*)?$", arn))]) == 0
    error_message = "No other function may be shifted."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "a-name-that-goes-on-and-on-until-nobody-can-remember-how-it-began"
  }
  expect_failures = [var.name]
}

run "reject_all_at_once" {
  command = plan
  variables {
    services = { api = { strategy = "all-at-once", percent = 10, interval = 5, alarms = [] } }
  }
  expect_failures = [var.services]
}

run "reject_percent" {
  command = plan
  variables {
    services = { api = { strategy = "canary", percent = 100, interval = 5, alarms = [] } }
  }
  expect_failures = [var.services]
}

run "reject_eleven_alarms" {
  command = plan
  variables {
    services = { api = { strategy = "canary", percent = 10, interval = 5, alarms = [for n in range(11) : "alarm ${n}"] } }
  }
  expect_failures = [var.services]
}
