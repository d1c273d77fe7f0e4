# Kinds other than lambda: their defaults, sizes and keys.
variables {
  environment   = "dev"
  image_digests = { api = "sha256:a", web = "sha256:b", shop = "sha256:c", cart = "sha256:d", s11 = "sha256:e", s97 = "sha256:f", desk = "sha256:0" }
  project_yaml  = <<-EOT
    project: acme
    repository: acme/platform
    region: eu-west-1
    environments:
      dev: {account: "111111111111", network: {nat: none}, eks: {nodes: managed, admins: ["arn:aws:iam::111111111111:role/admin"]}}
      prod: {account: "222222222222"}
  EOT
  services_yaml = {
    "src/services/api/service.yaml"  = "kind: apprunner"
    "src/services/cart/service.yaml" = "{kind: eks, catalog: true, example: '/a?b=c&d=e'}"
    "src/services/shop/service.yaml" = <<-EOT
      kind: ecs
      api_key: true
      secrets: {DATABASE_URL: acme/dev/database-url}
      usage: {rate: 5, quota: 1000, period: day}
      overrides:
        prod: {cpu: 512, memory: 1024, scaling: {min: 2}, usage: {rate: 50}, secrets: {DATABASE_URL: acme/prod/database-url, OTHER: other}}
    EOT
  }
}

run "fills_in_each_kinds_defaults" {
  command = plan
  assert {
    condition = { for name, service in output.services : name => [service.kind, service.memory, service.cpu, service.timeout, service.scaling.min, service.scaling.max, service.scaling.concurrency] } == {
      api  = ["apprunner", 2048, 1024, null, 1, 10, 100]
      cart = ["eks", 512, 256, null, 1, 4, null]
      shop = ["ecs", 512, 256, null, 1, 4, null]
    }
    error_message = "A kind's defaults must be its own."
  }
  assert {
    condition     = output.services.shop.usage == { rate = 5, burst = 20, quota = 1000, period = "day" } && output.services.shop.secrets == { DATABASE_URL = "acme/dev/database-url" } && output.services.api.usage == null
    error_message = "Usage and secrets must come through."
  }
  assert {
    condition     = output.services.shop.port >= 10000 && output.services.shop.port < 50000 && output.services.api.port == null && output.services.cart.port != output.services.shop.port
    error_message = "Private services must have a port each, others none."
  }
  assert {
    condition     = output.services.cart.catalog && output.services.cart.example == "/a?b=c&d=e" && !output.services.api.vpc
    error_message = "The rest must come through."
  }
  assert {
    condition     = output.environment.network == { nat = "none", zones = 2, cidr = "10.0.0.0/16" } && jsonencode(output.environment.eks) == jsonencode({ admins = ["arn:aws:iam::111111111111:role/admin"], nodes = "managed", public_endpoint = true })
    error_message = "An environment's network and cluster must have defaults."
  }
}

run "merges_what_an_environment_has_instead" {
  command = plan
  variables {
    environment = "prod"
  }
  assert {
    condition     = [output.services.shop.cpu, output.services.shop.memory, output.services.shop.scaling.min, output.services.shop.scaling.max] == [512, 1024, 2, 4]
    error_message = "Sizes must be merged."
  }
  assert {
    condition     = output.services.shop.usage == { rate = 50, burst = 20, quota = 1000, period = "day" } && output.services.shop.secrets == { DATABASE_URL = "acme/prod/database-url", OTHER = "acme/prod/other" }
    error_message = "Maps must be merged deeply."
  }
}

run "says_how_requests_come_to_a_new_version" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: lambda, rollout: {strategy: canary, percent: 5, alarms: [shop is slow]}, overrides: {local: {rollout: {strategy: all-at-once}}}}"
      "src/services/desk/service.yaml" = "{kind: ecs, rollout: {alarms: [desk]}}"
    }
  }
  assert {
    condition     = output.services.shop.rollout == { strategy = "canary", percent = 5, interval = 5, alarms = ["shop is slow"] }
    error_message = "What the file leaves open must have its default."
  }
  assert {
    condition     = output.services.desk.rollout == { strategy = "all-at-once", percent = 10, interval = 5, alarms = ["desk"] }
    error_message = "ECS must be told its alarms."
  }
}

run "reject_strategy_of_another_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: eks, rollout: {strategy: canary}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_alarms_of_another_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: apprunner, rollout: {alarms: [shop]}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_unknown_strategy" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: lambda, rollout: {strategy: slow}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_rollout_of_days" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: lambda, rollout: {strategy: linear, percent: 1, interval: 60}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_interval_longer_than_ecs_has" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, rollout: {strategy: blue-green, interval: 1441}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_steps_smaller_than_ecs_has" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, rollout: {strategy: linear, percent: 2}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ec2}"
    }
  }
  expect_failures = [output.services]
}

run "reject_key_of_another_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, timeout: 9}"
    }
  }
  expect_failures = [output.services]
}

run "reject_scaling_key_of_another_kind" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: lambda, scaling: {min: 1}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_pair_that_fargate_has_not" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, memory: 700}"
    }
  }
  expect_failures = [output.services]
}

run "reject_pair_that_app_runner_has_not" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: apprunner, cpu: 256, memory: 2048}"
    }
  }
  expect_failures = [output.services]
}

run "reject_lambda_memory" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: lambda, memory: 20000}"
    }
  }
  expect_failures = [output.services]
}

run "reject_app_runner_maximum" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: apprunner, scaling: {max: 26}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_minimum_above_maximum" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: eks, scaling: {min: 9}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_usage_without_a_key" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, usage: {rate: 5}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_usage" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, api_key: true, usage: {rate: 0}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_variable_that_is_a_secret_too" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, environment: {A: x}, secrets: {A: x}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_reserved_secret" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, secrets: {PORT: x}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_secret_of_another_environment" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, secrets: {A: acme/prod/a}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_secret_name" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, secrets: {A: 'a b'}}"
    }
  }
  expect_failures = [output.services]
}

run "reject_example" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, example: '/$${x}'}"
    }
  }
  expect_failures = [output.services]
}

run "reject_catalog" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: ecs, catalog: 1}"
    }
  }
  expect_failures = [output.services]
}

run "reject_vpc" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: apprunner, vpc: 1}"
    }
  }
  expect_failures = [output.services]
}

run "reject_cpu" {
  command = plan
  variables {
    services_yaml = {
      "src/services/shop/service.yaml" = "{kind: eks, cpu: 1}"
    }
  }
  expect_failures = [output.services]
}

run "reject_names_that_get_the_same_port" {
  command = plan
  variables {
    services_yaml = {
      "src/services/s11/service.yaml" = "kind: ecs"
      "src/services/s97/service.yaml" = "kind: eks"
    }
  }
  expect_failures = [output.services]
}

run "reject_more_listeners_than_a_balancer_has" {
  command = plan
  variables {
    image_digests = { for n in range(51) : "t${n}" => "sha256:a" }
    services_yaml = { for n in range(51) : "src/services/t${n}/service.yaml" => "kind: ecs" }
  }
  expect_failures = [output.services]
}

run "reject_network" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111", network: {nat: two}}
        prod: {account: "222222222222"}
    EOT
  }
  expect_failures = [output.project]
}

run "reject_eks" {
  command = plan
  variables {
    project_yaml = <<-EOT
      project: acme
      repository: acme/platform
      region: eu-west-1
      environments:
        dev: {account: "111111111111", eks: {nodes: many}}
        prod: {account: "222222222222"}
    EOT
  }
  expect_failures = [output.project]
}
