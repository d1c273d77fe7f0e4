"""Load balancers that AWS refuses to delete. Whether one may go is another's to say."""

from __future__ import annotations

from collections.abc import Iterable

from stackyard.tools.aws import Aws


def lift_protection(aws: Aws, arns: Iterable[str]) -> None:
    """Let load balancers be deleted; one that is gone already is left at that. Raises StackyardError."""
    client = aws.client("elbv2")
    for arn in arns:
        with aws.explained(f"deletion protection of {arn}"):
            try:
                client.modify_load_balancer_attributes(
                    LoadBalancerArn=arn, Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}]
                )
            except client.exceptions.LoadBalancerNotFoundException:
                continue
