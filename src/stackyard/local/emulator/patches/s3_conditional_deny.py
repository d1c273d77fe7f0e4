"""A bucket policy that denies what does not come over TLS must not deny everything.

moto evaluates bucket policies without their ``Condition`` (``IAMPolicyStatement._check_conditions`` knows StringEquals
only, and is given nothing to compare), so a conditional Deny becomes an unconditional one: after the state bucket's
policy is put, Terraform could not read its own state. A statement whose condition moto cannot judge is left out here;
its text stays as it was put, so plans show no change. No upstream issue about conditions was found; getmoto/moto#5820
asked for Deny.
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket


def apply() -> None:
    """Replace ``FakeBucket.get_permission``."""
    original = FakeBucket.get_permission

    def get_permission(self: FakeBucket, action: str, resource: str) -> PermissionResult:
        if self.policy is None:
            return original(self, action, resource)
        # A policy's shape is the caller's: Any until looked at.
        document: dict[str, Any] = json.loads(self.policy)
        statements: list[dict[str, Any]] | dict[str, Any] = document["Statement"]
        if isinstance(statements, dict):
            statements = [statements]
        judged = [statement for statement in statements if not statement.get("Condition")]
        return IAMPolicy(json.dumps({**document, "Statement": judged})).is_action_permitted(action, resource)

    FakeBucket.get_permission = get_permission
