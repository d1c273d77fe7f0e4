"""The images of an account's repository: which are there, and the tags that keep them. Pushing is another's."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator, Iterable, Mapping
from typing import Any

from stackyard.errors import MissingError
from stackyard.tools.aws import Aws

_AT_ONCE = 100
"""Images that one call may name (ECR: BatchGetImage, BatchDeleteImage)."""


class Repository:
    """The image repository of an environment's account."""

    def __init__(self, aws: Aws) -> None:
        """``aws`` is the AWS of the environment."""
        self._aws, self._name = aws, aws.target.image_repository

    @property
    def _ecr(self) -> Any:  # boto3's clients are made at run time and have no types
        return self._aws.client("ecr")

    @property
    def _place(self) -> dict[str, str]:
        """Which repository: without the registry it would be the caller's own, who may be in another account."""
        return {"registryId": self._aws.target.account, "repositoryName": self._name}

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Generator[None]:
        with self._aws.explained(doing):
            try:
                yield
            except self._ecr.exceptions.RepositoryNotFoundException as error:
                raise MissingError(
                    f"there is no image repository {self._name}",
                    "the account is not bootstrapped",
                    command=f"inv bootstrap --env {self._aws.target.name}",
                ) from error

    def _get(self, ids: list[dict[str, str]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        with self._explained("images"):
            for start in range(0, len(ids), _AT_ONCE):
                answer = self._ecr.batch_get_image(**self._place, imageIds=ids[start : start + _AT_ONCE])
                found += answer["images"]
        return found

    def find_digests(self, digests: Iterable[str]) -> set[str]:
        """Return those of the digests that are there. Raises MissingError without the repository."""
        images = self._get([{"imageDigest": digest} for digest in sorted(set(digests))])
        return {image["imageId"]["imageDigest"] for image in images}

    def list_tags(self) -> set[str]:
        """Return every tag."""
        with self._explained("tags"):
            pages = self._ecr.get_paginator("list_images").paginate(
                **self._place, filter={"tagStatus": "TAGGED"}, PaginationConfig={"PageSize": 1000}
            )
            return {image["imageTag"] for page in pages for image in page["imageIds"] if "imageTag" in image}

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Give images more tags: ``tags`` is digest by tag. A tag that is there already keeps its image.

        Raises MissingError for an image that is not there.
        """
        images = self._get([{"imageDigest": digest} for digest in sorted(set(tags.values()))])
        manifests = {image["imageId"]["imageDigest"]: image for image in images}
        for tag, digest in tags.items():
            if digest not in manifests:
                raise MissingError(
                    f"the image repository {self._name} has no {digest}",
                    f"it was to be tagged {tag}",
                    command=f"inv deploy --env {self._aws.target.name}",
                )
            ecr, image = self._ecr, manifests[digest]
            # A manifest need not name its own type, and ECR asks for it then.
            kind = {key: image[key] for key in ("imageManifestMediaType",) if image.get(key)}
            there = (ecr.exceptions.ImageAlreadyExistsException, ecr.exceptions.ImageTagAlreadyExistsException)
            with self._explained(f"tag {tag}"), contextlib.suppress(*there):
                ecr.put_image(**self._place, imageTag=tag, imageManifest=image["imageManifest"], **kind)

    def remove_tags(self, tags: Collection[str]) -> None:
        """Take tags away. With its last tag an image goes, too (ECR: BatchDeleteImage); tags not there are no error."""
        wanted = [{"imageTag": tag} for tag in sorted(tags)]
        with self._explained("old tags"):
            for start in range(0, len(wanted), _AT_ONCE):
                self._ecr.batch_delete_image(**self._place, imageIds=wanted[start : start + _AT_ONCE])
