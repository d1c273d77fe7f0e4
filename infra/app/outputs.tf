output "openapi" {
  description = "The OpenAPI body of the API as deployed (JSON)."
  value       = length(module.api_gateway) > 0 ? module.api_gateway[0].openapi : jsonencode({ openapi = "3.0.1", info = { title = "${local.project}-${var.environment}", version = "1" }, paths = {} })
}

output "url" {
  description = "Address of the gateway's stage; empty where there is no service."
  value       = join("", module.api_gateway[*].url)
}

output "domain" {
  description = "The environment's domain, and the name that its DNS record (CNAME) must lead to; null where there is none."
  value       = one(module.api_gateway[*].domain)
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

output "stage_variables" {
  description = "Variables of the gateway's stage, which addresses in the API's body may name."
  value       = { for name, service in module.apprunner_service : "url_${local.packages[name]}" => trimprefix(service.integration.target, "https://") }
}

output "services" {
  description = "Service -> kind, path, api_key, auth (whether it asks for a token), example, resource (its AWS name), version, log_group, image, details (by kind)."
  value = { for name, service in module.catalog.services : name => {
    kind      = service.kind
    path      = service.path
    api_key   = service.api_key
    auth      = service.auth.jwt.issuer != null
    example   = service.example
    target    = local.services[name].integration.target
    resource  = local.services[name].resource
    version   = local.services[name].version
    log_group = local.services[name].log_group
    image     = local.services[name].image
    details   = local.services[name].details
  } }
}

output "rollouts" {
  description = "Name of the CodeDeploy application for services with a canary or linear rollout; null where there is none."
  value       = one(module.lambda_rollout[*].application)
}

output "guarded" {
  description = "ARNs of load balancers that AWS refuses to delete; `inv destroy` lifts that."
  value       = module.catalog.environment.protected && !local.emulated ? module.load_balancer[*].arn : []
}

output "eks" {
  description = "The Kubernetes cluster: name, endpoint, certificate, nodes; null where there is none."
  value       = one([for cluster in module.eks_cluster : { name = cluster.name, endpoint = cluster.endpoint, certificate = cluster.certificate, nodes = cluster.nodes }])
}

output "monitoring" {
  description = "What watches the environment: dashboard, topic_arn, alarms (by name); null where nothing does."
  value       = local.alarmed ? { dashboard = module.monitoring[0].dashboard, topic_arn = module.monitoring[0].topic_arn, alarms = module.monitoring[0].alarms } : null
}
