locals {
  proxy = {
    type                = "http_proxy"
    httpMethod          = "ANY"
    uri                 = "https://$${stageVariables.url_web}/web/{proxy}"
    passthroughBehavior = "when_no_match"
    timeoutInMillis     = 29000
    requestParameters = {
      "integration.request.path.proxy"                    = "method.request.path.proxy"
      "integration.request.header.x-stackyard-host"       = "context.domainName"
      "integration.request.header.x-stackyard-path"       = "context.path"
      "integration.request.header.x-stackyard-request-id" = "context.requestId"
    }
  }
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = local.name, version = "1" }
    paths = {
      "/web/{proxy+}" = {
        x-amazon-apigateway-any-method = {
          parameters                      = [{ name = "proxy", in = "path", required = true, schema = { type = "string" } }]
          responses                       = {}
          x-amazon-apigateway-integration = local.proxy
        }
      }
      "/desk/{proxy+}" = {
        x-amazon-apigateway-any-method = {
          parameters = [{ name = "proxy", in = "path", required = true, schema = { type = "string" } }]
          responses  = {}
          security   = [{ api_key = [] }]
          x-amazon-apigateway-integration = merge(local.proxy, {
            uri            = "http://${local.load_balancer.dns_name}:12001/desk/{proxy}"
            connectionType = "VPC_LINK"
            connectionId   = aws_api_gateway_vpc_link.this.id
          })
        }
      }
      "/web/services.json" = {
        get = {
          responses = { "200" = { description = "The services" } }
          x-amazon-apigateway-integration = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = "[]" } } }
          }
        }
      }
    }
    components                             = { securitySchemes = { api_key = { type = "apiKey", name = "x-api-key", in = "header" } } }
    x-amazon-apigateway-binary-media-types = ["*/*"]
    x-amazon-apigateway-gateway-responses = {
      DEFAULT_4XX = { responseTemplates = { "application/json" = "{\"message\":$context.error.messageString}" } }
    }
  })
}

resource "aws_api_gateway_rest_api" "this" {
  name = local.name
  body = local.body
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  triggers    = { body = sha256(local.body) }
  lifecycle { create_before_destroy = true }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/apigateway/${local.name}"
  retention_in_days = 14
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = "local"
  variables            = { url_web = aws_apprunner_service.this.service_url }
  xray_tracing_enabled = true
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    format          = "$context.requestId"
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"
  settings {
    metrics_enabled        = true
    throttling_burst_limit = 200
    throttling_rate_limit  = 100
  }
}

resource "aws_api_gateway_usage_plan" "desk" {
  name = "${local.name}-desk"
  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
    throttle {
      path        = "/desk/{proxy+}/ANY"
      burst_limit = 5
      rate_limit  = 2
    }
  }
  throttle_settings {
    rate_limit  = var.rate
    burst_limit = 20
  }
  quota_settings {
    limit  = var.rate * 1000
    period = "DAY"
  }
}

resource "aws_api_gateway_api_key" "desk" {
  name = "${local.name}-desk"
}

resource "aws_api_gateway_usage_plan_key" "desk" {
  key_id        = aws_api_gateway_api_key.desk.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.desk.id
}
