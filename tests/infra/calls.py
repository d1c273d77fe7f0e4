"""From calls that the embedded AWS wrote down to what IAM would be asked: action, resource, condition keys.

Which of a call's parameters name its resources stands in `named.py`; which kinds of resources an action asks for, and
which condition keys it has, AWS's reference says (`iam.py`). What cannot be told fails: nothing is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tests.infra.behind import BEHIND
from tests.infra.iam import UNLISTED, Context, Kind, Role, Statement, generic, kinds_of, parse
from tests.infra.named import FREE, TAGGED, Place, action_of, ids_made, name_resources, passed_roles, tags_of

Json = Mapping[str, Any]

LOCK = ".tflock"
"""How the name of Terraform's lock ends: a plan takes one on the laptop, and goes without elsewhere."""

LAPTOP = {
    # Who bootstraps is an administrator: the bucket is there before the first role.
    "CreateBucket",
    "HeadBucket",
    "PutBucketVersioning",
    "PutPublicAccessBlock",
    # Elsewhere secrets are there, and nobody who deploys reads them.
    "CreateSecret",
    "GetSecretValue",
    # How the provider learns the account's number where it may not ask STS (infra/app/providers.tf).
    "GetUser",
}
"""Operations that no role of GitHub's has to be allowed."""


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the record."""

    service: str
    operation: str
    agent: str
    status: int
    parameters: Json
    answer: Json

    @property
    def looks_at_bootstrap(self) -> bool:
        """Whether an administrator's bootstrap asked about its own state."""
        return str(self.parameters.get("Prefix") or self.parameters.get("Key")).startswith("bootstrap/")

    @property
    def by(self) -> str:
        """Who of ours called: ``bootstrap``, ``app``, ``tasks``, or nobody of ours."""
        words = [word for word in self.agent.split() if word.startswith("stackyard/")]
        return words[-1].removeprefix("stackyard/") if words else ""


def read_calls(file: Path) -> list[Call]:
    """Return the calls of a record. Fails on one that AWS does not describe."""
    calls: list[Call] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        raw = cast("dict[str, Any]", json.loads(line))
        assert raw["operation"] is not None, line
        parameters, answer = cast("tuple[Json, Json]", (raw.get("parameters") or {}, raw.get("answer") or {}))
        calls.append(Call(raw["service"], raw["operation"], raw["agent"], raw["status"], parameters, answer))
    return calls


@dataclass(frozen=True, slots=True)
class Asked:
    """What IAM is asked for one resource of one call."""

    action: str
    resource: str
    context: Context

    def granted(self, role: Role) -> bool:
        """Tell whether a role may."""
        return role.may(self.action, self.resource, self.context)

    def words(self) -> str:
        """Say it in one line."""
        return f"{self.action} on {self.resource} with {dict(self.context)}"


@dataclass(slots=True)
class Reader:
    """Reads calls in their order, and learns from each what the next ones mean by an id, and which tags it has."""

    place: Place
    tags: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])

    def read(self, calls: Iterable[Call]) -> Iterator[tuple[Call, list[Asked]]]:
        """Return each call of Terraform's in infra/app, and of the tasks, with what it asks for."""
        for call in calls:
            action = action_of(call.service, call.operation)
            if call.by in {"app", "tasks"} and action not in FREE and not call.looks_at_bootstrap:
                yield call, self._asked(action, call)
            if call.status < 300:
                self._learn(call)

    def _asked(self, action: str, call: Call) -> list[Asked]:
        found = list(self._own(action, call))
        for role, service in passed_roles(call.service, call.operation, call.parameters):
            found.append(Asked("iam:PassRole", role, {"iam:PassedToService": service}))
        for behind, resource, keys in BEHIND.get(f"{call.service}:{call.operation}", ()):
            found.append(Asked(behind, self.place.fill(resource, call.parameters), keys))
        return found

    def _own(self, action: str, call: Call) -> Iterator[Asked]:
        kinds = kinds_of(action)
        assert kinds, f"AWS knows no action {action}"
        sent, extra = tags_of(call.parameters), self.place.keys(action, call.parameters)
        told = False
        for kind in kinds:
            named = ["*"] if kind.arn == "*" else name_resources(self.place, action, kind.name, call)
            assert named or not kind.required, f"{action}: which {kind.name}? {dict(call.parameters)}"
            for arn, new in [(each.removesuffix("|new"), each.endswith("|new")) for each in named]:
                told = True
                yield Asked(
                    action,
                    arn,
                    self._context(
                        action,
                        kind,
                        self._tags_there(arn, call) if call.service == "apigateway" or not new else {},
                        sent,
                        extra,
                    ),
                )
                if new and sent:
                    yield from self._tagging(call, arn, sent)
        assert told, f"{action}: on what? {dict(call.parameters)}"
        if sent and action in TAGGED:
            yield from self._tagging(
                call, self.place.arn(call.service, self.place.fill(TAGGED[action], call.parameters)), sent
            )

    def _tags_there(self, arn: str, call: Call) -> dict[str, str]:
        """Return the tags of a resource; parts of an API have the API's (API Gateway resources that can be tagged)."""
        if call.service != "apigateway":
            return dict(self.tags.get(arn, {}))
        steps = arn.split("/")
        wholes = ["/".join(steps[:count]) for count in range(3, len(steps) + 1)]
        return {key: value for whole in wholes for key, value in self.tags.get(whole, {}).items()}

    def _tagging(self, call: Call, arn: str, sent: Mapping[str, str]) -> Iterator[Asked]:
        """What is made with tags is asked for as tagging it, too."""
        tagging = {
            "ec2": "ec2:CreateTags",
            "elasticloadbalancing": "elasticloadbalancing:AddTags",
            "iam": "iam:TagRole",
        }.get(call.service, f"{call.service}:TagResource")
        kind = next((each for each in kinds_of(tagging) if each.name), None)
        if kind is None:  # some give tags by the right to make it
            return
        create = {f"{call.service}:CreateAction": call.operation}
        keys = kind.keys | {f"{call.service}:CreateAction" for pair in UNLISTED if pair[0] == tagging}
        context = self._context(tagging, Kind(kind.name, kind.arn, kind.required, frozenset(keys)), {}, sent, create)
        yield Asked(tagging, arn, context)

    @staticmethod
    def _context(action: str, kind: Kind, there: Mapping[str, str], sent: Mapping[str, str], extra: Context) -> Context:
        """Return those keys that AWS shows with this action on this kind of resource."""
        every: dict[str, str | tuple[str, ...]] = {
            **{f"aws:ResourceTag/{key}": value for key, value in there.items()},
            **{f"aws:RequestTag/{key}": value for key, value in sent.items()},
            **({"aws:TagKeys": tuple(sent)} if sent else {}),
            **extra,
        }
        return {key: value for key, value in every.items() if generic(key) in kind.keys or key in extra}

    def _learn(self, call: Call) -> None:
        self.place.learn(call.service, call.operation, call.parameters, call.answer)
        sent = tags_of(call.parameters)
        for arn in ids_made(self.place, call) if sent else ():
            self.tags[arn] = {**self.tags.get(arn, {}), **sent}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of asking for every call: what was refused, which actions were used, and those that are allowed."""

    refused: tuple[str, ...]
    used: frozenset[str]
    allowed: frozenset[str]

    @property
    def unused(self) -> frozenset[str]:
        """The actions that are allowed, and were not used."""
        return self.allowed - self.used


def judge(calls: list[Call], place: Place, environment: str, plans: range = range(0)) -> Verdict:
    """Ask the bootstrap's own policies for every call of Terraform's and the tasks'.

    The deploy role is asked, and for calls whose number is in ``plans`` the plan role.
    """
    roles = read_roles(calls, place.account)
    deploys, reads = (roles[f"{place.project}-{environment}_{purpose}"] for purpose in ("deploy", "plan"))
    refused: list[str] = []
    used: set[str] = set()
    ours = [call for call in calls if call.by == "bootstrap" or call.operation not in LAPTOP]
    numbers = {id(call): number for number, call in enumerate(calls)}
    for call, asked in Reader(place).read(ours):
        planning = numbers[id(call)] in plans
        locking = planning and call.parameters.get("Key", "").endswith(LOCK)
        used |= {each.action for each in asked}
        role = reads if planning and not locking else deploys
        refused += [f"{call.operation} ({call.by}): {each.words()}" for each in asked if not each.granted(role)]
    allowed = {action for each in deploys.policies if each.allow for action in each.actions}
    return Verdict(tuple(dict.fromkeys(refused)), frozenset(used), frozenset(allowed))


def read_roles(calls: Iterable[Call], account: str) -> dict[str, Role]:
    """Return the roles that the bootstrap made, by name, from its own calls."""
    texts: dict[str, str] = {}
    attached: dict[str, list[str]] = {}
    for call in calls:
        if call.by != "bootstrap":
            continue
        match call.operation:
            case "CreatePolicy":
                texts[call.answer["Policy"]["Arn"]] = call.parameters["PolicyDocument"]
            case "AttachRolePolicy":
                attached.setdefault(call.parameters["RoleName"], []).append(call.parameters["PolicyArn"])
            case _:
                pass
    return {
        name: Role(account, [each for arn in arns if arn in texts for each in parse(texts[arn])])
        for name, arns in attached.items()
    }


def read_given(calls: Iterable[Call]) -> dict[str, list[Statement]]:
    """Return what was written into the roles that infra/app made, by the role's name."""
    given: dict[str, list[Statement]] = {}
    for call in calls:
        if call.by == "app" and call.operation == "PutRolePolicy":
            given.setdefault(call.parameters["RoleName"], []).extend(parse(call.parameters["PolicyDocument"]))
    return given
