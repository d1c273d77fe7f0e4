mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_flow-logs" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/vpc/acme-dev" }
  }
}

variables {
  name                 = "acme-dev"
  project              = "acme"
  environment          = "dev"
  region               = "eu-west-1"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_infrastructure"
}

run "spans_two_zones_with_one_way_out" {
  command = apply

  assert {
    condition     = { for index, subnet in aws_subnet.private : subnet.availability_zone => subnet.cidr_block } == { "eu-west-1a" = "10.0.0.0/18", "eu-west-1b" = "10.0.64.0/18" }
    error_message = "Each zone must have a private subnet of a quarter of the range."
  }
  assert {
    condition     = { for index, subnet in aws_subnet.public : subnet.availability_zone => subnet.cidr_block } == { "eu-west-1a" = "10.0.192.0/22", "eu-west-1b" = "10.0.196.0/22" }
    error_message = "The public subnets must lie in the last quarter."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch != true])
    error_message = "Nothing may get a public address by itself."
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["0"] && keys(aws_eip.nat) == ["0"] && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["0"].id])
    error_message = "Both zones must go out by the one gateway."
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "Interface endpoints, which cost, must not exist beside a NAT gateway."
  }
  assert {
    condition     = toset([for endpoint in aws_vpc_endpoint.gateway : endpoint.service_name]) == toset(["com.amazonaws.eu-west-1.s3", "com.amazonaws.eu-west-1.dynamodb"]) && alltrue([for endpoint in aws_vpc_endpoint.gateway : length(endpoint.route_table_ids) == 2 && endpoint.vpc_endpoint_type == "Gateway"])
    error_message = "S3 and DynamoDB must be reached without the NAT gateway, from every zone."
  }
  assert {
    condition     = aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames
    error_message = "Interface endpoints need DNS."
  }
}

run "tells_where_services_go" {
  command = apply

  assert {
    condition     = output.vpc_id == aws_vpc.this.id && output.cidr == "10.0.0.0/16" && output.security_group_id == aws_security_group.services.id
    error_message = "The VPC, its range and the services' security group must be told."
  }
  assert {
    condition     = output.subnet_ids == [aws_subnet.private["0"].id, aws_subnet.private["1"].id] && output.public_subnet_ids == [aws_subnet.public["0"].id, aws_subnet.public["1"].id]
    error_message = "Subnets must be told in the order of their zones, private and public apart."
  }
}

run "lets_services_be_reached_from_the_network_only" {
  command = plan

  assert {
    condition     = [for rule in aws_security_group.services.ingress : [rule.protocol, tostring(rule.from_port), tostring(rule.to_port), join(",", rule.cidr_blocks)]] == [["tcp", "8080", "8080", "10.0.0.0/16"]]
    error_message = "Services must be reached on 8080, from the network."
  }
  assert {
    condition     = one(aws_security_group.services.egress).protocol == "-1" && one(one(aws_security_group.services.egress).cidr_blocks) == "0.0.0.0/0"
    error_message = "Services must reach anything."
  }
}

run "closes_the_default_security_group" {
  command = apply

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0 && aws_default_security_group.this.vpc_id == aws_vpc.this.id
    error_message = "The default security group must have no rules."
  }
}

run "logs_every_flow_with_a_role_that_is_capped" {
  command = apply

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.vpc_id == aws_vpc.this.id && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flow.arn
    error_message = "All traffic must be logged to the network's group."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.name == "/aws/vpc/acme-dev" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "Flow logs must end some day."
  }
  assert {
    condition     = aws_iam_role.flow.path == "/acme/dev/" && aws_iam_role.flow.permissions_boundary == var.permissions_boundary && aws_iam_role.flow.name == "acme-dev_flow-logs"
    error_message = "The role must carry the boundary, lie in its environment's path, and have a name that no service can have."
  }
  assert {
    condition     = { for s in jsondecode(aws_iam_role_policy.flow.policy).Statement : s.Sid => s.Resource } == { WriteFlowLogs = "${aws_cloudwatch_log_group.flow.arn}:*", FindLogGroup = "*" }
    error_message = "It may write to its own group only."
  }
}

run "puts_a_gateway_into_each_zone" {
  command = apply
  variables {
    nat   = "per-zone"
    zones = 3
    cidr  = "172.16.0.0/20"
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["0", "1", "2"] && alltrue([for index, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[index].id && route.route_table_id == aws_route_table.private[index].id])
    error_message = "Each zone must go out by its own gateway."
  }
  assert {
    condition     = alltrue([for index, gateway in aws_nat_gateway.this : gateway.subnet_id == aws_subnet.public[index].id])
    error_message = "Each gateway must stand in its zone."
  }
  assert {
    condition     = [for index in ["0", "1", "2"] : aws_subnet.private[index].cidr_block] == ["172.16.0.0/22", "172.16.4.0/22", "172.16.8.0/22"] && [for index in ["0", "1", "2"] : aws_subnet.public[index].cidr_block] == ["172.16.12.0/26", "172.16.12.64/26", "172.16.12.128/26"]
    error_message = "Three zones must have the subnets of two, and one more."
  }
}

run "has_no_way_out_and_reaches_aws_all_the_same" {
  command = apply
  variables {
    nat  = "none"
    cidr = "192.168.0.0/22"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_internet_gateway.this) == 0 && length(aws_subnet.public) == 0 && length(aws_route.nat) == 0 && length(aws_route.internet) == 0 && output.public_subnet_ids == []
    error_message = "Without NAT nothing may lead to the internet."
  }
  assert {
    condition     = toset([for endpoint in aws_vpc_endpoint.interface : endpoint.service_name]) == toset([for name in ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray"] : "com.amazonaws.eu-west-1.${name}"])
    error_message = "What a task needs to start, to log and to trace must be reached from inside."
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && length(endpoint.subnet_ids) == 2 && one(endpoint.security_group_ids) == aws_security_group.endpoints[0].id])
    error_message = "Each must answer to the service's own name, in every zone."
  }
  assert {
    condition     = [for rule in aws_security_group.endpoints[0].ingress : [tostring(rule.from_port), tostring(rule.to_port), join(",", rule.cidr_blocks)]] == [["443", "443", "192.168.0.0/22"]]
    error_message = "Endpoints must be reached from the network, on 443."
  }
}

run "makes_the_endpoints_that_it_is_told_to" {
  command = apply
  variables {
    nat       = "none"
    endpoints = ["eks", "sts"]
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["eks", "sts"]
    error_message = "Exactly the named endpoints must be made."
  }
}

run "adds_what_some_networks_hold" {
  command = apply
  variables {
    nat            = "none"
    endpoints      = ["sts"]
    more_endpoints = ["eks", "sts"]
  }
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["eks", "sts"]
    error_message = "Both lists must be there, each name once."
  }
}

run "needs_no_host_names_on_a_laptop" {
  command = plan
  variables {
    emulated = true
  }
  assert {
    condition     = aws_vpc.this.enable_dns_hostnames == false
    error_message = "What makes the provider sleep must be left out."
  }
}

run "reject_name" {
  command = plan
  variables {
    name = "acme_dev"
  }
  expect_failures = [var.name]
}

run "reject_zones" {
  command = plan
  variables {
    zones = 1
  }
  expect_failures = [var.zones]
}

run "reject_nat" {
  command = plan
  variables {
    nat = "double"
  }
  expect_failures = [var.nat]
}

run "reject_cidr_too_small" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "reject_cidr_that_starts_in_the_middle" {
  command = plan
  variables {
    cidr = "10.0.3.0/16"
  }
  expect_failures = [var.cidr]
}

run "reject_public_cidr" {
  command = plan
  variables {
    cidr = "172.32.0.0/16"
  }
  expect_failures = [var.cidr]
}

run "reject_endpoint_that_is_there_already" {
  command = plan
  variables {
    endpoints = ["s3"]
  }
  expect_failures = [var.endpoints]
}

run "reject_more_endpoints_that_are_there_already" {
  command = plan
  variables {
    more_endpoints = ["dynamodb"]
  }
  expect_failures = [var.more_endpoints]
}
