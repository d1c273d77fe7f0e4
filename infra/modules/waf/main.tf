locals {
  # What AWS keeps up to date, cheapest to check first (AWS WAF: AWS Managed Rules rule groups list).
  managed = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"]

  # Rules that only count, whatever the mode: this one refuses bodies over 8 KB, and the gateway has a limit of its own.
  counted = { AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY"] }

  blocks = var.mode == "block"
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "In front of the gateway of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      dynamic "block" {
        for_each = local.blocks ? [true] : []
        content {}
      }
      dynamic "count" {
        for_each = local.blocks ? [] : [true]
        content {}
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed
    content {
      name     = rule.value
      priority = rule.key + 1

      override_action {
        dynamic "none" {
          for_each = local.blocks ? [true] : []
          content {}
        }
        dynamic "count" {
          for_each = local.blocks ? [] : [true]
          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value

          dynamic "rule_action_override" {
            for_each = lookup(local.counted, rule.value, [])
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = rule.value
        cloudwatch_metrics_enabled = true
        # A sample shows a request's headers, whatever is left out of the log.
        sampled_requests_enabled = false
      }
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = var.stage_arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}
