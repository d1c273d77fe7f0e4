output "arn" {
  description = "ARN of the load balancer, for listeners."
  value       = local.arn
}

output "dns_name" {
  description = "Its name within the network."
  value       = local.dns_name
}

output "vpc_link_id" {
  description = "Id of the VPC link, for the gateway's integrations."
  value       = aws_api_gateway_vpc_link.this.id
}

output "security_group_id" {
  description = "Id of its security group: what services let in."
  value       = aws_security_group.this.id
}
