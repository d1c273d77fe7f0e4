"""An image's digest must be the SHA-256 of its manifest's bytes.

moto hashes the joined digests of the layers instead, so two images that differ only in their configuration (the
command, the platform, a label) get one digest, and a digest that a client computed is not found. Deploys are by digest
here. No upstream issue was found.
"""

from __future__ import annotations

import hashlib

from moto.ecr.models import Image


def apply() -> None:
    """Replace ``Image._create_digest``."""

    def create_digest(self: Image) -> None:
        digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()
        self._image_digest = digest  # pyright: ignore[reportPrivateUsage]  (moto's own method sets it)

    Image._create_digest = create_digest  # pyright: ignore[reportPrivateUsage]  (moto has no public place for it)
