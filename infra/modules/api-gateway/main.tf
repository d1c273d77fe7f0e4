resource "aws_api_gateway_rest_api" "this" {
  name = var.name
  body = local.openapi

  disable_execute_api_endpoint = local.only

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_permission" "invoke" {
  for_each = var.functions

  statement_id  = var.name
  action        = "lambda:InvokeFunction"
  function_name = each.value.name
  qualifier     = each.value.qualifier
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  triggers    = { body = sha256(local.openapi) }

  lifecycle {
    create_before_destroy = true
  }

  # A service must be there, and invocable, before a deployment sends requests to it. The body itself names services
  # only by what follows from their names, so that services can be told the API's address.
  depends_on = [aws_lambda_permission.invoke, terraform_data.ready]
}

resource "terraform_data" "ready" {
  count = length(var.ready) > 0 ? 1 : 0
  input = var.ready
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts every group by a key of its own; one of ours costs monthly and guards nothing more here
  name              = "/aws/api-gateway/${var.name}"
  retention_in_days = var.log_retention
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:a cache in front of every service would answer one caller with another's data
  #checkov:skip=CKV2_AWS_4:access logs name each request's error; execution logs' group is called by the API's id, which no role's prefix holds
  #checkov:skip=CKV2_AWS_29:an environment's own choice, which costs monthly (docs/guides/security.md)
  #checkov:skip=CKV2_AWS_51:Lambda is reached by IAM, load balancers by the VPC link; App Runner asks for no client's certificate
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  variables            = var.stage_variables
  xray_tracing_enabled = var.tracing

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      time                = "$context.requestTime"
      request_id          = "$context.requestId"
      extended_request_id = "$context.extendedRequestId"
      trace_id            = "$context.xrayTraceId"
      ip                  = "$context.identity.sourceIp"
      user_agent          = "$context.identity.userAgent"
      api_key_id          = "$context.identity.apiKeyId"
      protocol            = "$context.protocol"
      method              = "$context.httpMethod"
      path                = "$context.path"
      resource            = "$context.resourcePath"
      status              = "$context.status"
      length              = "$context.responseLength"
      latency             = "$context.responseLatency"
      integration_latency = "$context.integrationLatency"
      integration_status  = "$context.integrationStatus"
      # Not the message, which may repeat an Authorization header.
      error             = "$context.error.responseType"
      integration_error = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_api_gateway_method_settings" "all" {
  #checkov:skip=CKV_AWS_225:as the stage has no cache
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    throttling_rate_limit  = var.throttle.rate
    throttling_burst_limit = var.throttle.burst
  }
}
