"""What the local gateway adds: a Lambda route and an HTTP route against a uvicorn that serves the same app.

Two applications: the shipped `api` service, whose own access lines all ways write to a file, and a bare FastAPI app
without any (uvicorn's own switched off). The gateway runs as `inv up` starts it, one for each kind of route, with a
throttle that lets everything through. Rounds take turns; p50 in µs over all requests, ratios of the rounds' p50s. Then
what finding a route costs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from stackyard.local.gateway.routes import Router
from stackyard.tools.process import start_daemon
from tests.bench.common import ROOT, environment, goal, median, python, ratios, table, take_turns
from tests.local.gateway.gateway_lab import ACCOUNT, REGION, arn, forward, method
from tests.local.project import free_port

GOALS = {"lambda": 3.0, "http": 2.4}
BARE = """
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/greet")
async def greet(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello, {name}!"}


handler = Mangum(app, lifespan="off")
"""
ADDRESS = f"http://acme-local.elb.{REGION}.amazonaws.com:10000"
ANSWER = b'{"message":"Hello, bench!"}'
VARIABLES = {"SERVICE_NAME": "api", "SERVICE_ENVIRONMENT": "local", "SERVICE_PATH": "/"}
_DEADLINE = 30


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns of each server (20)")
    parser.add_argument("--requests", type=int, default=200, help="requests of a lone client in a round (200)")
    options = parser.parse_args(argv)
    rows: list[list[str]] = []
    for title, make in (("the shipped api", _copy_shipped), ("a bare FastAPI app", _write_bare)):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            with _Served(root, *make(root)).running() as servers:
                for clients, count in ((1, options.requests), (8, max(1, options.requests // 4))):
                    rows += _compare(f"{title}, {clients} at once", servers, clients, options.rounds, count)
    table(["p50 in µs", "route", "uvicorn", "gateway", "ratio, by round", "least"], rows)
    costs = {services: _routing(services) for services in (1, 10, 100)}
    table(
        ["finding a route", "ns", "ratio"],
        [[f"among {n} services", f"{cost * 1e9:.0f}", f"{cost / costs[1]:.2f}"] for n, cost in costs.items()],
    )
    for row in rows[:2]:
        what = f"{row[0]} behind the gateway, {row[1]} route, p50 beside uvicorn's,"
        goal(what, float(row[4]), GOALS[row[1]])


def _copy_shipped(root: Path) -> tuple[str, str, tuple[str, ...]]:
    """Copy the shipped service; return its application, its handler and where Python finds them."""
    places = ("src/services/api", "src/servicekit")
    for place in places:
        shutil.copytree(ROOT / place, root / place, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    return "api.app:app", "api.lambda_handler.handler", places


def _write_bare(root: Path) -> tuple[str, str, tuple[str, ...]]:
    (root / "api").mkdir()
    (root / "api/app.py").write_text(BARE, encoding="utf-8")
    return "app:app", "app.handler", ("api",)


class _Served:
    """One application below ``root``, served all three ways."""

    def __init__(self, root: Path, app: str, handler: str, places: tuple[str, ...]) -> None:
        self._root, self._app, self._handler, self._places = root, app, handler, places

    @contextmanager
    def running(self) -> Generator[dict[str, int]]:
        """Serve it until the end of the block; yield the ports."""
        root = self._root
        ports = {"uvicorn": free_port(), "lambda": free_port(), "http": free_port()}
        path = ":".join(str(root / place) for place in self._places)
        uvicorn = python("-m", "uvicorn", self._app, "--loop", "uvloop", "--http", "httptools")
        if self._app == "app:app":
            uvicorn.append("--no-access-log")
        commands = {"uvicorn": uvicorn}
        for name, deployment in (("lambda", self._with_function()), ("http", self._with_server())):
            file = root / f"{name}.json"
            file.write_text(json.dumps(deployment), encoding="utf-8")
            gateway = python("-m", "stackyard.local.gateway", "--root", str(root), "--deployment", str(file))
            commands[name] = [*gateway, "--ready", str(root / f"{name}.ready")]
        with ExitStack() as stack:
            for name, argv in commands.items():
                env = environment() | ({"PYTHONPATH": path, **VARIABLES} if name == "uvicorn" else {})
                argv += ["--port", str(ports[name])]
                daemon = start_daemon(argv, log=root / f"{name}.log", env=env, cwd=root)
                stack.callback(daemon.stop)
            for name, port in ports.items():
                _wait_until_answers(port, root / f"{name}.log")
            yield ports

    def _with_function(self) -> dict[str, object]:
        function: dict[str, object] = {
            "service": "api",
            "name": "acme-local-api",
            "version": "1",
            "folder": self._places[0],
            "watch": self._places,
            "pythonpath": self._places,
            "handler": self._handler,
            "memory": 1024,
            "timeout": 29,
            "environment": VARIABLES,
            "concurrency": None,
            "log_group": "/aws/lambda/acme-local-api",
        }
        return _deployment(_openapi(["api"]), functions={arn("api"): function})

    def _with_server(self) -> dict[str, object]:
        server: dict[str, object] = {
            "service": "api",
            "kind": "ecs",
            "version": "1",
            "folder": self._places[0],
            "watch": self._places,
            "pythonpath": self._places,
            "app": self._app,
            "memory": 512,
            "environment": VARIABLES,
            "log_group": "/aws/ecs/acme-local-api",
        }
        return _deployment(_openapi(["api"], ADDRESS), servers={ADDRESS: server})


def _deployment(openapi: object, **more: object) -> dict[str, object]:
    return {
        "id": "bench",
        "project": "acme",
        "stage": "local",
        "api_id": "abcde12345",
        "account": ACCOUNT,
        "region": REGION,
        "openapi": openapi,
        "throttle": {"rate": 1e9, "burst": 10**9},
        **more,
    }


def _openapi(names: Sequence[str], address: str = "") -> dict[str, object]:
    """Return a document of Lambda routes, or of HTTP routes to ``address``."""
    paths: dict[str, object] = {}
    for name in names:
        base = "/" if name == "api" else f"/{name}"
        for place in (base, f"{base.rstrip('/')}/{{proxy+}}"):
            found = forward(address, place.replace("+", "")) if address else method(name)
            paths[place] = {"x-amazon-apigateway-any-method": found}
    return {"openapi": "3.0.1", "x-amazon-apigateway-binary-media-types": ["*/*"], "paths": paths}


class _Client:
    """One keep-alive connection that asks the same thing again and again."""

    def __init__(self, port: int) -> None:
        usual = "Accept: */*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\nUser-Agent: python-httpx\r\n"
        self._request = f"GET /greet?name=bench HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{usual}\r\n".encode()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel's own time limit: Python's would ask it twice for every read.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _DEADLINE, 0))

    def ask(self) -> None:
        """Send the request and read the whole answer. Raises ConnectionError for any other than the right one."""
        self._socket.sendall(self._request)
        answer = b""
        while not answer.endswith(ANSWER):
            chunk = self._socket.recv(65536)
            answer += chunk
            # Also what refuses (429) or fails comes quicker than an answer, and must not count as one.
            if not chunk or not answer.startswith(b"HTTP/1.1 200 "[: len(answer)]):
                raise ConnectionError(answer.decode("latin-1"))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _wait_until_answers(port: int, log: Path) -> None:
    deadline = time.monotonic() + _DEADLINE
    while True:
        try:
            client = _Client(port)
            client.ask()
            client.close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"does not answer: {error}\n{log.read_text(encoding='utf-8')[-3000:]}") from error
            time.sleep(0.05)
        else:
            return


def _measure(port: int, clients: int, count: int) -> list[float]:
    """Return the µs of each of ``count`` requests a client, so many clients at once. Raises what a client met."""
    times: list[list[float]] = [[] for _ in range(clients)]
    failures: list[OSError] = []

    def ask(own: list[float]) -> None:
        try:
            client = _Client(port)
            for _ in range(count):
                begun = time.perf_counter()
                client.ask()
                own.append((time.perf_counter() - begun) * 1e6)
            client.close()
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(own,)) for own in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return [each for own in times for each in own]


def _compare(title: str, servers: Mapping[str, int], clients: int, rounds: int, count: int) -> list[list[str]]:
    """Return a row for each kind of route: both p50, the median of the rounds' ratios and the least of them."""

    def asking(port: int) -> Callable[[], list[float]]:
        return lambda: _measure(port, clients, count)

    found = take_turns({name: asking(port) for name, port in servers.items()}, rounds)
    rows: list[list[str]] = []
    for kind in ("lambda", "http"):
        overall = [median([each for turn in found[name] for each in turn]) for name in ("uvicorn", kind)]
        each = ratios(*([statistics.median(turn) for turn in found[name]] for name in (kind, "uvicorn")))
        rows.append([title, kind, *(f"{p50:.0f}" for p50 in overall), f"{median(each):.2f}", f"{min(each):.2f}"])
    return rows


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
