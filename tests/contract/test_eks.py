"""EKS against the embedded AWS: what Terraform applies there, and the Kubernetes API that the clusters lead to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stackyard.kinds.manifests import EksService, render, render_cluster, render_first_size
from stackyard.project import Target, Throttle
from stackyard.tools.aws import Aws
from stackyard.tools.clusters import find_cluster
from stackyard.tools.kubernetes import Cluster

ACCOUNT = "123456789012"
TARGET = Target("acme", "local", ACCOUNT, "eu-west-1", protected=False, throttle=Throttle())
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
STACK = """
module "eks_cluster" {
  source      = "../modules/eks-cluster"
  name        = "acme-local"
  project     = "acme"
  environment = "local"
  vpc_id      = var.network.vpc_id
  subnet_ids  = var.network.subnet_ids
  emulated    = true
}

module "eks_service" {
  source      = "../modules/eks-service"
  for_each    = var.ports
  name        = each.key
  project     = "acme"
  environment = "local"
  image       = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:${sha256(each.key)}"
  base_url    = "http://127.0.0.1:8080/local"
  service     = { path = "/${each.key}", secrets = { TOKEN = aws_secretsmanager_secret.this.arn } }
  emulated    = true
  platform = {
    network       = var.network
    load_balancer = var.load_balancer
    eks_cluster   = module.eks_cluster
    port          = each.value
  }
}

resource "aws_secretsmanager_secret" "this" { name = "acme/local/token" }

variable "ports" {
  type    = map(number)
  default = { web = 31234, "order-desk" = 31235 }
}
variable "network" {
  type = object({ vpc_id = string, subnet_ids = list(string), cidr = string, security_group_id = string })
}
variable "load_balancer" { type = map(string) }

output "cluster" { value = module.eks_cluster }
output "services" { value = module.eks_service }
"""


def _platform(emulator: Any) -> dict[str, Any]:
    """Make the network without Terraform; a load balancer is only a name here."""
    ec2 = emulator.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"eu-west-1{zone}")["Subnet"]
        for number, zone in enumerate("ab")
    ]
    ids = [subnet["SubnetId"] for subnet in subnets]
    return {
        "network": {"vpc_id": vpc, "subnet_ids": ids, "cidr": "10.0.0.0/16", "security_group_id": ""},
        "load_balancer": {
            "arn": "",
            "dns_name": "acme-local.elb.localhost",
            "vpc_link_id": "",
            "security_group_id": "",
        },
    }


def test_the_modules_apply_and_then_plan_nothing(
    project: Path, try_modules: Callable[[str, str], Any], emulator: Any
) -> None:
    """What `emulated` leaves holds: second plans are empty, what was made leads to ready pods, a service goes."""
    terraform = try_modules("eks", STACK)
    (project / "infra/eks/platform.auto.tfvars.json").write_text(json.dumps(_platform(emulator)))
    outputs = terraform.settle("eks", "two services")
    cluster = emulator.client("eks").describe_cluster(name="acme-local")["cluster"]
    assert cluster["endpoint"] == outputs["cluster"]["endpoint"]
    assert cluster["encryptionConfig"][0]["provider"]["keyArn"].startswith("arn:aws:kms:")
    details = outputs["services"]["web"]["details"]
    assert json.loads(details["environment"])["SERVICE_SECRETS"].startswith('{"TOKEN":"arn:aws:secretsmanager:')
    targets = {name: service["details"]["target_group_arn"] for name, service in outputs["services"].items()}
    assert _target_groups(emulator) == set(targets.values())
    assert outputs["services"]["web"]["integration"]["target"] == "http://acme-local.elb.localhost:31234"
    _roll_out(emulator, outputs["services"]["web"])

    only_web = ("-var", 'ports={"web":31234}')
    terraform.settle("eks", "one service", *only_web)
    assert _target_groups(emulator) == {targets["web"]}


def _target_groups(emulator: Any) -> set[str]:
    return {group["TargetGroupArn"] for group in emulator.client("elbv2").describe_target_groups()["TargetGroups"]}


def _roll_out(emulator: Any, service: dict[str, Any]) -> None:
    """Take a service from what Terraform tells of it to pods that are ready."""
    details = service["details"]
    facts = EksService(
        name="web",
        namespace=details["namespace"],
        project="acme",
        environment="local",
        image=_push(emulator),
        app="web.app:app",
        cpu=256,
        memory=512,
        min=1,
        max=4,
        variables=json.loads(details["environment"]),
        target_group_arn=details["target_group_arn"],
        nodes="auto",
    )
    access = find_cluster(Aws(TARGET, emulator.url), details["cluster"])
    assert access is not None
    cluster = Cluster(access, pause=0.01)
    cluster.apply([*render_cluster("auto"), *render(facts)], first=(render_first_size(facts),))
    cluster.wait_for_rollout(facts.namespace, facts.name, 20)
    deployed = cluster.find_deployed(facts.namespace, facts.name)
    assert deployed is not None
    assert deployed.environment["SERVICE_URL_BASE"] == "http://127.0.0.1:8080/local"
    assert f"{facts.namespace}/{facts.name}" == service["resource"]


def _push(emulator: Any) -> str:
    """Put an image into a repository and return its name, by digest."""
    emulator.client("ecr").create_repository(repositoryName="acme")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []})
    image = emulator.client("ecr").put_image(repositoryName="acme", imageManifest=manifest, imageTag="web-1")
    return f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/acme@{image['image']['imageId']['imageDigest']}"
