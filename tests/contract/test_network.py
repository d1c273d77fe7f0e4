"""Network, cluster and a Fargate service against the embedded AWS: what Terraform applies there, and keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:"
STACK = """
variable "nat" { default = "single" }
variable "revision" { default = "1" }
variable "services" {
  type    = map(number)
  default = { web = 31234, "order-desk" = 31235 }
}

module "network" {
  source      = "../modules/network"
  name        = "acme-local"
  project     = "acme"
  environment = "local"
  region      = "eu-west-1"
  nat         = var.nat
  emulated    = true
}

module "load_balancer" {
  source     = "../modules/load-balancer"
  name       = "acme-local"
  vpc_id     = module.network.vpc_id
  subnet_ids = module.network.subnet_ids
  cidr       = module.network.cidr
  emulated   = true
}

module "ecs_cluster" {
  source      = "../modules/ecs-cluster"
  name        = "acme-local"
  project     = "acme"
  environment = "local"
  account     = "123456789012"
  region      = "eu-west-1"
}

module "ecs_service" {
  source      = "../modules/ecs-service"
  for_each    = var.services
  name        = each.key
  project     = "acme"
  environment = "local"
  image       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:${sha256("${each.key}${var.revision}")}"
  base_url    = "http://127.0.0.1:8080/local"
  emulated    = true
  service = {
    path    = "/${each.key}"
    scaling = { min = 2, max = 5 }
    secrets = { TOKEN = aws_secretsmanager_secret.this.arn }
  }
  platform = {
    network       = module.network
    load_balancer = module.load_balancer
    ecs_cluster   = module.ecs_cluster
    port          = each.value
  }
}

resource "aws_secretsmanager_secret" "this" { name = "acme/local/token" }

output "network" { value = module.network }
output "services" { value = module.ecs_service }
"""


def test_the_modules_apply_and_then_plan_nothing(try_modules: Callable[[str, str], Any], emulator: Any) -> None:
    """Second plans are empty: at first, after new images, after a removal and another way out."""
    terraform = try_modules("ecs", STACK)
    ecs, ec2 = emulator.client("ecs"), emulator.client("ec2")
    outputs = terraform.settle("ecs", "two services")
    web = outputs["services"]["web"]
    assert web["integration"] == {"type": "http_proxy", "target": "http://acme-local.elb.localhost:31234"}
    _check_service(emulator, outputs, "web")

    again = terraform.settle("ecs", "new images", "-var", "revision=2")["services"]["web"]
    assert (web["version"], again["version"]) == ("1", "2")
    (running,) = ecs.describe_services(cluster="acme-local", services=["acme-local-web"])["services"]
    assert running["taskDefinition"] == again["details"]["task_definition"]

    gone = ("-var", 'services={"web":31234}', "-var", "revision=2", "-var", "nat=none")
    terraform.settle("ecs", "one service, no way out", *gone)
    active = ecs.describe_services(cluster="acme-local", services=["acme-local-web", "acme-local-order-desk"])
    assert [each["serviceName"] for each in active["services"] if each["status"] == "ACTIVE"] == ["acme-local-web"]
    endpoints = {each["ServiceName"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]}
    assert {"com.amazonaws.eu-west-1.s3", "com.amazonaws.eu-west-1.ecr.dkr"} < endpoints
    assert [each for each in ec2.describe_nat_gateways()["NatGateways"] if each["State"] == "available"] == []

    terraform.destroy("ecs", *gone)
    assert [each["CidrBlock"] for each in ec2.describe_vpcs()["Vpcs"] if not each["IsDefault"]] == []


def _check_service(emulator: Any, outputs: dict[str, Any], name: str) -> None:
    """Ask the emulated AWS, not Terraform, what is there."""
    full, service = f"acme-local-{name}", outputs["services"][name]
    ecs = emulator.client("ecs")
    (running,) = ecs.describe_services(cluster="acme-local", services=[full])["services"]
    assert running["launchType"] == "FARGATE"
    placed = running["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    assert sorted(placed) == sorted(outputs["network"]["subnet_ids"])
    assert running["loadBalancers"][0]["targetGroupArn"] == service["details"]["target_group_arn"]
    task = ecs.describe_task_definition(taskDefinition=running["taskDefinition"])["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert container["image"] == service["image"]
    assert container["image"].startswith(IMAGE)
    assert container["readonlyRootFilesystem"] is True
    assert [secret["name"] for secret in container["secrets"]] == ["TOKEN"]
    role = emulator.client("iam").get_role_policy(RoleName=f"{full}_exec", PolicyName="start")["PolicyDocument"]
    readable = [each["Resource"] for each in role["Statement"] if each["Sid"] == "ReadOwnSecrets"]
    assert readable == [[secret["valueFrom"] for secret in container["secrets"]]]
    scaling = emulator.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    bounds = {each["ResourceId"]: (each["MinCapacity"], each["MaxCapacity"]) for each in scaling["ScalableTargets"]}
    assert bounds[f"service/acme-local/{full}"] == (2, 5)
