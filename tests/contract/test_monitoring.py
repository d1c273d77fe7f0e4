"""What watches an environment, against the embedded AWS: applied, kept, and each alarm tripped by what it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tests.alarms import Samples, evaluate

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
    shop = {
      ClusterName  = "acme-local", ServiceName = "acme-local-shop"
      LoadBalancer = "net/acme-local/1", TargetGroup = "targetgroup/shop/1", SecondTargetGroup = "targetgroup/shop/2"
    }
  }
  log_groups = {
    gateway  = "/aws/api-gateway/acme-local"
    services = { for name in keys(local.services) : name => "/aws/acme-local-${name}" }
  }
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


MINUTES = range(30)
DIMENSIONS: dict[str, dict[str, dict[str, str]]] = {
    "api": {"AWS/Lambda": {"FunctionName": "acme-local-api"}},
    "cart": {"AWS/NetworkELB": {"TargetGroup": "targetgroup/cart/1", "LoadBalancer": "net/acme-local/1"}},
    "front": {"AWS/AppRunner": {"ServiceName": "acme-local-front", "ServiceID": "0123"}},
    "shop": {
        "AWS/ECS": {"ClusterName": "acme-local", "ServiceName": "acme-local-shop"},
        "AWS/NetworkELB": {"TargetGroup": "targetgroup/shop/1", "LoadBalancer": "net/acme-local/1"},
    },
}


def _measure(namespace: str, metric: str, dimensions: Mapping[str, str], *minutes: Sequence[float]) -> Samples:
    """Lay what each minute measured at the end of the half hour; an empty one measured nothing."""
    first = len(MINUTES) - len(minutes)
    there = {first + number: list(values) for number, values in enumerate(minutes) if values}
    return {(namespace, metric, frozenset(dimensions.items())): there}


def _requests(resource: str | None, *minutes: tuple[int, int]) -> Samples:
    """Make what the gateway measures of so many requests, so many of them failed, in each of the last minutes."""
    stage = {"ApiName": "acme-local", "Stage": "local"}
    dimensions = stage if resource is None else {**stage, "Method": "ANY", "Resource": resource}
    failed = [[1.0] * bad + [0.0] * (asked - bad) for asked, bad in minutes]
    counted = [[1.0] * asked for asked, _ in minutes]
    return {
        **_measure("AWS/ApiGateway", "5XXError", dimensions, *failed),
        **_measure("AWS/ApiGateway", "Count", dimensions, *counted),
    }


def _latency(resource: str, *minutes: Sequence[float]) -> Samples:
    dimensions = {"ApiName": "acme-local", "Stage": "local", "Method": "ANY", "Resource": resource}
    return _measure("AWS/ApiGateway", "Latency", dimensions, *minutes)


def _of(service: str, namespace: str, metric: str, *minutes: Sequence[float]) -> Samples:
    return _measure(namespace, metric, DIMENSIONS[service][namespace], *minutes)


FAST, SLOW = [20.0] * 100, [20.0] * 98 + [9000.0] * 2

CASES: list[tuple[str, str, Samples, str]] = [
    ("api-errors", "one in ten fails for two minutes", _requests("/{proxy+}", (100, 10), (100, 10)), "ALARM"),
    ("api-errors", "a minute between", _requests("/{proxy+}", (100, 10), (100, 0), (100, 10)), "ALARM"),
    ("api-errors", "one minute only", _requests("/{proxy+}", (100, 10), (100, 0), (100, 0)), "OK"),
    ("api-errors", "below the share", _requests("/{proxy+}", *[(100, 5)] * 5), "OK"),
    ("api-errors", "too few at night", _requests("/{proxy+}", *[(2, 2)] * 5), "OK"),
    ("api-errors", "nobody calls", {}, "OK"),
    ("api-errors", "another service", _requests("/shop/{proxy+}", *[(100, 50)] * 5), "OK"),
    (
        "api-errors",
        "half of them at its root",
        {**_requests("/", *[(20, 2)] * 3), **_requests("/{proxy+}", *[(20, 1)] * 3)},
        "ALARM",
    ),
    ("shop-errors", "at its root alone", _requests("/shop", (10, 3), (10, 3)), "ALARM"),
    ("api-latency", "two of a hundred", _latency("/{proxy+}", *[SLOW] * 15), "ALARM"),
    ("api-latency", "its root, where nothing else is called", _latency("/", *[SLOW] * 15), "ALARM"),
    ("api-latency", "ten minutes only", _latency("/{proxy+}", *[FAST] * 5, *[SLOW] * 10), "OK"),
    ("api-latency", "one of two hundred", _latency("/{proxy+}", *[[20.0] * 199 + [9000.0]] * 15), "OK"),
    ("api-throttles", "three of five minutes", _of("api", "AWS/Lambda", "Throttles", *[[1]] * 3, [], []), "ALARM"),
    ("api-throttles", "two of five", _of("api", "AWS/Lambda", "Throttles", [1], [1], [0], [0], [0]), "OK"),
    ("api-capacity", "8 of 10", _of("api", "AWS/Lambda", "ConcurrentExecutions", *[[2, 8]] * 3), "ALARM"),
    ("api-capacity", "7 of 10", _of("api", "AWS/Lambda", "ConcurrentExecutions", *[[7]] * 3), "OK"),
    ("front-capacity", "all instances", _of("front", "AWS/AppRunner", "ActiveInstances", *[[3]] * 15), "ALARM"),
    ("front-capacity", "one left", _of("front", "AWS/AppRunner", "ActiveInstances", *[[2]] * 15), "OK"),
    ("shop-capacity", "no processor left", _of("shop", "AWS/ECS", "CPUUtilization", *[[95, 97]] * 15), "ALARM"),
    ("shop-capacity", "where scaling aims at", _of("shop", "AWS/ECS", "CPUUtilization", *[[60, 99]] * 15), "OK"),
    ("shop-unhealthy", "five minutes", _of("shop", "AWS/NetworkELB", "UnHealthyHostCount", *[[0, 1]] * 5), "ALARM"),
    ("shop-unhealthy", "a rollout", _of("shop", "AWS/NetworkELB", "UnHealthyHostCount", *[[1]] * 4, [0]), "OK"),
    (
        "shop-unhealthy",
        "in the second group alone",
        _measure(
            "AWS/NetworkELB",
            "UnHealthyHostCount",
            {"TargetGroup": "targetgroup/shop/2", "LoadBalancer": "net/acme-local/1"},
            *[[1]] * 5,
        ),
        "ALARM",
    ),
    ("cart-unhealthy", "five minutes", _of("cart", "AWS/NetworkELB", "UnHealthyHostCount", *[[1]] * 5), "ALARM"),
    ("cart-unhealthy", "nothing measured", {}, "OK"),
    ("_errors", "each service a little", _requests(None, *[(1000, 60)] * 2), "ALARM"),
    ("_errors", "all is well", _requests(None, *[(1000, 3)] * 5), "OK"),
]
"""Alarm, what happens, what is measured, and the state that must follow."""


def _check_alarms(alarms: Mapping[str, Mapping[str, Any]], topic: str) -> None:
    """Each alarm trips by what it is for and by nothing else, and tells the topic of both its ends."""
    names = {name: f"acme-local{'' if name.startswith('_') else '-'}{name}" for name, *_ in CASES}
    wrong = [
        f"{name}, {what}: {state}, not {wanted}"
        for name, what, samples, wanted in CASES
        if (state := evaluate(alarms[names[name]], samples, MINUTES[-1])) != wanted
    ]
    assert wrong == []
    tripped = {names[name] for name, _, _, wanted in CASES if wanted == "ALARM"}
    held = {names[name] for name, _, _, wanted in CASES if wanted == "OK"}
    same = {f"acme-local-{service}-{word}" for service in ("cart", "front", "shop") for word in ("errors", "latency")}
    assert tripped | same == alarms.keys()
    assert held | same == alarms.keys()
    for name in same:
        assert _shape(alarms[name]) == _shape(alarms[f"acme-local-api-{name.rpartition('-')[2]}"])
    for alarm in alarms.values():
        assert (alarm["AlarmActions"], alarm["OKActions"], alarm["ActionsEnabled"]) == ([topic], [topic], True)


def _shape(alarm: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes an alarm behave as another does."""
    keys = ("ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")
    queries = sorted(
        (
            each["Id"],
            each.get("Expression"),
            each.get("MetricStat", {}).get("Stat"),
            each.get("MetricStat", {}).get("Period"),
        )
        for each in alarm["Metrics"]
    )
    return (*(alarm[key] for key in keys), str(queries))


def _check_page(emulator: Any, alarms: Collection[str]) -> None:
    body = json.loads(emulator.client("cloudwatch").get_dashboard(DashboardName="acme-local")["DashboardBody"])
    shown, *rest = body["widgets"]
    assert {arn.rpartition(":")[2] for arn in shown["properties"]["alarms"]} == set(alarms)
    places = {(each["x"], each["y"]) for each in body["widgets"]}
    assert len(places) == len(body["widgets"])
    assert all(each["x"] + each["width"] <= 24 for each in body["widgets"])
    assert all(each["properties"]["region"] == "eu-west-1" and each["properties"]["metrics"] for each in rest)


def _check_who_hears(emulator: Any, topic: str) -> None:
    attributes = emulator.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    key = emulator.client("kms").describe_key(KeyId=attributes["KmsMasterKeyId"])["KeyMetadata"]
    assert (key["Enabled"], key["KeyManager"]) == (True, "CUSTOMER")
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    (subscription,) = emulator.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    groups = emulator.client("xray").get_group(GroupName="acme-local")["Group"]
    assert groups["FilterExpression"] == 'service("acme-local/local")'
    queries = emulator.client("logs").describe_query_definitions(queryDefinitionNamePrefix="acme-local/")
    assert [each["name"] for each in queries["queryDefinitions"]] == [
        f"acme-local/{name}" for name in ("errors", "failures", "slowest", "traffic")
    ]


def test_what_watches_is_applied_kept_changed_and_destroyed(
    try_modules: Callable[[str, str], Any], emulator: Any
) -> None:
    """Second plans are empty, what AWS holds is what was meant, and nothing is left."""
    terraform = try_modules("watch", STACK)
    outputs = terraform.settle("watch", "all kinds")
    cloudwatch, sns = emulator.client("cloudwatch"), emulator.client("sns")
    alarms = {each["AlarmName"]: each for each in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert sorted(alarms) == outputs["alarms"]
    _check_alarms(alarms, outputs["topic"])
    _check_page(emulator, alarms)
    _check_who_hears(emulator, outputs["topic"])

    terraform.settle("watch", "a lower threshold", "-var", "errors=1")
    changed = cloudwatch.describe_alarms(AlarmNamePrefix="acme-local-shop-errors")["MetricAlarms"]
    assert [each["Threshold"] for each in changed] == [1.0]

    terraform.destroy("watch")
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
    assert emulator.client("logs").describe_query_definitions()["queryDefinitions"] == []
    assert sns.list_topics()["Topics"] == []
