"""Terraform's ``-json`` stream, read line by line into events, diagnostics and the locks it speaks of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

_VERBS = {"create": "created", "update": "changed", "delete": "destroyed", "read": "read", "replace": "replaced"}
_ATTEMPTS = {"update": "change", "delete": "destroy"}
_STEPS = {"create": 1, "update": 1, "delete": 1, "read": 1, "replace": 2}
"""How often an apply says of a planned action that something is done; a replacement is a destruction and a creation."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that a plan creates, changes or destroys."""

    address: str
    action: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """One resource that an apply is done with, in how many seconds."""

    address: str
    verb: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """One resource that an apply still waits for."""

    address: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """One resource that an apply could not ``attempt`` (create, change, destroy); why is told at its end."""

    address: str
    attempt: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What Terraform has to say about a failure."""

    summary: str
    detail: str
    address: str = ""
    file: str = ""
    line: int = 0
    severity: str = "error"

    def text(self) -> str:
        """Write it as Terraform would, without the frame."""
        where = f"\n  on {self.file} line {self.line}" if self.file else ""
        address = f"\n  with {self.address}" if self.address else ""
        detail = f"\n{self.detail}" if self.detail else ""
        return f"{self.summary}{address}{where}{detail}"


Event = Change | Applied | Waiting | Failed | Diagnostic


@dataclass(frozen=True, slots=True)
class StateLock:
    """Who holds Terraform's lock on a state."""

    id: str
    who: str
    operation: str
    created: str


def parse_event(line: str) -> Event | None:
    """Read one line of the stream; None for what nobody needs to know. Lines of another shape are left out."""
    try:
        parsed: object = json.loads(line)
    except ValueError:
        return None
    data = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    match data.get("type"):
        case "planned_change":
            change = data["change"]
            return Change(change["resource"]["addr"], change["action"], change.get("reason", ""))
        case "apply_complete" | "apply_progress" | "apply_errored" as kind:
            return _step(kind, data["hook"])
        case "diagnostic":
            return _diagnostic(data["diagnostic"])
        case _:
            return None


def _step(kind: str, hook: dict[str, Any]) -> Applied | Waiting | Failed:
    address, action, seconds = hook["resource"]["addr"], str(hook["action"]), float(hook.get("elapsed_seconds", 0))
    if kind == "apply_progress":
        return Waiting(address, seconds)
    if kind == "apply_errored":
        return Failed(address, _ATTEMPTS.get(action, action), seconds)
    return Applied(address, _VERBS.get(action, action), seconds)


def _diagnostic(data: dict[str, Any]) -> Diagnostic:
    place = cast("dict[str, Any]", data.get("range") or {})
    begin = cast("dict[str, Any]", place.get("start") or {})
    return Diagnostic(
        summary=data.get("summary", ""),
        detail=data.get("detail", ""),
        address=data.get("address", ""),
        file=place.get("filename", ""),
        line=begin.get("line", 0),
        severity=data.get("severity", "error"),
    )


def find_lock(diagnostics: Iterable[Diagnostic]) -> StateLock | None:
    """Return the lock that a "state is locked" error names, or None when it is another error."""
    for diagnostic in diagnostics:
        if "acquiring the state lock" not in diagnostic.summary:
            continue
        fields = dict(re.findall(r"^\s*(ID|Who|Operation|Created):\s*(.*?)\s*$", diagnostic.detail, re.MULTILINE))
        if "ID" in fields:
            return StateLock(
                fields["ID"], fields.get("Who", ""), fields.get("Operation", ""), fields.get("Created", "")
            )
    return None


def plain_action(changes: Sequence[Change]) -> str:
    """Count changes in words: ``3 to create, 1 to change``."""
    words = {
        "create": "create",
        "import": "import",
        "update": "change",
        "replace": "replace",
        "delete": "destroy",
        "move": "rename",
        "remove": "forget",
    }
    counted = [(word, sum(1 for change in changes if change.action == action)) for action, word in words.items()]
    return ", ".join(f"{count} to {word}" for word, count in counted if count) or "no changes"


def count_steps(changes: Iterable[Change]) -> int:
    """Count how often an apply of these changes will say that something is done."""
    return sum(_STEPS.get(change.action, 0) for change in changes)


def short_address(address: str) -> str:
    """Say a resource's address briefly: ``module.lambda_service["api"].aws_iam_role.this`` → ``api: aws_iam_role``."""
    found = re.fullmatch(r'(?:module\.(\w+)(?:\["([^"]+)"\]|\[\d+\])?\.)?((?:data\.)?\w+)\.(\w+)(?:\[(.+)\])?', address)
    if not found:
        return address
    module, instance, kind, name, key = found.groups()
    owner = instance or (module or "").replace("_", "-")
    label = kind if name in {"this", "main"} else f"{kind}.{name}"
    if key:
        label += f"[{key}]"
    return f"{owner}: {label}" if owner else label
