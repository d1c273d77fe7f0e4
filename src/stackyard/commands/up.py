"""``inv up``: the whole system on a laptop, with the real Terraform against an embedded AWS.

Observe what runs already; install the services' packages; start the embedded AWS; bootstrap and deploy exactly as for
a real account; start the gateway from what was applied; verify; say where it answers. In the foreground everything
ends with it, however it ends: the daemons hold a lifeline to this process. With ``--detach`` they are let go once all
of it answers. What the embedded AWS holds lives as long as it does, and Terraform's state of it is a part of that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from stackyard.commands.bootstrap import bootstrap
from stackyard.commands.deploy import deploy
from stackyard.commands.session import Session
from stackyard.commands.verify import verify_health
from stackyard.commands.wanted import Options
from stackyard.errors import MissingError, RefusedError, ToolError
from stackyard.local import daemons
from stackyard.local.daemons import EMULATOR, GATEWAY, Running
from stackyard.local.deployment import local_urls
from stackyard.local.layout import Layout
from stackyard.names import LOCAL
from stackyard.screen import Screen
from stackyard.tools.holding import find_holder, take
from stackyard.tools.process import Daemon
from stackyard.tools.uv import find_uv

PORT = 8080
RECORD = "STACKYARD_RECORD_CALLS"
"""Variable that has the embedded AWS write down every call, in ``.stackyard/local/calls.jsonl``."""


@dataclass(frozen=True, slots=True)
class Up:
    """What runs, and whether this call started it."""

    started: bool
    gateway: Running
    emulator: Running


def up(root: Path, screen: Screen, *, port: int, detach: bool, console: bool = True) -> Up:
    """Start the laptop environment; in the foreground, return when it was ended. Raises StackyardError."""
    session = Session.begin(root, LOCAL, screen)
    layout = session.layout
    if not session.catalog.entries:  # what is wrong in the project's files is said before anything starts
        screen.warn("there are no services yet: inv add-service NAME, then inv deploy --env local")
    with _terminated_as_interrupted():
        hold = take(layout.up_lock, patience=0.2)
        if hold is None:
            return _running_already(layout, screen)
        try:
            hold.describe("up")
            emulator, gateway = daemons.find_daemon(layout, EMULATOR), daemons.find_daemon(layout, GATEWAY)
            if emulator and gateway and layout.released(EMULATOR).exists():
                return _say_running(screen, Up(started=False, gateway=gateway, emulator=emulator))
            return _bring_up(session, port, detach=detach, console=console)
        finally:
            hold.release()


def _running_already(layout: Layout, screen: Screen) -> Up:
    emulator, gateway = daemons.find_daemon(layout, EMULATOR), daemons.find_daemon(layout, GATEWAY)
    if emulator and gateway:
        return _say_running(screen, Up(started=False, gateway=gateway, emulator=emulator))
    holder = find_holder(layout.up_lock)
    who = holder.sentence() if holder else "another `inv up` of this checkout"
    raise RefusedError("it is starting already", who, fix="Wait for it, or end it.", command="inv down")


def _say_running(screen: Screen, running: Up) -> Up:
    screen.say("already running:", "bold")
    screen.note(f"gateway       {running.gateway.url} (process {running.gateway.pid})")
    screen.note(f"embedded AWS  {running.emulator.url} (process {running.emulator.pid})")
    if running.gateway.console:
        screen.note(f"console       {running.gateway.console}")
    screen.note("deploy a change with `inv deploy --env local`, stop it with `inv down`")
    return running


def _bring_up(session: Session, port: int, *, detach: bool, console: bool) -> Up:
    screen, layout = session.screen, session.layout
    _check_port(port)
    started: list[tuple[str, Daemon]] = []
    try:
        with screen.stage("packages"):
            _sync_packages(session)
        with screen.stage("embedded AWS"):
            emulator = _start_emulator(session, started)
        bootstrap(session)
        # The embedded AWS is new: where there are no services, none can be taken away.
        deployed = deploy(session, Options(yes=True, allow_empty=True))
        with screen.stage("gateway"):
            gateway = _start_gateway(session, port, started, detach=detach, console=console)
            verify_health(session, gateway.url, deployed.services)
        screen.summary()
        _show_urls(session, gateway)
        if detach:
            for name, daemon in started:
                daemons.release(layout, daemon, name)
            screen.say("It goes on in the background; `inv down` ends it.")
            started.clear()
        else:
            screen.say("Saving a file reloads its service. Ctrl-C ends all of it.")
            _attend(session, started)
        return Up(started=True, gateway=gateway, emulator=emulator)
    finally:
        for name, daemon in reversed(started):
            daemon.stop()
            daemons.forget(layout, name)
        if started:
            layout.deployment.unlink(missing_ok=True)


def _check_port(port: int) -> None:
    """Raise MissingError when the gateway's port is taken, before half a minute's work is done for nothing."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise MissingError(
                f"port {port} may not be used", "it takes rights that you do not have", command=f"inv up --port {PORT}"
            ) from error
        except (OSError, OverflowError) as error:
            raise MissingError(
                f"port {port} is in use", "another program listens on it", command=f"inv up --port {_free_port()}"
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _sync_packages(session: Session) -> None:
    """Install what the services need into this environment, so that they run as they do in their images."""
    uv = find_uv(session.runner)
    if uv is None:
        session.screen.note("no uv here; the services run with what is installed")
        return
    done = session.runner.run([uv, "sync", "--all-packages", "--inexact", "--quiet"], cwd=session.root, timeout=900)
    if done.code != 0:
        raise ToolError(
            "uv sync failed",
            "the services' packages could not be installed",
            detail=done.stderr,
            command="uv sync --all-packages",
        )


def _start_emulator(session: Session, started: list[tuple[str, Daemon]]) -> Running:
    """Start the embedded AWS, or go on with one that was let go; one that was not ends with its dead parent."""
    layout, target = session.layout, session.target
    running = daemons.find_daemon(layout, EMULATOR)
    if running and layout.released(EMULATOR).exists():
        session.screen.note(f"goes on at {running.url} (process {running.pid})")
        return running
    for name in (GATEWAY, EMULATOR):
        if daemons.stop(layout, name):
            session.screen.note(f"ended {daemons.TITLES[name]} of a run that was killed")
    layout.deployment.unlink(missing_ok=True)
    arguments = ["--port", "0", "--account", target.account, "--region", target.region]
    if os.environ.get(RECORD):
        arguments += ["--calls", str(layout.calls)]
    daemon, running = daemons.start(layout, EMULATOR, arguments, os.environ, deadline=60)
    started.append((EMULATOR, daemon))
    session.screen.note(f"{running.url} (process {running.pid})")
    return running


def _start_gateway(
    session: Session, port: int, started: list[tuple[str, Daemon]], *, detach: bool, console: bool
) -> Running:
    layout = session.layout
    running = daemons.find_daemon(layout, GATEWAY)
    if running and layout.released(GATEWAY).exists():
        return running
    daemons.stop(layout, GATEWAY)
    arguments = ["--root", str(session.root), "--deployment", str(layout.deployment), "--port", str(port)]
    arguments += ["--log", str(layout.journal)]
    if not detach:
        arguments.append("--requests")
    if not console:
        arguments.append("--no-console")
    daemon, running = daemons.start(layout, GATEWAY, arguments, os.environ, deadline=30)
    started.append((GATEWAY, daemon))
    return running


def _show_urls(session: Session, gateway: Running) -> None:
    paths = [(entry.name, entry.path) for entry in session.catalog.entries]
    rows = local_urls(gateway.url, session.target.name, paths)
    if gateway.console:
        rows.append(("console", gateway.console))
    width = max(len(name) for name, _ in rows)
    session.screen.say("")
    for name, url in rows:
        session.screen.say(f"  {name.ljust(width)}  {url}")
    session.screen.say("")


def _attend(session: Session, started: list[tuple[str, Daemon]]) -> None:
    """Pass the gateway's log on until Ctrl-C. Raises ToolError when a daemon dies."""
    layout, screen = session.layout, session.screen
    with layout.daemon_log(GATEWAY).open(encoding="utf-8", errors="replace") as log:
        log.seek(0, os.SEEK_END)
        try:
            while True:
                for line in log:
                    screen.say(line.rstrip("\n"))
                for name, daemon in started:
                    code = daemon.poll()
                    if code is not None:
                        words = daemons.tail(layout.daemon_log(name))
                        raise ToolError(
                            f"{daemons.TITLES[name]} has died",
                            f"exit code {code}; all is ended",
                            detail=words,
                            command="inv up",
                        )
                time.sleep(0.1)
        except KeyboardInterrupt:
            screen.say("")
            screen.say("ending")


@contextlib.contextmanager
def _terminated_as_interrupted() -> Generator[None]:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that `inv down` ends a foreground run as its user would."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def foresee(root: Path, screen: Screen, *, port: int) -> None:
    """Say what ``inv up`` would do. Raises what it would raise before it starts anything."""
    session = Session.begin(root, LOCAL, screen)
    names = ", ".join(session.catalog.names())
    emulator, gateway = (daemons.find_daemon(session.layout, name) for name in (EMULATOR, GATEWAY))
    if emulator and gateway:
        _say_running(screen, Up(started=False, gateway=gateway, emulator=emulator))
        return
    _check_port(port)
    binary = session.terraform
    screen.note("install the services' packages (uv sync --all-packages)")
    screen.note(f"{'go on with' if emulator else 'start'} the embedded AWS")
    screen.note(f"bootstrap and deploy with {binary.product} {binary.version}: {names}")
    screen.note(f"serve on http://127.0.0.1:{port}")
