locals {
  full_name = "${var.project}-${var.environment}-${var.name}"
  # App Runner, CreateService: 40 characters; CreateAutoScalingConfiguration and its like: 32.
  service_name = length(local.full_name) <= 40 ? local.full_name : "${substr(local.full_name, 0, 29)}-${local.hash}"
  short_name   = "${substr(local.full_name, 0, 21)}-${local.hash}"
  hash         = substr(sha256(local.full_name), 0, 10)
  package      = replace(var.name, "-", "_")

  # App Runner's own, made with the service.
  log_groups = { for kind in ["application", "service"] : kind => "/aws/apprunner/${local.service_name}/${aws_apprunner_service.this.service_id}/${kind}" }
}

# A change makes a new revision, which the service must have before the old one can go.
resource "aws_apprunner_auto_scaling_configuration_version" "this" {
  auto_scaling_configuration_name = local.short_name
  min_size                        = var.service.scaling.min
  max_size                        = var.service.scaling.max
  max_concurrency                 = var.service.scaling.concurrency

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apprunner_observability_configuration" "this" {
  count = var.tracing ? 1 : 0

  observability_configuration_name = local.short_name

  trace_configuration {
    vendor = "AWSXRAY"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apprunner_vpc_connector" "this" {
  count = var.service.vpc ? 1 : 0

  vpc_connector_name = local.short_name
  subnets            = var.platform.network.subnet_ids
  security_groups    = [var.platform.network.security_group_id]

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apprunner_service" "this" {
  service_name                   = local.service_name
  auto_scaling_configuration_arn = aws_apprunner_auto_scaling_configuration_version.this.arn

  source_configuration {
    auto_deployments_enabled = false

    authentication_configuration {
      access_role_arn = aws_iam_role.access.arn
    }

    image_repository {
      image_identifier      = var.image
      image_repository_type = "ECR"

      image_configuration {
        port = "8080"
        runtime_environment_variables = merge(var.service.environment, var.service.settings, {
          SERVICE_NAME        = var.name
          SERVICE_ENVIRONMENT = var.environment
          SERVICE_PATH        = var.service.path
          SERVICE_URL_BASE    = var.base_url
          # What the image's uvicorn serves. App Runner does not say whether a start command would replace the entry point.
          UVICORN_APP = "${local.package}.app:app"
        })
        runtime_environment_secrets = var.service.secrets
      }
    }
  }

  instance_configuration {
    cpu               = tostring(var.service.cpu)
    memory            = tostring(var.service.memory)
    instance_role_arn = aws_iam_role.this.arn
  }

  health_check_configuration {
    protocol            = "HTTP"
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 1
    unhealthy_threshold = 3
  }

  network_configuration {
    ingress_configuration {
      is_publicly_accessible = true
    }
    egress_configuration {
      egress_type       = var.service.vpc ? "VPC" : "DEFAULT"
      vpc_connector_arn = one(aws_apprunner_vpc_connector.this[*].arn)
    }
  }

  observability_configuration {
    observability_enabled           = var.tracing
    observability_configuration_arn = one(aws_apprunner_observability_configuration.this[*].arn)
  }

  # A service that may not pull its image or read its secrets does not start, and one that failed to start stays failed.
  depends_on = [aws_iam_role_policy.access, aws_iam_role_policy.this]
}
