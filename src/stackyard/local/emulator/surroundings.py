"""What several emulated services ask of others: images in ECR, alarms in CloudWatch."""

from __future__ import annotations

import re
from collections.abc import Iterable

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.ecr.models import ecr_backends

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)(?P<sign>[:@])?(?P<which>.+)?"
)


def is_in_ecr(identifier: str) -> bool:
    """Tell whether an image's name is one of a registry of ECR."""
    return _IMAGE.fullmatch(identifier) is not None


def missing_image(identifier: str) -> str:
    """Say why the emulated ECR does not have an image of that name; empty when it has."""
    found = _IMAGE.fullmatch(identifier)
    if found is None:
        return f"{identifier!r} is no image in ECR"
    wish = {"imageDigest" if found["sign"] == "@" else "imageTag": found["which"] or "latest"}
    try:
        answer = ecr_backends[found["account"]][found["region"]].batch_get_image(found["repository"], None, [wish])
    except ServiceException as error:
        return f"{identifier}: {error.message}"
    return "" if answer["images"] else f"{identifier}: there is no such image in ECR"


def ringing(account: str, region: str, names: Iterable[str]) -> list[str]:
    """Return those of an account's alarms that are in ALARM."""
    there = cloudwatch_backends[account][region].alarms
    return [name for name in names if name in there and there[name].state_value == "ALARM"]
