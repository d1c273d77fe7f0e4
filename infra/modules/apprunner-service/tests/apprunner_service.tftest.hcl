mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev-order-desk" }
  }
  mock_resource "aws_apprunner_auto_scaling_configuration_version" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:autoscalingconfiguration/acme-dev-order-desk/1/0123456789abcdef0123456789abcdef" }
  }
  mock_resource "aws_apprunner_observability_configuration" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:observabilityconfiguration/acme-dev-order-desk/1/0123456789abcdef0123456789abcdef" }
  }
  mock_resource "aws_apprunner_vpc_connector" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:vpcconnector/acme-dev-order-desk/1/0123456789abcdef0123456789abcdef" }
  }
  mock_resource "aws_apprunner_service" {
    defaults = {
      arn         = "arn:aws:apprunner:eu-west-1:111111111111:service/acme-dev-order-desk/fedcba9876543210fedcba9876543210"
      service_id  = "fedcba9876543210fedcba9876543210"
      service_url = "a1b2c3d4e5.eu-west-1.awsapprunner.com"
    }
  }
}

variables {
  name                 = "order-desk"
  project              = "acme"
  environment          = "dev"
  image                = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  base_url             = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_boundary"
  service = {
    path        = "/order-desk"
    environment = { GREETING = "hello" }
  }
}

run "runs_the_image_and_deploys_only_when_told" {
  command = plan

  assert {
    condition     = aws_apprunner_service.this.service_name == "acme-dev-order-desk" && one(aws_apprunner_service.this.source_configuration).auto_deployments_enabled == false
    error_message = "The service must have the agreed name and deploy nothing by itself."
  }
  assert {
    condition     = one(one(aws_apprunner_service.this.source_configuration).image_repository).image_identifier == var.image && one(one(one(aws_apprunner_service.this.source_configuration).image_repository).image_configuration).port == "8080"
    error_message = "The service must run the image by digest, on 8080."
  }
  assert {
    condition     = one(aws_apprunner_service.this.instance_configuration).cpu == "1024" && one(aws_apprunner_service.this.instance_configuration).memory == "2048"
    error_message = "Defaults must be one vCPU and 2048 MiB."
  }
  assert {
    condition     = one(aws_apprunner_service.this.health_check_configuration).protocol == "HTTP" && one(aws_apprunner_service.this.health_check_configuration).path == "/health"
    error_message = "App Runner must ask /health."
  }
}

run "tells_the_service_who_it_is" {
  command = plan

  assert {
    condition = one(one(one(aws_apprunner_service.this.source_configuration).image_repository).image_configuration).runtime_environment_variables == tomap({
      GREETING            = "hello"
      SERVICE_NAME        = "order-desk"
      SERVICE_ENVIRONMENT = "dev"
      SERVICE_PATH        = "/order-desk"
      SERVICE_URL_BASE    = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
      UVICORN_APP         = "order_desk.app:app"
    })
    error_message = "The variables must be the user's, the four of ours, and what uvicorn serves."
  }
}

run "scales_within_its_bounds" {
  command = apply
  variables {
    service = { path = "/", scaling = { min = 2, max = 5, concurrency = 50 } }
  }
  assert {
    condition     = aws_apprunner_auto_scaling_configuration_version.this.min_size == 2 && aws_apprunner_auto_scaling_configuration_version.this.max_size == 5 && aws_apprunner_auto_scaling_configuration_version.this.max_concurrency == 50
    error_message = "Scaling must be what service.yaml says."
  }
  assert {
    condition     = aws_apprunner_auto_scaling_configuration_version.this.auto_scaling_configuration_name == "acme-dev-order-desk-${substr(sha256("acme-dev-order-desk"), 0, 10)}" && aws_apprunner_service.this.auto_scaling_configuration_arn == aws_apprunner_auto_scaling_configuration_version.this.arn
    error_message = "The configuration must have the agreed name and be the service's."
  }
}

run "traces_to_x_ray" {
  command = apply

  assert {
    condition     = one(aws_apprunner_observability_configuration.this[0].trace_configuration).vendor == "AWSXRAY" && one(aws_apprunner_service.this.observability_configuration).observability_enabled && one(aws_apprunner_service.this.observability_configuration).observability_configuration_arn == aws_apprunner_observability_configuration.this[0].arn
    error_message = "Traces must go to X-Ray."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Sid] == ["WriteTraces"]
    error_message = "The service may trace, and nothing else."
  }
}

run "leaves_tracing_out_when_it_is_off" {
  command = plan
  variables {
    tracing = false
  }
  assert {
    condition     = length(aws_apprunner_observability_configuration.this) == 0 && one(aws_apprunner_service.this.observability_configuration).observability_enabled == false && length(aws_iam_role_policy.this) == 0
    error_message = "Without tracing there must be no configuration and no right to write traces."
  }
}

run "gets_its_secrets_and_no_other" {
  command = apply
  variables {
    service = {
      path    = "/"
      secrets = { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    }
  }
  assert {
    condition     = one(one(one(aws_apprunner_service.this.source_configuration).image_repository).image_configuration).runtime_environment_secrets == tomap({ TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" })
    error_message = "App Runner must put each secret into its variable."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Resource if s.Sid == "ReadOwnSecrets"] == [["arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf"]]
    error_message = "Exactly its own secrets may be read."
  }
}

run "caps_its_roles" {
  command = plan

  assert {
    condition     = alltrue([for role in [aws_iam_role.this, aws_iam_role.access, aws_iam_role.retention] : role.permissions_boundary == var.permissions_boundary && role.path == "/acme/dev/"])
    error_message = "Every role must carry the boundary and lie in its environment's path."
  }
  assert {
    condition     = [for role in [aws_iam_role.this, aws_iam_role.access, aws_iam_role.retention] : [role.name, jsondecode(role.assume_role_policy).Statement[0].Principal.Service]] == [["acme-dev-order-desk_run", "tasks.apprunner.amazonaws.com"], ["acme-dev-order-desk_pull", "build.apprunner.amazonaws.com"], ["acme-dev-order-desk_logs", "scheduler.amazonaws.com"]]
    error_message = "Each role must have its name and be assumed by its service."
  }
}

run "may_pull_from_its_repository" {
  command = apply

  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.access.policy).Statement : s.Sid => s.Resource } == { SignInToRegistry = "*", PullImages = "arn:aws:ecr:eu-west-1:111111111111:repository/acme" }
    error_message = "App Runner may pull from this repository only."
  }
  assert {
    condition     = one(one(aws_apprunner_service.this.source_configuration).authentication_configuration).access_role_arn == aws_iam_role.access.arn && one(aws_apprunner_service.this.instance_configuration).instance_role_arn == aws_iam_role.this.arn
    error_message = "Each role must be in its place."
  }
}

run "keeps_its_logs_for_so_long" {
  command = apply
  variables {
    log_retention = 90
  }
  assert {
    condition = { for kind, schedule in aws_scheduler_schedule.retention : kind => jsondecode(one(schedule.target).input) } == {
      application = { LogGroupName = "/aws/apprunner/acme-dev-order-desk/fedcba9876543210fedcba9876543210/application", RetentionInDays = 90 }
      service     = { LogGroupName = "/aws/apprunner/acme-dev-order-desk/fedcba9876543210fedcba9876543210/service", RetentionInDays = 90 }
    }
    error_message = "Both of App Runner's log groups must get the retention."
  }
  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.retention : schedule.schedule_expression == "rate(1 days)" && one(schedule.target).arn == "arn:aws:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy" && startswith(schedule.name, "acme-dev-") && length(schedule.name) <= 64])
    error_message = "The retention must be set again every day, by a schedule whose name says whose it is."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.retention.policy).Statement[0].Action == ["logs:PutRetentionPolicy"] && toset(jsondecode(aws_iam_role_policy.retention.policy).Statement[0].Resource) == toset(flatten([for kind in ["application", "service"] : [
      "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/apprunner/acme-dev-order-desk/fedcba9876543210fedcba9876543210/${kind}",
      "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/apprunner/acme-dev-order-desk/fedcba9876543210fedcba9876543210/${kind}:*",
    ]]))
    error_message = "It may set the retention of these two groups, and nothing else."
  }
}

run "goes_out_by_itself_or_by_the_network" {
  command = apply

  assert {
    condition     = one(one(aws_apprunner_service.this.network_configuration).egress_configuration).egress_type == "DEFAULT" && length(aws_apprunner_vpc_connector.this) == 0
    error_message = "Unless it is asked for, the service must not join the network."
  }
}

run "joins_the_network_when_asked" {
  command = apply
  variables {
    service = { path = "/", vpc = true }
    platform = {
      network = { vpc_id = "vpc-0123456789abcdef0", subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], cidr = "10.0.0.0/16", security_group_id = "sg-0123456789abcdef0" }
    }
  }
  assert {
    condition     = one(one(aws_apprunner_service.this.network_configuration).egress_configuration).egress_type == "VPC" && one(one(aws_apprunner_service.this.network_configuration).egress_configuration).vpc_connector_arn == aws_apprunner_vpc_connector.this[0].arn
    error_message = "What the service calls must go through the network."
  }
  assert {
    condition     = aws_apprunner_vpc_connector.this[0].subnets == toset(var.platform.network.subnet_ids) && aws_apprunner_vpc_connector.this[0].security_groups == toset(["sg-0123456789abcdef0"])
    error_message = "It must stand in the private subnets, in the services' security group."
  }
}

run "shortens_a_name_that_app_runner_would_refuse" {
  command = plan
  variables {
    name = "a-service-with-a-long-name-indeed"
  }
  assert {
    condition     = aws_apprunner_service.this.service_name == "acme-dev-a-service-with-a-lon-${substr(sha256("acme-dev-a-service-with-a-long-name-indeed"), 0, 10)}" && length(aws_apprunner_service.this.service_name) == 40
    error_message = "The service's name must have 40 characters at most."
  }
}

run "tells_what_every_kind_tells" {
  command = apply

  assert {
    condition     = output.integration == { type = "http_proxy", target = "https://a1b2c3d4e5.eu-west-1.awsapprunner.com" } && output.resource == "acme-dev-order-desk" && output.image == var.image
    error_message = "The gateway and Python must be told the address, the service and the image."
  }
  assert {
    condition     = output.details == { service_arn = aws_apprunner_service.this.arn, service_url = "a1b2c3d4e5.eu-west-1.awsapprunner.com" } && output.version == "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" && output.log_group == "/aws/apprunner/acme-dev-order-desk/fedcba9876543210fedcba9876543210/application" && output.role_name == "acme-dev-order-desk_run"
    error_message = "The details must name ARN and address, the others digest, logs and role."
  }
}

run "takes_nulls_for_what_other_kinds_have" {
  command = plan
  variables {
    service  = { path = "/", memory = 3072, cpu = 1024, timeout = null, scaling = { min = 1, max = 25, concurrency = null }, environment = {}, secrets = {}, vpc = false }
    platform = { network = null, load_balancer = null, port = null, ecs_cluster = null, eks_cluster = null }
    emulated = true
  }
  assert {
    condition     = one(aws_apprunner_service.this.instance_configuration).memory == "3072" && aws_apprunner_auto_scaling_configuration_version.this.max_concurrency == 100
    error_message = "What is said must be taken, and what is null must have its default."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "Order"
  }
  expect_failures = [var.name]
}

run "reject_names_too_long_together" {
  command = plan
  variables {
    name = "a-name-that-goes-on-and-on-until-nobody-can-remember"
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

run "reject_base_url_with_slash" {
  command = plan
  variables {
    base_url = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev/"
  }
  expect_failures = [var.base_url]
}

run "reject_memory_that_does_not_go_with_cpu" {
  command = plan
  variables {
    service = { path = "/", memory = 512, cpu = 1024 }
  }
  expect_failures = [var.service]
}

run "reject_more_instances_than_there_are" {
  command = plan
  variables {
    service = { path = "/", scaling = { max = 26 } }
  }
  expect_failures = [var.service]
}

run "reject_concurrency" {
  command = plan
  variables {
    service = { path = "/", scaling = { concurrency = 201 } }
  }
  expect_failures = [var.service]
}

run "reject_reserved_variable" {
  command = plan
  variables {
    service = { path = "/", environment = { UVICORN_APP = "another:app" } }
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

run "reject_vpc_without_a_network" {
  command = plan
  variables {
    service = { path = "/", vpc = true }
  }
  expect_failures = [var.platform]
}
