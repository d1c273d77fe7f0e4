"""Whether alarms and dashboards name metrics that exist: AWS's own lists, and the resources that were made beside them.

A metric that does not exist is no error anywhere: its alarm stays quiet for ever, its graph is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.infra.rules import Resource

_STAGE = frozenset({"ApiName", "Stage"})
_METHOD = frozenset({"ApiName", "Stage", "Method", "Resource"})
_FUNCTION = frozenset({"FunctionName"})
_RUNNER = frozenset({"ServiceName", "ServiceID"})
_TASKS = frozenset({"ClusterName", "ServiceName"})
_HOSTS = frozenset({"TargetGroup", "LoadBalancer"})

DOCUMENTED: Mapping[str, tuple[frozenset[str], frozenset[frozenset[str]]]] = {
    # Amazon API Gateway dimensions and metrics; those of a method only with detailed metrics on.
    "AWS/ApiGateway": (
        frozenset(
            {"4XXError", "5XXError", "CacheHitCount", "CacheMissCount", "Count", "IntegrationLatency", "Latency"}
        ),
        frozenset({_STAGE, _METHOD}),
    ),
    # AWS Lambda: Types of metrics for Lambda functions.
    "AWS/Lambda": (
        frozenset({"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"}),
        frozenset({_FUNCTION}),
    ),
    # AWS App Runner: Viewing App Runner service metrics reported to CloudWatch.
    "AWS/AppRunner": (
        frozenset(
            {
                *("2xxStatusResponses", "4xxStatusResponses", "5xxStatusResponses", "ActiveInstances", "Concurrency"),
                *("CPUUtilization", "MemoryUtilization", "RequestLatency", "Requests"),
            }
        ),
        frozenset({_RUNNER}),
    ),
    # Amazon ECS CloudWatch metrics, of a service, without Container Insights.
    "AWS/ECS": (frozenset({"CPUUtilization", "MemoryUtilization"}), frozenset({_TASKS})),
    # CloudWatch metrics for your Network Load Balancer.
    "AWS/NetworkELB": (
        frozenset({"ActiveFlowCount", "HealthyHostCount", "NewFlowCount", "ProcessedBytes", "UnHealthyHostCount"}),
        frozenset({_HOSTS}),
    ),
}
"""Namespace -> its metrics, and which sets of dimensions each of them has."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that something asks for, and what asks."""

    by: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]


def find_unmeasured(resources: Iterable[Resource]) -> list[str]:
    """Return each metric that an alarm or a dashboard names and nothing measures, one sentence each."""
    every = list(resources)
    made = _made(every)
    broken: list[str] = []
    for metric in read_metrics(every):
        names, dimensions = DOCUMENTED.get(metric.namespace, (frozenset[str](), frozenset[frozenset[str]]()))
        if metric.name not in names or frozenset(metric.dimensions) not in dimensions:
            given = ", ".join(sorted(metric.dimensions))
            broken.append(f"{metric.by}: {metric.namespace} has no {metric.name} by {given}")
        elif not _is_made(metric, made):
            broken.append(f"{metric.by}: nothing measures {metric.name} of {dict(metric.dimensions)}")
    return broken


def read_metrics(resources: Iterable[Resource]) -> Iterator[Metric]:
    """Read the metrics that alarms and dashboards ask for."""
    for each in resources:
        if each.type == "aws_cloudwatch_metric_alarm":
            own = [each.values] if each.values.get("metric_name") else []
            for metric in [*own, *(part for query in each.values["metric_query"] for part in query["metric"])]:
                yield Metric(each.address, metric["namespace"], metric["metric_name"], metric["dimensions"])
        if each.type == "aws_cloudwatch_dashboard":
            for widget in json.loads(each.values["dashboard_body"])["widgets"]:
                for namespace, name, *rest in widget["properties"].get("metrics", []):
                    words = cast("list[str]", rest[:-1])
                    yield Metric(each.address, namespace, name, dict(zip(words[::2], words[1::2], strict=True)))


def _made(resources: Sequence[Resource]) -> dict[str, list[Mapping[str, str]]]:
    """Return by namespace the dimensions under which what was made is measured."""
    found: dict[str, list[Mapping[str, str]]] = {namespace: [] for namespace in DOCUMENTED}
    by: dict[str, list[Mapping[str, Any]]] = {}
    for each in resources:
        by.setdefault(each.type, []).append(each.values)
    stages = [each["stage_name"] for each in by.get("aws_api_gateway_stage", [])]
    settings = [part for each in by.get("aws_api_gateway_method_settings", []) for part in each["settings"]]
    detailed = any(each["metrics_enabled"] for each in settings)
    for api in by.get("aws_api_gateway_rest_api", []):
        for stage in stages:
            place = {"ApiName": api["name"], "Stage": stage}
            found["AWS/ApiGateway"] += [place, *({**place, **route} for route in _routes(api) if detailed)]
    found["AWS/Lambda"] = [{"FunctionName": each["function_name"]} for each in by.get("aws_lambda_function", [])]
    found["AWS/AppRunner"] = [
        {"ServiceName": each["service_name"], "ServiceID": each["service_id"]}
        for each in by.get("aws_apprunner_service", [])
    ]
    clusters = [each["name"] for each in by.get("aws_ecs_cluster", [])]
    found["AWS/ECS"] = [
        {"ClusterName": cluster, "ServiceName": each["name"]}
        for each in by.get("aws_ecs_service", [])
        for cluster in clusters
    ]
    found["AWS/NetworkELB"] = [
        {"TargetGroup": group["arn"].rpartition(":")[2], "LoadBalancer": balancer["arn"].partition("loadbalancer/")[2]}
        for group in by.get("aws_lb_target_group", [])
        for balancer in by.get("aws_lb", [])
    ]
    return found


def _routes(api: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """Return the resources and methods of an API's body; the method for all of them is called ANY."""
    for path, methods in json.loads(api["body"])["paths"].items():
        for method in methods:
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield {"Method": name, "Resource": path}


def _is_made(metric: Metric, made: Mapping[str, Sequence[Mapping[str, str]]]) -> bool:
    return any(metric.dimensions == dimensions for dimensions in made[metric.namespace])
