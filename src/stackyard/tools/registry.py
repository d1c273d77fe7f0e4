"""Read a plain image registry, by the OCI distribution specification; docker does the writing."""

from __future__ import annotations

import json

from stackyard.bake import REGISTRY, Registry
from stackyard.errors import MissingError, ToolError
from stackyard.tools import http

_TYPES = (
    *("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.oci.image.manifest.v1+json"),
    *("application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.index.v1+json"),
)


def find_manifest(registry: Registry, tag: str) -> str | None:
    """Return the manifest of a tag, byte by byte as its digest counts it; None where there is no such tag.

    Raises MissingError for a registry that does not answer, ToolError for one that refuses.
    """
    url = f"{registry.address}/v2/{registry.repository}/manifests/{tag}"
    answer = http.get(url, 10, {"Accept": ", ".join(_TYPES)})
    if answer.status == 404:
        return None
    if answer.status == 0:
        raise MissingError(
            f"the registry {registry.host} does not answer",
            answer.text,
            fix=f"{REGISTRY} names it. Start it, or unset the variable: then nothing is built for the laptop.",
            command=START,
        )
    if answer.status != 200 or not _is_json(answer.text):
        raise ToolError(
            f"the registry {registry.host} answers {answer.status}", answer.text[:500], command=f"curl -i {url}"
        )
    return answer.text


START = "docker run --detach --publish 127.0.0.1:5000:5000 registry:2"
"""How a registry for the laptop is had (Docker: Registry)."""


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
