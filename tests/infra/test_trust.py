"""Whom GitHub's roles let in: the trust policies of infra/bootstrap, asked with the claims of many tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.infra.iam import Statement, lets_in, parse

GITHUB = "token.actions.githubusercontent.com"
ISSUER = f"arn:aws:iam::111111111111:oidc-provider/{GITHUB}"
AWS = "sts.amazonaws.com"

Trusts = Mapping[str, list[Statement]]


def trusts_of(plan: Mapping[str, list[Mapping[str, Any]]]) -> Trusts:
    """Return the trust policy of each of GitHub's roles, by the role's name without the project's."""
    roles = {role["name"].removeprefix("acme-"): role["assume_role_policy"] for role in plan["aws_iam_role"]}
    return {name: parse(policy) for name, policy in roles.items() if name != "acme_gateway-logs"}


@pytest.fixture(scope="module")
def by_name(bootstrap: Mapping[str, list[Mapping[str, Any]]]) -> Trusts:
    """The roles of a project that names its repository only."""
    return trusts_of(bootstrap)


@pytest.fixture(scope="module")
def by_number(pinned: Mapping[str, list[Mapping[str, Any]]]) -> Trusts:
    """The roles of a project that has the repository's numbers, too: owner 12345, repository 67890."""
    return trusts_of(pinned)


def admitted(
    trusts: Trusts, sub: str | None, aud: str | tuple[str, ...] | None = AWS, issuer: str = ISSUER
) -> set[str]:
    """Return the roles that a token is let into."""
    claims = {f"{GITHUB}:sub": sub, f"{GITHUB}:aud": aud}
    held = {key: value for key, value in claims.items() if value is not None}
    return {name for name, trust in trusts.items() if lets_in(trust, issuer, held)}


@pytest.mark.parametrize(
    ("subject", "role"),
    [
        ("environment:dev", "dev_deploy"),
        ("environment:dev-plan", "dev_plan"),
        ("environment:prod", "prod_deploy"),
        ("environment:prod-plan", "prod_plan"),
        ("environment:previews", "previews_deploy"),
        ("environment:previews-plan", "previews_plan"),
    ],
)
def test_each_environment_gets_one_role(by_name: Trusts, subject: str, role: str) -> None:
    """A job in a GitHub environment gets that environment's role and no other."""
    assert admitted(by_name, f"repo:acme/platform:{subject}") == {role}


def test_a_pinned_repository_gets_its_roles(by_number: Trusts) -> None:
    """By the immutable subject, with owner's and repository's numbers."""
    assert admitted(by_number, "repo:acme@12345/platform@67890:environment:dev") == {"dev_deploy"}
    assert admitted(by_number, "repo:acme@12345/platform@67890:environment:dev-plan") == {"dev_plan"}


JOBS = [
    "pull_request",
    "ref:refs/heads/main",
    "ref:refs/heads/environment:dev",
    "ref:refs/tags/v1.0.0",
    "ref:refs/pull/7/merge",
    "environment:far",
    "environment:far-plan",
    "environment:local",
    "environment:pr-12",
    "environment:dev-plan-plan",
    "environment:dev2",
    "environment:de",
    "environment:Dev",
    "environment:DEV",
    "environment:dev ",
    "environment: dev",
    "environment:dev\n",
    "environment:dev%0A",
    "environment:dev:ref:refs/heads/main",
    "environment:dev*",
    "environment:*",
    "environment:de?",
    "environment:d\u0435v",
    "environment:dev\u200b",
    "environment:",
    "environment",
    "",
    "*",
    "job_workflow_ref:acme/platform/.github/workflows/deploy.yml@refs/heads/main",
]
"""Jobs of the very repository that are in none of this account's environments; two names hold look-alike letters."""

FOREIGN = [
    "repo:mallory/platform",
    "repo:acme/other",
    "repo:acme/platform-fork",
    "repo:acme/platform2",
    "repo:acme/platfor",
    "repo:acme2/platform",
    "repo:xacme/platform",
    "repo:acme/Platform",
    "repo:Acme/platform",
    "repo:ACME/PLATFORM",
    "repo:acm\u0435/platform",
    "repo:acme/pl\u0430tform",
    "repo:acme/platform ",
    " repo:acme/platform",
    "repo:acme//platform",
    "repo:acme/platform/",
    "repo:mallory/acme/platform",
    "repo:acme/platform@67890",
    "repo:acme@1/platform@2",
    "repo:*/platform",
    "repo:acme/*",
    "repo:*",
    "acme/platform",
    "repository:acme/platform",
    "",
]
"""What another repository, a fork, one with a name that looks alike, or one that got a name given up would send."""


@pytest.mark.parametrize("job", JOBS)
def test_other_jobs_of_the_repository_are_not_let_in(by_name: Trusts, by_number: Trusts, job: str) -> None:
    """Not from a branch, a tag, a pull request, another environment or a name that looks alike."""
    assert admitted(by_name, f"repo:acme/platform:{job}") == set()
    assert admitted(by_number, f"repo:acme@12345/platform@67890:{job}") == set()


@pytest.mark.parametrize("repository", FOREIGN)
@pytest.mark.parametrize("environment", ["dev", "prod-plan", "previews"])
def test_other_repositories_are_not_let_in(by_name: Trusts, repository: str, environment: str) -> None:
    """Whatever environments they have."""
    assert admitted(by_name, f"{repository}:environment:{environment}") == set()


@pytest.mark.parametrize(
    "repository",
    [
        "repo:acme/platform",
        "repo:acme@12345/platform@67891",
        "repo:acme@12346/platform@67890",
        "repo:acme@12345/platform@678900",
        "repo:acme@12345/platform",
        "repo:acme/platform@67890",
        "repo:acme@12345/renamed@67890",
        "repo:mallory@12345/platform@67890",
        "repo:acme@67890/platform@12345",
        "repo:acme@012345/platform@67890",
        "repo:acme@12345/platform@67890@67890",
        "repo:acme@*/platform@*",
    ],
)
def test_a_pinned_repository_is_known_by_its_numbers(by_number: Trusts, repository: str) -> None:
    """The old form is refused, so is whoever has the name now, and a renamed one until stackyard.yaml says so."""
    assert admitted(by_number, f"{repository}:environment:dev") == set()


def test_the_new_form_opens_nothing_where_only_the_name_is_known(by_name: Trusts) -> None:
    """The numbers are not ignored: a recycled name comes with other numbers."""
    assert admitted(by_name, "repo:acme@12345/platform@67890:environment:dev") == set()


@pytest.mark.parametrize(
    "aud",
    [
        None,
        "",
        "sts.amazonaws.com.cn",
        "STS.amazonaws.com",
        "https://sts.amazonaws.com",
        "sts.amazonaws.com ",
        "https://github.com/acme",
        "*",
        "sigstore",
    ],
)
def test_a_token_for_somebody_else_is_not_let_in(by_name: Trusts, by_number: Trusts, aud: str | None) -> None:
    """Nor one that does not say whom it is for."""
    assert admitted(by_name, "repo:acme/platform:environment:dev", aud) == set()
    assert admitted(by_number, "repo:acme@12345/platform@67890:environment:dev", aud) == set()


@pytest.mark.parametrize(
    "issuer",
    [
        "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com",
        "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com/acme",
        "arn:aws:iam::111111111111:oidc-provider/gitlab.com",
        "arn:aws:iam::111111111111:saml-provider/token.actions.githubusercontent.com",
    ],
)
def test_another_issuer_is_not_let_in(by_name: Trusts, issuer: str) -> None:
    """Even when its tokens say all the right things."""
    assert admitted(by_name, "repo:acme/platform:environment:dev", issuer=issuer) == set()


def test_a_token_without_a_subject_is_not_let_in(by_name: Trusts) -> None:
    """What is missing equals nothing."""
    assert admitted(by_name, None) == set()


def test_nobody_but_github_is_let_in(by_name: Trusts, by_number: Trusts) -> None:
    """One statement each, for one action and one principal, by exact names: no pattern, no other way in."""
    for trust in (*by_name.values(), *by_number.values()):
        (one,) = trust
        assert (one.allow, one.actions, one.principals) == (
            True,
            ("sts:AssumeRoleWithWebIdentity",),
            (f"Federated:{ISSUER}",),
        )
        assert set(one.conditions) == {"StringEquals"}
        keys = one.conditions["StringEquals"]
        assert set(keys) == {f"{GITHUB}:aud", f"{GITHUB}:sub"}
        assert not any(sign in value for values in keys.values() for value in values for sign in "*?")
