"""Invoke tasks: parse, call one command, print. No logic here, and nothing heavy imported before it is needed."""

# Invoke's decorator has no types.
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import atexit
import gc
import sys
from pathlib import Path
from typing import Any

from invoke.collection import Collection

# What is imported stays: looking through it for garbage, every 700 objects and once more at the end, is a quarter of a
# task's own time.
gc.set_threshold(50_000, 20, 100)
atexit.register(gc.freeze)

# Invoke forbids bytecode, and every task would compile what it imports, the files here first, each time; the user's own
# wish counts.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

# Invoke puts this folder where modules are looked for: a file here would stand for every package of its name.
if (here := str(Path(__file__).parent)) in sys.path:
    sys.path.remove(here)

from tasks import parsing, program
from tasks.check import doctor, help_, unlock
from tasks.drawing import diagram
from tasks.environment import bootstrap, deploy, destroy, docker_push, drift, plan
from tasks.github import github_facts, github_report, github_role, github_setup
from tasks.laptop import down, up
from tasks.money import cost, prices
from tasks.recovery import backup, mend, restore, state_history, state_restore
from tasks.release import diff, promote, releases, rollback
from tasks.service import add_service, api_key, remove_service, services
from tasks.template import init, lock, upgrade
from tasks.watch import logs, open_, status, trace

GROUPS: dict[str, tuple[Any, ...]] = {
    "On this machine": (up, down, doctor, help_),
    "Services": (services, add_service, remove_service, api_key),
    "Bring an environment to what the files say": (bootstrap, plan, diff, docker_push, deploy, destroy),
    "Releases": (releases, promote, rollback),
    "See how it is": (status, logs, trace, open_, drift, diagram),
    "Costs": (cost, prices),
    "Mend": (mend, unlock, state_history, state_restore, backup, restore),
    "The project and its template": (init, upgrade, lock),
    "GitHub": (github_setup, github_facts, github_role, github_report),
}
"""Every task, as `inv --list` shows them."""

EVERY: list[Any] = [task for tasks in GROUPS.values() for task in tasks]
"""Invoke's tasks; its decorator says that they are functions still."""

parsing.mend()
program.mend(EVERY)

namespace = Collection(*EVERY)
