"""Apply an ECR lifecycle policy as ECR does (Amazon ECR: Automate the cleanup of images, "Evaluation rules").

Rules are all evaluated against the whole repository, then applied by priority. An image that meets the tag
requirements of a rule is out of reach of every rule of a lower priority. An image has one push time, however many tags
it is given later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(slots=True)
class StoredImage:
    """An image of a repository; ``pushed`` in days."""

    digest: str
    pushed: float
    tags: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy."""

    priority: int
    status: str
    prefixes: tuple[str, ...]
    count_type: str
    number: int

    def selects(self, image: StoredImage) -> bool:
        """Tell whether an image meets the tag requirements: every prefix is met by one of its tags."""
        match self.status:
            case "any":
                return True
            case "untagged":
                return not image.tags
            case _:
                return all(any(tag.startswith(prefix) for tag in image.tags) for prefix in self.prefixes)

    def marks(self, images: Iterable[StoredImage], now: float) -> list[StoredImage]:
        """Return the selected images that are too many or too old."""
        newest = sorted(filter(self.selects, images), key=lambda image: -image.pushed)
        if self.count_type == "imageCountMoreThan":
            return newest[self.number :]
        return [image for image in newest if now - image.pushed > self.number]


def parse_policy(text: str) -> list[Rule]:
    """Read a policy, highest priority first. Refuses what ECR refuses, and what is not known here."""
    rules: list[Rule] = []
    for raw in cast("list[dict[str, Any]]", json.loads(text)["rules"]):
        chosen = raw["selection"]
        rule = Rule(
            raw["rulePriority"],
            chosen["tagStatus"],
            tuple(chosen.get("tagPrefixList", ())),
            chosen["countType"],
            chosen["countNumber"],
        )
        assert raw["action"] == {"type": "expire"}
        assert set(chosen) <= {"tagStatus", "tagPrefixList", "countType", "countUnit", "countNumber"}
        assert (rule.status == "tagged") == bool(rule.prefixes)
        assert rule.count_type in {"imageCountMoreThan", "sinceImagePushed"}
        assert (rule.count_type == "sinceImagePushed") == (chosen.get("countUnit") == "days")
        rules.append(rule)
    rules.sort(key=lambda rule: rule.priority)
    assert len({rule.priority for rule in rules}) == len(rules)
    assert all(rule.status != "any" for rule in rules[:-1])
    return rules


def find_expired(rules: Iterable[Rule], images: Iterable[StoredImage], now: float) -> set[str]:
    """Return the digests of the images that expire; ``now`` in days."""
    images = list(images)
    marked = [(rule, {image.digest for image in rule.marks(images, now)}) for rule in rules]
    expired: set[str] = set()
    for image in images:
        first = next((digests for rule, digests in marked if rule.selects(image)), set[str]())
        if image.digest in first:
            expired.add(image.digest)
    return expired
