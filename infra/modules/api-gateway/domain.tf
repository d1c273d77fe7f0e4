# A name of the team's own: the one address whose TLS version is ours to say.
resource "aws_api_gateway_domain_name" "this" {
  for_each = local.domains

  domain_name              = each.key
  regional_certificate_arn = each.value.certificate
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  for_each = local.domains

  domain_name = aws_api_gateway_domain_name.this[each.key].domain_name
  api_id      = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
}

locals {
  domains = { for domain in var.domain[*] : domain.name => domain }

  # Until the name leads here, the stage's own address does, and is what services and health checks use.
  only = try(var.domain.only, false)
}
