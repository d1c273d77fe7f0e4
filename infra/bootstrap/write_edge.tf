# The firewall before the gateway: its web ACL is named as the environment is, the stage that it stands before is tagged.
locals {
  firewall = { for name, like in local.like : name => "${local.arn["wafv2"]}:regional/webacl/${local.project}-${like}/*" }
  stages   = "arn:${local.partition}:apigateway:${var.region}::/restapis/*/stages/*"

  read_edge = { for name, firewall in local.firewall : name => [
    {
      Sid      = "ReadFirewall"
      Effect   = "Allow"
      Action   = ["wafv2:GetLoggingConfiguration", "wafv2:GetWebACL", "wafv2:ListTagsForResource"]
      Resource = firewall
    },
    {
      Sid      = "ReadWhatItStandsBefore"
      Effect   = "Allow"
      Action   = ["wafv2:GetWebACLForResource"]
      Resource = [firewall, local.stages]
    },
  ] }

  write_edge = { for name, firewall in local.firewall : name => [
    {
      Sid    = "WriteFirewall"
      Effect = "Allow"
      Action = [
        "wafv2:CreateWebACL", "wafv2:DeleteLoggingConfiguration", "wafv2:DeleteWebACL", "wafv2:PutLoggingConfiguration",
        "wafv2:TagResource", "wafv2:UntagResource", "wafv2:UpdateWebACL",
      ]
      Resource = firewall
    },
    {
      # Who names AWS's rules needs this for them, too (AWS WAF: Actions, resources, and condition keys).
      Sid      = "NameManagedRules"
      Effect   = "Allow"
      Action   = ["wafv2:CreateWebACL", "wafv2:UpdateWebACL"]
      Resource = "${local.arn["wafv2"]}:regional/managedruleset/*/*"
    },
    {
      Sid      = "PutFirewallBeforeGateway"
      Effect   = "Allow"
      Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]
      Resource = [firewall, local.stages]
    },
    {
      # The stage's own consent, without which the one above is worth nothing.
      Sid       = "LetFirewallBeforeOwnStage"
      Effect    = "Allow"
      Action    = ["apigateway:SetWebACL"]
      Resource  = local.stages
      Condition = local.tagged[name].own
    },
    {
      # Of the firewall's log; neither knows resources. Who may deliver where, the policy below says.
      Sid      = "DeliverFirewallLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery"]
      Resource = "*"
    },
  ] }
}

# AWS would add this by itself for who may put any resource policy; so nobody else needs to.
resource "aws_cloudwatch_log_resource_policy" "firewall" {
  policy_name = "${local.project}_firewall"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "DeliverFirewallLogs"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${local.arn["logs"]}:log-group:aws-waf-logs-${local.project}-*:log-stream:*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account }
        ArnLike      = { "aws:SourceArn" = "${local.arn["logs"]}:*" }
      }
    }]
  })
}
