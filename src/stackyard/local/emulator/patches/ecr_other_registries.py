"""Images of another account's registry are that account's.

Who names a registry gets its images, if its repository's policy lets him (ECR: BatchGetImage). moto looks into the
caller's own whatever was named. Policies are not asked. No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from moto.ecr.models import ECRBackend, ecr_backends


def apply() -> None:
    """Wrap ``ECRBackend.batch_get_image``."""
    original = ECRBackend.batch_get_image

    def batch_get_image(
        self: ECRBackend,
        repository_name: str,
        registry_id: str | None = None,
        image_ids: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        asked = ecr_backends[registry_id or self.account_id][self.region_name]
        return original(asked, repository_name, registry_id, image_ids)

    ECRBackend.batch_get_image = batch_get_image
