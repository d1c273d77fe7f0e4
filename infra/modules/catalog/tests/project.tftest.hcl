# What stackyard.yaml may not say, and what it may not be asked for.

run "reject_unknown_environment" {
  command = plan
  variables {
    environment = "staging"
  }
  expect_failures = [output.environment]
}

run "reject_broken_project_yaml" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = "project: ["
  }
  expect_failures = [output.project]
}

run "reject_unknown_project_key" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
      regoin: eu-west-1
    EOT
  }
  expect_failures = [output.project]
}

run "reject_unknown_environment_key" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "111111111111", protectd: true}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_account_that_is_no_text" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: 111111111111}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_log_retention" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "111111111111", log_retention: 31}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_throttle" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "111111111111", throttle: {rate: 0}}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_missing_project_key" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_owner_id_alone" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      owner_id: 12345
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_environment_without_account" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {protected: true}
    EOT
  }
  expect_failures = [output.environments]
}

run "reject_environment_named_like_a_plan" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        dev-plan: {account: "222222222222"}
    EOT
  }
  expect_failures = [output.environments]
}

run "reject_preview_without_template" {
  command = plan
  variables {
    environment = "pr-12"
  }
  expect_failures = [output.environment]
}

run "reject_preview_number" {
  command = plan
  variables {
    environment  = "pr-0012"
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
      previews: {account: "111111111111"}
    EOT
  }
  expect_failures = [output.environment]
}

run "reject_previews_as_an_environment" {
  command = plan
  variables {
    environment  = "previews"
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
      previews: {account: "111111111111"}
    EOT
  }
  expect_failures = [output.environment]
}

run "reject_protected_previews" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
      previews: {account: "111111111111", protected: true}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_too_many_previews" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
      previews: {account: "111111111111", max: 1000}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_environment_named_like_a_preview" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
        pr-blue: {account: "222222222222"}
    EOT
  }
  expect_failures = [output.environments]
}

run "reject_environment_whose_names_are_previews" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        prod: {account: "333333333333"}
        pr: {account: "222222222222"}
      previews: {account: "222222222222"}
    EOT
  }
  expect_failures = [output.environments]
}

run "reject_environments_with_the_same_start" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
    project_yaml  = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
        dev-eu: {account: "111111111111"}
    EOT
  }
  expect_failures = [output.environments]
}

run "reject_waf" {
  command = plan
  variables {
    project_yaml = "{project: acme, repository: acme/platform, region: eu-west-1, environments: {dev: {account: \"111111111111\", waf: {mode: off}}, prod: {account: \"222222222222\"}}}"
  }
  expect_failures = [output.project]
}

run "reject_domain" {
  command = plan
  variables {
    project_yaml = "{project: acme, repository: acme/platform, region: eu-west-1, environments: {dev: {account: \"111111111111\", domain: {name: api.acme.example}}, prod: {account: \"222222222222\"}}}"
  }
  expect_failures = [output.project]
}
