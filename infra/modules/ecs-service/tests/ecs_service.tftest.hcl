mock_provider "aws" {
  source = "./tests/mocks"
}

run "runs_the_image_on_graviton_with_its_own_command" {
  command = plan

  assert {
    condition     = aws_ecs_task_definition.this.family == "acme-dev-order-desk" && aws_ecs_task_definition.this.requires_compatibilities == toset(["FARGATE"]) && aws_ecs_task_definition.this.network_mode == "awsvpc"
    error_message = "The task must be Fargate's, with the agreed name."
  }
  assert {
    condition     = aws_ecs_task_definition.this.skip_destroy
    error_message = "No revision may be taken back: nobody who deploys has the right to."
  }
  assert {
    condition     = one(aws_ecs_task_definition.this.runtime_platform).cpu_architecture == "ARM64" && aws_ecs_task_definition.this.cpu == "256" && aws_ecs_task_definition.this.memory == "512"
    error_message = "The task must be arm64, and of the smallest size where nothing else is said."
  }
  assert {
    condition     = { for key in ["image", "command", "essential"] : key => jsondecode(aws_ecs_task_definition.this.container_definitions)[0][key] } == { image = var.image, command = ["order_desk.app:app"], essential = true }
    error_message = "The container must run the image by digest, with the service's package."
  }
  assert {
    condition     = [for port in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings : port.containerPort] == [8080]
    error_message = "The container must be reached on 8080."
  }
}

run "may_write_nowhere_but_tmp_and_is_not_root" {
  command = plan

  assert {
    condition     = { for key in ["user", "readonlyRootFilesystem"] : key => jsondecode(aws_ecs_task_definition.this.container_definitions)[0][key] } == { user = "10001:10001", readonlyRootFilesystem = true }
    error_message = "The container must not be root, and its file system read-only."
  }
  assert {
    condition     = [for mount in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].mountPoints : [mount.sourceVolume, mount.containerPath]] == [["tmp", "/tmp"]] && one(aws_ecs_task_definition.this.volume).name == "tmp"
    error_message = "Uploads are spooled to /tmp: it must be there."
  }
}

run "tells_the_service_who_it_is" {
  command = plan

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      GREETING            = "hello"
      SERVICE_NAME        = "order-desk"
      SERVICE_ENVIRONMENT = "dev"
      SERVICE_PATH        = "/order-desk"
      SERVICE_URL_BASE    = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/dev"
    }
    error_message = "The variables must be the user's and the four of ours."
  }
}

run "logs_to_its_own_group_without_waiting" {
  command = apply

  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].logConfiguration == {
      logDriver = "awslogs"
      options   = { awslogs-group = "/aws/ecs/acme-dev-order-desk", awslogs-region = "eu-west-1", awslogs-stream-prefix = "task", mode = "non-blocking", max-buffer-size = "10m" }
    }
    error_message = "Logs must go to the service's own group, and must not hold it up."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/ecs/acme-dev-order-desk" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Logs must end some day."
  }
}

run "rolls_back_on_an_alarm" {
  command = plan
  variables {
    service = merge(var.service, { rollout = { strategy = "all-at-once", percent = 10, interval = 5, alarms = ["desk is slow"] } })
  }
  assert {
    condition     = one(aws_ecs_service.this.alarms).alarm_names == toset(["desk is slow"]) && one(aws_ecs_service.this.alarms).enable && one(aws_ecs_service.this.alarms).rollback
    error_message = "ECS must watch the alarm and roll back."
  }
}

run "replaces_tasks_before_it_ends_them_and_rolls_back" {
  command = apply

  assert {
    condition     = aws_ecs_service.this.launch_type == "FARGATE" && aws_ecs_service.this.desired_count == 1 && aws_ecs_service.this.cluster == var.platform.ecs_cluster.arn && aws_ecs_service.this.task_definition == aws_ecs_task_definition.this.arn
    error_message = "The service must run its task on Fargate, the smallest number to begin with."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "No task may end before its successor is healthy."
  }
  assert {
    condition     = one(aws_ecs_service.this.deployment_circuit_breaker).enable && one(aws_ecs_service.this.deployment_circuit_breaker).rollback
    error_message = "A rollout that fails must be rolled back."
  }
  assert {
    condition     = one(aws_ecs_service.this.network_configuration).subnets == toset(var.platform.network.subnet_ids) && one(aws_ecs_service.this.network_configuration).security_groups == toset([aws_security_group.this.id]) && one(aws_ecs_service.this.network_configuration).assign_public_ip != true
    error_message = "Tasks must stand in the private subnets, in the service's own security group."
  }
}

run "listens_on_its_port_of_the_load_balancer" {
  command = apply

  assert {
    condition     = aws_lb_listener.this[0].port == 12345 && aws_lb_listener.this[0].protocol == "TCP" && aws_lb_listener.this[0].load_balancer_arn == var.platform.load_balancer.arn && one(aws_lb_listener.this[0].default_action).target_group_arn == aws_lb_target_group.this["first"].arn
    error_message = "The listener must lead from the service's port to its tasks."
  }
  assert {
    condition     = aws_lb_target_group.this["first"].name == "acme-dev-order-desk-${substr(sha256("acme-dev-order-desk"), 0, 10)}" && aws_lb_target_group.this["first"].target_type == "ip" && aws_lb_target_group.this["first"].port == 8080 && aws_lb_target_group.this["first"].protocol == "TCP"
    error_message = "The target group must have the agreed name and take addresses."
  }
  assert {
    condition     = one(aws_lb_target_group.this["first"].health_check).protocol == "HTTP" && one(aws_lb_target_group.this["first"].health_check).path == "/health"
    error_message = "The load balancer must ask /health."
  }
  assert {
    condition     = [one(aws_ecs_service.this.load_balancer).container_name, tostring(one(aws_ecs_service.this.load_balancer).container_port)] == ["order-desk", "8080"] && one(aws_ecs_service.this.load_balancer).target_group_arn == aws_lb_target_group.this["first"].arn
    error_message = "Tasks must register as targets."
  }
}

run "is_reached_by_the_load_balancer_alone" {
  command = plan

  assert {
    condition     = [for rule in aws_security_group.this.ingress : [rule.protocol, tostring(rule.from_port), tostring(rule.to_port), join(",", rule.security_groups), join(",", coalesce(rule.cidr_blocks, []))]] == [["tcp", "8080", "8080", "sg-0123456789abcdef1", ""]]
    error_message = "Nothing but the load balancer may reach the service."
  }
}

run "scales_by_cpu_within_its_bounds" {
  command = apply
  variables {
    service = { path = "/", scaling = { min = 2, max = 9 } }
  }
  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 9 && aws_appautoscaling_target.this.resource_id == "service/acme-dev/acme-dev-order-desk"
    error_message = "The number of tasks must stay within what service.yaml says."
  }
  assert {
    # The runs before have made the service, with one task.
    condition     = aws_ecs_service.this.desired_count == 1
    error_message = "The number of tasks must be auto scaling's once the service is there."
  }
  assert {
    condition     = one(aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration).target_value == 60 && one(one(aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration).predefined_metric_specification).predefined_metric_type == "ECSServiceAverageCPUUtilization"
    error_message = "CPU must be held at 60 %."
  }
}

run "caps_its_roles" {
  command = plan

  assert {
    condition     = alltrue([for role in [aws_iam_role.this, aws_iam_role.execution] : role.permissions_boundary == var.permissions_boundary && role.path == "/acme/dev/"])
    error_message = "Both roles must carry the boundary and lie in their environment's path."
  }
  assert {
    condition     = aws_iam_role.this.name == "acme-dev-order-desk_task" && aws_iam_role.execution.name == "acme-dev-order-desk_exec"
    error_message = "The roles must have the agreed names."
  }
}

run "may_start_from_its_repository_and_trace" {
  command = apply

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Sid => s.Resource } == {
      SignInToRegistry = "*"
      PullImages       = "arn:aws:ecr:eu-west-1:111111111111:repository/acme"
      WriteOwnLogs     = "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/ecs/acme-dev-order-desk:*"
    }
    error_message = "ECS may pull from this repository and write these logs, and no secrets may be read where there are none."
  }
  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Action])) == toset(["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"])
    error_message = "The service itself may trace, and nothing else."
  }
}

run "leaves_tracing_out_when_it_is_off" {
  command = plan
  variables {
    tracing = false
  }
  assert {
    condition     = length(aws_iam_role_policy.this) == 0
    error_message = "Without tracing the service may do nothing."
  }
}

run "gets_its_secrets_and_no_other" {
  command = apply
  variables {
    service = {
      path    = "/"
      secrets = { TOKEN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }
    }
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [{ name = "TOKEN", valueFrom = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf" }]
    error_message = "ECS must put each secret into its variable."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Resource if s.Sid == "ReadOwnSecrets"] == [["arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-AbCdEf"]]
    error_message = "Exactly its own secrets may be read."
  }
}

run "tells_what_every_kind_tells" {
  command = apply

  assert {
    condition     = output.integration == { type = "http_proxy", target = "http://acme-dev-0123456789abcdef.elb.eu-west-1.amazonaws.com:12345" } && output.resource == "acme-dev-order-desk" && output.image == var.image
    error_message = "The gateway and Python must be told the address, the service and the image."
  }
  assert {
    condition     = { for key in ["cluster", "service", "container", "task_definition"] : key => output.details[key] } == { cluster = "acme-dev", service = "acme-dev-order-desk", container = "order-desk", task_definition = aws_ecs_task_definition.this.arn } && output.version == "7" && output.log_group == "/aws/ecs/acme-dev-order-desk" && output.role_name == "acme-dev-order-desk_task"
    error_message = "The details must name cluster and service, the others revision, logs and role."
  }
}

run "tells_what_a_rollout_takes" {
  command = apply

  assert {
    condition     = { for key in ["target_group_arn", "second_group_arn", "listener_arn", "role_arn"] : key => output.details[key] } == { target_group_arn = aws_lb_target_group.this["first"].arn, second_group_arn = aws_lb_target_group.this["second"].arn, listener_arn = aws_lb_listener.this[0].arn, role_arn = "arn:aws:iam::111111111111:role/acme/dev/acme-dev_ecs-rollout" }
    error_message = "Python must be told both target groups, the listener and the role."
  }
  assert {
    condition     = length(toset([for group in aws_lb_target_group.this : group.name])) == 2 && alltrue([for group in aws_lb_target_group.this : length(group.name) <= 32 && one(group.health_check).path == "/health"])
    error_message = "The two target groups must differ in nothing but their names."
  }
}

run "stays_where_it_is_held" {
  command = apply
  variables {
    service = merge(var.service, { held_task = "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-order-desk:6" })
  }
  assert {
    condition     = aws_ecs_service.this.task_definition == "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-order-desk:6"
    error_message = "The service must stay at the task definition that it is held at."
  }
  assert {
    condition     = output.details.task_definition == aws_ecs_task_definition.this.arn && output.version == "7"
    error_message = "What is told must be the newest: the rollout brings it in."
  }
}

run "takes_nulls_for_what_other_kinds_have" {
  command = plan
  variables {
    service = { path = "/", memory = 1024, cpu = 512, timeout = null, scaling = { min = 1, max = 1, concurrency = null }, environment = {}, secrets = {}, vpc = false }
  }
  assert {
    condition     = aws_ecs_task_definition.this.cpu == "512" && aws_ecs_task_definition.this.memory == "1024"
    error_message = "What is said must be taken."
  }
}

run "waits_for_nothing_on_a_laptop" {
  command = plan
  variables {
    emulated = true
  }
  assert {
    condition     = length(aws_lb_listener.this) == 0
    error_message = "Where no load balancer is, nothing may wait for its listener."
  }
  assert {
    condition     = output.details.listener_arn == "arn:aws:elasticloadbalancing:eu-west-1:111111111111:listener/net/acme-dev/0123456789abcdef/12345"
    error_message = "A rollout takes a listener, if only a name."
  }
}
