"""Decide what a repository's settings at GitHub must be for the workflows: environments, rights, rules of `main`.

Pure: what is there comes in as GitHub's REST API says it, what is to be sent goes out as it takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from stackyard.names import PREVIEWS
from stackyard.project import Project
from stackyard.words import plural

BRANCH = "main"
"""The branch that the workflows deploy from."""

CHECK = "ci"
"""The job that knows whether all checks are good (.github/workflows/ci.yml)."""

RULESET = "stackyard"

ACTIONS_APP = 15368
"""GitHub Actions among GitHub's apps: a check of that name by anybody else does not count."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that is to be so, where in the repository's API it is, and what for."""

    title: str
    why: str
    path: str
    body: Mapping[str, object]
    method: str = "PUT"
    keep: tuple[str, ...] = field(default=())
    """What of the body's place stays as it is where the body does not say it."""


def plan_environments(project: Project, reviewers: Sequence[Mapping[str, object]] | None) -> list[Setting]:
    """Return the GitHub environments that AWS trusts (infra/bootstrap/github.tf).

    Args:
        project: Whose environments.
        reviewers: Who lets a job into a protected one (`type` and `id`, six at the most); None for who does already.

    """
    made: list[Setting] = []
    for name, environment in project.environments.items():
        asked: dict[str, object] = {}
        if environment.protected:
            asked["prevent_self_review"] = True
            if reviewers is not None:
                asked["reviewers"] = list(reviewers)
        why = f"may change {name}; from {BRANCH} alone" + (", after a review" if environment.protected else "")
        made.append(Setting(f"environment {name}", why, f"environments/{name}", asked | _from(custom=True), keep=KEPT))
        made.append(
            Setting(
                f"branch of environment {name}",
                "no other branch, whatever is in its workflows",
                f"environments/{name}/deployment-branch-policies",
                {"name": BRANCH, "type": "branch"},
                method="POST",
            )
        )
        made.append(_open(f"{name}-plan", f"may read {name}; pull requests plan in it"))
    if project.previews is not None:
        made.append(_open(PREVIEWS, "may change previews; pull requests deploy in it"))
        made.append(_open(f"{PREVIEWS}-plan", "may read previews"))
    return made


KEPT = ("reviewers", "prevent_self_review", "wait_timer")


def _open(name: str, why: str) -> Setting:
    return Setting(f"environment {name}", why, f"environments/{name}", _from(custom=False), keep=KEPT)


def _from(*, custom: bool) -> dict[str, object]:
    policy = {"protected_branches": False, "custom_branch_policies": True} if custom else None
    return {"deployment_branch_policy": policy}


def plan_repository(*, releases: bool, approvals: int) -> list[Setting]:
    """Return what holds for the repository as a whole.

    Args:
        releases: Whether release-please is there, which opens pull requests as GitHub Actions.
        approvals: How many people must approve a pull request.

    """
    review = {
        "required_approving_review_count": approvals,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": approvals > 0,
        "required_review_thread_resolution": False,
    }
    checks = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": CHECK, "integration_id": ACTIONS_APP}],
    }
    rules: list[object] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": review},
        {"type": "required_status_checks", "parameters": checks},
    ]
    return [
        Setting(
            "token's rights",
            "a job that says nothing may read; only release-please opens pull requests",
            "actions/permissions/workflow",
            {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": releases},
        ),
        Setting(
            "pinned actions",
            "an action is used by its commit, or not at all",
            "actions/permissions",
            {"enabled": True, "sha_pinning_required": True},
            keep=("allowed_actions",),
        ),
        Setting(
            f"rules of {BRANCH}",
            f"a pull request with {plural(approvals, 'approval')} and a good `{CHECK}`; never deleted or rewritten",
            "rulesets",
            {
                "name": RULESET,
                "target": "branch",
                "enforcement": "active",
                "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
                "rules": rules,
            },
            method="POST",
        ),
    ]


def read_environment(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment as it would be sent, from what GitHub says of it."""
    sent: dict[str, Any] = {"deployment_branch_policy": found.get("deployment_branch_policy")}
    for rule in cast("list[dict[str, Any]]", found.get("protection_rules") or []):
        if rule["type"] == "wait_timer":
            sent["wait_timer"] = rule["wait_timer"]
        elif rule["type"] == "required_reviewers":
            sent["prevent_self_review"] = rule.get("prevent_self_review", False)
            sent["reviewers"] = [{"type": one["type"], "id": one["reviewer"]["id"]} for one in rule["reviewers"]]
    return sent


def complete(setting: Setting, found: Mapping[str, Any]) -> dict[str, object]:
    """Return a setting's body with what is to stay as it is."""
    return {key: found[key] for key in setting.keep if key in found} | dict(setting.body)


def fits(wanted: object, found: object) -> bool:
    """Tell whether everything that is wanted is there; what else there is does not count, but in lists."""
    if isinstance(wanted, Mapping):
        parts, there = cast("Mapping[str, object]", wanted), cast("Mapping[str, object]", found)
        return isinstance(found, Mapping) and all(fits(part, there.get(key)) for key, part in parts.items())
    if isinstance(wanted, list):
        items, others = cast("list[object]", wanted), cast("list[object]", found)
        whole = isinstance(found, list) and len(items) == len(others)
        return whole and all(any(fits(item, other) for other in others) for item in items)
    return wanted == found
