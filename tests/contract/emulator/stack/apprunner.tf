data "aws_iam_policy_document" "apprunner" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "apprunner" {
  for_each           = toset(["instance", "access"])
  name               = "${local.name}-web-${each.key}"
  path               = "/acme/local/"
  assume_role_policy = data.aws_iam_policy_document.apprunner.json
}

resource "aws_iam_role_policy_attachment" "access" {
  role       = aws_iam_role.apprunner["access"].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSAppRunnerServicePolicyForECRAccess"
}

resource "aws_apprunner_auto_scaling_configuration_version" "this" {
  auto_scaling_configuration_name = "${local.name}-web"
  min_size                        = 1
  max_size                        = 10
  max_concurrency                 = 100
}

resource "aws_apprunner_observability_configuration" "this" {
  observability_configuration_name = "${local.name}-web"
  trace_configuration {
    vendor = "AWSXRAY"
  }
}

resource "aws_apprunner_vpc_connector" "this" {
  vpc_connector_name = "${local.name}-web"
  subnets            = aws_subnet.private[*].id
  security_groups    = [aws_security_group.services.id]
}

resource "aws_apprunner_service" "this" {
  service_name                   = "${local.name}-web"
  auto_scaling_configuration_arn = aws_apprunner_auto_scaling_configuration_version.this.arn
  source_configuration {
    auto_deployments_enabled = false
    authentication_configuration {
      access_role_arn = aws_iam_role.apprunner["access"].arn
    }
    image_repository {
      image_identifier      = var.image
      image_repository_type = "ECR"
      image_configuration {
        port                          = "8080"
        start_command                 = "web.app:app"
        runtime_environment_variables = { SERVICE_NAME = "web", GREETING = var.greeting }
        runtime_environment_secrets   = { DATABASE_URL = data.aws_secretsmanager_secret.url.arn }
      }
    }
  }
  instance_configuration {
    cpu               = "1024"
    memory            = "2048"
    instance_role_arn = aws_iam_role.apprunner["instance"].arn
  }
  health_check_configuration {
    protocol            = "HTTP"
    path                = "/health"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 1
    unhealthy_threshold = 5
  }
  network_configuration {
    egress_configuration {
      egress_type       = "VPC"
      vpc_connector_arn = aws_apprunner_vpc_connector.this.arn
    }
    ingress_configuration {
      is_publicly_accessible = true
    }
  }
  observability_configuration {
    observability_enabled           = true
    observability_configuration_arn = aws_apprunner_observability_configuration.this.arn
  }
  depends_on = [aws_iam_role_policy_attachment.access]
}
