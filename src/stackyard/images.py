"""Decide which images a deploy needs: a tag is the hash of everything that goes into an image, and of nothing else.

Pure: files come as hashes, the lock file as data. `stackyard.tools.tree` reads them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.kinds import KINDS, Kind
from stackyard.services import Entry

BASE_IMAGE = "public.ecr.aws/docker/library/python:3.14-slim"
"""What every image is built on, unless the variable STACKYARD_BASE_IMAGE names another."""

_PROOF = {"lambda": "awslambdaric", "server": "uvicorn", "secrets": "botocore", "jwt": "pyjwt"}
"""What an extra of servicekit's draws in, and an image without it does not start for the lack of."""


@dataclass(frozen=True, slots=True)
class Image:
    """One service's image as its sources want it."""

    service: str
    tag: str
    platform: str
    target: str

    @property
    def stand_in(self) -> str:
        """The tag of what stands for it where nothing is built."""
        return f"{self.tag}-unbuilt"


def plan_images(
    entries: Iterable[Entry],
    files: Mapping[str, Mapping[str, str]],
    shared: Mapping[str, str],
    lock: Mapping[str, Any],
    kinds: Mapping[str, Kind] = KINDS,
    *,
    base: str = BASE_IMAGE,
) -> tuple[Image, ...]:
    """Name the image of every service.

    Args:
        entries: The services.
        files: By service, the hash of each file that goes into its image, by path.
        shared: The hashes of what every image is made with (Dockerfile).
        lock: ``uv.lock``, parsed.
        kinds: What each kind's images are built for.
        base: The image that they are built on, by its name.

    """
    images: list[Image] = []
    for entry in entries:
        kind = kinds[entry.service.kind]
        facts = {
            "files": dict(files[entry.name]),
            "shared": dict(shared),
            "locked": locked_share(lock, entry.name),
            "base": base,
            "platform": kind.platform,
            "target": kind.image_target,
        }
        text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        images.append(Image(entry.name, f"{entry.name}-{fingerprint}", kind.platform, kind.image_target))
    return tuple(images)


def locked_share(lock: Mapping[str, Any], package: str) -> list[str]:
    """Return what a package draws in, of the locked set: ``name==version`` with its files' hashes, sorted.

    Every marker that the lock file holds is followed, so the share may be larger than one platform's, but never
    smaller; extras are followed where something in the share asks for them. Empty for a package that the lock does not
    know: see `find_unlocked`.
    """
    lines: set[str] = set()
    for item in _drawn_in(lock, package):
        files = [*item.get("wheels", []), *([item["sdist"]] if "sdist" in item else [])]
        hashes = sorted(file["hash"] for file in files if "hash" in file)
        if hashes:  # the project's own packages have none: see own_folders
            lines.add(f"{item['name']}=={item['version']} {' '.join(hashes)}")
    return sorted(lines)


def own_folders(lock: Mapping[str, Any], package: str) -> list[str]:
    """Return the folders, relative to the root, of what a package draws in of the project's own, itself among them."""
    sources = (item.get("source", {}) for item in _drawn_in(lock, package))
    places = (source.get(way) for source in sources for way in ("editable", "directory", "virtual"))
    return sorted({place for place in places if place})


def _drawn_in(lock: Mapping[str, Any], package: str) -> Iterator[Mapping[str, Any]]:
    """Yield the locked packages that one asks for, itself first; some more than once."""
    packages: dict[str, list[Mapping[str, Any]]] = {}
    for item in cast("list[Mapping[str, Any]]", lock.get("package", [])):
        packages.setdefault(item["name"], []).append(item)
    seen: set[tuple[str, str]] = set()
    waiting = [(package, "")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for item in packages.get(name, []):
            optional = cast("Mapping[str, list[Mapping[str, Any]]]", item.get("optional-dependencies", {}))
            needed = optional.get(extra, []) if extra else cast("list[Mapping[str, Any]]", item.get("dependencies", []))
            for each in needed:
                waiting += [(each["name"], wanted) for wanted in ("", *each.get("extra", []))]
            yield item


def find_unlocked(lock: Mapping[str, Any], packages: Iterable[str]) -> list[str]:
    """Return the packages that the lock does not know, so that their tags stand on no pins."""
    known = {item["name"] for item in cast("list[Mapping[str, Any]]", lock.get("package", []))}
    return sorted(set(packages) - known)


def find_unfit(entries: Iterable[Entry], lock: Mapping[str, Any]) -> list[tuple[Entry, list[str]]]:
    """Return the services that lack extras of servicekit's, and which: their images would be built and not start."""
    unfit: list[tuple[Entry, list[str]]] = []
    for entry in entries:
        reads_secrets = bool(entry.service.secrets) and not entry.kind.injects_secrets
        checks_tokens = entry.service.auth.jwt.issuer is not None
        extras = [entry.kind.extra, *(["secrets"] if reads_secrets else []), *(["jwt"] if checks_tokens else [])]
        drawn_in = {item["name"] for item in _drawn_in(lock, entry.name)}
        if lacking := [extra for extra in extras if _PROOF[extra] not in drawn_in]:
            unfit.append((entry, lacking))
    return unfit


def render_manifest(image: Image) -> str:
    """Return a manifest that stands for an image where no docker engine builds one.

    It is a valid single-platform manifest whose digest changes exactly with the fingerprint; its layers are not kept
    anywhere, because the laptop runs the sources themselves.
    """
    stand_in = json.dumps({"tag": image.tag, "platform": image.platform}, sort_keys=True).encode()
    manifest: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(stand_in),
            "digest": f"sha256:{hashlib.sha256(stand_in).hexdigest()}",
        },
        "layers": [],
    }
    return json.dumps(manifest, sort_keys=True, separators=(",", ":"))


def is_index(manifest: str) -> bool:
    """Tell whether a manifest lists others (a multi-platform image, or one with provenance); Lambda takes none.

    Source: Lambda, "Create a Lambda function using a container image".
    """
    try:
        data: object = json.loads(manifest)
    except ValueError:
        return False
    return isinstance(data, dict) and "manifests" in data


def manifest_digest(manifest: str) -> str:
    """Return the digest under which a registry keeps a manifest."""
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
