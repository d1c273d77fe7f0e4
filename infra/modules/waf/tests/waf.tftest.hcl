mock_provider "aws" {
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-west-1:111111111111:regional/webacl/acme-dev/1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:aws-waf-logs-acme-dev" }
  }
}

variables {
  name      = "acme-dev"
  stage_arn = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/dev"
}

run "counts_first" {
  command = apply

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(concat([for a in rule.action : a.block], [for a in rule.override_action : a.none])) == 1 && length(flatten(concat([for a in rule.action : a.block], [for a in rule.override_action : a.none]))) == 0])
    error_message = "Without a word of it, no rule may stop anybody."
  }
  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == { rate = 0, AWSManagedRulesAmazonIpReputationList = 1, AWSManagedRulesKnownBadInputsRuleSet = 2, AWSManagedRulesCommonRuleSet = 3 }
    error_message = "It must have the limit and AWS's three sets of rules."
  }
  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == var.stage_arn && aws_wafv2_web_acl_association.this.web_acl_arn == aws_wafv2_web_acl.this.arn
    error_message = "It must stand before the stage."
  }
}

run "logs_without_what_signs_a_caller_in" {
  command = apply
  variables {
    log_retention = 3
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "aws-waf-logs-acme-dev" && aws_cloudwatch_log_group.this.retention_in_days == 3
    error_message = "The log group must be called as AWS wants it, and have a retention."
  }
  assert {
    condition     = toset([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(field.single_header).name]) == toset(["authorization", "cookie", "x-api-key"])
    error_message = "Keys, cookies and tokens must not be logged."
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : !one(rule.visibility_config).sampled_requests_enabled]) && !one(aws_wafv2_web_acl.this.visibility_config).sampled_requests_enabled
    error_message = "Samples would show what the log leaves out."
  }
}

run "blocks_when_told" {
  command = apply
  variables {
    mode = "block"
    rate = 100
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(flatten(concat([for a in rule.action : a.block], [for a in rule.override_action : a.none]))) == 1])
    error_message = "Every rule must count for what it says."
  }
  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement).limit if rule.name == "rate"]) == 100
    error_message = "The limit must be the one that was asked for."
  }
  assert {
    condition     = flatten([for rule in aws_wafv2_web_acl.this.rule : [for group in one(rule.statement).managed_rule_group_statement : [for override in group.rule_action_override : override.name if length(one(override.action_to_use).count) == 1]]]) == ["SizeRestrictions_BODY"]
    error_message = "A body of 8 KB must come through; nothing else is left out."
  }
}

run "reject_mode" {
  command = plan
  variables {
    mode = "off"
  }
  expect_failures = [var.mode]
}

run "reject_rate" {
  command = plan
  variables {
    rate = 5
  }
  expect_failures = [var.rate]
}
