"""The compute kinds: one module each, found by name here and nowhere else."""

from __future__ import annotations

from stackyard.kinds import awslambda
from stackyard.kinds.kind import Kind

KINDS: dict[str, Kind] = {awslambda.KIND.name: awslambda.KIND}

__all__ = ["KINDS", "Kind"]
