"""``inv remove-service``: take a service's folder away; the next deploy of each environment takes the rest.

Observe (the folder, what git could bring back, what the laptop's environment has), plan (pure, `stackyard.removal`),
show, ask, remove: the folder leaves by one rename and is deleted after that. AWS is not asked and not touched: routes,
function and role of an environment go when that environment is deployed, and the way back until then is git.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from stackyard.addresses import FOLDER
from stackyard.commands.add_service import find_facts, holding_services
from stackyard.commands.confirm import confirm
from stackyard.local.layout import Layout
from stackyard.removal import Removal, plan_removal
from stackyard.screen import Screen
from stackyard.tools.git import find_unsaved
from stackyard.tools.holding import is_held
from stackyard.tools.placing import sweep, take_away
from stackyard.tools.process import Runner, SystemRunner


def remove_service(
    root: Path,
    screen: Screen,
    name: str,
    *,
    yes: bool = False,
    force: bool = False,
    dry_run: bool = False,
    runner: Runner | None = None,
) -> Removal:
    """Remove a service's folder. Raises StackyardError."""
    with contextlib.nullcontext() if dry_run else holding_services(root, f"remove-service {name}"):
        if not dry_run and sweep(root / FOLDER):
            screen.note("removed what a killed run had left unfinished")
        facts = find_facts(root, (name,), lenient=True)
        unsaved = find_unsaved(runner or SystemRunner(), root, f"{FOLDER}/{name}") if name in facts.services else []
        planned = plan_removal(name, facts, local=find_local(root), unsaved=unsaved, force=force or dry_run)
        screen.say(f"{name}: would be removed" if dry_run else f"{name}: to be removed", "bold")
        for line in planned.lines():
            screen.note(line)
        if dry_run:
            return planned
        if not yes:
            flags = " --force" if force else ""
            confirm(screen, f"Type {name} to remove it: ", {name}, f"inv remove-service {name} --yes{flags}")
        take_away(root / planned.folder)
    return planned


def find_local(root: Path) -> frozenset[str] | None:
    """Return the services that the laptop's gateway was last told of; None while the embedded AWS does not run."""
    layout = Layout(root)
    if not is_held(layout.daemon_lock("emulator")):
        return None
    try:
        told = cast("dict[str, Any]", json.loads(layout.deployment.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()
    served = [*told.get("functions", {}).values(), *told.get("servers", {}).values()]
    return frozenset(each["service"] for each in served)


def show_removed(screen: Screen, planned: Removal) -> None:
    """Say that it is gone, the way back, and what to type next."""
    screen.say(f"{planned.name}: removed", "bold")
    if planned.unsaved == ():
        screen.note(f"back again: git checkout -- {planned.folder}")
    if planned.last:
        screen.warn("it was the last service; a deploy of none wants --allow-empty")
    screen.say(f"next: {planned.next()}")


def record_removed(planned: Removal, *, dry_run: bool) -> dict[str, object]:
    """Return it as data."""
    return {**asdict(planned), "paths": dict(planned.paths), "dry_run": dry_run, "next": planned.next()}
