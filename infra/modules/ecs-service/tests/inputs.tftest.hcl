# What the module refuses.

mock_provider "aws" {
  source = "./tests/mocks"
}

run "reject_name" {
  command = plan
  variables {
    name = "Order"
  }
  expect_failures = [var.name]
}

run "reject_names_too_long_together" {
  command = plan
  variables {
    name = "a-name-that-goes-on-and-on-until-nobody-can-remember"
  }
  expect_failures = [var.project]
}

run "reject_image_by_tag" {
  command = plan
  variables {
    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme:latest"
  }
  expect_failures = [var.image]
}

run "reject_image_from_elsewhere" {
  command = plan
  variables {
    image = "docker.io/library/python@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }
  expect_failures = [var.image]
}

run "reject_base_url_with_slash" {
  command = plan
  variables {
    base_url = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev/"
  }
  expect_failures = [var.base_url]
}

run "reject_memory_that_does_not_go_with_cpu" {
  command = plan
  variables {
    service = { path = "/", memory = 4096, cpu = 256 }
  }
  expect_failures = [var.service]
}

run "reject_cpu" {
  command = plan
  variables {
    service = { path = "/", memory = 512, cpu = 300 }
  }
  expect_failures = [var.service]
}

run "reject_scaling_upside_down" {
  command = plan
  variables {
    service = { path = "/", scaling = { min = 3, max = 2 } }
  }
  expect_failures = [var.service]
}

run "reject_reserved_variable" {
  command = plan
  variables {
    service = { path = "/", environment = { SERVICE_NAME = "another" } }
  }
  expect_failures = [var.service]
}

run "reject_variable_that_is_a_secret_too" {
  command = plan
  variables {
    service = {
      path        = "/"
      environment = { TOKEN = "open" }
      secrets     = { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    }
  }
  expect_failures = [var.service]
}

run "reject_secret_by_name" {
  command = plan
  variables {
    service = { path = "/", secrets = { TOKEN = "acme/dev/token" } }
  }
  expect_failures = [var.service]
}

run "reject_platform_without_cluster" {
  command = plan
  variables {
    platform = {
      network       = { vpc_id = "vpc-0123456789abcdef0", subnet_ids = ["subnet-0123456789abcdef0"], cidr = "10.0.0.0/16", security_group_id = "sg-0123456789abcdef0" }
      load_balancer = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123456789abcdef", dns_name = "acme-dev", vpc_link_id = "a1b2c3", security_group_id = "sg-0123456789abcdef1" }
      port          = 12345
    }
  }
  expect_failures = [var.platform]
}

run "reject_port" {
  command = plan
  variables {
    platform = {
      network       = { vpc_id = "vpc-0123456789abcdef0", subnet_ids = ["subnet-0123456789abcdef0"], cidr = "10.0.0.0/16", security_group_id = "sg-0123456789abcdef0" }
      load_balancer = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123456789abcdef", dns_name = "acme-dev", vpc_link_id = "a1b2c3", security_group_id = "sg-0123456789abcdef1" }
      ecs_cluster   = { arn = "arn:aws:ecs:eu-west-1:111111111111:cluster/acme-dev", name = "acme-dev", rollout_role_arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_ecs-rollout" }
      port          = 70000
    }
  }
  expect_failures = [var.platform]
}
