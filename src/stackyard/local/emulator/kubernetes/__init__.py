"""The Kubernetes API of the clusters that the emulated EKS holds, below ``/kubernetes/`` on the emulator's own address.

It has no TLS, which is why a client must be told nothing of the cluster's certificate here. What it serves is what
`stackyard.tools.kubernetes` asks for and no more; what a real server refuses, it refuses in the same words.
"""

from __future__ import annotations

import base64
import binascii
import threading
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from moto.eks.models import Cluster

    from stackyard.local.emulator.kubernetes.api import ApiServer

PREFIX = "/kubernetes/"


def endpoint_path(arn: str) -> str:
    """Return the path of a cluster's API: its region and its name."""
    _, _, _, region, _, resource = arn.split(":", 5)
    return f"{PREFIX}{region}/{resource.removeprefix('cluster/')}"


def with_kubernetes(application: WSGIApplication) -> WSGIApplication:
    """Serve the clusters' APIs in front of an application that serves all else."""
    lock = threading.Lock()
    servers: weakref.WeakKeyDictionary[Cluster, ApiServer] = weakref.WeakKeyDictionary()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        # A bucket may be called `kubernetes`; its requests are signed.
        if not path.startswith(PREFIX) or "AWS4-HMAC" in environ.get("HTTP_AUTHORIZATION", ""):
            return application(environ, start_response)
        from stackyard.local.emulator.kubernetes.api import ApiServer, Refused, Request  # noqa: PLC0415  (0.2 s)

        _, _, region, name, *rest = path.split("/", 4)
        cluster = _find(region, name)
        try:
            if cluster is None:
                raise Refused(404, "NotFound", f'no cluster "{name}" in {region}')
            _check_token(environ.get("HTTP_AUTHORIZATION", ""))
            body: Any = environ["wsgi.input"]
            request = Request(
                method=environ["REQUEST_METHOD"],
                path="/" + "".join(rest),
                query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
                content_type=environ.get("CONTENT_TYPE", ""),
                body=body.read(int(environ.get("CONTENT_LENGTH") or 0)),
            )
            with lock:
                server = servers.setdefault(cluster, ApiServer(_has_image, _has_target_group))
                answer = server.handle(request)
        except Refused as refusal:
            answer = refusal.answer()
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {answer.reason}", headers)
        return [answer.body]

    return serve


def _find(region: str, name: str) -> Cluster | None:
    from moto.eks.models import eks_backends  # noqa: PLC0415  (loaded when it is spoken to, as moto does)

    for account in eks_backends.values():
        if region in account and name in account[region].clusters:
            return account[region].clusters[name]
    return None


def _check_token(authorization: str) -> None:
    """Refuse what is not a signed request of this cluster's kind; whose it is does not matter here."""
    from stackyard.local.emulator.kubernetes.api import Refused  # noqa: PLC0415  (see above)

    kind, _, token = authorization.partition("Bearer k8s-aws-v1.")
    try:
        url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        url = ""
    query = parse_qs(urlsplit(url).query)
    signed = "".join(query.get("X-Amz-SignedHeaders", [])).split(";")
    if kind or query.get("Action") != ["GetCallerIdentity"] or "x-k8s-aws-id" not in signed:
        raise Refused(401, "Unauthorized", "Unauthorized")


def _has_image(image: str) -> bool:
    """Say whether the emulated ECR has an image, by digest."""
    from moto.ecr.models import ecr_backends  # noqa: PLC0415  (see above)

    repository, _, digest = image.partition("@")
    registry, _, name = repository.partition("/")
    account, _, _, region = registry.split(".")[:4] if registry.count(".") >= 4 else ("", "", "", "")
    if account not in ecr_backends or region not in ecr_backends[account]:
        return False
    found = ecr_backends[account][region].repositories.get(name)
    return found is not None and any(each.image_digest == digest for each in found.images)


def _has_target_group(arn: str) -> bool:
    from moto.elbv2.models import elbv2_backends  # noqa: PLC0415  (see above)

    return any(arn in backend.target_groups for account in elbv2_backends.values() for backend in account.values())
