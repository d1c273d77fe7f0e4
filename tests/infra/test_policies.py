"""The policies of infra/bootstrap, read as IAM reads them: they can be met, reach far enough, and no further."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infra.iam import UNLISTED, Kind, Statement, generic, is_allowed, kinds_of, overlap, parse
from tests.infra.reads import READS
from tests.infra.requests import MAY, MAY_NOT, PREVIEWS_MAY, PREVIEWS_MAY_NOT, STOPPED, THROUGH, Request
from tests.infra.rights import WRITES
from tests.terraform import ROOT

Policies = Mapping[str, list[Statement]]


@pytest.fixture(scope="module")
def policies(bootstrap: Mapping[str, list[Mapping[str, Any]]]) -> Policies:
    """Every policy that the bootstrap makes, by its name."""
    return {policy["name"]: parse(policy["policy"]) for policy in bootstrap["aws_iam_policy"]}


def role(policies: Policies, environment: str, purpose: str) -> list[Statement]:
    """Return what GitHub's role for an environment may do: a deploy role reads, too."""
    topics = ("read",) if purpose == "plan" else ("read", "deploy")
    begin = tuple(f"acme-{environment}_{topic}" for topic in topics)
    return [statement for name, statements in policies.items() if name.startswith(begin) for statement in statements]


def named(statements: Iterable[Statement]) -> set[str]:
    """Return every action that is allowed anywhere."""
    return {action for statement in statements if statement.allow for action in statement.actions}


def types(kind: str) -> set[str]:
    """Return the types of resources or data sources that infra/app and the modules use."""
    files = [path for folder in ("app", "modules") for path in (ROOT / "infra" / folder).rglob("*.tf")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if ".terraform" not in path.parts)
    return set(re.findall(rf'^{kind} "(aws_\w+)"', text, re.MULTILINE))


def test_every_resource_type_has_its_rights(policies: Policies) -> None:
    """What infra/app makes its roles may read, make, change and unmake; a type nobody looked up fails here."""
    assert types("resource") == set(WRITES)
    assert types("resource") | types("data") == set(READS)
    reading, writing = named(role(policies, "dev", "plan")), named(role(policies, "dev", "deploy"))
    assert {kind: missing for kind, actions in READS.items() if (missing := set(actions) - reading)} == {}
    assert {kind: missing for kind, actions in WRITES.items() if (missing := set(actions) - writing)} == {}


def test_every_action_is_one_of_aws(policies: Policies) -> None:
    """A misspelt action is allowed by IAM without a word, and lets nothing through."""
    actions = {action for statements in policies.values() for statement in statements for action in statement.actions}
    assert {action for action in actions if "*" not in action and not kinds_of(action)} == set()


def test_every_statement_can_be_met(policies: Policies) -> None:
    """Each action works on a resource of its statement, with every key of its condition; each resource is of use.

    A right that asks for what a request never has is none.
    """
    wrong: list[str] = []
    for name, statements in policies.items():
        for statement in statements:
            actions = [action for action in statement.actions if "*" not in action]
            if not statement.allow or statement.inverted or not actions:
                continue
            met = {action: [kind for kind in kinds_of(action) if _reaches(statement, kind)] for action in actions}
            keys = {key for keys in statement.conditions.values() for key in keys}
            for action, kinds in met.items():
                if not any(
                    all(generic(key) in kind.keys or (action, key) in UNLISTED for key in keys) for kind in kinds
                ):
                    wrong.append(f"{name} {statement.sid}: {action} never meets {statement.resources} with {keys}")
            wrong += [
                f"{name} {statement.sid}: {resource} is of no use"
                for resource in statement.resources
                if not any(overlap(resource, kind.arn) for kinds in met.values() for kind in kinds)
            ]
    assert wrong == []


@pytest.mark.parametrize("purpose", ["plan", "deploy"])
def test_every_kind_of_resource_is_covered(policies: Policies, purpose: str) -> None:
    """AWS asks for an action on each resource that it works on: the subnet and its VPC, the alias and its key."""
    statements = role(policies, "dev", purpose)
    missing = [
        f"{action} on {kind.arn}"
        for action in sorted(named(statements))
        for kind in kinds_of(action)
        # A network load balancer's listener is not an application's.
        if kind.required
        and not re.search(r":listener/(app|gwy)/", kind.arn)
        and not any(action in statement.actions and _reaches(statement, kind) for statement in statements)
    ]
    assert missing == []


def test_a_boundary_lets_through_what_modules_give(policies: Policies) -> None:
    """Every action that a module writes into a role's policy is in a boundary: it would have no effect otherwise."""
    for boundary, modules in {
        "acme-dev_boundary": ("lambda-service", "ecs-service", "apprunner-service", "eks-service"),
        "acme-dev_infrastructure": ("network", "ecs-cluster", "eks-cluster", "lambda-rollout"),
    }.items():
        allowed = [statement for statement in policies[boundary] if statement.allow]
        text = "".join(
            _without_comments(path) for each in modules for path in (ROOT / "infra/modules" / each).glob("*.tf")
        )
        given = set(re.findall(r'"((?:[a-z0-9-]+):[A-Z]\w+)"', text)) - {
            "sts:AssumeRole",
            "sts:TagSession",
            "aws:SourceAccount",
        }
        assert given
        patterns = {pattern for statement in allowed for pattern in statement.actions}
        assert {action for action in given if not any(overlap(action, pattern) for pattern in patterns)} == set()


def test_each_module_gets_its_boundary() -> None:
    """Roles called "<project>-<environment>_…" are under the infrastructure's boundary, all others the services'."""
    blocks = re.findall(
        r'^module "(\w+)" \{\n(.*?)^\}', (ROOT / "infra/app/main.tf").read_text(encoding="utf-8"), re.M | re.S
    )
    given = {name: re.findall(r"permissions_boundary = local\.(\w+)", block) for name, block in blocks}
    wanted: dict[str, list[str]] = {}
    for name, _ in blocks:
        files = (ROOT / "infra/modules" / name.replace("_", "-")).glob("*.tf")
        roles = re.findall(
            r'^resource "aws_iam_role" "\w+" \{.*?^  name +=([^\n]*)',
            "".join(map(_without_comments, files)),
            re.M | re.S,
        )
        own = {"${var.name}_" in role for role in roles}
        wanted[name] = ["infrastructure" if each else "boundary" for each in own]
    assert given == wanted


def test_the_clusters_policies_are_those_that_may_be_attached(policies: Policies) -> None:
    """Each AWS policy that modules/eks-cluster attaches is in the deploy role's list, and nothing else is."""
    used = set(re.findall(r'"(Amazon\w+)"', (ROOT / "infra/modules/eks-cluster/roles.tf").read_text(encoding="utf-8")))
    (attach,) = (one for one in role(policies, "dev", "deploy") if "iam:AttachRolePolicy" in one.actions)
    assert {arn.rpartition("/")[2] for arn in attach.conditions["ArnEquals"]["iam:PolicyARN"]} == used


def _label(request: Request | str) -> str:
    if isinstance(request, str):
        return request
    action, resource, context = request
    return f"{action} {resource.rpartition(':')[2]} {' '.join(map(str, context.values()))}"


@pytest.mark.parametrize("request_", MAY, ids=_label)
def test_dev_deploys(policies: Policies, request_: Request) -> None:
    """What a deploy of dev asks for is let through."""
    assert is_allowed(role(policies, "dev", "deploy"), *request_)


@pytest.mark.parametrize("request_", MAY_NOT, ids=_label)
def test_dev_never_reaches_further(policies: Policies, request_: Request) -> None:
    """Another environment, another project, what bears no tag, and more rights are out of a deploy's reach."""
    assert not is_allowed(role(policies, "dev", "deploy"), *request_)


@pytest.mark.parametrize("request_", PREVIEWS_MAY, ids=_label)
def test_previews_deploy(policies: Policies, request_: Request) -> None:
    """One role deploys every preview, whatever its number."""
    assert is_allowed(role(policies, "previews", "deploy"), *request_)


@pytest.mark.parametrize("request_", PREVIEWS_MAY_NOT, ids=_label)
def test_previews_reach_nothing_else(policies: Policies, request_: Request) -> None:
    """What a pull request's jobs may do ends at the previews."""
    assert not is_allowed(role(policies, "previews", "deploy"), *request_)


def test_an_environments_state_is_never_deleted(policies: Policies) -> None:
    """Only a preview's goes with it."""
    state = "arn:aws:s3:::acme-state-111111111111-eu-west-1/app/dev/terraform.tfstate"
    assert not is_allowed(role(policies, "dev", "deploy"), "s3:DeleteObject", state, {})


@pytest.mark.parametrize(
    ("boundary", "request_"), [(name, one) for name in THROUGH for one in THROUGH[name]], ids=_label
)
def test_a_boundary_lets_its_roles_work(policies: Policies, boundary: str, request_: Request) -> None:
    """What an environment's own roles need is under their boundary."""
    assert is_allowed(policies[f"acme-dev_{boundary}"], *request_)


@pytest.mark.parametrize(
    ("boundary", "request_"), [(name, one) for name in STOPPED for one in STOPPED[name]], ids=_label
)
def test_a_boundary_stops_the_rest(policies: Policies, boundary: str, request_: Request) -> None:
    """No policy beside it could make a role reach another environment, or grant rights."""
    assert not is_allowed(policies[f"acme-dev_{boundary}"], *request_)


def _reaches(statement: Statement, kind: Kind) -> bool:
    if kind.arn == "*":
        # The request names no resource then, and whatever else a statement names is never met.
        return "*" in statement.resources
    return any(overlap(resource, kind.arn) for resource in statement.resources)


def _without_comments(path: Path) -> str:
    return re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
