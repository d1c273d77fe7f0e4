output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Ids of the private subnets, one a zone."
  value       = [for index in sort(keys(local.zones)) : aws_subnet.private[index].id]
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, one a zone; none where nat is \"none\"."
  value       = [for index in sort(keys(aws_subnet.public)) : aws_subnet.public[index].id]
}

output "cidr" {
  description = "The network's addresses."
  value       = aws_vpc.this.cidr_block
}

output "security_group_id" {
  description = "Id of the security group for services: out to anywhere, in from the network on 8080."
  value       = aws_security_group.services.id
}

output "endpoints" {
  description = "Interface endpoints: short name -> id."
  value       = { for name, endpoint in aws_vpc_endpoint.interface : name => endpoint.id }
}
