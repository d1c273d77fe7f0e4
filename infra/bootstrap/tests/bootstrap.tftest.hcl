mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:eu-west-1:111111111111:repository/acme" }
  }
}

variables {
  root    = "tests/project"
  account = "111111111111"
  region  = "eu-west-1"
}

override_resource {
  target          = aws_ecr_repository.images
  override_during = plan
  values          = { arn = "arn:aws:ecr:eu-west-1:111111111111:repository/acme" }
}

# Terraform imports nothing from a mocked provider; this stands for the bucket that `inv bootstrap` made.
override_resource {
  target          = aws_s3_bucket.state
  override_during = plan
  values          = { id = "acme-state-111111111111-eu-west-1" }
}

run "keeps_state_safe" {
  command = plan

  assert {
    condition     = output.state_bucket == "acme-state-111111111111-eu-west-1"
    error_message = "The bucket's name must hold project, account and region."
  }
  assert {
    condition     = one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "Old states must be kept."
  }
  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.state.block_public_acls, aws_s3_bucket_public_access_block.state.block_public_policy, aws_s3_bucket_public_access_block.state.ignore_public_acls, aws_s3_bucket_public_access_block.state.restrict_public_buckets])
    error_message = "Nothing may be public."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Plain HTTP must be denied."
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.state) == 1
    error_message = "Old versions must expire."
  }
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.state[0].rule : [one(rule.filter).prefix, one(rule.noncurrent_version_expiration).noncurrent_days] if rule.id == "previews"] == [["app/pr-", 90]]
    error_message = "Old versions of a destroyed preview's state must expire."
  }
}

run "waits_for_no_lifecycle_on_a_laptop" {
  command = plan
  variables {
    emulated = true
  }
  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.state) == 0
    error_message = "The emulated bucket must have no lifecycle rules."
  }
}

run "never_expires_releases" {
  command = plan

  assert {
    condition     = aws_ecr_repository.images.image_tag_mutability == "IMMUTABLE" && one(aws_ecr_repository.images.image_scanning_configuration).scan_on_push
    error_message = "Tags must be immutable and images scanned."
  }
  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.images.policy).rules[0].selection.tagPrefixList == ["release-"] && jsondecode(aws_ecr_lifecycle_policy.images.policy).rules[0].selection.countNumber > 100000
    error_message = "The first rule must match releases and expire none."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.images.policy).rules : rule.rulePriority] == [1, 2, 3] && jsondecode(aws_ecr_lifecycle_policy.images.policy).rules[2].selection.tagStatus == "any"
    error_message = "The rule for any image must come last."
  }
}

run "trusts_one_named_environment" {
  command = plan

  assert {
    condition = { for key, role in aws_iam_role.github : key => jsondecode(role.assume_role_policy).Statement[0].Condition } == { for key, environment in { dev_deploy = "dev", dev_plan = "dev-plan", previews_deploy = "previews", previews_plan = "previews-plan", prod_deploy = "prod", prod_plan = "prod-plan" } : key => { StringEquals = {
      "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
      "token.actions.githubusercontent.com:sub" = "repo:acme/platform:environment:${environment}"
    } } }
    error_message = "The trust must be for exactly one GitHub environment."
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 1
    error_message = "GitHub's tokens must be trusted."
  }
}

run "shares_a_trust_that_exists" {
  command = plan
  variables {
    github_trusted = true
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "An account holds one provider for GitHub."
  }
}

run "reject_account" {
  command = plan
  variables {
    account = "1111"
  }
  expect_failures = [var.account]
}

run "reject_region" {
  command = plan
  variables {
    region = "Ireland"
  }
  expect_failures = [var.region]
}

run "reject_account_without_environment" {
  command = plan
  variables {
    account = "333333333333"
  }
  expect_failures = [terraform_data.checks]
}

run "reject_two_regions_in_one_account" {
  command = plan
  variables {
    account = "222222222222"
  }
  expect_failures = [terraform_data.checks]
}
