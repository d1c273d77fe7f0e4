locals {
  # Whatever the gateway says itself: AWS's usual words, but none that it makes up for a request. For an Authorization
  # header that is no signature, or by a policy, AWS would repeat what was sent, or name the API's ARN.
  said = {
    DEFAULT_4XX                  = "The gateway refused the request"
    DEFAULT_5XX                  = "Internal server error"
    INTEGRATION_FAILURE          = "Network error communicating with endpoint"
    INTEGRATION_TIMEOUT          = "Endpoint request timed out"
    INVALID_API_KEY              = "Forbidden"
    MISSING_AUTHENTICATION_TOKEN = "Missing Authentication Token"
    QUOTA_EXCEEDED               = "Limit Exceeded"
    REQUEST_TOO_LARGE            = "Request Too Long"
    THROTTLED                    = "Too Many Requests"
    UNSUPPORTED_MEDIA_TYPE       = "Unsupported Media Type"
    WAF_FILTERED                 = "Forbidden"
  }

  # There is one such answer for all services. It holds nothing, so where one service has pages of other origins among
  # its callers, any may read it, without cookies: else a page takes a missing key for a broken network.
  shared = anytrue([for service in var.services : service.cors])
  gateway_headers = merge(
    { "gatewayresponse.header.x-request-id" = "context.requestId" },
    local.shared ? { for name, value in { allow-origin = "*", expose-headers = "x-request-id" } : "gatewayresponse.header.access-control-${name}" => "'${value}'" } : {},
  )
  gateway_responses = { for type, message in local.said : type => {
    responseParameters = local.gateway_headers
    responseTemplates  = { "application/json" = "{\"message\":\"${message}\",\"request_id\":\"$context.requestId\"}" }
  } }

  common = { passthroughBehavior = "when_no_match", timeoutInMillis = 29000 }

  # A function is invoked. A server is sent the request under the path that the caller used, with what it cannot know
  # otherwise: the host that was asked, the path with the stage, and the id under which the gateway logs the request.
  functions = { for name, service in var.services : name => merge(local.common, {
    type       = "aws_proxy"
    httpMethod = "POST"
    uri        = "arn:${var.partition}:apigateway:${var.region}:lambda:path/2015-03-31/functions/${service.integration.target}/invocations"
  }) if service.integration.type == "aws_proxy" }

  servers = { for name, service in var.services : name => merge(local.common, {
    type       = "http_proxy"
    httpMethod = "ANY"
    }, service.integration.vpc_link_id == null ? {} : {
    connectionType = "VPC_LINK"
    connectionId   = service.integration.vpc_link_id
  }) if service.integration.type == "http_proxy" }

  server_headers = {
    "integration.request.header.x-stackyard-host"       = "context.domainName"
    "integration.request.header.x-stackyard-path"       = "context.path"
    "integration.request.header.x-stackyard-request-id" = "context.requestId"
  }

  security        = { for name, service in var.services : name => service.api_key ? { security = [{ api_key = [] }] } : {} }
  proxy_parameter = [{ name = "proxy", in = "path", required = true, schema = { type = "string" } }]

  # A browser asks by OPTIONS whether a page may call, and cannot send a key with it: servicekit answers.
  methods = { for name, service in var.services : name => concat(
    [{ name = "x-amazon-apigateway-any-method", more = local.security[name] }],
    service.api_key && service.cors ? [{ name = "options", more = {} }] : [],
  ) }

  # By path; the two kinds of integration have different keys, so each has its own map.
  function_paths = merge(
    { for name, integration in local.functions : var.services[name].path => {
      for method in local.methods[name] : method.name => merge(method.more, { "x-amazon-apigateway-integration" = integration })
    } },
    { for name, integration in local.functions : "${trimsuffix(var.services[name].path, "/")}/{proxy+}" => {
      for method in local.methods[name] : method.name => merge(method.more, { "x-amazon-apigateway-integration" = integration, parameters = local.proxy_parameter })
    } },
  )
  server_paths = merge(
    { for name, integration in local.servers : var.services[name].path => {
      for method in local.methods[name] : method.name => merge(method.more, { "x-amazon-apigateway-integration" = merge(integration, {
        uri               = "${var.services[name].integration.target}${var.services[name].path}"
        requestParameters = local.server_headers
      }) })
    } },
    { for name, integration in local.servers : "${trimsuffix(var.services[name].path, "/")}/{proxy+}" => {
      for method in local.methods[name] : method.name => merge(method.more, { parameters = local.proxy_parameter, "x-amazon-apigateway-integration" = merge(integration, {
        uri               = "${var.services[name].integration.target}${trimsuffix(var.services[name].path, "/")}/{proxy}"
        requestParameters = merge(local.server_headers, { "integration.request.path.proxy" = "method.request.path.proxy" })
      }) })
    } },
  )

  # What a page about the services needs; the gateway answers it itself, so that no service changes when another comes.
  # With "*/*" as binary type a mock's templates are used only when its content is turned to text.
  catalog = jsonencode([for name, service in var.services : { name = name, kind = service.kind, path = service.path, api_key = service.api_key, example = service.example }])
  catalog_paths = { for name, service in var.services : "${trimsuffix(service.path, "/")}/services.json" => {
    get = merge(local.security[name], {
      responses = { "200" = { description = "Every service of the environment" } }
      "x-amazon-apigateway-integration" = {
        type                = "mock"
        contentHandling     = "CONVERT_TO_TEXT"
        passthroughBehavior = "when_no_match"
        requestTemplates    = { "application/json" = "{\"statusCode\": 200}" }
        responses = { default = {
          statusCode        = "200"
          contentHandling   = "CONVERT_TO_TEXT"
          responseTemplates = { "application/json" = local.catalog }
        } }
      }
    })
  } if service.catalog }

  paths = merge(local.function_paths, local.server_paths, local.catalog_paths)

  has_keys = anytrue([for service in var.services : service.api_key])

  openapi = jsonencode(merge(
    {
      openapi                                  = "3.0.1"
      info                                     = { title = var.name, version = "1" }
      paths                                    = local.paths
      "x-amazon-apigateway-binary-media-types" = ["*/*"]
      "x-amazon-apigateway-gateway-responses"  = local.gateway_responses
    },
    local.has_keys ? { components = { securitySchemes = { api_key = { type = "apiKey", name = "x-api-key", in = "header" } } } } : {},
  ))
}
