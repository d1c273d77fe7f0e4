"""How much the local gateway adds: a Lambda route against a uvicorn that serves the same app, side by side.

Prints p50 and ratio at concurrency 1 and 8, in rounds that alternate so that a noisy machine hits all alike, and what
finding a route costs with 1, 10 and 100 services. The gateway writes a line for every request; uvicorn is measured both
silent and writing its own access log. The goal is judged against the silent one.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stackyard.local.gateway.routes import Router
from stackyard.tools.process import start_daemon

APP = """
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/greet")
async def greet(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello {name}"}


handler = Mangum(app, lifespan="off")
"""
GOAL = 3.0
_DEADLINE = 30.0


def _openapi(names: Sequence[str]) -> dict[str, object]:
    paths: dict[str, object] = {}
    for name in names:
        uri = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{_arn(name)}/invocations"
        integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri, "timeoutInMillis": 29000}
        method = {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}}
        base = "/" if name == "api" else f"/{name}"
        paths[base] = method
        paths[f"{base.rstrip('/')}/{{proxy+}}"] = method
    return {"openapi": "3.0.1", "x-amazon-apigateway-binary-media-types": ["*/*"], "paths": paths}


def _arn(name: str) -> str:
    return f"arn:aws:lambda:eu-west-1:123456789012:function:acme-local-{name}:live"


def _deployment() -> dict[str, object]:
    function: dict[str, object] = {
        "service": "api",
        "name": "acme-local-api",
        "version": "1",
        "folder": "api",
        "watch": ["api"],
        "pythonpath": ["api"],
        "handler": "app.handler",
        "memory": 1024,
        "timeout": 29,
        "environment": {},
        "concurrency": None,
        "log_group": "/aws/lambda/acme-local-api",
    }
    return {
        "id": "bench",
        "project": "acme",
        "stage": "local",
        "api_id": "abcde12345",
        "account": "123456789012",
        "region": "eu-west-1",
        "openapi": _openapi(["api"]),
        "functions": {_arn("api"): function},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(folder: Path, name: str, *arguments: str) -> Generator[None]:
    """Run a Python program until the end of the block."""
    # Bytecode as on any other machine: without it every start compiles everything again.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    daemon = start_daemon([sys.executable, *arguments], log=folder / f"{name}.log", env=environment, cwd=folder)
    try:
        yield
    finally:
        daemon.stop()


class Client:
    """One keep-alive connection that asks the same thing again and again."""

    def __init__(self, port: int) -> None:
        usual = "Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\nUser-Agent: python-httpx\r\n"
        self._request = f"GET /greet?name=bench HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{usual}\r\n".encode()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> bytes:
        """Send the request and return the whole answer."""
        self._socket.sendall(self._request)
        answer = b""
        while not answer.endswith(b'{"message":"Hello bench"}'):
            chunk = self._socket.recv(65536)
            if not chunk:
                raise ConnectionError(answer.decode("latin-1"))
            answer += chunk
        return answer

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _wait_until_answers(port: int) -> None:
    deadline = time.monotonic() + _DEADLINE
    while True:
        try:
            client = Client(port)
            client.ask()
            client.close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _measure(port: int, concurrency: int, count: int) -> list[float]:
    """Return the seconds of each of ``count`` requests a client, ``concurrency`` clients at once."""
    times: list[list[float]] = [[] for _ in range(concurrency)]

    def run(own: list[float]) -> None:
        client = Client(port)
        for _ in range(count):
            begun = time.perf_counter()
            client.ask()
            own.append(time.perf_counter() - begun)
        client.close()

    threads = [threading.Thread(target=run, args=(own,)) for own in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for own in times for each in own]


def _compare(ports: Sequence[int], concurrency: int, rounds: int, count: int) -> list[float]:
    """Return the p50 in s of each server: the median over all requests of all rounds, all taking turns."""
    for port in ports:
        _measure(port, concurrency, count)
    times: dict[int, list[float]] = {port: [] for port in ports}
    for turn in range(rounds):
        first = turn % len(ports)
        for port in (*ports[first:], *ports[:first]):
            times[port] += _measure(port, concurrency, count)
    return [statistics.median(times[port]) for port in ports]


def _routing(services: int) -> float:
    """Return the seconds to find one route among so many services."""
    names = ["api", *(f"service-{number}" for number in range(1, services))]
    router = Router(json.loads(json.dumps(_openapi(names))))
    last = f"/{names[-1]}/some/where" if services > 1 else "/some/where"
    match: Callable[[str, str], object] = router.match
    best = float("inf")
    for _ in range(7):
        begun = time.perf_counter()
        for _ in range(20_000):
            match("GET", last)
        best = min(best, time.perf_counter() - begun)
    return best / 20_000


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0 when the ratio at concurrency 1 is within the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--requests", type=int, default=200, help="requests a round and client")
    options = parser.parse_args(argv)
    _say(f"{'':28}{'uvicorn':>12}{'…logging':>12}{'gateway':>12}{'ratio':>8}{'…logging':>10}")
    ratio = float("inf")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        root = Path(name)
        (root / "api").mkdir()
        (root / "api" / "app.py").write_text(APP, encoding="utf-8")
        (root / "deployment.json").write_text(json.dumps(_deployment()), encoding="utf-8")
        silent, logging, gateway = ports = (_free_port(), _free_port(), _free_port())
        uvicorn = ("-m", "uvicorn", "app:app", "--app-dir", "api", "--loop", "uvloop", "--http", "httptools", "--port")
        stack.enter_context(_running(root, "silent", *uvicorn, str(silent), "--no-access-log"))
        stack.enter_context(_running(root, "logging", *uvicorn, str(logging)))
        ours = ("-m", "stackyard.local.gateway", "--root", name, "--deployment", str(root / "deployment.json"))
        files = ("--ready", str(root / "ready.json"), "--log", str(root / "gateway.jsonl"))
        stack.enter_context(_running(root, "gateway", *ours, "--port", str(gateway), *files))
        for port in ports:
            _wait_until_answers(port)
        for concurrency, count in ((1, options.requests), (8, max(1, options.requests // 4))):
            bare, chatty, whole = _compare(ports, concurrency, options.rounds, count)
            if concurrency == 1:
                ratio = whole / bare
            times = "".join(f"{each * 1e6:>9.0f} µs" for each in (bare, chatty, whole))
            _say(f"{f'p50, concurrency {concurrency}':28}{times}{whole / bare:>8.2f}{whole / chatty:>10.2f}")
    costs = {services: _routing(services) for services in (1, 10, 100)}
    for services, cost in costs.items():
        _say(f"{f'a route among {services} services':28}{'':24}{cost * 1e9:>9.0f} ns{cost / costs[1]:>8.2f}")
    _say(f"goal: at most {GOAL:g} at concurrency 1, reached {ratio:.2f}")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
