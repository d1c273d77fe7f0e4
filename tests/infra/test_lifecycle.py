"""The image repository's lifecycle rules, as Terraform plans them: no image of a kept release can expire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.releases import Release, release_tags, surplus_tags
from tests.infra.lifecycle import Rule, StoredImage, find_expired, parse_policy

KEPT = 3
ENVIRONMENTS = ("dev", "prod", "pr-1")
SERVICES = ("api", "web")


@dataclass
class Account:
    """A repository under rules, and the releases of the environments that share it."""

    rules: list[Rule]
    now: float = 0
    images: dict[str, StoredImage] = field(default_factory=dict[str, StoredImage])
    releases: dict[str, list[Release]] = field(default_factory=dict[str, list[Release]])
    expired: set[str] = field(default_factory=set[str])

    def wait(self, days: float) -> None:
        """Let time pass; ECR evaluates within 24 hours."""
        for _ in range(int(days)):
            self.now += 1
            for digest in find_expired(self.rules, self.images.values(), self.now):
                del self.images[digest]

    def build(self, service: str, version: int) -> None:
        """Push an image under its fingerprint; one that is there already is not pushed again."""
        digest = f"{service}@{version}"
        self.images.setdefault(digest, StoredImage(digest, self.now, {f"{service}-{version:016x}"}))

    def release(self, environment: str, digests: Mapping[str, str]) -> None:
        """Record a release, and tag its images as a deploy, a promotion and a rollback do."""
        past = self.releases.setdefault(environment, [])
        made = Release(len(past) + 1, environment, digests, "", dirty=False, who="", when="", summary="")
        past.append(made)
        for tag, digest in release_tags(made).items():
            self.images[digest].tags.add(tag)
        tags = {tag for image in self.images.values() for tag in image.tags}
        self.untag(surplus_tags(tags, environment, made.number, KEPT))

    def forget(self, environment: str) -> None:
        """Take an environment's tags away, as the end of a preview does."""
        tags = {tag for image in self.images.values() for tag in image.tags}
        self.untag(surplus_tags(tags, environment, len(self.releases.pop(environment, [])), kept=0))

    def untag(self, tags: list[str]) -> None:
        """Take tags away; with its last one an image goes (ECR: BatchDeleteImage)."""
        for digest, image in list(self.images.items()):
            image.tags -= set(tags)
            if not image.tags:
                del self.images[digest]

    def lost(self) -> set[str]:
        """Return the images of kept releases that are not there any more."""
        kept = [release for past in self.releases.values() for release in past[-KEPT:]]
        return {digest for release in kept for digest in release.digests.values()} - set(self.images)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 200)),
        st.tuples(st.just("deploy"), st.sampled_from(ENVIRONMENTS), st.integers(0, 6), st.integers(0, 6)),
        st.tuples(st.just("promote"), st.sampled_from(ENVIRONMENTS), st.sampled_from(ENVIRONMENTS)),
        st.tuples(st.just("rollback"), st.sampled_from(ENVIRONMENTS), st.integers(1, KEPT)),
        st.tuples(st.just("forget"), st.just("pr-1")),
    ),
    max_size=40,
)


def play(account: Account, steps: list[tuple[object, ...]]) -> None:
    """Live through a history."""
    for step in steps:
        match step:
            case ("wait", int(days)):
                account.wait(days)
            case ("deploy", str(environment), int(api), int(web)):
                account.build("api", api)
                account.build("web", web)
                account.release(environment, {"api": f"api@{api}", "web": f"web@{web}"})
            case ("promote", str(source), str(target)) if source != target and account.releases.get(source):
                account.release(target, account.releases[source][-1].digests)
            case ("rollback", str(environment), int(back)) if len(account.releases.get(environment, [])) >= back:
                account.release(environment, account.releases[environment][-back].digests)
            case ("forget", str(environment)):
                account.forget(environment)
            case _:
                pass  # nothing to promote, nothing to go back to
        assert account.lost() == set(), f"after {step}"


@given(steps=STEPS)
def test_no_image_of_a_kept_release_can_expire(lifecycle_policy: str, steps: list[tuple[object, ...]]) -> None:
    """Whatever is deployed, promoted, rolled back and forgotten, however long one waits between."""
    play(Account(parse_policy(lifecycle_policy)), steps)


def test_what_was_never_released_expires(lifecycle_policy: str) -> None:
    """The fingerprints of builds that nobody deployed, and of releases too long ago, after 90 days."""
    account = Account(parse_policy(lifecycle_policy))
    account.build("api", 7)
    for version in range(KEPT + 1):
        play(account, [("deploy", "dev", version, 0)])
    account.wait(90)
    assert {"api@7", "api@0"} <= set(account.images)
    account.wait(1)
    assert set(account.images) == {*(f"api@{version}" for version in range(1, KEPT + 1)), "web@0"}


TAGGED = {"tagStatus": "tagged", "tagPrefixList": ["release-"]}
DAYS = {"countType": "sinceImagePushed", "countUnit": "days"}
ANY = {"tagStatus": "any", **DAYS, "countNumber": 90}


@pytest.mark.parametrize(
    "selections",
    [
        [ANY],
        [{**TAGGED, "countType": "imageCountMoreThan", "countNumber": 3}],
        [{**TAGGED, **DAYS, "countNumber": 365}],
        [
            {**TAGGED, "tagPrefixList": ["release-", "prod-"], **DAYS, "countNumber": 9999},
            {"tagStatus": "any", **DAYS, "countNumber": 90},
        ],
    ],
    ids=["by age alone", "the newest so many", "a year", "two prefixes mean both"],
)
def test_rules_that_look_right_would_lose_images(selections: list[dict[str, object]]) -> None:
    """What the rules are not, and why: an image keeps its push time, however new the release that runs it."""
    rules = [
        {"rulePriority": number, "selection": selection, "action": {"type": "expire"}}
        for number, selection in enumerate(selections, start=1)
    ]
    account = Account(parse_policy(json.dumps({"rules": rules})))
    history: list[tuple[object, ...]] = [("deploy", "prod", 1, 1), ("wait", 200)]
    history += [("deploy", environment, version, 1) for environment in ENVIRONMENTS for version in (2, 3)]
    with pytest.raises(AssertionError, match="after"):
        play(account, [*history, ("wait", 200)])
