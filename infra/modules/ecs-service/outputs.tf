output "integration" {
  description = "How the gateway reaches the service."
  value = {
    type   = "http_proxy"
    target = "http://${var.platform.load_balancer.dns_name}:${var.platform.port}"
  }

  # The gateway must not send requests to a port that nothing listens on yet.
  depends_on = [aws_lb_listener.this]
}

output "resource" {
  description = "Name of the ECS service."
  value       = aws_ecs_service.this.name
}

output "version" {
  description = "Revision of the task definition that runs."
  value       = tostring(aws_ecs_task_definition.this.revision)
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "image" {
  description = "The image that runs, by digest."
  value       = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image
}

output "role_name" {
  description = "Name of the task's role, to attach policies for what the service uses."
  value       = aws_iam_role.this.name
}

output "details" {
  description = "What Python asks ECS about: cluster and service, by name, and the ARNs of the task definition, and of what a rollout takes: both target groups, the listener, ECS's role."
  value = {
    cluster          = var.platform.ecs_cluster.name
    service          = aws_ecs_service.this.name
    task_definition  = aws_ecs_task_definition.this.arn
    container        = var.name
    target_group_arn = aws_lb_target_group.this["first"].arn
    second_group_arn = aws_lb_target_group.this["second"].arn
    listener_arn     = var.emulated ? "${replace(var.platform.load_balancer.arn, ":loadbalancer/", ":listener/")}/${var.platform.port}" : one(aws_lb_listener.this[*].arn)
    role_arn         = var.platform.ecs_cluster.rollout_role_arn
  }
}
