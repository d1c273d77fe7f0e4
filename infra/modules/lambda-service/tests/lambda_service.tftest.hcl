mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev-billing-run" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/acme-dev-billing-run" }
  }
}

variables {
  name                 = "billing-run"
  project              = "acme"
  environment          = "dev"
  image                = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_boundary"
  service = {
    path        = "/billing-run"
    environment = { GREETING = "hello" }
  }
}

run "runs_the_image_on_arm64_with_its_own_command" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.function_name == "acme-dev-billing-run" && aws_lambda_function.this.image_uri == var.image
    error_message = "The function must have the agreed name and run the image by digest."
  }
  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.package_type == "Image"
    error_message = "The function must be an arm64 image."
  }
  assert {
    condition     = one(aws_lambda_function.this.image_config).command == tolist(["billing_run.lambda_handler.handler"])
    error_message = "The command must name the service's package."
  }
  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.name == "live"
    error_message = "A version must be published for the alias."
  }
  assert {
    condition     = aws_lambda_function.this.memory_size == 1024 && aws_lambda_function.this.timeout == 29 && aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "Defaults must be 1024 MiB, 29 s and no reserved concurrency."
  }
}

run "tells_the_service_who_it_is" {
  command = plan

  assert {
    condition = one(aws_lambda_function.this.environment).variables == tomap({
      GREETING            = "hello"
      SERVICE_NAME        = "billing-run"
      SERVICE_ENVIRONMENT = "dev"
      SERVICE_PATH        = "/billing-run"
    })
    error_message = "The variables must be the user's and the three of ours."
  }
}

run "caps_its_role" {
  command = plan

  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary && aws_iam_role.this.path == "/acme/dev/"
    error_message = "The role must carry the boundary and lie in its environment's path."
  }
}

run "may_write_its_own_logs_and_traces_only" {
  command = apply

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Action])) == toset(["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"])
    error_message = "Nothing but logs and traces may be allowed."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement[0].Resource == "${aws_cloudwatch_log_group.this.arn}:*"
    error_message = "Logs may be written to the service's own group only."
  }
}

run "leaves_tracing_out_when_it_is_off" {
  command = apply
  variables {
    tracing = false
  }
  assert {
    condition     = one(aws_lambda_function.this.tracing_config).mode == "PassThrough" && length(jsondecode(aws_iam_role_policy.this.policy).Statement) == 1
    error_message = "Without tracing there must be no right to write traces."
  }
}

run "reserves_concurrency_on_request" {
  command = plan
  variables {
    service = { path = "/billing-run", scaling = { max = 7 } }
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 7
    error_message = "scaling.max must be the reserved concurrency."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Billing"
  }
  expect_failures = [var.name]
}

run "reject_names_too_long_together" {
  command = plan
  variables {
    name = "a-name-that-goes-on-and-on-until-nobody-can-remember-how-it-began"
  }
  expect_failures = [var.project]
}

run "reject_image_by_tag" {
  command = plan
  variables {
    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme:latest"
  }
  expect_failures = [var.image]
}

run "reject_memory" {
  command = plan
  variables {
    service = { path = "/", memory = 64 }
  }
  expect_failures = [var.service]
}

run "reject_timeout" {
  command = plan
  variables {
    service = { path = "/", timeout = 901 }
  }
  expect_failures = [var.service]
}

run "reject_concurrency" {
  command = plan
  variables {
    service = { path = "/", scaling = { max = -1 } }
  }
  expect_failures = [var.service]
}

run "reject_reserved_variable" {
  command = plan
  variables {
    service = { path = "/", environment = { AWS_REGION = "eu-west-1" } }
  }
  expect_failures = [var.service]
}
