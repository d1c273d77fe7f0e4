"""A service must be described with all that it was created or updated with.

moto drops the members named below when a service is created, so a second plan sets them again: the deployment circuit
breaker, the grace period of health checks, managed tags. After an update some stand under names that the answer is not
made of (``enable_e_c_s_managed_tags``). No upstream issue was found.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse as Response

# "CreateService", Amazon ECS API Reference: what AWS describes where nothing was given.
_MEMBERS: dict[str, object] = {
    "availabilityZoneRebalancing": "DISABLED",
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
    },
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "healthCheckGracePeriodSeconds": 0,
}


def apply() -> None:
    """Wrap ``create_service`` and ``update_service``."""
    for name in ("create_service", "update_service"):
        setattr(Response, name, _wrapped(getattr(Response, name)))


def _wrapped(original: Callable[[Response], ActionResult]) -> Callable[[Response], ActionResult]:
    def answer(self: Response) -> ActionResult:
        result = original(self)
        service = cast("dict[str, Any]", result.result)["service"]
        asked = partial(self._get_param)  # pyright: ignore[reportPrivateUsage]  (moto's way to read requests)
        for member, default in _MEMBERS.items():
            # Under the member's own name: moto's answers are made of that, or else of its snake_case.
            setattr(service, member, asked(member, getattr(service, member, default)))
        return result

    return answer
