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
    tag: str
    """Its tag there, now or then: the image's own, or that of what stands for it."""


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """Everything that a deploy will do before Terraform has its say."""

    target: Target
    images: tuple[ImageStep, ...]
    registers: bool
    """Whether something stands in for missing images (embedded AWS, no registry) or they are built."""

    def missing(self) -> tuple[Image, ...]:
        """Return the images that are still to be made."""
        return tuple(step.image for step in self.images if step.digest is None)

    def tags(self) -> dict[str, str]:
        """Return every service's tag in the registry."""
        return {step.image.service: step.tag for step in self.images}

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
        making = (step for step in self.images if step.digest is None)
        return [*lines, *(f"{verb} {step.tag} ({step.image.platform})" for step in making)]


def plan_deploy(
    target: Target, catalog: Catalog, images: Iterable[Image], found: Mapping[str, str], *, registers: bool
) -> DeployPlan:
    """Compare the images that the sources want with the tags that the registry has.

    Args:
        target: The environment.
        catalog: Its services.
        images: What `stackyard.images.plan_images` wants.
        found: Digests by tag, as the registry has them.
        registers: Whether a stand-in is registered for a missing image instead of building it.

    """
    wanted = {image.service: image for image in images}
    steps = tuple(_step(wanted[name], found, registers=registers) for name in catalog.names())
    return DeployPlan(target, steps, registers)


def _step(image: Image, found: Mapping[str, str], *, registers: bool) -> ImageStep:
    tag = image.stand_in if registers and image.tag not in found else image.tag
    return ImageStep(image, found.get(tag), tag)


INPUTS = ("src", "infra", "Dockerfile", ".dockerignore", "pyproject.toml", "stackyard.yaml", "uv.lock")
"""What images and infrastructure are made from."""


def find_inputs(paths: Iterable[str]) -> list[str]:
    """Return which of some paths images or infrastructure are made from; tests are none of them."""
    return [path for path in paths if path.split("/")[0] in INPUTS and "tests" not in path.split("/")]
