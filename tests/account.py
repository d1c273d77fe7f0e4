"""An AWS account on this machine: the embedded AWS under an account's own number, as `--env dev` reaches it.

Its APIs have public addresses. `PublicGateway` stands where those lead: a proxy that answers for them by itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import ssl
import sys
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stackyard.tools.process import start_daemon
from tests.clients import REGION, make_client
from tests.waiting import until

PUBLIC = f"*.execute-api.{REGION}.amazonaws.com"


@dataclass
class PublicGateway:
    """What answers at the public addresses of APIs; ``status`` is what every health endpoint answers."""

    certificate: Path
    status: int = 200
    asked: list[str] = field(default_factory=list[str])
    url: str = ""

    @contextlib.contextmanager
    def serving(self) -> Generator[None]:
        """Answer until the block ends."""
        context = make_context(self.certificate)
        gateway = self

        class Proxy(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError), context.wrap_socket(self.connection, server_side=True) as secret:
                    request = b""
                    while b"\r\n\r\n" not in request:
                        request += secret.recv(4096)
                    gateway.asked.append(self.path + request.split(b" ")[1].decode())
                    answer = f"HTTP/1.1 {gateway.status} So\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
                    secret.sendall(answer.encode())
                self.close_connection = True

            def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (prints)
                """Print nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def make_context(certificate: Path) -> ssl.SSLContext:
    """Make a certificate for the public addresses that vouches for itself, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(PUBLIC)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = certificate.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context


@dataclass
class Account:
    """One AWS account."""

    number: str
    endpoint: str
    gateway: PublicGateway
    key: str = "local"
    """The access key; one that is a number is of that account (`stackyard.local.emulator.callers`)."""

    def client(self, service: str) -> Any:  # boto3 makes its clients at run time
        """Return boto3's client."""
        return make_client(self.endpoint, service, self.key)

    def beside(self, number: str) -> Account:
        """Return another account in the same AWS, with nothing in it."""
        return replace(self, number=number, key=number)

    @property
    def environment(self) -> dict[str, str]:
        """What makes `inv` reach this account, and the public addresses of its APIs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HTTPS_PROXY": self.gateway.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(self.gateway.certificate),
        }

    @property
    def bucket(self) -> str:
        """The state bucket."""
        return f"acme-state-{self.number}-{REGION}"

    def prepare(self) -> None:
        """Make the bucket and the repository."""
        place = {"LocationConstraint": REGION}
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)
        self.client("ecr").create_repository(repositoryName="acme", imageTagMutability="IMMUTABLE")

    def empty(self) -> None:
        """Take everything out of the bucket and the repository."""
        for key in self.keys(""):
            self.client("s3").delete_object(Bucket=self.bucket, Key=key)
        ecr = self.client("ecr")
        ecr.delete_repository(repositoryName="acme", force=True)
        ecr.create_repository(repositoryName="acme", imageTagMutability="IMMUTABLE")

    def push(self, tag: str, of: str = "") -> str:
        """Put an image that stands for one built from ``of`` (its tag, if not said) into the repository.

        Returns its digest.
        """
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2}
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": config | {"digest": f"sha256:{hashlib.sha256((of or tag).encode()).hexdigest()}"},
                "layers": [],
            }
        )
        ecr = self.client("ecr")
        with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
            ecr.put_image(repositoryName="acme", imageTag=tag, imageManifest=manifest)
        return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"

    def tags(self, environment: str) -> dict[str, str]:
        """Return the tags of an environment's releases, with their digests."""
        pages = self.client("ecr").get_paginator("list_images").paginate(repositoryName="acme")
        images = [image for page in pages for image in page["imageIds"]]
        begin = f"release-{environment}-"
        return {each["imageTag"]: each["imageDigest"] for each in images if each["imageTag"].startswith(begin)}

    def keys(self, prefix: str) -> list[str]:
        """Return the names of the bucket's objects below a prefix, without it."""
        listed = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return sorted(item["Key"].removeprefix(prefix) for item in listed)

    def records(self, environment: str) -> dict[int, Mapping[str, Any]]:
        """Return an environment's release records by number."""
        prefix = f"releases/{environment}/"
        numbers = sorted(int(key[:-5]) for key in self.keys(prefix) if key[:-5].isdigit())
        s3 = self.client("s3")
        return {
            number: json.loads(s3.get_object(Bucket=self.bucket, Key=f"{prefix}{number}.json")["Body"].read())
            for number in numbers
        }

    def running(self, environment: str, service: str) -> str:
        """Return the digest of the image that a function's alias ``live`` runs."""
        functions, name = self.client("lambda"), f"acme-{environment}-{service}"
        version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        code = functions.get_function(FunctionName=name, Qualifier=version)["Code"]
        return code["ResolvedImageUri"].rpartition("@")[2]


@contextlib.contextmanager
def serving_account(folder: Path, number: str, *, prepared: bool = True) -> Generator[Account]:
    """Serve an account until the block ends, with the bucket and the repository of a bootstrap if ``prepared``."""
    ready, log = folder / "ready.json", folder / "emulator.log"
    argv = (sys.executable, "-m", "stackyard.local.emulator", "--ready", str(ready), "--account", number)
    daemon = start_daemon(argv, log=log, env=os.environ, cwd=folder)
    try:
        until(ready.exists, "the embedded AWS answers", explain=log.read_text)
        gateway = PublicGateway(folder / "public.pem")
        with gateway.serving():
            account = Account(number, json.loads(ready.read_text())["url"], gateway)
            if prepared:
                account.prepare()
            yield account
    finally:
        daemon.stop()
