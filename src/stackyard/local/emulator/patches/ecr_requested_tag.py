"""An image that was asked for by a tag must be answered under that tag.

moto keeps one "the" tag beside the list of all tags and answers with it, whichever was asked for: once an image has a
second tag, its first is not found again by what reads the answer. No upstream issue was found.
"""

from __future__ import annotations

import copy
from typing import Any, cast

from moto.ecr.models import ECRBackend


def apply() -> None:
    """Wrap ``ECRBackend.batch_get_image``."""
    original = ECRBackend.batch_get_image

    def batch_get_image(
        self: ECRBackend,
        repository_name: str,
        registry_id: str | None = None,
        image_ids: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        found: list[object] = []
        failures: list[object] = []
        # One at a time, because the answer does not say which of the wishes an image fulfils.
        for wish in image_ids or [{}]:
            answer = original(self, repository_name, registry_id, [wish] if wish else None)
            failures += answer["failures"]
            for image in answer["images"]:
                shown = copy.copy(image)
                shown.image_tag = cast("str", wish.get("imageTag", image.image_tag))
                found.append(shown)
        return {"images": found, "failures": failures}

    ECRBackend.batch_get_image = batch_get_image
