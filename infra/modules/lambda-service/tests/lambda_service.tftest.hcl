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
  base_url             = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
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
      SERVICE_URL_BASE    = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
    })
    error_message = "The variables must be the user's and the four of ours."
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

run "names_its_secrets_and_may_read_no_other" {
  command = apply
  variables {
    service = {
      path    = "/billing-run"
      secrets = { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    }
  }
  assert {
    condition     = jsondecode(one(aws_lambda_function.this.environment).variables.SERVICE_SECRETS) == { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    error_message = "SERVICE_SECRETS must say which variable is which secret."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Resource if s.Sid == "ReadOwnSecrets"] == [["arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf"]]
    error_message = "Exactly its own secrets may be read."
  }
}

run "tells_what_every_kind_tells" {
  command = apply

  assert {
    condition     = output.integration == { type = "aws_proxy", target = aws_lambda_alias.live.arn } && output.resource == "acme-dev-billing-run" && output.image == var.image
    error_message = "The gateway and Python must be told the alias, the function and the image."
  }
  assert {
    condition     = output.details == { function_name = "acme-dev-billing-run", alias = "live", alias_arn = aws_lambda_alias.live.arn } && output.version == aws_lambda_function.this.version && output.log_group == "/aws/lambda/acme-dev-billing-run" && output.role_name == "acme-dev-billing-run"
    error_message = "The details must name function and alias, the others version, logs and role."
  }
}

run "takes_nulls_for_what_other_kinds_have" {
  command = plan
  variables {
    service  = { path = "/", memory = 512, cpu = null, timeout = null, scaling = { min = null, max = null, concurrency = null }, environment = {}, secrets = {}, vpc = false }
    platform = { network = null, load_balancer = null, port = null, ecs_cluster = null, eks_cluster = null }
    emulated = true
  }
  assert {
    condition     = aws_lambda_function.this.memory_size == 512 && aws_lambda_function.this.timeout == 29 && aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "What is null must have its default."
  }
}

run "leaves_the_alias_where_it_is_held" {
  command = apply
  variables {
    service = { path = "/billing-run", held_version = "7" }
  }
  assert {
    condition     = aws_lambda_alias.live.function_version == "7" && output.version == aws_lambda_function.this.version
    error_message = "The alias must stay, and what was published must be told."
  }
}

run "reject_held_version" {
  command = plan
  variables {
    service = { path = "/billing-run", held_version = "$LATEST" }
  }
  expect_failures = [var.service]
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

run "reject_reserved_secret" {
  command = plan
  variables {
    service = { path = "/", secrets = { PORT = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/port-AbCdEf" } }
  }
  expect_failures = [var.service]
}

run "reject_variable_that_is_a_secret_too" {
  command = plan
  variables {
    service = {
      path        = "/"
      environment = { TOKEN = "open" }
      secrets     = { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    }
  }
  expect_failures = [var.service]
}

run "reject_secret_by_name" {
  command = plan
  variables {
    service = { path = "/", secrets = { TOKEN = "acme/dev/token" } }
  }
  expect_failures = [var.service]
}

run "reject_base_url_with_slash" {
  command = plan
  variables {
    base_url = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev/"
  }
  expect_failures = [var.base_url]
}
