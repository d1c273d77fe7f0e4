"""``inv api-key``: show the API key of a service and what its holder may use, or replace it.

API Gateway makes the value and Terraform's state holds it; a rotation is Terraform's own replacement of the one key,
and is refused where the working tree would change anything else at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.commands.confirm import ask_if_protected
from stackyard.commands.observe import variables
from stackyard.commands.session import Session
from stackyard.commands.stacks import apply_stack, discarded_when_refused, init_stack, list_changes, plan_stack
from stackyard.commands.tell import tell_gateway
from stackyard.commands.verify import find_all_live
from stackyard.commands.wanted import app_key
from stackyard.errors import ConfigError, MissingError, RefusedError
from stackyard.tools.apikeys import describe_keys
from stackyard.tools.holding import Hold
from stackyard.tools.terraform import Stack


@dataclass(frozen=True, slots=True)
class ShownKey:
    """The key of one service and its limits, as API Gateway has them."""

    environment: str
    service: str
    id: str
    value: str
    enabled: bool
    rate: float | None
    burst: int | None
    quota: int | None
    period: str | None
    url: str


def api_key(
    session: Session, service: str, *, rotate: bool = False, dry_run: bool = False, yes: bool = False
) -> ShownKey:
    """Return a service's key, after replacing it where asked to.

    Raises ConfigError for a service that asks for no key, MissingError for one that is not deployed, RefusedError where
    a rotation would change more than the key.
    """
    entry = next((entry for entry in session.catalog.entries if entry.name == service), None)
    if entry is None:
        have = ", ".join(session.catalog.names()) or "none"
        raise ConfigError(f"there is no service {service}", f"src/services has {have}", command="inv services")
    if not entry.service.api_key:
        fix = "Set `api_key: true` there; then:"
        command = f"inv deploy --env {session.target.name}"
        raise ConfigError(f"{entry.folder}/service.yaml asks for no API key", "", fix=fix, command=command)
    session.aws.check_caller()
    if not rotate:
        doing = f"api-key --env {session.target.name} {service}"
        outputs = _outputs(session, session.stack("app", app_key(session.target.name), {}, None, doing))
        return _find(session, service, outputs)
    doing = f"api-key --env {session.target.name} --rotate {service}"
    with session.changing(doing) as hold:
        return _rotate(session, service, hold, doing, dry_run=dry_run, yes=yes)


def _rotate(session: Session, service: str, hold: Hold, doing: str, *, dry_run: bool, yes: bool) -> ShownKey:
    reading = session.stack("app", app_key(session.target.name), {}, hold, doing)
    outputs = _outputs(session, reading)
    deployed = cast("Mapping[str, Mapping[str, Any]]", outputs["services"])
    before = _find(session, service, outputs)
    # What runs stays as it is: the key alone is to change.
    digests = {name: str(facts["image"]).partition("@")[2] for name, facts in deployed.items()}
    stack = session.stack("app", app_key(session.target.name), variables(session, digests), hold, doing)
    key = f'module.api_gateway[0].aws_api_gateway_api_key.this["{service}"]'
    with session.screen.stage("plan"):
        planned = plan_stack(session, stack, replace=key)
        list_changes(session, planned)
    with discarded_when_refused(planned):
        own = {key, key.replace("api_key.this", "usage_plan_key.this")}
        others = [change.address for change in planned.changes if change.address not in own]
        if others:
            raise RefusedError(
                "the working tree would change more than the key",
                f"{len(others)} other changes, such as {others[0]}",
                fix="Deploy them, or go to the commit that is deployed; then rotate.",
                command=f"inv deploy --env {session.target.name}",
            )
        if dry_run:
            planned.file.unlink(missing_ok=True)
            return before
        ask_if_protected(session, yes=yes, command=f"inv {doing} --yes")
    with session.screen.stage("apply"):
        apply_stack(session, stack, planned)
    outputs = stack.outputs()
    if session.endpoint:
        tell_gateway(session, session.endpoint, outputs, find_all_live(session, outputs["services"]))
    return _find(session, service, outputs)


def _outputs(session: Session, stack: Stack) -> dict[str, Any]:
    init_stack(session, stack)
    return stack.outputs()


def _find(session: Session, service: str, outputs: Mapping[str, Any]) -> ShownKey:
    name = session.target.resource_name(service)
    deployed = cast("Mapping[str, Mapping[str, Any]]", outputs.get("services") or {})
    keys = describe_keys(session.aws, outputs["api_id"]) if deployed else []
    found = next((key for key in keys if key["name"] == name), None)
    if found is None or service not in deployed:
        why = f"{session.target.name} has no key {name}"
        raise MissingError(
            f"{service} is not deployed with a key", why, command=f"inv deploy --env {session.target.name}"
        )
    throttle = cast("Mapping[str, Any]", found["throttle"] or {})
    quota = cast("Mapping[str, Any]", found["quota"] or {})
    return ShownKey(
        environment=session.target.name,
        service=service,
        id=found["id"],
        value=found["value"],
        enabled=found["enabled"],
        rate=throttle.get("rate"),
        burst=throttle.get("burst"),
        quota=quota.get("limit"),
        period=str(quota["period"]).lower() if quota else None,
        url=str(outputs["url"]) + str(deployed[service]["path"]),
    )


def show_key(session: Session, key: ShownKey) -> None:
    """Print the value alone to standard output, so that it can be piped, and the rest beside it."""
    limit = f"{key.rate:g} requests a second, {key.burst} at once" if key.rate is not None else "no limit"
    quota = f", {key.quota} a {key.period}" if key.quota else ""
    session.screen.note(f"{key.service} in {key.environment}: {limit}{quota}; sent as x-api-key")
    session.screen.data(key.value)
