"""What was applied to an environment, read from Terraform's state without Terraform: it takes a tenth of the time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from stackyard.commands.session import Session
from stackyard.commands.wanted import app_key
from stackyard.errors import MissingError, ToolError
from stackyard.local import daemons


@dataclass(frozen=True, slots=True)
class Applied:
    """The outputs of infra/app that tell where things are."""

    url: str
    """The gateway's address, on the laptop the local gateway's; empty where there is none."""
    stage: str
    services: Mapping[str, Mapping[str, Any]]
    openapi: Mapping[str, Any]


def read_applied(session: Session) -> Applied:
    """Read what was applied. Raises MissingError where nothing is, ToolError for a state that cannot be read."""
    target = session.target
    key = app_key(target.name)
    listed = session.aws.list_keys(target.state_bucket, key) if session.aws.has_bucket(target.state_bucket) else []
    text = session.aws.read_text(target.state_bucket, key) if key in listed else None
    if text is None:
        raise MissingError(f"nothing is deployed to {target.name}", command=f"inv deploy --env {target.name}")
    try:
        outputs = {name: output["value"] for name, output in json.loads(text)["outputs"].items()}
        applied = Applied(
            url=str(outputs.get("url") or "").rstrip("/"),
            stage=str(outputs.get("stage") or target.name),
            services=cast("Mapping[str, Mapping[str, Any]]", outputs.get("services") or {}),
            openapi=json.loads(outputs.get("openapi") or "{}"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        place = f"s3://{target.state_bucket}/{key}"
        raise ToolError(
            f"{place} cannot be read",
            f"it is no state of Terraform's ({type(error).__name__}: {error})",
            command=f"aws s3 cp {place} -",
        ) from error
    if not applied.services:
        raise MissingError(f"nothing is deployed to {target.name}", command=f"inv deploy --env {target.name}")
    if target.emulated:
        running = daemons.find_daemon(session.layout, daemons.GATEWAY)
        return Applied(running.url if running else "", applied.stage, applied.services, applied.openapi)
    return applied
