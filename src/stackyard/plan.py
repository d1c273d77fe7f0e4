"""Decide what a deploy does, from what was observed.

Pure; the same text is shown for ``--dry-run`` and before acting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackyard.images import Image, manifest_digest, render_manifest
from stackyard.project import Target
from stackyard.services import Catalog
from stackyard.words import plural

UNBUILT = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class ImageStep:
    """One service's image: there already, or still to be made."""

    image: Image
    digest: str | None
    """Its digest in the registry; None when it must be made first."""


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """Everything that a deploy will do before Terraform has its say."""

    target: Target
    images: tuple[ImageStep, ...]
    registers: bool
    """Whether missing images are registered by their fingerprint (embedded AWS, no docker engine) or must exist."""

    def missing(self) -> tuple[Image, ...]:
        """Return the images that are still to be made."""
        return tuple(step.image for step in self.images if step.digest is None)

    def foreseen_digests(self) -> dict[str, str]:
        """Return every service's digest as far as it is known before anything is made."""
        return {step.image.service: step.digest or self._foresee(step.image) for step in self.images}

    def _foresee(self, image: Image) -> str:
        return manifest_digest(render_manifest(image)) if self.registers else UNBUILT

    def lines(self) -> list[str]:
        """Say what will be done, in words."""
        there = len(self.images) - len(self.missing())
        lines = [f"{plural(there, 'image')} there already"] if there else []
        verb = "register" if self.registers else "build and push"
        return [*lines, *(f"{verb} {image.tag} ({image.platform})" for image in self.missing())]


def plan_deploy(
    target: Target, catalog: Catalog, images: Iterable[Image], found: Mapping[str, str], *, registers: bool
) -> DeployPlan:
    """Compare the images that the sources want with the tags that the registry has.

    Args:
        target: The environment.
        catalog: Its services.
        images: What `stackyard.images.plan_images` wants.
        found: Digests by tag, as the registry has them.
        registers: Whether a missing image is registered rather than built.

    """
    wanted = {image.service: image for image in images}
    steps = tuple(ImageStep(wanted[name], found.get(wanted[name].tag)) for name in catalog.names())
    return DeployPlan(target, steps, registers)
