locals {
  github     = "token.actions.githubusercontent.com"
  issuer_arn = "arn:${local.partition}:iam::${var.account}:oidc-provider/${local.github}"

  # A repository's name can be given up and taken by somebody else; its number and its owner's cannot. Repositories
  # created since 2026-07-15 send both in the subject, and with both in stackyard.yaml only that subject is let in.
  owner   = split("/", module.catalog.project.repository)[0]
  name    = split("/", module.catalog.project.repository)[1]
  subject = module.catalog.project.repository_id == null ? "repo:${local.owner}/${local.name}" : "repo:${local.owner}@${module.catalog.project.owner_id}/${local.name}@${module.catalog.project.repository_id}"

  # A job that only plans runs in the GitHub environment "<name>-plan": a token of "<name>" could deploy.
  trusts = { for pair in setproduct(keys(local.environments), ["deploy", "plan"]) : "${pair[0]}_${pair[1]}" => {
    environment = pair[0]
    purpose     = pair[1]
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = local.issuer_arn }
        Condition = {
          StringEquals = {
            "${local.github}:aud" = "sts.amazonaws.com"
            "${local.github}:sub" = "${local.subject}:environment:${pair[0]}${pair[1] == "plan" ? "-plan" : ""}"
          }
        }
      }]
    })
  } }
}

# IAM trusts GitHub's certificates by its own list of authorities; no thumbprint is needed.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.github_trusted ? 0 : 1

  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}
