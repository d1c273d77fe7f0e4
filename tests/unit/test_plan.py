"""A deploy's plan, its release records: decided from facts alone."""

from __future__ import annotations

import json

import pytest

from stackyard.images import Image, manifest_digest, render_manifest
from stackyard.plan import UNBUILT, DeployPlan, find_inputs, plan_deploy
from stackyard.project import find_target
from stackyard.releases import Release, last_number, release_key
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
    assert decided.lines() == ["1 image there already", "register web-2222222222222222-unbuilt (linux/arm64)"]


def test_what_stands_for_an_image_never_passes_for_it(folder: Folder) -> None:
    """It has a tag of its own, which counts only where nothing is built; an image that is there is preferred."""
    stand_in = {API.stand_in: DIGEST, WEB.stand_in: DIGEST}
    assert plan(folder, stand_in).missing() == ()
    assert plan(folder, stand_in, registers=False).missing() == (API, WEB)
    built = plan(folder, stand_in | {API.tag: "sha256:" + "b" * 64})
    assert built.foreseen_digests() == {"api": "sha256:" + "b" * 64, "web": DIGEST}
    assert built.tags() == {"api": API.tag, "web": WEB.stand_in}


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/services/api/api/app.py", True),
        ("src/services/new/", True),
        ("infra/app/main.tf", True),
        ("stackyard.yaml", True),
        ("Dockerfile", True),
        ("uv.lock", True),
        ("docs/index.md", False),
        ("src/services/api/tests/test_api.py", False),
        ("infrastructure.md", False),
    ],
)
def test_what_is_not_committed_matters_where_something_is_made_of_it(path: str, *, counts: bool) -> None:
    """Images and infrastructure; a page of the documentation keeps nobody from deploying."""
    assert bool(find_inputs([path])) == counts


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


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        ([], 0),
        (["releases/dev/1.json", "releases/dev/2.json", "releases/dev/10.json"], 10),
        (["releases/dev/9.json", "releases/dev/latest.json", "releases/dev/10.json.tmp", "releases/dev/"], 9),
    ],
    ids=["none", "by number, not by letter", "other files"],
)
def test_the_last_release_is_the_highest_number(keys: list[str], number: int) -> None:
    """Whatever else lies there."""
    assert last_number(keys) == number


def test_a_release_is_kept_as_it_was(folder: Folder) -> None:
    """As JSON, below its environment."""
    release = Release(
        3,
        "dev",
        {"api": DIGEST},
        "c0ffee",
        dirty=False,
        who="me@here",
        when="2026-11-23T08:00:00+00:00",
        summary="1 to change",
    )
    record = json.loads(json.dumps(release.record()))
    assert record["digests"] == {"api": DIGEST}
    assert (record["number"], record["commit"], record["dirty"], record["images"]) == (3, "c0ffee", False, {})
    assert release_key(find_target(folder.read_project(), "dev"), 3) == "releases/dev/3.json"
