# EKS refuses control planes in these three zones (Amazon EKS: VPC and subnet requirements); no other service minds.
data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:subnets keep the zone that they were made in (below)
  state            = "available"
  exclude_zone_ids = ["use1-az3", "usw1-az2", "cac1-az3"]

  # Local Zones and Wavelength Zones ask for an opt-in.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zones    = { for index in range(var.zones) : tostring(index) => data.aws_availability_zones.available.names[index] }
  gateways = { for index, zone in local.zones : index => zone if var.nat == "per-zone" || (var.nat == "single" && index == "0") }

  # A quarter of the range for each private subnet; the last quarter holds the public ones, a sixteenth of it each. Three
  # zones have the same subnets as two, and one more.
  private = { for index in keys(local.zones) : index => cidrsubnet(var.cidr, 2, tonumber(index)) }
  public  = { for index in keys(local.zones) : index => cidrsubnet(var.cidr, 6, 48 + tonumber(index)) }
}

resource "aws_vpc" "this" {
  cidr_block         = var.cidr
  enable_dns_support = true
  # Interface endpoints need it. The provider sleeps 10 s after it, and on a laptop nobody looks up a name.
  enable_dns_hostnames = !var.emulated

  tags = { Name = var.name }
}

# Without rules: what forgets to name a security group reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id            = aws_vpc.this.id
  availability_zone = each.value
  cidr_block        = local.private[each.key]

  tags = { Name = "${var.name}-private-${each.key}" }

  lifecycle {
    # A zone that AWS opens or closes must not move subnets that are in use.
    ignore_changes = [availability_zone]
  }
}

resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_security_group" "services" {
  #checkov:skip=CKV_AWS_382:a service calls what its code calls; `nat: none` is what closes a network
  #checkov:skip=CKV2_AWS_5:App Runner's connector has it, by an output
  name        = "${var.name}_services"
  description = "Services of ${var.name}: in from the network on 8080, out to anywhere"
  vpc_id      = aws_vpc.this.id

  # Rules in line are all the rules there are: one added by hand is taken back.
  ingress {
    description = "Requests"
    protocol    = "tcp"
    from_port   = 8080
    to_port     = 8080
    cidr_blocks = [var.cidr]
  }

  egress {
    description = "What services call"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }

  tags = { Name = "${var.name}_services" }
}
