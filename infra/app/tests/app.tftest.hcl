mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/a-role" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111111111111:acme-dev_alarms" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/0123" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111111111111:function:a-function:live" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:a-group" }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = { execution_arn = "arn:aws:execute-api:eu-west-1:111111111111:a1b2c3" }
  }
}

variables {
  root        = "tests/project"
  environment = "dev"
  image_digests = {
    api    = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    worker = "sha256:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"
  }
}

run "deploys_every_service_folder" {
  command = apply

  assert {
    condition = { for name, service in output.services : name => [service.kind, service.path, service.api_key, service.details.function_name, service.log_group] } == {
      api    = ["lambda", "/", false, "acme-dev-api", "/aws/lambda/acme-dev-api"]
      worker = ["lambda", "/worker", true, "acme-dev-worker", "/aws/lambda/acme-dev-worker"]
    }
    error_message = "Each folder must become a service with the agreed names."
  }
  assert {
    condition     = output.services.worker.image == "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme@${var.image_digests.worker}"
    error_message = "The service must run the digest it was given."
  }
  assert {
    condition     = toset(keys(jsondecode(output.openapi).paths)) == toset(["/", "/{proxy+}", "/worker", "/worker/{proxy+}"])
    error_message = "The gateway must route every service."
  }
  assert {
    condition     = output.stage == "dev" && output.account == "111111111111" && output.region == "eu-west-1"
    error_message = "Stage, account and region must come from stackyard.yaml."
  }
}

run "makes_a_preview_under_the_boundary_of_all" {
  command = plan
  variables {
    environment = "pr-7"
  }
  assert {
    condition     = output.monitoring == null && output.stage == "pr-7" && output.services.api.details.function_name == "acme-pr-7-api" && local.boundary == "arn:aws:iam::111111111111:policy/acme-previews_boundary"
    error_message = "A preview must have names of its own, the boundary of all previews, and no alarms."
  }
}

run "moves_aliases_itself_where_no_rollout_is_gradual" {
  command = apply
  variables {
    held_versions = { api = "4" }
  }
  assert {
    condition     = length(module.lambda_rollout) == 0 && output.rollouts == null && output.services.api.version != "4"
    error_message = "Without canary or linear there must be no CodeDeploy, and the alias is at what was published."
  }
}

run "makes_no_network_where_no_service_needs_one" {
  command = plan
  assert {
    condition     = length(module.network) + length(module.load_balancer) + length(module.ecs_cluster) + length(module.eks_cluster) == 0 && output.eks == null
    error_message = "What costs by the hour must be there only where a service needs it."
  }
}

run "removes_the_last_service_when_it_is_meant" {
  command = plan
  variables {
    root        = "../bootstrap/tests/project"
    allow_empty = true
  }
  assert {
    condition     = length(output.services) == 0 && length(module.api_gateway) == 0 && jsondecode(output.openapi).paths == {} && output.url == ""
    error_message = "No folder, no service, and no gateway."
  }
}

run "reject_digest" {
  command = plan
  variables {
    image_digests = { api = "latest", worker = "sha256:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0" }
  }
  expect_failures = [var.image_digests]
}
