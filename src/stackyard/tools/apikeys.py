"""The API keys of an API Gateway, with their limits."""

from __future__ import annotations

from typing import Any

from stackyard.tools.aws import Aws


def describe_keys(aws: Aws, api: str) -> list[dict[str, Any]]:
    """Return the API keys of an API with their values and limits, as the local gateway takes them."""
    client = aws.client("apigateway")
    keys: list[dict[str, Any]] = []
    with aws.explained("API keys"):
        values = {item["id"]: item for item in client.get_api_keys(includeValues=True, limit=500)["items"]}
        for plan in client.get_usage_plans(limit=500)["items"]:
            if not any(stage["apiId"] == api for stage in plan.get("apiStages", [])):
                continue
            throttle, quota = plan.get("throttle"), plan.get("quota")
            for member in client.get_usage_plan_keys(usagePlanId=plan["id"], limit=500)["items"]:
                key = values[member["id"]]
                keys.append(
                    {
                        "id": key["id"],
                        "name": key["name"],
                        "value": key["value"],
                        "enabled": key["enabled"],
                        "throttle": throttle and {"rate": throttle["rateLimit"], "burst": throttle["burstLimit"]},
                        "quota": quota and {"limit": quota["limit"], "period": quota["period"]},
                    }
                )
    return keys
