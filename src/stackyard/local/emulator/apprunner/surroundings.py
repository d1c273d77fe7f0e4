"""What App Runner touches in other emulated services: images in ECR, log groups in CloudWatch."""

from __future__ import annotations

import re

from moto.core.exceptions import ServiceException
from moto.ecr.models import ecr_backends
from moto.logs.models import logs_backends

from stackyard.local.emulator.apprunner.errors import InvalidRequestError

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)(?P<sign>[:@])?(?P<which>.+)?"
)


def check_image(identifier: str) -> None:
    """Refuse an image that the emulated ECR does not have.

    AWS takes the request and ends in CREATE_FAILED a few minutes later; told at once, it names the image. Raises
    InvalidRequestError.
    """
    found = _IMAGE.fullmatch(identifier)
    if found is None:
        raise InvalidRequestError(f"ImageIdentifier: {identifier!r} is no image in ECR")
    wish = {"imageDigest" if found["sign"] == "@" else "imageTag": found["which"] or "latest"}
    try:
        answer = ecr_backends[found["account"]][found["region"]].batch_get_image(found["repository"], None, [wish])
    except ServiceException as error:
        raise InvalidRequestError(f"ImageIdentifier: {identifier}: {error.message}") from error
    if not answer["images"]:
        raise InvalidRequestError(f"ImageIdentifier: {identifier}: there is no such image in ECR")


def make_log_groups(account: str, region: str, name: str, identity: str) -> None:
    """Make the two log groups that App Runner itself makes for a service."""
    logs = logs_backends[account][region]
    for kind in ("application", "service"):
        logs.create_log_group(f"/aws/apprunner/{name}/{identity}/{kind}", {})
