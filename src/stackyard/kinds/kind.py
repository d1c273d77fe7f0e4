"""What a compute kind is to the rest of the project."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """How services of a kind are built and run."""

    name: str
    image_target: str
    """The Dockerfile's target."""
    platform: str
    """What its images run on, as docker says it."""
    module: str
    """The Terraform module, below ``infra/modules``."""
    when: str
    """One line on when to choose it."""
