output "api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "base_url" {
  description = "Address of the stage, or the domain where that is the only one, known before the stage is there."
  value       = local.only ? "https://${var.domain.name}" : "https://${aws_api_gateway_rest_api.this.id}.execute-api.${var.region}.${var.dns_suffix}/${var.stage}"
}

output "domain" {
  description = "The domain, and the name that its DNS record (CNAME) must lead to; null where there is none."
  value       = one([for domain in aws_api_gateway_domain_name.this : { name = domain.domain_name, leads_to = domain.regional_domain_name }])
}

output "openapi" {
  description = "The OpenAPI body as deployed (JSON)."
  value       = local.openapi
  depends_on  = [aws_api_gateway_stage.this]
}

output "stage" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "Address of the stage, or the domain where that is the only one, without a slash at its end."
  value       = local.only ? "https://${aws_api_gateway_base_path_mapping.this[var.domain.name].domain_name}" : aws_api_gateway_stage.this.invoke_url
}

output "stage_arn" {
  description = "ARN of the stage."
  value       = aws_api_gateway_stage.this.arn
}

output "log_group" {
  description = "Name of the access log's group."
  value       = aws_cloudwatch_log_group.access.name
}
