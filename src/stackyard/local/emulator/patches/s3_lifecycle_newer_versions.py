"""A rule for old versions says how many of them are kept whatever their age.

moto takes ``NewerNoncurrentVersions`` of an expiration and forgets it. Terraform's provider waits until a lifecycle is
answered as it was put, so the bootstrap of an account hung for three minutes and failed. No upstream issue was found.
"""

from __future__ import annotations

from typing import Any, cast

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

NAME = "NewerNoncurrentVersions"


def apply() -> None:
    """Wrap ``FakeBucket.set_lifecycle`` and ``S3Response.get_bucket_lifecycle``."""
    put, get = FakeBucket.set_lifecycle, S3Response.get_bucket_lifecycle

    def set_lifecycle(self: FakeBucket, rules: list[dict[str, Any]]) -> None:
        put(self, rules)
        for rule, asked in zip(cast("list[Any]", self.rules), rules, strict=True):
            expiration = cast("dict[str, str]", asked.get("NoncurrentVersionExpiration") or {})
            rule.newer_versions = expiration.get(NAME)

    def get_bucket_lifecycle(self: S3Response) -> TYPE_RESPONSE:
        writing: Any = self  # one for each request
        write = self.serialized

        def serialized(answer: ActionResult) -> TYPE_RESPONSE:
            told: Any = answer.result
            rules: list[Any] = self.backend.get_bucket_lifecycle(self.bucket_name)
            for rule, each in zip(rules, told["Rules"], strict=True):
                if rule.newer_versions is not None:
                    each["NoncurrentVersionExpiration"][NAME] = rule.newer_versions
            return write(answer)

        writing.serialized = serialized
        try:
            return get(self)
        finally:
            del writing.serialized

    FakeBucket.set_lifecycle = set_lifecycle
    S3Response.get_bucket_lifecycle = get_bucket_lifecycle
