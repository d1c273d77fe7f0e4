resource "aws_security_group" "this" {
  #checkov:skip=CKV_AWS_382:a service calls what its code calls; `nat: none` is what closes a network
  name        = local.full_name
  description = "${local.full_name}: in from the load balancer, out to anywhere"
  vpc_id      = var.platform.network.vpc_id

  # Rules in line are all the rules there are: one added by hand is taken back. Other services have no way in that would
  # pass by the gateway.
  ingress {
    description     = "Requests and health checks"
    protocol        = "tcp"
    from_port       = local.port
    to_port         = local.port
    security_groups = [var.platform.load_balancer.security_group_id]
  }

  egress {
    description = "What the service calls"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = { Name = local.full_name }
}

# Two, at no cost: in a rollout by blue-green, canary or linear the new tasks come into the one that has none, and ECS
# leads the listener over. Which one serves is nobody's setting, so a service with another strategy keeps both.
resource "aws_lb_target_group" "this" {
  for_each = local.target_groups

  name                 = each.value
  target_type          = "ip"
  protocol             = "TCP"
  port                 = local.port
  vpc_id               = var.platform.network.vpc_id
  deregistration_delay = 15

  health_check {
    protocol            = "HTTP"
    path                = "/health"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  tags = { Name = each.value }
}

moved {
  from = aws_lb_target_group.this
  to   = aws_lb_target_group.this["first"]
}

# On a laptop there is no load balancer (modules/load-balancer).
resource "aws_lb_listener" "this" {
  count = var.emulated ? 0 : 1

  load_balancer_arn = var.platform.load_balancer.arn
  protocol          = "TCP"
  port              = var.platform.port

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["first"].arn
  }

  tags = { Name = local.full_name }

  lifecycle {
    # ECS's: it leads requests from one target group to the other, and back (docs/decisions/0028).
    ignore_changes = [default_action]
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.platform.ecs_cluster.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.service.scaling.min
  max_capacity       = var.service.scaling.max
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${local.full_name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension
  resource_id        = aws_appautoscaling_target.this.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
