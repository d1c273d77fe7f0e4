"""Start, find and stop the laptop's daemons: the embedded AWS and the gateway.

What runs is known by its lock, which the kernel lets go of when the process ends; files about it are only facts.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stackyard.errors import MissingError, ToolError
from stackyard.local.layout import Layout
from stackyard.tools.holding import is_held, take, unwritable
from stackyard.tools.process import Daemon, start_daemon

EMULATOR = "emulator"
GATEWAY = "gateway"
TITLES = {EMULATOR: "the embedded AWS", GATEWAY: "the local gateway"}


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that answers."""

    name: str
    pid: int
    port: int
    url: str
    console: str = ""
    """Where the gateway's console is, if it has one."""


def find_daemon(layout: Layout, name: str) -> Running | None:
    """Return a daemon that runs and has said so, or None."""
    return _read(layout.daemon_facts(name), name) if is_held(layout.daemon_lock(name)) else None


def start(
    layout: Layout,
    name: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    deadline: float,
    on_wait: Callable[[], None] = lambda: None,
) -> tuple[Daemon, Running]:
    """Start a daemon of ours and wait until it answers, ``deadline`` seconds at the most.

    Raises ToolError with the end of its log when it dies or stays silent, MissingError with its own words when it
    says (exit code 3) that something is not there.
    """
    layout.local.mkdir(parents=True, exist_ok=True)
    facts, log = layout.daemon_facts(name), layout.daemon_log(name)
    # Patient, because whoever merely asks whether it is held holds it for an instant.
    hold = take(layout.daemon_lock(name), patience=1)
    if hold is None:
        raise ToolError(f"{TITLES[name]} is running already", "but has not said where", command="inv down")
    try:
        facts.unlink(missing_ok=True)
        layout.released(name).unlink(missing_ok=True)
        log.write_bytes(b"")
        argv = [sys.executable, "-m", f"stackyard.local.{name}", *arguments, "--ready", str(facts)]
        daemon = start_daemon(argv, log=log, env=env, cwd=layout.root, hold=hold.fd)
    except OSError as error:
        raise unwritable(log, error) from error
    finally:
        hold.release()
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        code = daemon.poll()
        if code is not None:
            daemon.stop()
            raise _died(name, code, log)
        running = _read(facts, name)
        if running is not None:
            return daemon, running
        on_wait()
        time.sleep(0.02)
    daemon.stop()
    raise ToolError(f"{TITLES[name]} did not answer in {deadline:g} s", detail=tail(log), command="inv up")


def _read(facts: Path, name: str) -> Running | None:
    try:
        data = cast("dict[str, Any]", json.loads(facts.read_text(encoding="utf-8")))
        url = str(data["url"])
        console = f"{url}/_stackyard/" if data.get("console") else ""
        return Running(name, int(data["pid"]), int(data["port"]), url, console)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _died(name: str, code: int, log: Path) -> ToolError | MissingError:
    words = tail(log)
    if code == MissingError.exit_code:
        *_, last = words.strip().splitlines() or [""]
        return MissingError(f"{TITLES[name]} could not start", last.removeprefix("error: "), command="inv doctor")
    return ToolError(f"{TITLES[name]} died while starting", f"exit code {code}", detail=words, command="inv up")


def tail(log: Path, lines: int = 20) -> str:
    """Return the last lines of a log, or nothing."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def stop(layout: Layout, name: str, patience: float = 10) -> bool:
    """End a daemon by its process id; say whether there was one. Its lock tells when it is gone."""
    lock = layout.daemon_lock(name)
    if not is_held(lock):
        forget(layout, name)
        return False
    running = _read(layout.daemon_facts(name), name)
    pid = running.pid if running else 0
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        if wait_until_free(lock, seconds):
            forget(layout, name)
            return True
    raise ToolError(
        f"{TITLES[name]} could not be ended",
        f"process {pid or 'unknown'} still holds {lock.name}",
        command=f"kill -9 {pid}" if pid else "ps aux | grep stackyard.local",
    )


def wait_until_free(lock: Path, seconds: float) -> bool:
    """Wait until nobody holds a lock; False when somebody still does after ``seconds``."""
    until = time.monotonic() + seconds
    while is_held(lock):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def release(layout: Layout, daemon: Daemon, name: str) -> None:
    """Let a daemon live on after us, and note that it was told to."""
    layout.released(name).touch()
    daemon.release()


def forget(layout: Layout, name: str) -> None:
    """Remove what a daemon that is gone has said of itself; its log stays."""
    for path in (layout.daemon_facts(name), layout.released(name)):
        path.unlink(missing_ok=True)
