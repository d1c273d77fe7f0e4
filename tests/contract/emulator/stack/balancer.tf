resource "aws_security_group" "balancer" {
  name        = "${local.name}-balancer"
  vpc_id      = aws_vpc.this.id
  description = "Balancer"
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id = aws_security_group.balancer.id
  ip_protocol       = "tcp"
  from_port         = 10000
  to_port           = 50000
  cidr_ipv4         = aws_vpc.this.cidr_block
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080
  referenced_security_group_id = aws_security_group.services.id
}

# The provider sleeps a whole minute for a load balancer, whatever it is answered: this one has a name only.
locals {
  load_balancer = {
    arn      = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/acme/0123456789abcdef"
    dns_name = "acme-0123.elb.eu-west-1.amazonaws.com"
  }
}

resource "aws_api_gateway_vpc_link" "this" {
  name        = local.name
  target_arns = [local.load_balancer.arn]
}

resource "aws_lb_target_group" "this" {
  for_each             = toset(["ecs", "eks"])
  name                 = "${local.name}-${each.key}"
  port                 = 8080
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 30
  preserve_client_ip   = "false"
  health_check {
    protocol            = "HTTP"
    path                = "/health"
    port                = "traffic-port"
    matcher             = "200"
    healthy_threshold   = 2
    unhealthy_threshold = 2
    interval            = 10
    timeout             = 5
  }
}

