locals {
  full_name = "${var.project}-${var.environment}-${var.name}"
  package   = replace(var.name, "-", "_")
  log_group = "/aws/lambda/${local.full_name}"
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts every group by a key of its own; one of ours costs monthly and guards nothing more here
  name              = local.log_group
  retention_in_days = var.log_retention
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:only asynchronous calls have dead letters, and the gateway waits for its answer
  #checkov:skip=CKV_AWS_117:it needs nothing private, and has no address that anybody could call
  #checkov:skip=CKV_AWS_173:variables hold no secret, only where one is; Lambda encrypts them by its own key
  #checkov:skip=CKV_AWS_272:Lambda signs no images; the function names its image by digest
  function_name = local.full_name
  role          = aws_iam_role.this.arn
  package_type  = "Image"
  image_uri     = var.image
  architectures = ["arm64"]
  memory_size   = var.service.memory
  timeout       = var.service.timeout
  publish       = true

  reserved_concurrent_executions = var.service.scaling.max == null ? -1 : var.service.scaling.max

  image_config {
    command = ["${local.package}.lambda_handler.handler"]
  }

  environment {
    variables = merge(
      var.service.environment,
      var.service.settings,
      {
        SERVICE_NAME        = var.name
        SERVICE_ENVIRONMENT = var.environment
        SERVICE_PATH        = var.service.path
        SERVICE_URL_BASE    = var.base_url
      },
      # Lambda puts no secrets into variables: servicekit reads these when the service starts.
      length(var.service.secrets) > 0 ? { SERVICE_SECRETS = jsonencode(var.service.secrets) } : {},
    )
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # Logs written before the group exists would make Lambda create it, without a retention.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  name          = "live"
  description   = "What the gateway invokes"
  function_name = aws_lambda_function.this.function_name
  # Where requests come to a new version by and by, the alias stays until CodeDeploy has moved it.
  function_version = coalesce(var.service.held_version, aws_lambda_function.this.version)
}
