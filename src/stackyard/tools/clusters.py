"""How the Kubernetes API of an EKS cluster is reached. What is said to it is another's."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from stackyard.tools.aws import Aws
from stackyard.tools.ekstoken import sign_in


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How the Kubernetes API of an EKS cluster is reached."""

    name: str
    endpoint: str
    certificate: bytes
    """Its certificate authority, as PEM."""
    token: Callable[[], str]
    """Makes a bearer token; EKS takes it for 15 minutes."""


def find_cluster(aws: Aws, name: str) -> ClusterAccess | None:
    """Return how an EKS cluster is reached, or None where there is none of that name."""
    client = aws.client("eks")
    with aws.explained(f"cluster {name}"):
        try:
            cluster = client.describe_cluster(name=name)["cluster"]
        except client.exceptions.ResourceNotFoundException:
            return None
    authority = cast("Mapping[str, str]", cluster.get("certificateAuthority") or {})
    certificate = authority.get("data", "")
    return ClusterAccess(
        name=name,
        endpoint=cluster["endpoint"],
        # The embedded AWS answers without TLS, and with a certificate that is none.
        certificate=base64.b64decode(certificate) if aws.endpoint is None else b"",
        token=lambda: cluster_token(aws, name),
    )


def cluster_token(aws: Aws, name: str) -> str:
    """Return a bearer token for a cluster, signed with our credentials."""
    with aws.explained(f"token for {name}"):
        return sign_in(aws.client("sts"), aws.session, name)
