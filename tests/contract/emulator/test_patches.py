"""Each patch of the emulator: what AWS does, that ours does it, and that moto alone still does not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackyard.local.emulator.patches import PATCHES

ALL = [name for names in PATCHES.values() for name in names]
HERE = {"LocationConstraint": "eu-west-1"}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def unpatched(start_emulator: Callable[..., Any]) -> Any:
    """An emulator without a single patch."""
    return start_emulator(*(f"--without={name}" for name in ALL))


def _use_tls_only_bucket(running: Any, bucket: str) -> str:
    s3 = running.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    s3.put_object(Bucket=bucket, Key="state", Body=b"kept")
    return s3.get_object(Bucket=bucket, Key="state")["Body"].read().decode()


def test_tls_only_policy_lets_its_owner_in(emulator: Any, unpatched: Any) -> None:
    """A bucket whose policy denies plain HTTP can be written and read; without the patch it cannot."""
    assert _use_tls_only_bucket(emulator, "tls-only") == "kept"
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        _use_tls_only_bucket(unpatched, "tls-only")


def test_unconditional_deny_still_denies(emulator: Any) -> None:
    """The patch leaves out conditional statements only: a plain Deny holds."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="denied", CreateBucketConfiguration=HERE)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::denied/*"}
    s3.put_bucket_policy(Bucket="denied", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        s3.put_object(Bucket="denied", Key="state", Body=b"")


def _push(running: Any, command: str) -> tuple[str, str]:
    """Push an image that differs in its configuration only; return the manifest's hash and ECR's digest."""
    ecr = running.client("ecr")
    configuration = {"digest": "sha256:" + hashlib.sha256(command.encode()).hexdigest(), "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": configuration, "layers": []})
    image = ecr.put_image(repositoryName="digests", imageManifest=manifest, imageTag=command)["image"]
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest(), image["imageId"]["imageDigest"]


def test_digest_is_the_manifests_hash(emulator: Any, unpatched: Any) -> None:
    """Images that differ in their configuration only have digests of their own; without the patch they share one."""
    for running in (emulator, unpatched):
        running.client("ecr").create_repository(repositoryName="digests")
    for command in ("serve", "work"):
        expected, found = _push(emulator, command)
        assert found == expected
    assert _push(unpatched, "serve")[1] == _push(unpatched, "work")[1]


def _tag_twice(running: Any) -> list[str]:
    """Give one image two tags, and return the tags under which the first finds it."""
    ecr = running.client("ecr")
    ecr.create_repository(repositoryName="tags")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []})
    for tag in ("first", "second"):
        ecr.put_image(repositoryName="tags", imageManifest=manifest, imageTag=tag)
    answer = ecr.batch_get_image(repositoryName="tags", imageIds=[{"imageTag": "first"}, {"imageTag": "none"}])
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]
    return [image["imageId"]["imageTag"] for image in answer["images"]]


def test_an_image_is_answered_under_the_tag_that_was_asked_for(emulator: Any, unpatched: Any) -> None:
    """Also after it got another; without the patch it is answered under the last one."""
    assert _tag_twice(emulator) == ["first"]
    assert _tag_twice(unpatched) == ["second"]


def _make_cluster(running: Any) -> str:
    made = running.client("eks").create_cluster(
        name="acme", roleArn="arn:aws:iam::123456789012:role/cluster", resourcesVpcConfig={"subnetIds": []}
    )
    return made["cluster"]["endpoint"]


def test_a_clusters_endpoint_leads_to_the_emulator(emulator: Any, unpatched: Any) -> None:
    """By region and name; without the patch it leads nowhere."""
    assert _make_cluster(emulator) == f"{emulator.url}/kubernetes/eu-west-1/acme"
    assert _make_cluster(unpatched).endswith(".eks.amazonaws.com/")


def test_empty_object_can_be_put(emulator: Any) -> None:
    """boto3 announces even an empty body with ``Expect``; the answer comes at once, not when the client gives up."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="empty", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="empty", Key="nothing", Body=b"")
    assert s3.head_object(Bucket="empty", Key="nothing")["ContentLength"] == 0


def test_every_patch_is_named_once_and_exists() -> None:
    """The registry names each patch once; an unknown name would never be applied."""
    assert len(ALL) == len(set(ALL))


def test_one_of_many_racing_writers_wins(emulator: Any) -> None:
    """Terraform's lock file rests on conditional writes: of writers at once, exactly one creates the object."""
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="locks", CreateBucketConfiguration=HERE)

    def lock(number: int) -> bool:
        try:
            s3.put_object(Bucket="locks", Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lock, range(24))) == 1
