output "integration" {
  description = "How the gateway reaches the service."
  value = {
    type   = "http_proxy"
    target = "https://${aws_apprunner_service.this.service_url}"
  }
}

output "resource" {
  description = "Name of the App Runner service."
  value       = aws_apprunner_service.this.service_name
}

output "version" {
  description = "What runs: the image's digest. App Runner numbers nothing."
  value       = split("@", one(one(aws_apprunner_service.this.source_configuration).image_repository).image_identifier)[1]
}

output "log_group" {
  description = "Name of the log group with what the service prints; deployments are told in the one that ends in /service."
  value       = local.log_groups.application
}

output "image" {
  description = "The image that runs, by digest."
  value       = one(one(aws_apprunner_service.this.source_configuration).image_repository).image_identifier
}

output "role_name" {
  description = "Name of the instance role, to attach policies for what the service uses."
  value       = aws_iam_role.this.name
}

output "details" {
  description = "What Python asks App Runner about: service_arn, service_url (without https://)."
  value = {
    service_arn = aws_apprunner_service.this.arn
    service_url = aws_apprunner_service.this.service_url
  }
}
