"""Lambda: a container image behind an alias, on Graviton."""

from __future__ import annotations

from stackyard.kinds.kind import Kind

KIND = Kind(
    name="lambda",
    image_target="lambda",
    platform="linux/arm64",
    module="lambda-service",
    when="requests come and go; costs nothing while nobody calls",
)
