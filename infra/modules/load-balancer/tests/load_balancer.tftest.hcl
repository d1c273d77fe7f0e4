mock_provider "aws" {
  mock_resource "aws_lb" {
    defaults = {
      arn      = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123456789abcdef"
      dns_name = "acme-dev-0123456789abcdef.elb.eu-west-1.amazonaws.com"
    }
  }
}

variables {
  name       = "acme-dev"
  vpc_id     = "vpc-0123456789abcdef0"
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  cidr       = "10.0.0.0/16"
}

run "is_internal_and_spans_the_zones" {
  command = apply

  assert {
    condition     = aws_lb.this[0].internal && aws_lb.this[0].load_balancer_type == "network" && aws_lb.this[0].name == "acme-dev"
    error_message = "It must be a network load balancer without a public address."
  }
  assert {
    condition     = aws_lb.this[0].subnets == toset(var.subnet_ids) && aws_lb.this[0].enable_cross_zone_load_balancing
    error_message = "Each zone must reach the tasks of all."
  }
  assert {
    condition     = aws_api_gateway_vpc_link.this.target_arns == tolist([aws_lb.this[0].arn])
    error_message = "The VPC link must lead to it."
  }
}

run "lets_in_the_vpc_link_and_nothing_else" {
  command = apply

  assert {
    condition     = length(aws_security_group.this.ingress) == 0 && aws_lb.this[0].enforce_security_group_inbound_rules_on_private_link_traffic == "off" && aws_lb.this[0].security_groups == toset([aws_security_group.this.id])
    error_message = "Nothing in the network may pass by the gateway, and the VPC link must get through."
  }
  assert {
    condition     = [for rule in aws_security_group.this.egress : [rule.protocol, tostring(rule.from_port), tostring(rule.to_port), join(",", rule.cidr_blocks)]] == [["tcp", "8080", "8080", "10.0.0.0/16"]]
    error_message = "It must reach services on 8080, and nothing else."
  }
}

run "tells_where_listeners_and_integrations_go" {
  command = apply

  assert {
    condition     = output.arn == aws_lb.this[0].arn && output.dns_name == aws_lb.this[0].dns_name && output.vpc_link_id == aws_api_gateway_vpc_link.this.id && output.security_group_id == aws_security_group.this.id
    error_message = "Balancer, link and security group must be told."
  }
}

run "shortens_a_name_that_aws_would_refuse" {
  command = plan
  variables {
    name = "a-project-of-length-production-of-it"
  }
  assert {
    condition     = length(aws_lb.this[0].name) <= 32 && startswith(aws_lb.this[0].name, "nlb-a-project-of-leng-") && aws_api_gateway_vpc_link.this.name == var.name
    error_message = "The load balancer's name must have 32 characters at most."
  }
}

run "turns_a_name_that_aws_keeps_for_itself" {
  command = plan
  variables {
    name = "internal-tools-dev"
  }
  assert {
    condition     = startswith(aws_lb.this[0].name, "nlb-internal-tools-de-")
    error_message = "A load balancer's name must not begin with \"internal-\"."
  }
}

run "is_only_a_name_on_a_laptop" {
  command = apply
  variables {
    emulated = true
  }
  assert {
    condition     = length(aws_lb.this) == 0 && output.dns_name == "acme-dev.elb.localhost" && endswith(output.arn, ":loadbalancer/net/acme-dev/0")
    error_message = "What makes the provider sleep must be left out, and its name must lead nowhere else."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "acme_dev"
  }
  expect_failures = [var.name]
}

run "reject_one_zone" {
  command = plan
  variables {
    subnet_ids = ["subnet-0123456789abcdef0"]
  }
  expect_failures = [var.subnet_ids]
}

run "reject_cidr" {
  command = plan
  variables {
    cidr = "10.0.0.0"
  }
  expect_failures = [var.cidr]
}
