# tests/infra/conftest.py reads the plans of the first run and of the one with a repository pinned by its numbers.
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

run "makes_roles_for_this_accounts_environments" {
  command = plan

  assert {
    condition     = toset(keys(aws_iam_role.github)) == toset(["dev_deploy", "dev_plan", "previews_deploy", "previews_plan", "prod_deploy", "prod_plan"]) && toset(keys(aws_iam_policy.boundary)) == toset(["dev", "previews", "prod"]) && keys(aws_iam_policy.infrastructure) == keys(aws_iam_policy.boundary)
    error_message = "Each environment of the account, and all its previews together, must have two roles and two boundaries, another account's none."
  }
}

run "gives_each_role_its_policies" {
  command = plan

  assert {
    condition = toset(keys(aws_iam_role_policy_attachment.github)) == toset(flatten([for environment in ["dev", "previews", "prod"] : concat(
      [for topic in ["read", "read-compute"] : "${environment}_plan_${topic}"],
      [for topic in ["deploy", "deploy-balancing", "deploy-containers", "deploy-edge", "deploy-kubernetes", "deploy-network", "deploy-roles", "deploy-security-groups", "read", "read-compute"] : "${environment}_deploy_${topic}"],
    )]))
    error_message = "A plan role must have its environment's reading policies, a deploy role the writing ones as well."
  }
  assert {
    condition     = alltrue([for policy in aws_iam_policy.github : policy.name != aws_iam_policy.boundary["dev"].name && policy.name != aws_iam_policy.infrastructure["dev"].name])
    error_message = "No topic may be called as a boundary is."
  }
}

run "lets_a_plan_role_only_read" {
  command = plan

  assert {
    condition = alltrue(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement : [
      for action in s.Action : can(regex("^[a-z0-9-]+:(Get|List|Describe|BatchGet|GET)", action)) && !strcontains(action, "*")
    ] if s.Effect == "Allow"] if strcontains(key, "_read")]))
    error_message = "A plan role may only read."
  }
  assert {
    condition     = !anytrue([for key, policy in aws_iam_policy.github : strcontains(policy.policy, "GetSecretValue")])
    error_message = "Nobody who deploys may read secrets."
  }
}

run "lets_a_deploy_role_touch_its_own_environment_only" {
  command = plan

  assert {
    condition = toset(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement : s.Resource if s.Effect == "Allow" && anytrue([for a in s.Action : startswith(a, "s3:")])] if startswith(key, "dev_")])) == toset([
      "arn:aws:s3:::acme-state-111111111111-eu-west-1",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate.tflock",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/drift/dev.json",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/*",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/dev/*",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/dev/underway.json",
      "arn:aws:s3:::acme-state-222222222222-eu-central-1",
      "arn:aws:s3:::acme-state-222222222222-eu-central-1/releases/*",
    ])
    error_message = "Another environment's state must be out of reach."
  }
  assert {
    condition = toset(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement : s.Resource if s.Effect == "Allow" && anytrue([for a in s.Action : contains(["s3:DeleteObject", "s3:PutObject"], a)])] if startswith(key, "dev_")])) == toset([
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate.tflock",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/drift/dev.json",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/dev/*",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/dev/underway.json",
    ])
    error_message = "Releases of another environment may be read, never written."
  }
  assert {
    condition     = alltrue(flatten([for policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement : [for a in s.Action : !strcontains(a, "*")]]]))
    error_message = "Every action must be named."
  }
  assert {
    condition = !anytrue(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement :
      can(regex("acme[-/]prod|\"prod\"", jsonencode(s))) if s.Effect == "Allow"
    ] if startswith(key, "dev_")]))
    error_message = "Nothing of prod may be named in what dev is allowed."
  }
  assert {
    condition = { for s in jsondecode(aws_iam_policy.github["dev_deploy-roles"].policy).Statement : s.Resource => s.Condition.StringEquals["iam:PassedToService"] if contains(s.Action, "iam:PassRole") } == {
      "arn:aws:iam::111111111111:role/acme/dev/acme-dev-*" = ["build.apprunner.amazonaws.com", "ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "pods.eks.amazonaws.com", "scheduler.amazonaws.com", "tasks.apprunner.amazonaws.com"]
      "arn:aws:iam::111111111111:role/acme/dev/acme-dev_*" = ["codedeploy.amazonaws.com", "ec2.amazonaws.com", "ecs.amazonaws.com", "eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"]
    }
    error_message = "Roles may be handed to exactly the services that run with them."
  }
  assert {
    condition = { for s in jsondecode(aws_iam_policy.github["dev_deploy-roles"].policy).Statement : s.Resource => s.Condition.StringEquals["iam:PermissionsBoundary"] if contains(s.Action, "iam:CreateRole") } == {
      "arn:aws:iam::111111111111:role/acme/dev/acme-dev-*" = "arn:aws:iam::111111111111:policy/acme-dev_boundary"
      "arn:aws:iam::111111111111:role/acme/dev/acme-dev_*" = "arn:aws:iam::111111111111:policy/acme-dev_infrastructure"
    }
    error_message = "Roles may be created under their boundary only."
  }
  assert {
    condition = alltrue([for s in jsondecode(aws_iam_policy.github["dev_deploy-roles"].policy).Statement :
    s.Resource == "arn:aws:iam::111111111111:role/acme/dev/acme-dev_*" && alltrue([for arn in s.Condition.ArnEquals["iam:PolicyARN"] : can(regex("^arn:aws:iam::aws:policy/Amazon(EKS|EC2ContainerRegistry)", arn))]) if anytrue([for a in s.Action : strcontains(a, "tachRolePolicy")])])
    error_message = "No policy but the cluster's may be attached, and to no service's role."
  }
}

run "lets_previews_touch_previews_only" {
  command = plan

  assert {
    condition = toset(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement : s.Resource if s.Effect == "Allow" && anytrue([for a in s.Action : contains(["s3:DeleteObject", "s3:PutObject"], a)])] if startswith(key, "previews_")])) == toset([
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/pr-*/terraform.tfstate",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/pr-*/terraform.tfstate*",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/drift/pr-*.json",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/pr-*/*",
      "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/pr-*/underway.json",
    ])
    error_message = "Previews may write their own states and releases only."
  }
  assert {
    condition = !anytrue(flatten([for key, policy in aws_iam_policy.github : [for s in jsondecode(policy.policy).Statement :
      can(regex("acme[-/](prod|dev)|\"(prod|dev)\"", jsonencode(s))) if s.Effect == "Allow"
    ] if startswith(key, "previews_")]))
    error_message = "Nothing of dev or prod may be named in what previews are allowed."
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_policy.github["previews_deploy-roles"].policy).Statement : s.Condition.StringEquals["iam:PermissionsBoundary"] if s.Sid == "GrantWithinBoundary"]) == "arn:aws:iam::111111111111:policy/acme-previews_boundary"
    error_message = "All previews have one boundary, under a name that IAM takes."
  }
  assert {
    condition = !anytrue([for policy in [for key, policy in merge(aws_iam_policy.github, { previews_boundary = aws_iam_policy.boundary["previews"], previews_infrastructure = aws_iam_policy.infrastructure["previews"] }) : policy.policy if startswith(key, "previews_")] :
      can(regex("acme-previews[^_]|\"previews\"", policy))
    ])
    error_message = "No preview is called previews: what has its name or tag is called pr-* (local.like)."
  }
}

run "lets_other_accounts_read_releases_and_pull" {
  command = plan

  assert {
    condition = { for s in jsondecode(aws_s3_bucket_policy.state.policy).Statement : s.Action => s.Resource if s.Effect == "Allow" } == {
      "s3:GetObject"  = "arn:aws:s3:::acme-state-111111111111-eu-west-1/releases/*"
      "s3:ListBucket" = "arn:aws:s3:::acme-state-111111111111-eu-west-1"
    }
    error_message = "Other accounts may read releases and nothing else of the bucket."
  }
  assert {
    condition     = [for s in jsondecode(aws_s3_bucket_policy.state.policy).Statement : s.Condition.StringLike["s3:prefix"] if s.Effect == "Allow" && s.Action == "s3:ListBucket"] == ["releases/*"]
    error_message = "Other accounts may list releases and nothing else."
  }
  assert {
    condition     = alltrue([for s in concat(jsondecode(aws_s3_bucket_policy.state.policy).Statement, jsondecode(aws_ecr_repository_policy.images.policy).Statement) : s.Principal.AWS == ["arn:aws:iam::222222222222:root"] if s.Effect == "Allow" && can(s.Principal.AWS)])
    error_message = "Exactly the project's other accounts may; the laptop's number is nobody's."
  }
  assert {
    condition     = one([for s in jsondecode(aws_ecr_repository_policy.images.policy).Statement : s.Action if can(s.Principal.AWS)]) == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    error_message = "Other accounts may pull and not push."
  }
}

run "opens_nothing_where_there_is_one_account" {
  command = plan
  variables {
    root   = "tests/longest"
    region = "ap-southeast-3"
  }

  assert {
    condition     = length([for s in concat(jsondecode(aws_s3_bucket_policy.state.policy).Statement, jsondecode(aws_ecr_repository_policy.images.policy).Statement) : s if can(s.Principal.AWS)]) == 0
    error_message = "No other account may be let in."
  }
}

run "pins_the_repository_by_its_numbers" {
  command = plan
  variables {
    root = "tests/pinned"
  }

  assert {
    condition     = jsondecode(aws_iam_role.github["dev_deploy"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme@12345/platform@67890:environment:dev"
    error_message = "With both numbers only the immutable subject may be trusted."
  }
}

run "fits_into_what_iam_holds" {
  command = plan
  variables {
    root   = "tests/longest"
    region = "ap-southeast-3"
  }

  assert {
    condition     = alltrue([for policy in concat(values(aws_iam_policy.github), values(aws_iam_policy.boundary), values(aws_iam_policy.infrastructure)) : length(policy.policy) <= 6144])
    error_message = "A managed policy may have 6,144 characters."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.github : length([for attached in aws_iam_role_policy_attachment.github : attached if attached.role == role.name]) <= 10])
    error_message = "A role may have ten policies."
  }
}

run "caps_services_at_their_own_data" {
  command = plan

  assert {
    condition     = contains(one([for s in jsondecode(aws_iam_policy.boundary["dev"].policy).Statement : s.Action if s.Sid == "NeverGrant"]), "iam:*")
    error_message = "A service's role must not be able to grant rights."
  }
  assert {
    condition     = !strcontains(aws_iam_policy.boundary["dev"].policy, "acme-prod") && !strcontains(aws_iam_policy.boundary["dev"].policy, "acme/prod")
    error_message = "dev's services must not reach prod's data."
  }
}

run "caps_infrastructure_at_its_own_cluster" {
  command = plan

  assert {
    condition     = one([for s in jsondecode(aws_iam_policy.infrastructure["dev"].policy).Statement : s.NotResource if s.Sid == "NeverGrant" && contains(s.Action, "iam:*")]) == ["arn:aws:iam::111111111111:role/acme/dev/acme-dev_eks-nodes", "arn:aws:iam::111111111111:instance-profile/eks*"]
    error_message = "The cluster may start nodes with their role, and grant nothing else."
  }
  assert {
    condition     = alltrue(flatten([for s in jsondecode(aws_iam_policy.infrastructure["dev"].policy).Statement : [for a in s.Action : !strcontains(a, "*") || endswith(a, ":Describe*")] if s.Effect == "Allow"]))
    error_message = "Every action but looking must be named."
  }
  assert {
    condition     = !can(regex("acme[-/]prod|\"prod\"", aws_iam_policy.infrastructure["dev"].policy))
    error_message = "dev's cluster must not reach prod."
  }
}
