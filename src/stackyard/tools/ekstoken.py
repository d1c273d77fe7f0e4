"""Make what an EKS cluster takes for proof of who we are.

The form is aws-iam-authenticator's ("API Authorization from Outside a Cluster"), and what `aws eks get-token` prints: a
request to STS, signed and not sent. EKS sends it and learns who signed it.
"""

from __future__ import annotations

import base64
from typing import Any, cast

import botocore.signers

PREFIX = "k8s-aws-v1."
SECONDS = 60
"""How long EKS may wait with sending it; the token itself is taken for 15 minutes."""


def sign_in(sts: Any, session: Any, cluster: str) -> str:  # botocore's clients and sessions have no types
    """Return a bearer token for one cluster, signed with the session's credentials.

    Raises botocore's NoCredentialsError without credentials.
    """
    signer: Any = botocore.signers.RequestSigner(
        sts.meta.service_model.service_id,
        sts.meta.region_name,
        "sts",
        "v4",
        session.get_credentials(),
        session.get_component("event_emitter"),
    )
    request: dict[str, Any] = {
        "method": "GET",
        "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
        "body": {},
        # The token is good for this cluster only.
        "headers": {"x-k8s-aws-id": cluster},
        "context": {},
    }
    url = signer.generate_presigned_url(
        request, region_name=sts.meta.region_name, expires_in=SECONDS, operation_name=""
    )
    return PREFIX + base64.urlsafe_b64encode(cast("str", url).encode()).decode().rstrip("=")
