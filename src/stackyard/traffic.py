"""Decide which of AWS's metrics tell the traffic of an environment, and what their answers come to. Asks nobody.

Sources: "Amazon API Gateway dimensions and metrics", "Types of metrics for Lambda functions", "Viewing App Runner
service metrics". ECS and EKS services have no metric of requests of their own: the gateway counts theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from stackyard.loglines import GATEWAY, Line

HOUR = 3600
ANY = "x-amazon-apigateway-any-method"

_GATEWAY = {"requests": "Count", "refused": "4XXError", "failed": "5XXError"}
_LAMBDA = {"calls": "Invocations", "errors": "Errors", "throttled": "Throttles"}
_APP_RUNNER = {"calls": "Requests", "errors": "5xxStatusResponses"}


@dataclass(frozen=True, slots=True)
class Traffic:
    """The last hour: requests at the gateway, its 4xx and 5xx; what the service's platform says of calls and errors.

    None where there is no metric. Latency in ms.
    """

    requests: int | None = None
    refused: int | None = None
    failed: int | None = None
    latency_p99: float | None = None
    calls: int | None = None
    errors: int | None = None
    throttled: int | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric to ask for, and whose figure it is a part of."""

    service: str
    figure: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str = "Sum"


def plan_metrics(
    api: str, stage: str, openapi: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> list[Metric]:
    """Return the metrics of the gateway and of each service.

    Args:
        api: The API's name.
        stage: Its stage.
        openapi: The document that it was made from: its paths and methods have metrics of their own.
        services: By name, with ``kind``, ``path``, ``resource`` and ``target``, as infra/app's outputs have them.

    """
    whole = (("ApiName", api), ("Stage", stage))
    found = [Metric(GATEWAY, figure, "AWS/ApiGateway", name, whole) for figure, name in _GATEWAY.items()]
    found.append(Metric(GATEWAY, "latency_p99", "AWS/ApiGateway", "Latency", whole, "p99"))
    for path, methods in cast("Mapping[str, Mapping[str, Any]]", openapi.get("paths") or {}).items():
        owner = find_owner(path, services)
        for method in methods:
            if owner is None or method == "parameters":
                continue
            verb = "ANY" if method == ANY else method.upper()
            place = (("ApiName", api), ("Method", verb), ("Resource", path), ("Stage", stage))
            found += [Metric(owner, figure, "AWS/ApiGateway", name, place) for figure, name in _GATEWAY.items()]
    for service, facts in services.items():
        if facts["kind"] == "lambda":
            own = (("FunctionName", str(facts["resource"])),)
            found += [Metric(service, figure, "AWS/Lambda", name, own) for figure, name in _LAMBDA.items()]
        elif facts["kind"] == "apprunner" and facts.get("log_group"):
            number = str(facts["log_group"]).split("/")[-2]
            own = (("ServiceID", number), ("ServiceName", str(facts["resource"])))
            found += [Metric(service, figure, "AWS/AppRunner", name, own) for figure, name in _APP_RUNNER.items()]
    return found


def find_owner(path: str, services: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the service under whose public path a route lies; the longest path counts."""
    owners = [
        (len(prefix), name)
        for name, facts in services.items()
        if path == (prefix := str(facts["path"]).rstrip("/")) or path.startswith(f"{prefix}/")
    ]
    return max(owners)[1] if owners else None


def sum_up(metrics: Sequence[Metric], values: Sequence[float | None], services: Iterable[str]) -> dict[str, Traffic]:
    """Add the figures up, by service and for the gateway; ``values`` are in the order of ``metrics``."""
    figures: dict[str, dict[str, float]] = {name: {} for name in (GATEWAY, *services)}
    for metric, value in zip(metrics, values, strict=True):
        if value is not None:
            mine = figures[metric.service]
            mine[metric.figure] = mine.get(metric.figure, 0) + value
    return {
        name: Traffic(**{key: round(value, 1) if key == "latency_p99" else int(value) for key, value in each.items()})  # pyright: ignore[reportArgumentType]  (only the latency is no whole number)
        for name, each in figures.items()
    }


def count_requests(lines: Iterable[Line], services: Iterable[str]) -> dict[str, Traffic]:
    """Count the same from the lines of the local gateway's access log."""
    counted: dict[str, list[tuple[int, float]]] = {name: [] for name in (GATEWAY, *services)}
    for line in lines:
        status, latency = line.fields.get("status"), line.fields.get("latency_ms")
        if line.kind != "access" or not isinstance(status, int) or not isinstance(latency, int | float):
            continue
        counted[GATEWAY].append((status, latency))
        to = str(line.fields.get("to", ""))
        if to in counted and to != GATEWAY:
            counted[to].append((status, latency))
    return {name: _count(each) for name, each in counted.items()}


def _count(answers: Sequence[tuple[int, float]]) -> Traffic:
    latencies = sorted(latency for _, latency in answers)
    return Traffic(
        requests=len(answers),
        refused=sum(400 <= status < 500 for status, _ in answers),
        failed=sum(status >= 500 for status, _ in answers),
        latency_p99=round(latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))], 1) if latencies else None,
    )
