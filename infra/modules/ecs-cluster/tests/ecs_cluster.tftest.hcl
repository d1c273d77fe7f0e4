mock_provider "aws" {}

variables {
  name = "acme-dev"
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

run "reject_insights" {
  command = plan
  variables {
    container_insights = "yes"
  }
  expect_failures = [var.container_insights]
}
