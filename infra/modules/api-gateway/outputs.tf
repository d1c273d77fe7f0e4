output "api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "base_url" {
  description = "Address of the stage, known before the stage is there."
  value       = "https://${aws_api_gateway_rest_api.this.id}.execute-api.${var.region}.${var.dns_suffix}/${var.stage}"
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
  description = "Address of the stage, without a slash at its end."
  value       = aws_api_gateway_stage.this.invoke_url
}

output "stage_arn" {
  description = "ARN of the stage."
  value       = aws_api_gateway_stage.this.arn
}
