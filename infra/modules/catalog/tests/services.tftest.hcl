# What service.yaml may not say.

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
