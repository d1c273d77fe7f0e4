resource "aws_iam_role" "github" {
  for_each = local.trusts

  name                 = "${local.project}-${each.key}"
  path                 = "/${local.project}/"
  description          = each.value.purpose == "plan" ? "GitHub reads ${each.value.environment}" : "GitHub deploys ${each.value.environment}"
  assume_role_policy   = each.value.policy
  max_session_duration = 3600

  depends_on = [aws_iam_openid_connect_provider.github]
}

locals {
  # Environment and topic -> a policy. Topics are not called as boundaries are.
  policies = merge([for name in keys(local.environments) : {
    for topic, statements in merge(local.read[name], local.write[name]) : "${name}_${topic}" => statements
  }]...)

  # A plan role reads; a deploy role reads and writes.
  attached = merge([for key, trust in local.trusts : {
    for topic in concat(keys(local.read[trust.environment]), trust.purpose == "deploy" ? keys(local.write[trust.environment]) : []) :
    "${key}_${topic}" => { role = key, policy = "${trust.environment}_${topic}" }
  }]...)
}

# Managed ones: a role's own policies hold 10,240 characters together, ten of these 6,144 each (IAM: IAM and AWS STS quotas).
resource "aws_iam_policy" "github" {
  for_each = local.policies

  name        = "${local.project}-${each.key}"
  description = "Of the roles that GitHub takes"
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_iam_role_policy_attachment" "github" {
  for_each = local.attached

  role       = aws_iam_role.github[each.value.role].name
  policy_arn = aws_iam_policy.github[each.value.policy].arn
}
