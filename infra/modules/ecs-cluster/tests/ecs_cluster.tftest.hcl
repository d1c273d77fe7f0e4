mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
}

variables {
  name                 = "acme-dev"
  project              = "acme"
  environment          = "dev"
  account              = "111111111111"
  region               = "eu-west-1"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_infrastructure"
}

run "lets_ecs_lead_requests_within_the_environment" {
  command = apply

  assert {
    condition     = aws_iam_role.rollout.name == "acme-dev_ecs-rollout" && aws_iam_role.rollout.path == "/acme/dev/" && aws_iam_role.rollout.permissions_boundary == var.permissions_boundary && jsondecode(aws_iam_role.rollout.assume_role_policy).Statement[0].Principal == { Service = "ecs.amazonaws.com" }
    error_message = "The role must be ECS's alone, the environment's own, under its boundary."
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.rollout.policy).Statement : can(s.Condition.StringEquals["aws:ResourceTag/environment"]) || alltrue([for action in s.Action : startswith(action, "elasticloadbalancing:Describe")])])
    error_message = "What changes something must be the environment's."
  }
  assert {
    condition     = output.rollout_role_arn == aws_iam_role.rollout.arn
    error_message = "The role must be told."
  }
}

run "has_no_insights_that_cost" {
  command = apply

  assert {
    condition     = [for setting in aws_ecs_cluster.this.setting : [setting.name, setting.value]] == [["containerInsights", "disabled"]]
    error_message = "Metrics that cost must be asked for."
  }
  assert {
    condition     = output.name == "acme-dev" && output.arn == aws_ecs_cluster.this.arn
    error_message = "Name and ARN must be told."
  }
}

run "has_them_when_asked" {
  command = plan
  variables {
    container_insights = "enhanced"
  }
  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enhanced"
    error_message = "The setting must reach the cluster."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Acme"
  }
  expect_failures = [var.name]
}

run "reject_name_without_room_for_its_role" {
  command = plan
  variables {
    name = "a-name-that-goes-on-and-on-until-nobody-can-remember-all-of-it"
  }
  expect_failures = [var.name]
}

run "reject_insights" {
  command = plan
  variables {
    container_insights = "yes"
  }
  expect_failures = [var.container_insights]
}
