output "state_bucket" {
  description = "Name of the bucket that holds Terraform's state and the release records."
  value       = aws_s3_bucket.state.bucket
}

output "repository_url" {
  description = "Address of the image repository."
  value       = aws_ecr_repository.images.repository_url
}

output "deploy_role_arns" {
  description = "Environment -> the role that GitHub deploys it with, from the GitHub environment of that name."
  value       = { for key, trust in local.trusts : trust.environment => aws_iam_role.github[key].arn if trust.purpose == "deploy" }
}

output "plan_role_arns" {
  description = "Environment -> the role that GitHub plans it with, from the GitHub environment \"<name>-plan\"."
  value       = { for key, trust in local.trusts : trust.environment => aws_iam_role.github[key].arn if trust.purpose == "plan" }
}
