mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev-order-desk" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/acme-dev-order-desk/0123456789abcdef" }
  }
}

variables {
  name                 = "order-desk"
  project              = "acme"
  environment          = "dev"
  image                = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  base_url             = "https://abcdef1234.execute-api.eu-west-1.amazonaws.com/dev"
  permissions_boundary = "arn:aws:iam::111111111111:policy/acme-dev_boundary"
  service = {
    path        = "/order-desk"
    environment = { GREETING = "hello" }
    secrets     = { DATABASE_URL = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/database-AbCdEf" }
  }
  platform = {
    network = {
      vpc_id            = "vpc-0123456789abcdef0"
      subnet_ids        = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
      cidr              = "10.0.0.0/16"
      security_group_id = "sg-0123456789abcdef0"
    }
    load_balancer = {
      arn               = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123456789abcdef"
      dns_name          = "acme-dev-0123456789abcdef.elb.eu-west-1.amazonaws.com"
      vpc_link_id       = "abc123"
      security_group_id = "sg-0123456789abcdef1"
    }
    port        = 31234
    eks_cluster = { name = "acme-dev", endpoint = "https://0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com" }
  }
}

run "is_reached_on_its_own_port" {
  command = apply

  assert {
    condition     = output.integration == { type = "http_proxy", target = "http://acme-dev-0123456789abcdef.elb.eu-west-1.amazonaws.com:31234" }
    error_message = "The gateway must be told the load balancer and the service's port."
  }
  assert {
    condition     = aws_lb_listener.this[0].port == 31234 && aws_lb_listener.this[0].protocol == "TCP" && one(aws_lb_listener.this[0].default_action).target_group_arn == aws_lb_target_group.this.arn
    error_message = "The listener must lead to the target group."
  }
  assert {
    condition     = aws_lb_target_group.this.port == 8080 && aws_lb_target_group.this.target_type == "ip" && one(aws_lb_target_group.this.health_check).path == "/health"
    error_message = "Targets are pods on 8080 that answer /health."
  }
  assert {
    condition     = aws_lb_target_group.this.name == "acme-dev-order-desk-${substr(sha256("acme-dev-order-desk"), 0, 10)}" && length(aws_lb_target_group.this.name) <= 32
    error_message = "The target group must have its short name."
  }
  assert {
    condition     = aws_lb_target_group.this.tags["eks:eks-cluster-name"] == "acme-dev"
    error_message = "Without the tag no controller may register pods."
  }
}

run "gives_its_role_to_its_own_pods_only" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0] == {
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
      Condition = { StringEquals = {
        "aws:RequestTag/eks-cluster-name"           = "acme-dev"
        "aws:RequestTag/kubernetes-namespace"       = "acme-dev-order-desk"
        "aws:RequestTag/kubernetes-service-account" = "order-desk"
      } }
    }
    error_message = "Only this service account in this namespace of this cluster may take the role."
  }
  assert {
    condition     = aws_eks_pod_identity_association.this[0].namespace == "acme-dev-order-desk" && aws_eks_pod_identity_association.this[0].service_account == "order-desk"
    error_message = "The association must name the service account."
  }
  assert {
    condition     = aws_iam_role.this.permissions_boundary == var.permissions_boundary && aws_iam_role.this.path == "/acme/dev/" && aws_iam_role.this.name == "acme-dev-order-desk_pod"
    error_message = "The role must carry the boundary and lie in its environment's path."
  }
}

run "may_read_its_own_secrets_and_write_traces_only" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.this[0].policy).Statement == [
      { Sid = "ReadOwnSecrets", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/database-AbCdEf"] },
      { Sid = "WriteTraces", Effect = "Allow", Action = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], Resource = ["*"] },
    ]
    error_message = "Nothing but its secrets and traces may be allowed."
  }
}

run "has_no_policy_where_there_is_nothing_to_allow" {
  command = plan
  variables {
    tracing = false
    service = { path = "/order-desk" }
  }
  assert {
    condition     = length(aws_iam_role_policy.this) == 0
    error_message = "An empty policy would be refused by IAM."
  }
}

run "tells_what_the_objects_are_made_from" {
  command = apply

  assert {
    condition = jsondecode(output.details.environment) == {
      GREETING            = "hello"
      SERVICE_NAME        = "order-desk"
      SERVICE_ENVIRONMENT = "dev"
      SERVICE_PATH        = "/order-desk"
      SERVICE_URL_BASE    = "https://abcdef1234.execute-api.eu-west-1.amazonaws.com/dev"
      SERVICE_SECRETS     = "{\"DATABASE_URL\":\"arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/database-AbCdEf\"}"
    }
    error_message = "The variables must be the user's and ours; secrets by their ARNs."
  }
  assert {
    condition = (
      output.details.cluster == "acme-dev" && output.details.namespace == "acme-dev-order-desk" && output.log_group == "/aws/eks/acme-dev-order-desk"
      && output.details.target_group_arn == aws_lb_target_group.this.arn && output.details.role_arn == aws_iam_role.this.arn
      && output.version == "0123456789ab" && output.image == var.image && output.resource == "acme-dev-order-desk/order-desk" && output.role_name == "acme-dev-order-desk_pod"
    )
    error_message = "The outputs must be those that every kind of service has."
  }
}

run "leaves_out_what_the_emulator_cannot_hold" {
  command = plan
  variables {
    emulated = true
  }
  assert {
    condition     = length(aws_eks_pod_identity_association.this) == 0
    error_message = "The embedded AWS knows no pod identity."
  }
  assert {
    condition     = length(aws_lb_listener.this) == 0
    error_message = "There is no load balancer on a laptop."
  }
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
    name = "a-name-that-goes-on-and-on-until-nobody-remembers-how-it"
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

run "reject_memory" {
  command = plan
  variables {
    service = { path = "/", memory = 0.5 }
  }
  expect_failures = [var.service]
}

run "reject_cpu" {
  command = plan
  variables {
    service = { path = "/", cpu = 1 }
  }
  expect_failures = [var.service]
}

run "reject_scaling" {
  command = plan
  variables {
    service = { path = "/", scaling = { min = 5, max = 4 } }
  }
  expect_failures = [var.service]
}

run "reject_reserved_variable" {
  command = plan
  variables {
    service = { path = "/", environment = { PORT = "80" } }
  }
  expect_failures = [var.service]
}

run "reject_reserved_secret" {
  command = plan
  variables {
    service = { path = "/", secrets = { LAMBDA_X = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/x-AbCdEf" } }
  }
  expect_failures = [var.service]
}

run "reject_every_secret" {
  command = plan
  variables {
    service = { path = "/", secrets = { ALL = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:*" } }
  }
  expect_failures = [var.service]
}

run "reject_platform_without_a_cluster" {
  command = plan
  variables {
    platform = { port = 31234 }
  }
  expect_failures = [var.platform]
}

run "reject_port" {
  command = plan
  variables {
    platform = {
      network       = { vpc_id = "vpc-0", subnet_ids = [], cidr = "10.0.0.0/16", security_group_id = "sg-0" }
      load_balancer = { arn = "arn", dns_name = "lb.example", vpc_link_id = "abc", security_group_id = "sg-1" }
      eks_cluster   = { name = "acme-dev", endpoint = "https://eks.example" }
      port          = 80
    }
  }
  expect_failures = [var.platform]
}
