"""A deploy's plan: decided from facts alone."""

from __future__ import annotations

from stackyard.images import Image, manifest_digest, render_manifest
from stackyard.plan import UNBUILT, DeployPlan, plan_deploy
from stackyard.project import find_target
from tests.unit.folder import Folder

API = Image("api", "api-1111111111111111", "linux/arm64", "lambda")
WEB = Image("web", "web-2222222222222222", "linux/arm64", "lambda")
DIGEST = "sha256:" + "a" * 64


def plan(folder: Folder, found: dict[str, str], environment: str = "local", *, registers: bool = True) -> DeployPlan:
    folder.service("api")
    folder.service("web")
    target = find_target(folder.read_project(), environment)
    return plan_deploy(target, folder.read_catalog(environment), [WEB, API], found, registers=registers)


def test_an_image_that_is_there_is_taken_and_the_rest_is_made(folder: Folder) -> None:
    """By tag; the digest is the registry's."""
    decided = plan(folder, {API.tag: DIGEST, "web-of-old": DIGEST})
    assert decided.missing() == (WEB,)
    assert [step.image.service for step in decided.images] == ["api", "web"]
    assert decided.lines() == ["1 image there already", "register web-2222222222222222 (linux/arm64)"]


def test_a_digest_is_foreseen_for_every_service(folder: Folder) -> None:
    """Terraform wants all; what is registered by its fingerprint has a digest that is known before."""
    assert plan(folder, {API.tag: DIGEST}).foreseen_digests() == {
        "api": DIGEST,
        "web": manifest_digest(render_manifest(WEB)),
    }


def test_a_digest_that_only_a_build_can_tell_stands_as_zeros(folder: Folder) -> None:
    """In a real account an image's digest is known when it is pushed."""
    decided = plan(folder, {API.tag: DIGEST}, "prod", registers=False)
    assert decided.foreseen_digests() == {"api": DIGEST, "web": UNBUILT}
    assert decided.lines()[-1] == "build and push web-2222222222222222 (linux/arm64)"


def test_nothing_to_make_is_one_line(folder: Folder) -> None:
    """The usual deploy."""
    decided = plan(folder, {API.tag: DIGEST, WEB.tag: DIGEST})
    assert (decided.missing(), decided.lines()) == ((), ["2 images there already"])
