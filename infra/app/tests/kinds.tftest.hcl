# One service of each kind.
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-west-1", name = "eu-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111111111111" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"], zone_ids = ["euw1-az1", "euw1-az2", "euw1-az3"] }
  }
  mock_data "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/database-url-a1b2c3" }
  }
  mock_data "aws_vpc" {
    defaults = { cidr_block = "10.0.0.0/16" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111111111111:role/acme/dev/a-role" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::111111111111:policy/acme/dev/a-policy" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/0123" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111111111111:acme-dev_alarms" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111111111111:function:a-function:live" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111111111111:log-group:a-group" }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = { id = "a1b2c3", execution_arn = "arn:aws:execute-api:eu-west-1:111111111111:a1b2c3" }
  }
  mock_resource "aws_api_gateway_stage" {
    defaults = { arn = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3/stages/prod" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-west-1:111111111111:regional/webacl/acme-prod/0123" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/net/acme-dev/0123", dns_name = "balancer.elb.eu-west-1.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/a-group/0123" }
  }
  mock_resource "aws_api_gateway_vpc_link" {
    defaults = { id = "link1" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-west-1:111111111111:cluster/acme-dev", endpoint = "https://cluster.example.com", certificate_authority = [{ data = "Y2E=" }] }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:111111111111:cluster/acme-dev" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-shop:1" }
  }
  mock_resource "aws_apprunner_auto_scaling_configuration_version" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:autoscalingconfiguration/a/1/0123" }
  }
  mock_resource "aws_apprunner_observability_configuration" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:observabilityconfiguration/a/1/0123" }
  }
  mock_resource "aws_apprunner_vpc_connector" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:vpcconnector/a/1/0123" }
  }
  mock_resource "aws_apprunner_service" {
    defaults = { arn = "arn:aws:apprunner:eu-west-1:111111111111:service/acme-dev-front/0123", service_id = "0123", service_url = "abc.eu-west-1.awsapprunner.com" }
  }
}

variables {
  root        = "tests/kinds"
  environment = "dev"
  image_digests = {
    api   = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    cart  = "sha256:123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"
    front = "sha256:23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01"
    shop  = "sha256:3456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef012"
  }
}

run "leaves_an_alias_where_requests_come_by_and_by" {
  command = apply
  variables {
    held_versions = { api = "4", shop = "9" }
  }
  assert {
    condition     = output.services.api.version != "4" && output.rollouts == "acme-dev"
    error_message = "CodeDeploy moves the alias of a service with a linear rollout, not Terraform."
  }
}

run "leaves_tasks_where_requests_come_by_and_by" {
  command = apply
  variables {
    held_tasks = { shop = "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-shop:9", api = "not heeded" }
  }
  assert {
    condition     = output.services.shop.details.task_definition == "arn:aws:ecs:eu-west-1:111111111111:task-definition/acme-dev-shop:1" && output.services.shop.details.second_group_arn != null
    error_message = "ECS leads requests to the newest tasks, not Terraform: what is told is the newest."
  }
}

run "deploys_a_service_of_each_kind" {
  command = apply

  assert {
    condition     = { for name, service in output.services : name => service.kind } == { api = "lambda", cart = "eks", front = "apprunner", shop = "ecs" }
    error_message = "Each kind must have its module."
  }
  assert {
    condition     = length(module.network) == 1 && length(module.load_balancer) == 1 && length(module.ecs_cluster) == 1 && length(module.eks_cluster) == 1 && output.eks.name == "acme-dev"
    error_message = "What the services stand on must be there once."
  }
  assert {
    condition     = length(output.guarded) == 0
    error_message = "What is not protected must go as it came."
  }
  assert {
    condition = { for path, item in jsondecode(output.openapi).paths : path => item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"].uri if contains(["/", "/cart", "/front", "/shop"], path) } == {
      "/"      = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-api:live/invocations"
      "/cart"  = "http://balancer.elb.eu-west-1.amazonaws.com:${10000 + parseint(substr(sha256("cart"), 0, 8), 16) % 40000}/cart"
      "/front" = "https://$${stageVariables.url_front}/front"
      "/shop"  = "http://balancer.elb.eu-west-1.amazonaws.com:${10000 + parseint(substr(sha256("shop"), 0, 8), 16) % 40000}/shop"
    }
    error_message = "The gateway must reach each service in its kind's way."
  }
  assert {
    condition     = output.stage_variables == { url_front = "abc.eu-west-1.awsapprunner.com" }
    error_message = "App Runner's address must be the stage's variable."
  }
  assert {
    condition     = contains(keys(jsondecode(output.openapi).paths), "/front/services.json")
    error_message = "The service that asks for the catalog must have it."
  }
  assert {
    condition     = alltrue([for name, service in output.services : endswith(service.image, var.image_digests[name])])
    error_message = "Each service must run the digest it was given."
  }
}

run "watches_what_it_deploys" {
  command = apply

  assert {
    condition     = output.monitoring.dashboard == "acme-dev" && length(output.monitoring.alarms) == 14 && contains(output.monitoring.alarms, "acme-dev-cart-unhealthy")
    error_message = "Every service must have its alarms, and the environment its page."
  }
  assert {
    condition     = local.rollouts["api"].alarms == ["acme-dev-api-errors", "api is slow"] && local.rollouts["shop"].alarms == ["acme-dev-shop-latency"]
    error_message = "A rollout must be told a service's own alarms by their names, and others as they are."
  }
  assert {
    condition     = local.dimensions["front"] == { ServiceName = module.apprunner_service["front"].resource, ServiceID = "0123" } && local.dimensions["cart"] == { TargetGroup = "targetgroup/a-group/0123", LoadBalancer = "net/acme-dev/0123" }
    error_message = "Metrics must be called as CloudWatch calls them."
  }
}

run "reaches_aws_from_a_closed_network" {
  command = plan
  variables {
    environment = "closed"
  }
  assert {
    condition     = setsubtract(keys(module.network[0].endpoints), ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sns", "sqs", "ssm", "sts", "xray"]) == toset(["ec2", "eks", "eks-auth", "elasticloadbalancing"])
    error_message = "Nodes and controllers of the Kubernetes cluster must reach what they call."
  }
}

run "pays_for_no_endpoint_that_nothing_calls" {
  command = plan
  variables {
    root          = "tests/closed"
    image_digests = { shop = var.image_digests.shop }
  }
  assert {
    condition     = length(module.network[0].endpoints) == 9 && !contains(keys(module.network[0].endpoints), "eks")
    error_message = "A network without a Kubernetes cluster must not have its endpoints."
  }
}

run "guards_a_protected_environment" {
  command = apply
  variables {
    environment = "prod"
  }
  assert {
    condition     = one(output.guarded) == module.load_balancer[0].arn
    error_message = "A destroy must know what AWS refuses to delete."
  }
}
