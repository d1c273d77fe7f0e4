"""What several emulated services ask of others: images in ECR, alarms in CloudWatch, how long a minute takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import ServiceException
from moto.ecr.models import ecr_backends

MINUTE = "STACKYARD_ROLLOUT_MINUTE"
"""Seconds that a minute of a rollout takes here."""

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)(?P<sign>[:@])?(?P<which>.+)?"
)


def rollout_minute() -> float:
    """Return the seconds that a minute of a rollout takes: one, or as many as the environment says."""
    return float(os.environ.get(MINUTE) or 1)


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
