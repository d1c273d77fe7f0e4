data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  full_name = "${var.project}-${var.environment}-${var.name}"
  # Elastic Load Balancing, CreateTargetGroup: 32 characters.
  short_name = "${substr(local.full_name, 0, 21)}-${substr(sha256(local.full_name), 0, 10)}"
  target_groups = {
    first  = local.short_name
    second = "${substr(local.full_name, 0, 21)}-${substr(sha256("${local.full_name}-second"), 0, 10)}"
  }
  package   = replace(var.name, "-", "_")
  log_group = "/aws/ecs/${local.full_name}"
  port      = 8080

  variables = merge(var.service.environment, var.service.settings, {
    SERVICE_NAME        = var.name
    SERVICE_ENVIRONMENT = var.environment
    SERVICE_PATH        = var.service.path
    SERVICE_URL_BASE    = var.base_url
  })
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts every group by a key of its own; one of ours costs monthly and guards nothing more here
  name              = local.log_group
  retention_in_days = var.log_retention
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.full_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.service.cpu
  memory                   = var.service.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.this.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  container_definitions = jsonencode([{
    name                   = var.name
    image                  = var.image
    command                = ["${local.package}.app:app"]
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = true }
    # What is being answered when a task ends may take as long as the gateway waits.
    stopTimeout  = 30
    portMappings = [{ containerPort = local.port, hostPort = local.port, protocol = "tcp" }]
    mountPoints  = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    environment  = [for name in sort(keys(local.variables)) : { name = name, value = local.variables[name] }]
    secrets      = [for name in sort(keys(var.service.secrets)) : { name = name, valueFrom = var.service.secrets[name] }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = local.log_group
        awslogs-region        = data.aws_region.current.id
        awslogs-stream-prefix = "task"
        # A service must not stand still because its logs do.
        mode            = "non-blocking"
        max-buffer-size = "10m"
      }
    }
  }])

  # Fargate makes it root's with mode 0755, but for what the image says by VOLUME (Amazon ECS: Use bind mounts).
  volume {
    name = "tmp"
  }

  # Old revisions stay, at no cost: the right to take one back would be one over every environment's (infra/bootstrap).
  skip_destroy = true

  lifecycle {
    # The old revision runs until the service has the new one.
    create_before_destroy = true
  }
}

resource "aws_ecs_service" "this" {
  name    = local.full_name
  cluster = var.platform.ecs_cluster.arn
  # What a rollout brings in is not Terraform's: the deploy does that, and until then the service stays where it is.
  task_definition = coalesce(var.service.held_task, aws_ecs_task_definition.this.arn)
  launch_type     = "FARGATE"
  desired_count   = var.service.scaling.min
  propagate_tags  = "SERVICE"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  availability_zone_rebalancing      = "ENABLED"

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "alarms" {
    for_each = length(var.service.rollout.alarms) > 0 ? [var.service.rollout.alarms] : []
    content {
      alarm_names = alarms.value
      enable      = true
      rollback    = true
    }
  }

  network_configuration {
    subnets         = var.platform.network.subnet_ids
    security_groups = [aws_security_group.this.id]
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["first"].arn
    container_name   = var.name
    container_port   = local.port
  }

  lifecycle {
    # Auto scaling's, from the first moment on.
    ignore_changes = [desired_count]
  }

  # ECS takes a target group only once a listener leads to it; the rest is what a task needs to start.
  depends_on = [aws_lb_listener.this, aws_cloudwatch_log_group.this, aws_iam_role_policy.execution, aws_iam_role_policy.this]
}
