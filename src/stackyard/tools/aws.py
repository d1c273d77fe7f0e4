"""Talk to AWS, the real one and the emulated one, in the few calls that the tasks need beside Terraform's."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

# boto3 makes its clients by this; what else it imports takes longer than all our calls.
import botocore.config
import botocore.exceptions
import botocore.session

from stackyard.errors import MissingError, RefusedError, StackyardError, ToolError
from stackyard.project import Target
from stackyard.tools.awsfailures import error_code

EMULATED_KEY = "local"
"""What stands for both halves of a credential towards the emulated AWS."""

_OWN_SETTINGS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN")


_NOBODYS: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""botocore's own variables so that it reads none of the user's: a profile that is not there would end `inv up`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who AWS takes us for."""

    account: str
    arn: str


def aws_environment(base: Mapping[str, str], target: Target, endpoint: str | None) -> dict[str, str]:
    """Return the environment variables under which programs reach the target's AWS.

    For the emulated AWS nothing of the user's own AWS settings is left in it.
    """
    result = dict(base)
    result["AWS_REGION"] = result["AWS_DEFAULT_REGION"] = target.region
    if endpoint is None:
        return result
    for name in [name for name in result if name in _OWN_SETTINGS or name.startswith("AWS_ENDPOINT_URL")]:
        del result[name]
    no_proxy = ",".join(filter(None, [result.get("NO_PROXY") or result.get("no_proxy"), "127.0.0.1", "localhost"]))
    return {
        **result,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": EMULATED_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATED_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


class Aws:
    """The AWS of one environment."""

    def __init__(self, target: Target, endpoint: str | None = None) -> None:
        """``endpoint`` is the emulated AWS's address; None means the real one."""
        self.target, self.endpoint = target, endpoint
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    @cached_property
    def session(self) -> Any:  # it has no types
        """Botocore's session: the credentials, and what makes clients."""
        if self.endpoint is None:
            return botocore.session.Session()
        session: Any = botocore.session.Session(session_vars=_NOBODYS)
        session.set_credentials(EMULATED_KEY, EMULATED_KEY)
        return session

    def client(self, service: str, *, timeout: float = 0) -> Any:  # boto3's are made at run time, without types
        """Return the client of a service, made once; one with a ``timeout`` (s) leaves asking again to its caller."""
        # Making one is not safe among threads, and two at once of the same are 20 ms for nothing.
        with self._making:
            name = f"{service} {timeout}"
            if name not in self._clients:
                self._clients[name] = self._make_client(service, timeout)
            return self._clients[name]

    def _make_client(self, service: str, timeout: float) -> Any:  # the same
        emulated = self.endpoint is not None
        config = botocore.config.Config(
            connect_timeout=5,
            read_timeout=timeout or 30,
            retries={
                "mode": "standard",
                **({"total_max_attempts": 1} if timeout else {"max_attempts": 2 if emulated else 5}),
            },
            max_pool_connections=32,
            proxies={} if emulated else None,
            s3={"addressing_style": "path"} if emulated else None,
            user_agent_extra="stackyard/tasks",
        )
        with self.explained(service):
            client = self.session.create_client(
                service, region_name=self.target.region, endpoint_url=self.endpoint, config=config
            )
        client.meta.events.register("before-parse.cloudwatch-logs.FilterLogEvents", _read_events)
        return client

    @contextlib.contextmanager
    def explained(self, doing: str) -> Generator[None]:
        """Turn botocore's errors into ours; what the caller expects it catches itself."""
        name = self.target.name
        try:
            yield
        except (
            botocore.exceptions.NoCredentialsError,
            botocore.exceptions.PartialCredentialsError,
            botocore.exceptions.ProfileNotFound,
            botocore.exceptions.SSOError,
            botocore.exceptions.TokenRetrievalError,
            botocore.exceptions.CredentialRetrievalError,
        ) as error:
            raise MissingError(
                "no AWS credentials",
                str(error),
                fix=f"Log in to account {self.target.account}.",
                command="aws sso login   # or: aws configure",
            ) from error
        except (botocore.exceptions.EndpointConnectionError, botocore.exceptions.HTTPClientError) as error:
            if self.endpoint is not None:
                raise emulator_gone(str(error)) from error
            raise MissingError(
                f"AWS does not answer ({doing})", str(error), command=f"inv doctor --env {name}"
            ) from error
        except botocore.exceptions.ClientError as error:
            raise self._refusal(doing, error) from error

    def _refusal(self, doing: str, error: botocore.exceptions.ClientError) -> StackyardError:
        code = error_code(error)
        if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
            return MissingError("the AWS credentials have expired", str(error), command="aws sso login")
        if code in {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}:
            return MissingError("AWS does not know these credentials", str(error), command="aws configure")
        if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}:
            return MissingError(
                f"no right to do this ({doing})", str(error), command=f"inv doctor --env {self.target.name}"
            )
        if code == "NoSuchBucket":
            bucket = cast("Mapping[str, Any]", error.response)["Error"].get("BucketName", self.target.state_bucket)
            if bucket != self.target.state_bucket:
                return MissingError(f"there is no bucket {bucket}", doing, command=f"aws s3 mb s3://{bucket}")
            return MissingError(
                "there is no state bucket",
                f"{self.target.state_bucket} ({doing})",
                fix="Bootstrap the account; or, where it was bootstrapped and the bucket is lost, bring back a backup.",
                command=f"inv bootstrap --env {self.target.name}",
            )
        return ToolError(f"AWS refused ({doing})", str(error), command=f"inv doctor --env {self.target.name}")

    def check_caller(self) -> Caller:
        """Return who we are. Raises MissingError without credentials, RefusedError in another account."""
        with self.explained("who am I"):
            answer = self.client("sts").get_caller_identity()
        caller = Caller(answer["Account"], answer["Arn"])
        if caller.account != self.target.account:
            why = f"the credentials are {caller.arn}; {self.target.name} is account {self.target.account}"
            raise RefusedError(
                "this is another AWS account",
                why,
                fix="Log in to the right one, or correct `account` in stackyard.yaml.",
                command="export AWS_PROFILE=…   # then the same command again",
            )
        return caller

    def has_bucket(self, bucket: str) -> bool:
        """Tell whether a bucket of ours is there."""
        try:
            with self.explained("state bucket"):
                self.client("s3").head_bucket(Bucket=bucket)
        except ToolError as error:
            if error_code(error.__cause__) == "404":
                return False
            raise
        return True

    def create_bucket(self, bucket: str) -> None:
        """Create the state bucket, closed to the public and versioned from its first second."""
        region = self.target.region
        place: dict[str, Any] = (
            {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        closed = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3 = self.client("s3")
        with self.explained("create the state bucket"):
            with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                s3.create_bucket(Bucket=bucket, **place)
            s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def find_images(self, repository: str, tags: Sequence[str]) -> dict[str, str]:
        """Return the digests of those tags that the repository has. Raises MissingError without the repository."""
        return {tag: digest for tag, (digest, _) in self.find_manifests(repository, tags).items()}

    def find_manifests(self, repository: str, tags: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return digest and manifest of those tags that the repository has.

        Raises MissingError without the repository.
        """
        ecr = self.client("ecr")
        found: dict[str, tuple[str, str]] = {}
        with self.explained("images"):
            for start in range(0, len(tags), 100):
                wanted = [{"imageTag": tag} for tag in tags[start : start + 100]]
                try:
                    # Without its registry it would be looked for in the caller's own account.
                    place = {"registryId": self.target.account, "repositoryName": repository}
                    answer = ecr.batch_get_image(**place, imageIds=wanted)
                except ecr.exceptions.RepositoryNotFoundException as error:
                    raise MissingError(
                        f"there is no image repository {repository}",
                        "the account is not bootstrapped",
                        command=f"inv bootstrap --env {self.target.name}",
                    ) from error
                for image in answer["images"]:
                    name = image["imageId"]
                    found[name["imageTag"]] = (name["imageDigest"], image["imageManifest"])
        return found

    def registry_login(self) -> tuple[str, str]:
        """Return user and password for the account's image registry; they are good for 12 hours."""
        with self.explained("log in to the image registry"):
            [data] = self.client("ecr").get_authorization_token()["authorizationData"]
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return user, password

    def put_image(self, repository: str, tag: str, manifest: str) -> str:
        """Register an image's manifest and return its digest; a tag that is there already keeps its image."""
        ecr = self.client("ecr")
        # OCI leaves it to a manifest whether it says what it is; ECR wants to be told.
        media = json.loads(manifest).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
        with self.explained(f"register {tag}"):
            there = (ecr.exceptions.ImageAlreadyExistsException, ecr.exceptions.ImageTagAlreadyExistsException)
            with contextlib.suppress(*there):
                ecr.put_image(
                    repositoryName=repository, imageTag=tag, imageManifest=manifest, imageManifestMediaType=media
                )
        return self.find_images(repository, [tag])[tag]

    def read_text(self, bucket: str, key: str) -> str | None:
        """Return an object of the state bucket, what is no UTF-8 in it replaced, or None."""
        s3 = self.client("s3")
        with self.explained(key):
            try:
                return cast("bytes", s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode(errors="replace")
            except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
                return None

    def delete_text(self, bucket: str, key: str, unwanted: Callable[[str], bool]) -> bool:
        """Delete an object whose text is ``unwanted``, unless somebody writes it meanwhile; say whether it is gone."""
        if key not in self.list_keys(bucket, key):
            return True  # S3 would not say so to a role that may list some prefixes only: it answers 403
        s3 = self.client("s3")
        changed = {"PreconditionFailed", "ConditionalRequestConflict"}
        try:
            with self.explained(key):
                found = s3.get_object(Bucket=bucket, Key=key)
                if not unwanted(found["Body"].read().decode()):
                    return False
                s3.delete_object(Bucket=bucket, Key=key, IfMatch=found["ETag"])
        except ToolError as error:
            cause = error.__cause__
            if error_code(cause) in changed:
                return False
            raise
        return True

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        """List the objects of the state bucket under a prefix."""
        with self.explained(prefix):
            pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def put_new(self, bucket: str, key: str, value: Mapping[str, object]) -> bool:
        """Write an object that must not be there yet; False when it is."""
        body = json.dumps(value, indent=2).encode()
        try:
            with self.explained(key):
                self.client("s3").put_object(
                    Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ContentType="application/json"
                )
        except ToolError as error:
            if error_code(error.__cause__) in {
                "PreconditionFailed",
                "ConditionalRequestConflict",
            }:
                return False
            raise
        return True

    def put_text(self, bucket: str, key: str, text: str) -> None:
        """Write an object of the state bucket, whatever was there."""
        with self.explained(key):
            self.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json")

    def delete_key(self, bucket: str, key: str) -> None:
        """Take an object of the state bucket away; one that is not there is no error."""
        with self.explained(key):
            self.client("s3").delete_object(Bucket=bucket, Key=key)

    def concurrency_limit(self) -> tuple[int, int]:
        """Return how many Lambda requests at once the account allows, and how many of them are not reserved."""
        with self.explained("Lambda limits"):
            limits = self.client("lambda").get_account_settings()["AccountLimit"]
        return limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]

    def count_app_runner_services(self) -> int:
        """Return how many App Runner services the region has, 20 at the most."""
        with self.explained("App Runner"):
            return len(self.client("apprunner").list_services(MaxResults=20)["ServiceSummaryList"])

    def find_alarms(self, names: Sequence[str]) -> set[str]:
        """Return those of the CloudWatch alarms that are there, 100 names at the most."""
        with self.explained("alarms"):
            found = self.client("cloudwatch").describe_alarms(
                AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
            )
        return {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in found.get(kind, ())}

    def gateway_log_role(self) -> str:
        """Return the role with which API Gateway writes logs in this account and region; empty when unset."""
        with self.explained("API Gateway settings"):
            return cast("str", self.client("apigateway").get_account().get("cloudwatchRoleArn") or "")


def emulator_gone(words: str = "") -> ToolError:
    """Make the error for an embedded AWS that stopped answering."""
    why = "it does not answer any more; its log is .stackyard/local/emulator.log"
    return ToolError(
        "the embedded AWS has died",
        why,
        detail=words,
        fix="What it held is gone; it is made anew.",
        command="inv down && inv up",
    )


def _read_events(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Read a page of log events in one go: botocore's own parser walks its model for every member of each event."""
    if response_dict["status_code"] == 200:
        with contextlib.suppress(ValueError, TypeError):
            customized_response_dict |= json.loads(response_dict["body"])
            response_dict["body"] = b"{}"
