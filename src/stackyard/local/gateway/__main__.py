"""Run the gateway: ``python -m stackyard.local.gateway --root DIR --deployment FILE --port P --ready FILE``.

Stages: read the deployment, take the port, watch files, start services, say ready, serve until told to end. Exit codes
are those of `stackyard.errors`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackyard.errors import ConfigError, MissingError, StackyardError
from stackyard.local.console.console import Console
from stackyard.local.gateway.deployment import read_deployment
from stackyard.local.gateway.gateway import BODY_LIMIT, HEAD_LIMIT, Gateway
from stackyard.local.gateway.journal import Journal
from stackyard.local.gateway.message import Limits
from stackyard.local.gateway.recorder import Recorder
from stackyard.local.gateway.server import Server
from stackyard.local.gateway.watch import FileWatch, Watcher
from stackyard.tools.process import watch_lifeline
from stackyard.words import plural

_PATIENCE = 5.0
_LIMITS = Limits(body=BODY_LIMIT, head=HEAD_LIMIT)


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    root: Path
    deployment: Path
    host: str
    port: int
    ready: Path
    log: Path | None
    requests: bool
    console: bool


def _parse(argv: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m stackyard.local.gateway", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the project; folders in the deployment start here")
    parser.add_argument("--deployment", type=Path, required=True, help="the deployment.json to serve and to watch")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--ready", type=Path, required=True, help="file to write pid, port and url to when it answers")
    parser.add_argument("--log", type=Path, help="file for JSON lines: requests, what services print, notes")
    parser.add_argument("--requests", action="store_true", help="say each request, though no terminal is looked at")
    parser.add_argument("--no-console", dest="console", action="store_false", help="keep no requests, show no page")
    found = parser.parse_args(argv)
    return Options(**vars(found))


class Service:
    """A gateway with what surrounds it: the port, the watch, the ready file."""

    def __init__(self, options: Options) -> None:
        self._options = options
        recorder = Recorder() if options.console else None
        self._journal = Journal(options.log, sys.stderr, requests=options.requests, recorder=recorder)
        self._gateway = Gateway(options.root.resolve(), self._journal)
        self._console = Console(self._gateway, recorder, _LIMITS) if recorder is not None else None
        self._gateway.console = self._console
        self._server = Server(self._gateway.serve, _LIMITS)
        self._watcher = Watcher(self._changed, self._journal.note)
        self._following: set[asyncio.Task[None]] = set()
        self._end = asyncio.Event()

    def end(self) -> None:
        """Begin to end."""
        self._end.set()

    async def run(self) -> None:
        """Serve until told to end. Raises ConfigError or MissingError when it cannot begin."""
        options, gateway = self._options, self._gateway
        read_deployment(options.deployment)
        port = await self._listen()
        gateway.port, gateway.host = port, options.host
        gateway.url = f"http://{_printable(options.host)}:{port}"
        file: FileWatch | None = None
        try:
            file = FileWatch(options.deployment, self._redeploy)
            deployment = read_deployment(options.deployment)
            gateway.deploy(deployment)
            await self._follow()
            gateway.sweep()
            facts: dict[str, object] = {
                "pid": os.getpid(),
                "port": port,
                "url": gateway.url,
                "console": options.console,
            }
            _write_ready(options.ready, facts)
            self._journal.note(
                f"{gateway.url} serves {deployment.project} ({plural(len(gateway.services), 'service')})"
            )
            # What lives now lives on: the collector need not look at it again under every few requests.
            gc.collect()
            gc.freeze()
            await self._end.wait()
        finally:
            if file is not None:
                file.close()
            with contextlib.suppress(OSError):
                options.ready.unlink(missing_ok=True)
            if self._console is not None:
                self._console.close()
            await self._server.close(_PATIENCE)
            await self._watcher.close()
            await gateway.close()
            self._journal.flush()

    async def _listen(self) -> int:
        host, port = self._options.host, self._options.port
        try:
            return await self._server.listen(host, port)
        except OSError as error:
            raise MissingError(
                f"port {port} on {host}",
                f"cannot be had: {error.strerror or error}",
                fix="End what listens there, or take another port.",
                command=f"uv run inv up --port {port + 1}",
            ) from error

    async def _follow(self) -> None:
        root = self._options.root.resolve()
        services = self._gateway.services
        await self._watcher.follow({root / each for service in services for each in service.definition.watch})

    def _changed(self, paths: set[Path]) -> None:
        root = self._options.root.resolve()
        for service in self._gateway.services:
            watched = [(root / each).resolve() for each in service.definition.watch]
            if any(path.is_relative_to(folder) for path in paths for folder in watched):
                self._gateway.reload(service)

    def _redeploy(self) -> None:
        """Serve what the file says now; what is wrong with it is told, and the old deployment goes on."""
        serving = self._gateway.serving
        try:
            deployment = read_deployment(self._options.deployment)
            if serving is not None and deployment == serving.deployment:
                return
            self._gateway.deploy(deployment)
        except ConfigError as error:
            self._journal.note(f"the deployment before goes on: {error}")
            return
        self._journal.note(f"serves deployment {deployment.id}")
        task = asyncio.get_running_loop().create_task(self._follow())
        self._following.add(task)
        task.add_done_callback(self._following.discard)


def _printable(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104  (compared, not bound)
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _write_ready(path: Path, facts: dict[str, object]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    part.replace(path)


async def _serve(options: Options) -> None:
    service = Service(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.end)

    def orphaned() -> None:
        loop.call_soon_threadsafe(service.end)

    watch_lifeline(orphaned)
    await service.run()


def _runner() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Return uvloop's way to run a program where there is one, else asyncio's."""
    try:
        import uvloop  # noqa: PLC0415  (not on every platform)
    except ImportError:
        return asyncio.run
    return uvloop.run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gateway and return its exit code."""
    options = _parse(sys.argv[1:] if argv is None else argv)
    try:
        _runner()(_serve(options))
    except StackyardError as error:
        lines = [str(error), error.fix, f"  {error.command}" if error.command else ""]
        sys.stderr.write("\n".join(line for line in lines if line) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
