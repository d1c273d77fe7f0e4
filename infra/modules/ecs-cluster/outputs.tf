output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "rollout_role_arn" {
  description = "ARN of the role by which ECS leads requests to new tasks."
  value       = aws_iam_role.rollout.arn

  # Whoever is told the role may use it at once.
  depends_on = [aws_iam_role_policy.rollout]
}

output "name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}
