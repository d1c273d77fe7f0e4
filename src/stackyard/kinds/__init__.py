"""The compute kinds: one module each, found by name here and nowhere else."""

from __future__ import annotations

from stackyard.kinds import apprunner, awslambda, ecs, eks
from stackyard.kinds.kind import Kind, Size

KINDS: dict[str, Kind] = {kind.name: kind for kind in (awslambda.KIND, apprunner.KIND, ecs.KIND, eks.KIND)}

__all__ = ["KINDS", "Kind", "Size"]
