"""What App Runner touches in other emulated services: images in ECR, log groups in CloudWatch."""

from __future__ import annotations

from moto.logs.models import logs_backends

from stackyard.local.emulator.apprunner.errors import InvalidRequestError
from stackyard.local.emulator.surroundings import missing_image


def check_image(identifier: str) -> None:
    """Refuse an image that the emulated ECR does not have.

    AWS takes the request and ends in CREATE_FAILED a few minutes later; told at once, it names the image. Raises
    InvalidRequestError.
    """
    trouble = missing_image(identifier)
    if trouble:
        raise InvalidRequestError(f"ImageIdentifier: {trouble}")


def make_log_groups(account: str, region: str, name: str, identity: str) -> None:
    """Make the two log groups that App Runner itself makes for a service."""
    logs = logs_backends[account][region]
    for kind in ("application", "service"):
        logs.create_log_group(f"/aws/apprunner/{name}/{identity}/{kind}", {})
