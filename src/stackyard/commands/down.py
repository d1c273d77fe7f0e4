"""``inv down``: end what ``inv up`` started, by process id, whatever became of the ``inv up`` itself."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from stackyard.errors import ToolError
from stackyard.local import daemons
from stackyard.local.daemons import EMULATOR, GATEWAY
from stackyard.local.layout import Layout
from stackyard.screen import Screen
from stackyard.tools.holding import find_holder, is_held


def down(root: Path, screen: Screen, *, dry_run: bool = False) -> list[str]:
    """End the laptop environment and return what was ended. Raises ToolError for what cannot be ended."""
    layout = Layout(root)
    if dry_run:
        return _foresee(layout, screen)
    ended: list[str] = []
    if is_held(layout.up_lock):
        holder = find_holder(layout.up_lock)
        if holder is not None and holder.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGTERM)
            screen.note(f"asked `inv up` (process {holder.pid}) to end")
            ended.append("inv up")
        if not daemons.wait_until_free(layout.up_lock, 90):
            raise ToolError("`inv up` does not end", holder.sentence() if holder else "", command="inv down")
    for name in (GATEWAY, EMULATOR):
        if daemons.stop(layout, name):
            screen.note(f"ended {daemons.TITLES[name]}")
            ended.append(daemons.TITLES[name])
    layout.deployment.unlink(missing_ok=True)
    if not ended:
        screen.note("nothing was running")
    return ended


def _foresee(layout: Layout, screen: Screen) -> list[str]:
    found = [running for name in (GATEWAY, EMULATOR) if (running := daemons.find_daemon(layout, name))]
    for running in found:
        screen.note(f"would end {daemons.TITLES[running.name]} (process {running.pid}, {running.url})")
    if not found:
        screen.note("nothing is running")
    return [daemons.TITLES[running.name] for running in found]
