"""A rule for old versions says how many of them are kept whatever their age.

moto takes ``NewerNoncurrentVersions`` of an expiration and forgets it. Terraform's provider waits until a lifecycle is
answered as it was put, so the bootstrap of an account hung for three minutes and failed. No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import TYPE_RESPONSE, ActionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

NAME = "NewerNoncurrentVersions"


def apply() -> None:
    """Wrap ``FakeBucket.set_lifecycle`` and ``S3Response.get_bucket_lifecycle``."""
    put, get = FakeBucket.set_lifecycle, S3Response.get_bucket_lifecycle

    def set_lifecycle(self: FakeBucket, rules: list[dict[str, Any]]) -> None:
        put(self, rules)
        for rule, asked in zip(self.rules, rules, strict=True):
            kept: Any = (asked.get("NoncurrentVersionExpiration") or {}).get(NAME)
            rule.__dict__[NAME] = kept

    def get_bucket_lifecycle(self: S3Response) -> TYPE_RESPONSE:
        write = self.serialized

        def serialized(answer: ActionResult) -> TYPE_RESPONSE:
            told: Any = answer.result
            for rule, each in zip(self.backend.get_bucket_lifecycle(self.bucket_name), told["Rules"], strict=True):
                if rule.__dict__.get(NAME) is not None:
                    each["NoncurrentVersionExpiration"][NAME] = rule.__dict__[NAME]
            return write(answer)

        self.serialized = serialized
        try:
            return get(self)
        finally:
            del self.serialized

    FakeBucket.set_lifecycle = set_lifecycle
    S3Response.get_bucket_lifecycle = get_bucket_lifecycle
