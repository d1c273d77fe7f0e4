locals {
  full_name = "${var.project}-${var.environment}-${var.name}"
  # A service may be called `default` or `kube-system`; with its project's name before it, it meets nobody.
  namespace = local.full_name
  # Target groups have 32 characters.
  short_name = "${substr(local.full_name, 0, 21)}-${substr(sha256(local.full_name), 0, 10)}"

  environment = merge(
    var.service.environment,
    var.service.settings,
    {
      SERVICE_NAME        = var.name
      SERVICE_ENVIRONMENT = var.environment
      SERVICE_PATH        = var.service.path
      SERVICE_URL_BASE    = var.base_url
    },
    length(var.service.secrets) == 0 ? {} : { SERVICE_SECRETS = jsonencode(var.service.secrets) },
  )
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts every group by a key of its own; one of ours costs monthly and guards nothing more here
  name              = "/aws/eks/${local.full_name}"
  retention_in_days = var.log_retention
}

resource "aws_lb_target_group" "this" {
  name        = local.short_name
  vpc_id      = var.platform.network.vpc_id
  target_type = "ip"
  protocol    = "TCP"
  port        = 8080
  # Requests end within the gateway's 29 s.
  deregistration_delay = 30

  health_check {
    protocol            = "HTTP"
    port                = "traffic-port"
    path                = "/health"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  # Both controllers are let near target groups with this tag only (AmazonEKSLoadBalancingPolicy; eks-cluster).
  tags = { "eks:eks-cluster-name" = var.platform.eks_cluster.name }
}

# On a laptop there is no load balancer (modules/load-balancer).
resource "aws_lb_listener" "this" {
  count = var.emulated ? 0 : 1

  load_balancer_arn = var.platform.load_balancer.arn
  port              = var.platform.port
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
