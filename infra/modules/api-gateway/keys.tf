# A plan and a key for each service that asks for one. API Gateway takes any key of the stage at any method that asks for
# a key: the plans tell callers apart and limit them, they do not keep one service's callers out of another.
locals {
  keyed = { for name, service in var.services : name => service.usage if service.api_key }
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = local.keyed
  name     = "${var.name}-${each.key}"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = each.value.rate
    burst_limit = each.value.burst
  }

  dynamic "quota_settings" {
    for_each = each.value.quota == null ? [] : [each.value]
    content {
      limit  = quota_settings.value.quota
      period = upper(quota_settings.value.period)
    }
  }
}

# The value is made by API Gateway. It is in no output, but in Terraform's state: there is no write-only argument for it
# (docs/decisions/0025-the-edge.md).
resource "aws_api_gateway_api_key" "this" {
  for_each = local.keyed
  name     = "${var.name}-${each.key}"

  # A key that is replaced (`inv api-key --rotate`) leaves its plan before it goes.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_usage_plan_key" "this" {
  for_each      = local.keyed
  usage_plan_id = aws_api_gateway_usage_plan.this[each.key].id
  key_id        = aws_api_gateway_api_key.this[each.key].id
  key_type      = "API_KEY"

  lifecycle {
    create_before_destroy = true
  }
}
