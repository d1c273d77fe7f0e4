output "openapi" {
  description = "The OpenAPI body of the API as deployed (JSON)."
  value       = length(module.api_gateway) > 0 ? module.api_gateway[0].openapi : jsonencode({ openapi = "3.0.1", info = { title = "${local.project}-${var.environment}", version = "1" }, paths = {} })
}

output "url" {
  description = "Address of the gateway's stage; empty where there is no service."
  value       = join("", module.api_gateway[*].url)
}

output "stage" {
  description = "Name of the gateway's stage."
  value       = var.environment
}

output "api_id" {
  description = "Id of the REST API; empty where there is no service."
  value       = join("", module.api_gateway[*].api_id)
}

output "region" {
  description = "The AWS region."
  value       = local.region
}

output "account" {
  description = "The AWS account's id."
  value       = local.account
}

output "services" {
  description = "Service -> kind, path, api_key, function_name, alias_arn, version, log_group, image."
  value = { for name, service in module.catalog.services : name => {
    kind          = service.kind
    path          = service.path
    api_key       = service.api_key
    function_name = local.services[name].function_name
    alias_arn     = local.services[name].alias_arn
    version       = local.services[name].version
    log_group     = local.services[name].log_group
    image         = local.services[name].image
  } }
}
