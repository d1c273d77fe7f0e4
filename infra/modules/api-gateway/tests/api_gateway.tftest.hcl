mock_provider "aws" {
  source = "./tests/mocks"
}

run "is_one_document_with_every_route" {
  command = plan

  assert {
    condition     = toset(keys(jsondecode(output.openapi).paths)) == toset(["/", "/{proxy+}", "/worker", "/worker/{proxy+}"])
    error_message = "Each service must have its path and all below it."
  }
  assert {
    condition     = jsondecode(output.openapi).paths["/worker/{proxy+}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].uri == "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${var.services.worker.integration.target}/invocations"
    error_message = "A route must invoke its service's alias."
  }
  assert {
    condition     = jsondecode(output.openapi)["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    error_message = "Bodies must go through as bytes."
  }
  assert {
    condition = length(setsubtract(["DEFAULT_4XX", "DEFAULT_5XX"], keys(jsondecode(output.openapi)["x-amazon-apigateway-gateway-responses"]))) == 0 && alltrue([
      for answer in jsondecode(output.openapi)["x-amazon-apigateway-gateway-responses"] :
      can(regex("^\\{\"message\":\"[A-Za-z ]+\",\"request_id\":\"\\$context.requestId\"\\}$", answer.responseTemplates["application/json"]))
      && answer.responseParameters == { "gatewayresponse.header.x-request-id" = "context.requestId" }
    ])
    error_message = "What the gateway says itself must be a fixed text and the request's id, whatever the reason."
  }
  assert {
    condition     = !strcontains(output.openapi, "securitySchemes") && length(aws_api_gateway_usage_plan.this) == 0 && length(aws_api_gateway_api_key.this) == 0
    error_message = "Without a service that asks for keys there must be none."
  }
}

run "redeploys_when_the_body_changes_and_only_then" {
  command = plan

  assert {
    condition     = aws_api_gateway_deployment.this.triggers == tomap({ body = sha256(output.openapi) })
    error_message = "The body's hash must be the one trigger."
  }
}

run "lets_its_own_stage_invoke_and_nothing_else" {
  command = apply

  assert {
    condition     = aws_lambda_permission.invoke["worker"].source_arn == "arn:aws:execute-api:eu-west-1:111111111111:a1b2c3/dev/*" && aws_lambda_permission.invoke["worker"].qualifier == "live"
    error_message = "The permission must be for the stage and the alias."
  }
}

run "logs_traces_and_throttles_the_stage" {
  command = apply
  variables {
    throttle = { rate = 5, burst = 6 }
  }
  assert {
    condition     = one(aws_api_gateway_stage.this.access_log_settings).destination_arn == aws_cloudwatch_log_group.access.arn && can(jsondecode(one(aws_api_gateway_stage.this.access_log_settings).format))
    error_message = "Access logs must be JSON in the API's own group."
  }
  assert {
    condition     = !strcontains(one(aws_api_gateway_stage.this.access_log_settings).format, "error.message")
    error_message = "AWS's message may repeat what was sent in Authorization; the log must not."
  }
  assert {
    condition     = aws_api_gateway_stage.this.xray_tracing_enabled
    error_message = "Traces must be on by default."
  }
  assert {
    condition     = one(aws_api_gateway_method_settings.all.settings).throttling_rate_limit == 5 && one(aws_api_gateway_method_settings.all.settings).throttling_burst_limit == 6
    error_message = "The stage must be throttled as asked."
  }
}

run "asks_for_a_key_where_a_service_does" {
  command = plan
  variables {
    services = {
      api = {
        path        = "/"
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-api:live" }
      }
      worker = {
        path        = "/worker"
        api_key     = true
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-worker:live" }
      }
    }
  }
  assert {
    condition     = jsondecode(output.openapi).paths["/worker"]["x-amazon-apigateway-any-method"].security == [{ api_key = [] }] && !can(jsondecode(output.openapi).paths["/"]["x-amazon-apigateway-any-method"].security)
    error_message = "Only the service that asks for a key may need one."
  }
  assert {
    condition     = jsondecode(output.openapi).components.securitySchemes.api_key == { type = "apiKey", name = "x-api-key", in = "header" }
    error_message = "The key must be asked for in the x-api-key header."
  }
  assert {
    condition     = length(aws_api_gateway_usage_plan.this) == 1 && length(aws_api_gateway_api_key.this) == 1 && length(aws_api_gateway_usage_plan_key.this) == 1
    error_message = "There must be one usage plan with one key for each service that asks."
  }
}

run "lets_browsers_ask_without_a_key" {
  command = plan
  variables {
    services = {
      shop = {
        path        = "/shop"
        api_key     = true
        cors        = true
        integration = { type = "http_proxy", target = "http://balancer.internal:12345", vpc_link_id = "link1" }
      }
      worker = {
        path        = "/worker"
        api_key     = true
        cors        = true
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-worker:live" }
      }
      closed = {
        path        = "/closed"
        api_key     = true
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-closed:live" }
      }
      open = {
        path        = "/open"
        cors        = true
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-open:live" }
      }
    }
  }
  assert {
    condition = { for path, methods in jsondecode(output.openapi).paths : path => !can(methods.options.security) if can(methods.options) } == {
      "/shop" = true, "/shop/{proxy+}" = true, "/worker" = true, "/worker/{proxy+}" = true
    }
    error_message = "OPTIONS, and nothing else, must come through without a key where a service with a key has such callers."
  }
  assert {
    condition = alltrue([for path in ["/shop", "/shop/{proxy+}", "/worker", "/worker/{proxy+}"] : (
      jsondecode(output.openapi).paths[path]["x-amazon-apigateway-any-method"].security == [{ api_key = [] }]
      && jsonencode(jsondecode(output.openapi).paths[path].options["x-amazon-apigateway-integration"]) == jsonencode(jsondecode(output.openapi).paths[path]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"])
    )])
    error_message = "It must reach the same service as the rest, which still asks for a key."
  }
  assert {
    condition = alltrue([for answer in jsondecode(output.openapi)["x-amazon-apigateway-gateway-responses"] : (
      answer.responseParameters["gatewayresponse.header.access-control-allow-origin"] == "'*'" && !can(answer.responseParameters["gatewayresponse.header.access-control-allow-credentials"])
    )])
    error_message = "A page must be able to read why the gateway refused, and send no cookies for it."
  }
}

run "limits_each_key_as_its_service_says" {
  command = plan
  variables {
    services = {
      shop = {
        path        = "/shop"
        api_key     = true
        usage       = { rate = 5, burst = 6, quota = 1000, period = "week" }
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-shop:live" }
      }
      web = {
        path        = "/web"
        api_key     = true
        integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-web:live" }
      }
    }
  }
  assert {
    condition     = aws_api_gateway_api_key.this["shop"].name == "acme-dev-shop" && one(aws_api_gateway_usage_plan.this["shop"].quota_settings).period == "WEEK" && one(aws_api_gateway_usage_plan.this["shop"].throttle_settings).rate_limit == 5
    error_message = "A service's usage must be its plan's."
  }
  assert {
    condition     = length(aws_api_gateway_usage_plan.this["web"].quota_settings) == 0 && one(aws_api_gateway_usage_plan.this["web"].throttle_settings).burst_limit == 20
    error_message = "Without a word of it there must be no quota, and modest limits."
  }
}

run "sends_a_server_the_public_path" {
  command = plan
  variables {
    services = {
      shop = { path = "/shop", integration = { type = "http_proxy", target = "http://balancer.internal:12345", vpc_link_id = "link1" } }
      web  = { path = "/", integration = { type = "http_proxy", target = "https://$${stageVariables.url_web}" } }
    }
    functions       = {}
    stage_variables = { url_web = "abc.awsapprunner.com" }
    ready           = { web = "arn" }
  }
  assert {
    condition = {
      for path, item in jsondecode(output.openapi).paths : path => item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].uri
      } == {
      "/"              = "https://$${stageVariables.url_web}/"
      "/{proxy+}"      = "https://$${stageVariables.url_web}/{proxy}"
      "/shop"          = "http://balancer.internal:12345/shop"
      "/shop/{proxy+}" = "http://balancer.internal:12345/shop/{proxy}"
    }
    error_message = "A server must see the path that the caller used."
  }
  assert {
    condition = alltrue([for item in jsondecode(output.openapi).paths : alltrue([
      item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].httpMethod == "ANY",
      item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].requestParameters["integration.request.header.x-stackyard-host"] == "context.domainName",
      item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].requestParameters["integration.request.header.x-stackyard-path"] == "context.path",
      item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].requestParameters["integration.request.header.x-stackyard-request-id"] == "context.requestId",
    ])])
    error_message = "A server must be told the host, the stage's path and the request's id."
  }
  assert {
    condition     = jsondecode(output.openapi).paths["/shop/{proxy+}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].requestParameters["integration.request.path.proxy"] == "method.request.path.proxy"
    error_message = "What stands behind the path must be passed on."
  }
  assert {
    condition     = jsondecode(output.openapi).paths["/shop"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].connectionId == "link1" && !can(jsondecode(output.openapi).paths["/"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].connectionId)
    error_message = "Only a private server must be reached through the VPC link."
  }
  assert {
    condition     = aws_api_gateway_stage.this.variables == tomap({ url_web = "abc.awsapprunner.com" })
    error_message = "The stage must hold its variables."
  }
}

run "answers_for_the_catalog_itself" {
  command = plan
  variables {
    services = {
      api = { kind = "lambda", path = "/", example = "/greet?name=World", integration = { type = "aws_proxy", target = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-api:live" } }
      web = { kind = "ecs", path = "/web", catalog = true, integration = { type = "http_proxy", target = "http://balancer.internal:12345", vpc_link_id = "link1" } }
    }
  }
  assert {
    condition     = toset(keys(jsondecode(output.openapi).paths)) == toset(["/", "/{proxy+}", "/web", "/web/{proxy+}", "/web/services.json"])
    error_message = "Only the service that asks must have the route."
  }
  assert {
    condition = jsondecode(jsondecode(output.openapi).paths["/web/services.json"].get["x-amazon-apigateway-integration"].responses.default.responseTemplates["application/json"]) == [
      { name = "api", kind = "lambda", path = "/", api_key = false, example = "/greet?name=World" },
      { name = "web", kind = "ecs", path = "/web", api_key = false, example = null },
    ]
    error_message = "It must name every service."
  }
}

run "reject_stage" {
  command = plan
  variables {
    stage = "de v"
  }
  expect_failures = [var.stage]
}

run "reject_path" {
  command = plan
  variables {
    services = { api = { path = "/a/b", integration = { type = "aws_proxy", target = "t", function = "f", qualifier = "live" } } }
  }
  expect_failures = [var.services]
}

run "reject_shared_path" {
  command = plan
  variables {
    services = {
      a = { path = "/same", integration = { type = "aws_proxy", target = "t", function = "f", qualifier = "live" } }
      b = { path = "/same", integration = { type = "aws_proxy", target = "t", function = "f", qualifier = "live" } }
    }
  }
  expect_failures = [var.services]
}

run "reject_integration" {
  command = plan
  variables {
    services = { api = { path = "/", integration = { type = "mock", target = "t", function = "f", qualifier = "live" } } }
  }
  expect_failures = [var.services]
}

run "reject_throttle" {
  command = plan
  variables {
    throttle = { rate = 0 }
  }
  expect_failures = [var.throttle]
}

# 300 resources: the root, and two for each of 149 services and one list of them.
run "holds_as_many_services_as_there_is_room_for" {
  command = plan
  variables {
    services = { for number in range(149) : "s${number}" => {
      path        = "/s${number}"
      catalog     = number == 0
      integration = { type = "aws_proxy", target = "t" }
    } }
  }

  assert {
    condition     = length(jsondecode(output.openapi).paths) == 299
    error_message = "Each service has two resources, and one of them a third."
  }
}

run "reject_too_many_services" {
  command = plan
  variables {
    services = { for number in range(149) : "s${number}" => {
      path        = "/s${number}"
      catalog     = number < 2
      integration = { type = "aws_proxy", target = "t" }
    } }
  }
  expect_failures = [var.services]
}

run "reject_no_service" {
  command = plan
  variables {
    services = {}
  }
  expect_failures = [var.services]
}
