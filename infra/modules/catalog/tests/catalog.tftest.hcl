# What comes out of good files.

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
