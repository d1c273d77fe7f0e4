"""Decide how images are built: to which registry, and what ``docker buildx bake`` is told.

Pure. Knows nothing of docker's command line (`stackyard.tools.buildx`) and nothing of tags (`stackyard.images`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackyard.errors import ConfigError
from stackyard.images import BASE_IMAGE, Image
from stackyard.project import Target

REGISTRY = "STACKYARD_REGISTRY"
"""Variable with ``host:port`` of a registry for the laptop's images; without it none are built for `local`."""

BASE = "STACKYARD_BASE_IMAGE"
"""Variable with the image that images are built on, where the public one cannot be had or is not wanted."""

SECRETS = {"uv.toml": "UV_CONFIG_FILE", "pip.conf": "PIP_CONFIG_FILE"}
"""The Dockerfile's secrets, by the variables with which uv and pip themselves are given a file."""

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where images are pushed to."""

    host: str
    repository: str
    plain: bool = False
    """Whether it is no ECR but a registry beside the embedded AWS, which is then told of each image."""

    @property
    def address(self) -> str:
        """Its web address; on this machine it speaks HTTP, as docker takes it to."""
        loopback = self.host.startswith(("127.", "localhost"))
        return f"{'http' if loopback else 'https'}://{self.host}"

    def reference(self, tag: str) -> str:
        """Return the full name of an image."""
        return f"{self.host}/{self.repository}:{tag}"


def find_registry(target: Target, environ: Mapping[str, str]) -> Registry | None:
    """Return where an environment's images are pushed to; None where they are not built at all.

    Raises ConfigError for a variable that names no registry.
    """
    if not target.emulated:
        return Registry(target.registry, target.image_repository)
    host = environ.get(REGISTRY, "")
    if not host:
        return None
    if not _HOST.fullmatch(host):
        raise ConfigError(
            REGISTRY, f"{host!r} is no registry; host:port is wanted", command=f"export {REGISTRY}=127.0.0.1:5000"
        )
    return Registry(host, target.image_repository, plain=True)


def base_image(environ: Mapping[str, str]) -> str:
    """Return what images are built on."""
    return environ.get(BASE) or BASE_IMAGE


def find_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the files that a build may read and must not keep (an own package index's address), by their id."""
    return {name: environ[variable] for name, variable in SECRETS.items() if environ.get(variable)}


def render_bake(images: Iterable[Image], registry: Registry, base: str, secrets: Mapping[str, str]) -> str:
    """Return a bake file that builds images at once and pushes each under its tag (Docker: Bake file reference)."""
    targets: dict[str, dict[str, object]] = {}
    for image in images:
        targets[image.service] = {
            "context": ".",
            "dockerfile": "Dockerfile",
            "target": image.target,
            "platforms": [image.platform],
            "args": {"SERVICE": image.service, "BASE_IMAGE": _literal(base)},
            "tags": [registry.reference(image.tag)],
            "output": ["type=registry"],
            "secret": [f"id={name},src={_literal(path)}" for name, path in sorted(secrets.items())],
        }
    return json.dumps({"group": {"default": {"targets": sorted(targets)}}, "target": targets}, indent=2)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the registry has after a bake, failed or not."""

    digests: dict[str, str]
    """By service; to be deployed, whoever pushed them."""
    others: tuple[str, ...]
    """Tags under which there is another image than this bake noted; after a failed one, all that are there."""
    missing: tuple[Image, ...]


def judge_push(images: Iterable[Image], built: Mapping[str, str], found: Mapping[str, str]) -> Pushed:
    """Say what became of images that were to be pushed.

    A tag stands for all that goes into its image, so where another machine's push of it came first, what that pushed
    serves as well: ECR refuses to overwrite a tag (ECR: Preventing image tags from being overwritten).

    Args:
        images: What was to be pushed.
        built: The digests that the bake noted, by service; none after a failure.
        found: The digests that the registry has now, by tag.

    """
    images = tuple(images)
    there = [image for image in images if image.tag in found]
    return Pushed(
        {image.service: found[image.tag] for image in there},
        tuple(image.tag for image in there if built.get(image.service) != found[image.tag]),
        tuple(image for image in images if image.tag not in found),
    )


def _literal(text: str) -> str:
    """Keep bake from taking a text for a template."""
    return text.replace("${", "$${").replace("%{", "%%{")
