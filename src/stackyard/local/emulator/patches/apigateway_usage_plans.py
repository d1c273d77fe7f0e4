"""A usage plan's limits must be numbers after a change too, and its stages be taken away whatever is throttled in them.

moto keeps a changed quota as the text that the request has (Terraform's next refresh fails on it), refuses a rate such
as 2.5 with an internal error, and does not find a stage again that has limits of its own, so that a plan cannot be
destroyed. Limits of single methods still cannot be changed (getmoto/moto#7361 says so); no issue about the rest was
found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.apigateway.models import UsagePlan

_NUMBERS: dict[str, tuple[str, Callable[[str], float]]] = {
    "/throttle/rateLimit": ("throttle", float),
    "/throttle/burstLimit": ("throttle", int),
    "/quota/limit": ("quota", int),
    "/quota/offset": ("quota", int),
}


def apply() -> None:
    """Wrap ``UsagePlan.apply_patch_operations``."""
    original = UsagePlan.apply_patch_operations

    def apply_patch_operations(self: UsagePlan, patch_operations: list[dict[str, Any]]) -> None:
        for operation in patch_operations:
            path: str = operation["path"]
            if path in _NUMBERS and operation["op"] in {"add", "replace"}:
                part, number = _NUMBERS[path]
                limits: dict[str, float] = getattr(self, part)
                limits[path.rpartition("/")[2]] = number(operation["value"])
            elif path == "/apiStages" and operation["op"] == "remove":
                api, _, stage = operation["value"].partition(":")
                stages: list[dict[str, Any]] = self.api_stages
                self.api_stages = [each for each in stages if (each["apiId"], each["stage"]) != (api, stage)]
            else:
                original(self, [operation])

    UsagePlan.apply_patch_operations = apply_patch_operations
