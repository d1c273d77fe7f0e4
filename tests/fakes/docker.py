"""Stands for `docker` on PATH where images are copied between accounts: manifests go from one embedded ECR to another.

Builds nothing, and refuses what it does not know, as well as a registry that nobody logged in to.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
STORE = Path(os.environ["FAKE_DOCKER"])


def open_registry(image: str) -> tuple[Any, str]:
    """Return a client of an image's registry, as its own account, and the image's name without the registry."""
    sys.path.insert(0, str(HERE))
    from tests.clients import make_client  # noqa: PLC0415  (boto3 takes longer than all that needs none)

    host, _, name = image.partition("/")
    if not STORE.exists() or host not in STORE.read_text(encoding="utf-8").splitlines():
        sys.exit(f"{host}: no basic auth credentials")
    return make_client(os.environ["AWS_ENDPOINT_URL"], "ecr", host.partition(".")[0]), name


def copy(origin: str, to: str) -> None:
    """Copy an image, which is named by its digest, to a tag."""
    theirs, (name, _, digest) = (opened := open_registry(origin))[0], opened[1].partition("@")
    [image] = theirs.batch_get_image(repositoryName=name, imageIds=[{"imageDigest": digest}])["images"]
    ours, (name, _, tag) = (opened := open_registry(to))[0], opened[1].partition(":")
    ours.put_image(repositoryName=name, imageTag=tag, imageManifest=image["imageManifest"])


match sys.argv[1:]:
    case ["version", *_]:
        sys.stdout.write("27.0.0\n")
    case ["buildx", "version"]:
        sys.stdout.write("github.com/docker/buildx v0.29.1 0000000\n")
    case ["login", "--username", "AWS", "--password-stdin", host] if sys.stdin.read():
        with STORE.open("a", encoding="utf-8") as store:
            store.write(f"{host}\n")
    case ["buildx", "imagetools", "create", "--prefer-index=false", "--tag", tagged, source]:
        copy(source, tagged)
    case _:
        sys.exit(f"the fake docker does not know {sys.argv[1:]}")
