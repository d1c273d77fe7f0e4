"""What watches an environment, against the embedded AWS: applied, kept, and each alarm tripped by what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

STACK = """
variable "errors" { default = 5 }

module "monitoring" {
  source      = "../modules/monitoring"
  name        = "acme-local"
  environment = "local"
  account     = "123456789012"
  region      = "eu-west-1"
  email       = "ops@example.com"
  services = { for name, service in local.services : name => merge(service, {
    path   = name == "api" ? "/" : "/${name}"
    alarms = { enabled = name != "quiet", errors = var.errors, latency_p99_ms = 3000 }
  }) }
  dimensions = {
    api   = { FunctionName = "acme-local-api" }
    cart  = { TargetGroup = "targetgroup/cart/1", LoadBalancer = "net/acme-local/1" }
    front = { ServiceName = "acme-local-front", ServiceID = "0123" }
    quiet = { FunctionName = "acme-local-quiet" }
    shop  = { ClusterName = "acme-local", ServiceName = "acme-local-shop", TargetGroup = "targetgroup/shop/1", LoadBalancer = "net/acme-local/1" }
  }
  log_groups = { gateway = "/aws/api-gateway/acme-local", services = { for name in keys(local.services) : name => "/aws/acme-local-${name}" } }
}

locals {
  services = {
    api   = { kind = "lambda", scaling = { min = null, max = 10 } }
    cart  = { kind = "eks", scaling = { min = 1, max = 4 } }
    front = { kind = "apprunner", scaling = { min = 1, max = 3 } }
    quiet = { kind = "lambda", scaling = { min = null, max = null } }
    shop  = { kind = "ecs", scaling = { min = 1, max = 4 } }
  }
}

output "alarms" { value = module.monitoring.alarms }
output "topic" { value = module.monitoring.topic_arn }
"""


def test_what_watches_is_applied_kept_changed_and_destroyed(
    try_modules: Callable[[str, str], Any], emulator: Any
) -> None:
    """Second plans are empty, what AWS holds is what was meant, and nothing is left."""
    terraform = try_modules("watch", STACK)
    outputs = terraform.settle("watch", "all kinds")
    cloudwatch, sns = emulator.client("cloudwatch"), emulator.client("sns")
    alarms = {each["AlarmName"]: each for each in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert sorted(alarms) == outputs["alarms"]

    terraform.settle("watch", "a lower threshold", "-var", "errors=1")
    assert {each["Threshold"] for each in _alarms(emulator, "-errors")} == {1.0}

    terraform.destroy("watch")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
    assert emulator.client("logs").describe_query_definitions()["queryDefinitions"] == []
    assert sns.list_topics()["Topics"] == []


def _alarms(emulator: Any, ending: str) -> list[dict[str, Any]]:
    found = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return [each for each in found if each["AlarmName"].endswith(ending)]
