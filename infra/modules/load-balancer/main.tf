locals {
  # Elastic Load Balancing, CreateLoadBalancer: 32 characters, and "internal-" is not a beginning.
  lb_name = length(var.name) <= 32 && !startswith(var.name, "internal-") ? var.name : "nlb-${substr(var.name, 0, 17)}-${substr(sha256(var.name), 0, 10)}"

  # The provider sleeps 30 s before it looks whether a load balancer is there, twice: longer than all the rest of
  # `inv up`. A laptop's gateway reaches servers by itself, so there it is a name, which leads no farther than the laptop.
  arn      = var.emulated ? "arn:aws:elasticloadbalancing:local:emulated:loadbalancer/net/${local.lb_name}/0" : one(aws_lb.this[*].arn)
  dns_name = var.emulated ? "${local.lb_name}.elb.localhost" : one(aws_lb.this[*].dns_name)
}

resource "aws_security_group" "this" {
  name        = "${var.name}_balancer"
  description = "The load balancer: in through the VPC link only, out to services"
  vpc_id      = var.vpc_id

  # No way in: what comes by the VPC link is let through below, and nothing else may pass by the gateway and its keys.
  ingress = []

  egress {
    description = "Requests and health checks"
    protocol    = "tcp"
    from_port   = 8080
    to_port     = 8080
    cidr_blocks = [var.cidr]
  }

  tags = { Name = "${var.name}_balancer" }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:a network load balancer logs TLS listeners only, and this one has none; the gateway logs each request
  count = var.emulated ? 0 : 1

  name               = local.lb_name
  internal           = true
  load_balancer_type = "network"
  subnets            = var.subnet_ids
  security_groups    = [aws_security_group.this.id]

  # `inv destroy` lifts it once the name was typed.
  enable_deletion_protection = var.deletion_protection

  # A service of one task stands in one zone; the VPC link comes in through all of them.
  enable_cross_zone_load_balancing = true

  # A VPC link's addresses are API Gateway's own and in no range that a rule could name (Network Load Balancers: "Update
  # the security groups for your Network Load Balancer").
  enforce_security_group_inbound_rules_on_private_link_traffic = "off"
}

resource "aws_api_gateway_vpc_link" "this" {
  name        = var.name
  target_arns = [local.arn]
}
