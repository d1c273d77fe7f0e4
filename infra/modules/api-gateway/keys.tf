resource "aws_api_gateway_usage_plan" "this" {
  count = local.has_keys ? 1 : 0
  name  = var.name

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = var.throttle.rate
    burst_limit = var.throttle.burst
  }
}

# The value is made by API Gateway. It is in no output, but Terraform's state holds it, as it does for every such key.
resource "aws_api_gateway_api_key" "this" {
  count = local.has_keys ? 1 : 0
  name  = var.name
}

resource "aws_api_gateway_usage_plan_key" "this" {
  count         = local.has_keys ? 1 : 0
  usage_plan_id = aws_api_gateway_usage_plan.this[0].id
  key_id        = aws_api_gateway_api_key.this[0].id
  key_type      = "API_KEY"
}
