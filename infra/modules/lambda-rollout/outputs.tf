output "application" {
  description = "Name of the CodeDeploy application; a service's deployment group is called as the service is."
  value       = aws_codedeploy_app.this.name

  # Whoever is told the name may deploy at once.
  depends_on = [aws_codedeploy_deployment_group.this]
}
