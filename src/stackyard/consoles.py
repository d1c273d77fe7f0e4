"""Decide where AWS's own pages about an environment are. Knows addresses only."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from stackyard.project import Target

_HOME: Mapping[str, str] = {
    "lambda": "lambda/home?region={region}#/functions/{name}/aliases/live?tab=monitoring",
    "apprunner": "apprunner/home?region={region}#/services",
    "ecs": "ecs/v2/clusters/{cluster}/services/{name}/health?region={region}",
    "eks": "eks/clusters/{cluster}?region={region}&selectedTab=cluster-resources-tab&selectedResourceId=deployments",
}


def console_url(target: Target, kind: str, service: str) -> str:
    """Return the page of a service in AWS's console."""
    name, cluster = target.resource_name(service), target.resource_name()
    return _console(target) + _HOME[kind].format(region=target.region, name=name, cluster=cluster)


def dashboard_url(target: Target) -> str:
    """Return the page of the environment's CloudWatch dashboard."""
    name = quote(target.resource_name())
    return f"{_console(target)}cloudwatch/home?region={target.region}#dashboards/dashboard/{name}"


def _console(target: Target) -> str:
    return f"https://{target.region}.console.aws.amazon.com/"
