# Each negative run differs from the good one in one thing only.
variables {
  environment   = "dev"
  image_digests = { api = "sha256:a", worker = "sha256:b" }
  project_yaml  = <<-EOT
    project: acme
    repository: acme/platform
    region: eu-west-1
    environments:
      dev: {account: "111111111111"}
      prod: {account: "222222222222", region: eu-central-1, protected: true, throttle: {rate: 500}, waf: {rate: 100}, domain: {name: api.acme.example, certificate: "arn:aws:acm:eu-central-1:222222222222:certificate/1"}}
  EOT
  services_yaml = {
    "src/services/api/service.yaml"    = "# all as it comes"
    "src/services/worker/service.yaml" = <<-EOT
      kind: lambda
      memory: 512
      environment: {GREETING: hello, LOG_LEVEL: info}
      overrides:
        prod: {memory: 4096, scaling: {max: 9}, environment: {LOG_LEVEL: warning}}
    EOT
  }
}

run "fills_in_defaults" {
  command = plan

  assert {
    condition     = output.services.api.path == "/" && output.services.worker.path == "/worker"
    error_message = "The service api must own \"/\", any other its name."
  }
  assert {
    condition     = output.services.api.memory == 1024 && output.services.api.timeout == 29 && output.services.api.kind == "lambda" && output.services.api.api_key == false && output.services.api.scaling.max == null
    error_message = "Defaults must be filled in."
  }
  assert {
    condition     = output.environment.region == "eu-west-1" && output.environment.log_retention == 30 && output.environment.throttle == { rate = 100, burst = 200 } && output.environment.xray && output.environment.waf == null
    error_message = "The environment's defaults must be filled in."
  }
}

run "leaves_overrides_of_other_environments_alone" {
  command = plan

  assert {
    condition     = output.services.worker.memory == 512 && output.services.worker.environment.LOG_LEVEL == "info"
    error_message = "dev must not get what is prod's."
  }
}

run "merges_overrides_deeply" {
  command = plan
  variables {
    environment = "prod"
  }

  assert {
    condition     = output.services.worker.memory == 4096 && output.services.worker.scaling.max == 9 && output.services.worker.environment == { GREETING = "hello", LOG_LEVEL = "warning" }
    error_message = "An override must change what it names and keep the rest."
  }
  assert {
    condition     = output.environment.account == "222222222222" && output.environment.region == "eu-central-1" && output.environment.throttle == { rate = 500, burst = 200 }
    error_message = "The environment's own settings must win over its defaults."
  }
}

run "watches_what_somebody_waits_for" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111", alarms: {enabled: false}}
        prod: {account: "222222222222", alarms: {email: ops@acme.example}}
      previews: {account: "111111111111", alarms: {email: ops@acme.example}}
    EOT
    environment  = "pr-12"
    services_yaml = {
      "src/services/api/service.yaml"    = "{alarms: {errors: 0.5}, overrides: {previews: {alarms: {latency_p99_ms: 800}}}}"
      "src/services/worker/service.yaml" = "{alarms: {enabled: false}}"
    }
  }
  assert {
    condition = { for name, environment in output.environments : name => environment.alarms.enabled } == {
      dev = false, local = false, prod = true, "pr-12" = false
    } && output.environments.prod.alarms.email == "ops@acme.example" && output.environment.alarms.email == "ops@acme.example"
    error_message = "Environments must be watched, but for the laptop, previews, and those that say no."
  }
  assert {
    condition     = output.services.api.alarms == { enabled = true, errors = 0.5, latency_p99_ms = 800 } && !output.services.worker.alarms.enabled
    error_message = "A service must say when it is ill, and another environment otherwise."
  }
}

run "reject_alarms" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"    = "{alarms: {errors: 100}}"
      "src/services/worker/service.yaml" = "{alarms: {latency_p99_ms: 29001}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_a_rollout_by_alarms_that_are_off" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"    = "{rollout: {alarms: [errors]}, alarms: {enabled: false}}"
      "src/services/worker/service.yaml" = ""
    }
  }
  expect_failures = [output.services]
}

run "knows_local_always" {
  command = plan
  variables {
    environment = "local"
  }

  assert {
    condition     = output.environment.account == "123456789012" && output.environment.protected == false && output.environment.region == "eu-west-1"
    error_message = "The environment local must exist without being written down."
  }
}

run "ignores_digests_of_services_that_are_gone" {
  command = plan
  variables {
    image_digests = { api = "sha256:a", worker = "sha256:b", gone = "sha256:c" }
  }

  assert {
    condition     = toset(keys(output.services)) == toset(["api", "worker"])
    error_message = "A digest alone must not make a service."
  }
}

run "allows_no_service_when_it_is_meant" {
  command = plan
  variables {
    services_yaml = {}
    allow_empty   = true
  }

  assert {
    condition     = length(output.services) == 0
    error_message = "There must be no service."
  }
}

run "makes_a_preview_from_its_template" {
  command = plan
  variables {
    environment  = "pr-12"
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111"}
      previews: {account: "222222222222", max: 3, throttle: {rate: 5}}
    EOT
    services_yaml = {
      "src/services/api/service.yaml"    = "secrets: {TOKEN: token}"
      "src/services/worker/service.yaml" = "{memory: 512, overrides: {dev: {memory: 2048}, previews: {memory: 256}}}"
    }
  }

  assert {
    condition     = output.environment.name == "pr-12" && output.environment.group == "previews" && output.environment.account == "222222222222" && output.environment.region == "eu-west-1" && !output.environment.protected
    error_message = "A preview must have its own name, and the account of all."
  }
  assert {
    condition     = output.environment.log_retention == 3 && output.environment.throttle == { rate = 5, burst = 200 }
    error_message = "A preview's logs are kept for three days where nothing else is said."
  }
  assert {
    condition     = output.services.worker.memory == 256 && output.services.api.secrets == { TOKEN = "acme/previews/token" }
    error_message = "Previews share overrides and secrets."
  }
  assert {
    condition     = toset(keys(output.environments)) == toset(["local", "dev", "pr-12"]) && output.previews == { account = "222222222222", region = "eu-west-1" }
    error_message = "The template is no environment itself."
  }
}

run "knows_no_previews_where_none_are_wanted" {
  command = plan

  assert {
    condition     = output.previews == null && alltrue([for name, environment in output.environments : environment.group == name])
    error_message = "Without `previews` there are none."
  }
}

run "reject_broken_yaml" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "memory: ["
    }
  }
  expect_failures = [output.services]
}

run "reject_yaml_that_is_no_mapping" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "- memory"
    }
  }
  expect_failures = [output.services]
}

run "reject_unknown_key" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "memroy: 512"
    }
  }
  expect_failures = [output.services]
}

run "reject_unknown_key_in_an_override" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "overrides: {dev: {memroy: 512}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_kind_in_an_override" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "overrides: {dev: {kind: lambda}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "kind: mainframe"
    }
  }
  expect_failures = [output.services]
}

run "reject_path" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "path: /a/b"
    }
  }
  expect_failures = [output.services]
}

run "reject_memory" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "memory: 64"
    }
  }
  expect_failures = [output.services]
}

run "reject_memory_that_is_no_number" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "memory: lots"
    }
  }
  expect_failures = [output.services]
}

run "reject_timeout" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "timeout: 901"
    }
  }
  expect_failures = [output.services]
}

run "reject_scaling" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "scaling: {min: 1}"
    }
  }
  expect_failures = [output.services]
}

run "reject_environment_that_is_no_text" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "environment: {PORT: 80}"
    }
  }
  expect_failures = [output.services]
}

run "reject_reserved_variable" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "environment: {AWS_REGION: eu-west-1}"
    }
  }
  expect_failures = [output.services]
}

run "reject_api_key" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "api_key: please"
    }
  }
  expect_failures = [output.services]
}

run "reject_override_of_an_unknown_environment" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "overrides: {prd: {memory: 512}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_override_that_is_no_mapping" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml" = "overrides: {dev: 512}"
    }
  }
  expect_failures = [output.services]
}

run "reject_service_name" {
  command = plan
  variables {
    image_digests = { Api = "sha256:a" }
    services_yaml = {
      "src/services/Api/service.yaml" = "{}"
    }
  }
  expect_failures = [output.services]
}

run "reject_shared_path" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"    = "path: /same"
      "src/services/worker/service.yaml" = "path: /same"
    }
  }
  expect_failures = [output.services]
}

run "reject_two_owners_of_the_root" {
  command = plan
  variables {
    services_yaml = {
      "src/services/api/service.yaml"    = "{}"
      "src/services/worker/service.yaml" = "path: /"
    }
  }
  expect_failures = [output.services]
}

run "reject_no_service" {
  command = plan
  variables {
    services_yaml = {}
  }
  expect_failures = [output.services]
}

run "reject_missing_digest" {
  command = plan
  variables {
    image_digests = { api = "sha256:a" }
  }
  expect_failures = [output.services]
}

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

run "fills_in_what_a_firewall_does" {
  command = plan
  variables {
    environment = "prod"
  }
  assert {
    condition     = output.environment.waf == { mode = "count", rate = 100 } && output.environments.dev.waf == null && output.environment.domain.name == "api.acme.example" && output.environment.domain.only == false && output.environments.dev.domain == null
    error_message = "It must count until told to block, and be where it is asked for only."
  }
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
