"""What of an environment is there in an account: each sort of thing that infra/app makes, or AWS makes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def list_resources(make: Callable[[str], Any], project: str, environment: str) -> dict[str, list[str]]:
    """Return the names of what is there, by sort; ``make`` returns a client of a service of AWS.

    What is of the account and no environment's, default networks and the like, is left out.
    """
    name = f"{project}-{environment}"
    ours = [{"Name": "tag:environment", "Values": [environment]}]
    ec2, gateway, balancing = make("ec2"), make("apigateway"), make("elbv2")

    def pages(service: str, operation: str, key: str, **arguments: object) -> list[Any]:
        found = make(service).get_paginator(operation).paginate(**arguments)
        return [item for page in found for item in page.get(key, [])]

    def tagged(operation: str, key: str, ident: str, **more: object) -> list[str]:
        return [each[ident] for each in getattr(ec2, operation)(**({"Filters": ours} | more))[key]]

    def named(items: Iterable[Mapping[str, Any]], key: str) -> list[str]:
        return [each[key] for each in items if name in each[key]]

    nat = ec2.describe_nat_gateways(Filters=ours)["NatGateways"]
    endpoints = ec2.describe_vpc_endpoints(Filters=ours)["VpcEndpoints"]
    clusters = make("ecs").describe_clusters(clusters=[name])["clusters"]
    keys = [make("kms").describe_key(KeyId=each["KeyId"])["KeyMetadata"] for each in pages("kms", "list_keys", "Keys")]
    found = {
        "functions": named(pages("lambda", "list_functions", "Functions"), "FunctionName"),
        "log groups": named(pages("logs", "describe_log_groups", "logGroups"), "logGroupName"),
        "roles": named(pages("iam", "list_roles", "Roles", PathPrefix=f"/{project}/{environment}/"), "RoleName"),
        "instance profiles": named(pages("iam", "list_instance_profiles", "InstanceProfiles"), "InstanceProfileName"),
        "APIs": named(gateway.get_rest_apis(limit=500)["items"], "name"),
        "usage plans": named(gateway.get_usage_plans(limit=500)["items"], "name"),
        "API keys": named(gateway.get_api_keys(limit=500)["items"], "name"),
        "VPC links": named(gateway.get_vpc_links(limit=500)["items"], "name"),
        "App Runner services": named(make("apprunner").list_services()["ServiceSummaryList"], "ServiceName"),
        "ECS clusters": [each["clusterName"] for each in clusters if each["status"] != "INACTIVE"],
        "EKS clusters": named(({"name": each} for each in make("eks").list_clusters()["clusters"]), "name"),
        "networks": tagged("describe_vpcs", "Vpcs", "VpcId"),
        "subnets": tagged("describe_subnets", "Subnets", "SubnetId"),
        "route tables": tagged("describe_route_tables", "RouteTables", "RouteTableId"),
        "security groups": tagged("describe_security_groups", "SecurityGroups", "GroupName"),
        "endpoints": [each["VpcEndpointId"] for each in endpoints if each["State"] not in {"deleted", "deleting"}],
        "addresses": tagged("describe_addresses", "Addresses", "AllocationId"),
        "internet gateways": tagged("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
        "NAT gateways": [each["NatGatewayId"] for each in nat if each["State"] not in {"deleted", "deleting"}],
        "load balancers": named(balancing.describe_load_balancers()["LoadBalancers"], "LoadBalancerName"),
        "target groups": [each["TargetGroupName"] for each in balancing.describe_target_groups()["TargetGroups"]],
        "scaling": named(
            make("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"],
            "ResourceId",
        ),
        "schedules": named(make("scheduler").list_schedules()["Schedules"], "Name"),
        "alarms": named(make("cloudwatch").describe_alarms()["MetricAlarms"], "AlarmName"),
        "dashboards": named(make("cloudwatch").list_dashboards()["DashboardEntries"], "DashboardName"),
        "topics": named(make("sns").list_topics()["Topics"], "TopicArn"),
        "keys": [
            each["KeyId"] for each in keys if each["KeyState"] == "Enabled" and each.get("KeyManager") == "CUSTOMER"
        ],
        "key aliases": named(pages("kms", "list_aliases", "Aliases"), "AliasName"),
    }
    return {sort: sorted(items) for sort, items in found.items() if items}
