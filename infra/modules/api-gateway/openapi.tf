locals {
  # One JSON answer for whatever the gateway says itself; the messages are AWS's own.
  gateway_response = {
    responseParameters = {
      "gatewayresponse.header.x-request-id" = "context.requestId"
    }
    responseTemplates = {
      "application/json" = "{\"message\":$context.error.messageString,\"request_id\":\"$context.requestId\"}"
    }
  }

  integrations = {
    for name, service in var.services : name => {
      type                = service.integration.type
      httpMethod          = "POST"
      uri                 = "arn:${var.partition}:apigateway:${var.region}:lambda:path/2015-03-31/functions/${service.integration.target}/invocations"
      passthroughBehavior = "when_no_match"
      timeoutInMillis     = 29000
    }
  }

  methods = {
    for name, service in var.services : name => merge(
      { "x-amazon-apigateway-integration" = local.integrations[name] },
      service.api_key ? { security = [{ api_key = [] }] } : {},
    )
  }

  proxy_parameter = [{ name = "proxy", in = "path", required = true, schema = { type = "string" } }]

  paths = merge(
    { for name, service in var.services : service.path => { "x-amazon-apigateway-any-method" = local.methods[name] } },
    { for name, service in var.services : "${trimsuffix(service.path, "/")}/{proxy+}" => {
      "x-amazon-apigateway-any-method" = merge(local.methods[name], { parameters = local.proxy_parameter })
    } },
  )

  has_keys = anytrue([for service in var.services : service.api_key])

  openapi = jsonencode(merge(
    {
      openapi                                  = "3.0.1"
      info                                     = { title = var.name, version = "1" }
      paths                                    = local.paths
      "x-amazon-apigateway-binary-media-types" = ["*/*"]
      "x-amazon-apigateway-gateway-responses" = {
        DEFAULT_4XX = local.gateway_response
        DEFAULT_5XX = local.gateway_response
      }
    },
    local.has_keys ? { components = { securitySchemes = { api_key = { type = "apiKey", name = "x-api-key", in = "header" } } } } : {},
  ))
}
