output "integration" {
  description = "How the gateway reaches the service."
  value = {
    type   = "aws_proxy"
    target = aws_lambda_alias.live.arn
  }
}

output "resource" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "version" {
  description = "The version that was published last: the alias points there, or will once CodeDeploy is done."
  value       = aws_lambda_function.this.version
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "image" {
  description = "The image that runs, by digest."
  value       = aws_lambda_function.this.image_uri
}

output "role_name" {
  description = "Name of the role, to attach policies for what the service uses."
  value       = aws_iam_role.this.name
}

output "details" {
  description = "What Python asks Lambda about: the function's name, the alias and its ARN."
  value = {
    function_name = aws_lambda_function.this.function_name
    alias         = aws_lambda_alias.live.name
    alias_arn     = aws_lambda_alias.live.arn
  }
}
