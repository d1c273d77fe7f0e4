"""Say in words what a destroy takes away for good, and what stays, from Terraform's plan. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LOST = {
    "aws_api_gateway_rest_api": "the API's address: the next deploy gets another one",
    "aws_api_gateway_api_key": "API keys of {owners}: the next deploy makes other ones",
    "aws_cloudwatch_log_group": "the logs of {owners}",
    "aws_eip": "the addresses that services call others from",
    "aws_eks_cluster": "the Kubernetes cluster, with all that runs in it",
    "aws_sns_topic": "subscriptions to alarms",
    "aws_vpc": "the network, with all that somebody else put into it",
}
"""What cannot be made again as it was, by type of resource."""

_SERVICE = re.compile(r'module\.\w+_service\["([^"]+)"\]\.')
_OWNER = re.compile(r"module\.(\w+?)(?:_service)?(?:\[(?:\"([^\"]+)\"|\d+)\])?\.(\w+)\.\w+(?:\[\"([^\"]+)\"\])?")


def tell_losses(gone: Sequence[str]) -> list[str]:
    """Return a line for each sort of thing that goes, services first; ``gone`` are addresses of resources."""
    services = sorted({match[1] for address in gone if (match := _SERVICE.match(address))})
    owners: dict[str, set[str]] = {}
    for address in gone:
        if match := _OWNER.fullmatch(address):
            module, instance, kind, key = match.groups()
            owners.setdefault(kind, set()).add(instance or key or module.replace("_", "-"))
    lines = [f"services: {', '.join(services)}"] if services else []
    return lines + [
        words.format(owners=", ".join(sorted(owners[kind]))) for kind, words in _LOST.items() if kind in owners
    ]


def tell_kept(*, preview: bool, emulated: bool) -> str:
    """Say what a destroy leaves alone."""
    if emulated:
        return "stays: what the bootstrap made, images, release records"
    if preview:
        return "stays: release records"
    return "stays: images, release records, old versions of the state, secrets"
