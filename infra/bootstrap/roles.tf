resource "aws_iam_role" "github" {
  for_each = local.trusts

  name                 = "${local.project}-${each.key}"
  path                 = "/${local.project}/"
  description          = each.value.purpose == "plan" ? "GitHub reads ${each.value.environment}" : "GitHub deploys ${each.value.environment}"
  assume_role_policy   = each.value.policy
  max_session_duration = 3600

  depends_on = [aws_iam_openid_connect_provider.github]
}

resource "aws_iam_role_policy" "github" {
  for_each = local.trusts

  name = each.value.purpose
  role = aws_iam_role.github[each.key].name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.read[each.value.environment], [for statement in local.write[each.value.environment] : statement if each.value.purpose == "deploy"])
  })
}
