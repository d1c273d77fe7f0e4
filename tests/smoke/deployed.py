"""What is deployed to an environment and where it answers, found as the commands find it. Asks no service anything."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stackyard.commands.session import Session
from stackyard.commands.stacks import init_stack
from stackyard.commands.wanted import app_key
from stackyard.errors import MissingError
from stackyard.local import daemons
from stackyard.screen import Screen
from stackyard.tools.apikeys import describe_keys

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Deployed:
    """One service as it is deployed; ``url`` has no slash at the end."""

    name: str
    environment: str
    url: str
    emulated: bool
    keyed: bool
    key: str
    """The value that lets us in where ``keyed``."""
    example: str
    """What its service.yaml asks for by GET, as the page of services offers it; empty where it names nothing."""
    kit: bool
    """Whether it is built on servicekit, going by its pyproject.toml here."""
    created: bool
    """Whether servicekit's `create_app` made its application, going by its code here. One that was adopted keeps its
    own routes, errors and documentation."""
    guarded: bool = False
    """Whether it asks for a bearer token, going by its service.yaml when it was deployed."""


def find_deployed(environment: str, wanted: Collection[str]) -> list[Deployed]:
    """Return the services that are deployed, those ``wanted`` or all.

    Reads Terraform's applied state, and for the laptop the running gateway's address. Raises StackyardError where the
    environment does not run, nothing is deployed, or a wanted service is not.
    """
    session = Session.begin(ROOT, environment, Screen(quiet=True))
    again = f"inv deploy --env {environment}"
    address = _gateway(session) if session.target.emulated else ""
    session.aws.check_caller()
    stack = session.stack("app", app_key(environment), {}, None, "smoke")
    init_stack(session, stack)
    outputs = stack.outputs()
    services = cast("Mapping[str, Mapping[str, Any]]", outputs.get("services") or {})
    if not services:
        raise MissingError(f"nothing is deployed to {environment}", command=again)
    for name in wanted:
        if name not in services:
            raise MissingError(f"{environment} has no service {name}", f"it has {', '.join(services)}", command=again)
    address = (address or str(outputs["url"])).rstrip("/")
    chosen = {name: facts for name, facts in services.items() if not wanted or name in wanted}
    keyed = any(facts["api_key"] for facts in chosen.values())
    found = describe_keys(session.aws, outputs["api_id"]) if keyed else []
    keys = {str(key["name"]): str(key["value"]) for key in found if key["enabled"]}
    return [
        Deployed(
            name=name,
            environment=environment,
            url=address + str(facts["path"]).rstrip("/"),
            emulated=session.target.emulated,
            keyed=bool(facts["api_key"]),
            key=keys.get(session.target.resource_name(name), ""),
            guarded=bool(facts.get("auth")),
            example=str(facts.get("example") or ""),
            kit=is_kit(session.root / "src/services" / name),
            created=is_created(session.root / "src/services" / name),
        )
        for name, facts in chosen.items()
    ]


def _gateway(session: Session) -> str:
    """Return the local gateway's address. Raises MissingError where it does not run."""
    running = daemons.find_daemon(session.layout, daemons.GATEWAY)
    if running is None:
        raise MissingError(f"the environment {session.target.name} is not running", "no gateway", command="inv up")
    return running.url


def is_kit(folder: Path) -> bool:
    """Tell whether a service depends on servicekit."""
    pyproject = folder / "pyproject.toml"
    if not pyproject.is_file():
        return False
    project = tomllib.loads(pyproject.read_text(encoding="utf-8")).get("project", {})
    return any(re.match(r"servicekit\b(?!-)", each) for each in project.get("dependencies", []))


def is_created(folder: Path) -> bool:
    """Tell whether a service's code calls servicekit's `create_app`; one of its own by that name does not count."""
    return any(_uses_create_app(path) for path in folder.rglob("*.py") if "tests" not in path.relative_to(folder).parts)


def _uses_create_app(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "create_app" not in text or "servicekit" not in text:
        return False
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return False
    imported = any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] == "servicekit"
        and any(alias.name == "create_app" for alias in node.names)
        for node in nodes
    )
    return imported or any(
        isinstance(node, ast.Attribute)
        and node.attr == "create_app"
        and ast.unparse(node.value).partition(".")[0] == "servicekit"
        for node in nodes
    )
