"""What the console costs: a gateway without it, one with it, and one with it whose page is open.

Three gateways serve the same bare service behind HTTP, the cheapest way there is, so that whatever is added weighs the
most. First a lone client that asks as fast as it is answered, in turns; then 50 requests a second to each, all three at
once. p50 in µs and CPU of the gateway's process a request, by the kernel's books; ratios by round. Then how much memory
the one that keeps requests takes, over a few thousand of them.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stackyard.tools.process import start_daemon
from tests.bench.common import goal, median, ratios, say, table, take_turns
from tests.local.gateway.gateway_lab import Lab

APP = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def answer(request):
    return JSONResponse({"message": "Hello, bench!"})

app = Starlette(routes=[Route("/{path:path}", answer)])
"""
KINDS = {"without": ("--no-console",), "with": (), "watched": ()}
LIMIT = 1.05
RATE = 50
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: the median of its requests and the gateway's CPU for each, in µs."""

    p50: float
    cpu: float


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench console", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns of each gateway (20)")
    parser.add_argument("--requests", type=int, default=1000, help="requests in a turn (1000)")
    parser.add_argument("--seconds", type=int, default=20, help=f"how long {RATE} requests a second are sent (20)")
    options = parser.parse_args(argv)
    with ExitStack() as stack:
        labs = {name: stack.enter_context(_served(more)) for name, more in KINDS.items()}
        stack.enter_context(_looking_on(labs["watched"]))
        found = take_turns({name: _asking(lab, options.requests) for name, lab in labs.items()}, options.rounds)
        _print("a lone client", found)
        _print(f"{RATE} requests a second", _send_steadily(labs, options.seconds))
        _print_memory(labs["with"])


def _print(title: str, found: Mapping[str, Sequence[Turn]]) -> None:
    rows: list[list[str]] = []
    plain = found["without"]
    for name, turns in found.items():
        times = ratios([each.p50 for each in turns], [each.p50 for each in plain])
        work = ratios([each.cpu for each in turns], [each.cpu for each in plain])
        figures = [median([each.p50 for each in turns]), median([each.cpu for each in turns])]
        rows.append([title, name, *(f"{each:.0f}" for each in figures), f"{median(times):.3f}", f"{median(work):.3f}"])
        if name != "without":
            goal(f"{title}: p50 {name} the console, beside none,", median(times), LIMIT)
    table(["", "console", "p50 µs", "CPU µs", "p50, ratio by round", "CPU, ratio by round"], rows)
    say()


@contextmanager
def _served(options: tuple[str, ...]) -> Generator[Lab]:
    with tempfile.TemporaryDirectory() as name:
        lab = Lab(Path(name), options=options)
        lab.server("bench", APP, path="/")
        lab.start()
        try:
            yield lab
        finally:
            lab.stop()


@contextmanager
def _looking_on(lab: Lab) -> Generator[None]:
    """Have a process of its own read news as a page does, and do nothing with them."""
    argv = ["curl", "--silent", "--no-buffer", f"{lab.url}/_stackyard/events"]
    page = start_daemon(argv, log=lab.root / "news.log", env=os.environ, cwd=lab.root)
    try:
        yield
    finally:
        page.stop()


class _Client:
    """One connection that stays open."""

    def __init__(self, lab: Lab) -> None:
        head = f"GET /greet?name=bench HTTP/1.1\r\nHost: 127.0.0.1:{lab.port}\r\nAccept: */*\r\nUser-Agent: bench\r\n"
        self._data = f"{head}Accept-Encoding: gzip\r\nConnection: keep-alive\r\n\r\n".encode()
        self._socket = socket.create_connection(("127.0.0.1", lab.port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> float:
        """Ask once and return the µs. Raises ConnectionError for any answer but the right one."""
        begun = time.perf_counter()
        self._socket.sendall(self._data)
        answer = b""
        while not answer.endswith(b'{"message":"Hello, bench!"}'):
            chunk = self._socket.recv(65536)
            answer += chunk
            if not chunk or not answer.startswith(b"HTTP/1.1 200 "[: len(answer)]):
                raise ConnectionError(answer.decode("latin-1"))
        return (time.perf_counter() - begun) * 1e6

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has had, by the scheduler's own count where the kernel shows it."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except OSError:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK


def _asking(lab: Lab, count: int) -> Callable[[], Turn]:
    pid = int(lab.status()["pid"])

    def ask() -> Turn:
        client = _Client(lab)
        before = _cpu(pid)
        times = [client.ask() for _ in range(count)]
        spent = _cpu(pid) - before
        client.close()
        return Turn(statistics.median(times), spent / count * 1e6)

    return ask


def _send_steadily(labs: Mapping[str, Lab], seconds: int) -> dict[str, list[Turn]]:
    """Ask each gateway in turn, `RATE` times a second each; a turn is a second."""
    clients = {name: _Client(lab) for name, lab in labs.items()}
    pids = {name: int(lab.status()["pid"]) for name, lab in labs.items()}
    found: dict[str, list[Turn]] = {name: [] for name in labs}
    names = list(labs)
    due = time.monotonic()
    for turn in range(seconds):
        before = {name: _cpu(pid) for name, pid in pids.items()}
        times: dict[str, list[float]] = {name: [] for name in labs}
        for at in range(RATE):
            first = (turn + at) % len(names)
            for name in (*names[first:], *names[:first]):
                times[name].append(clients[name].ask())
            due += 1 / RATE
            time.sleep(max(0.0, due - time.monotonic()))
        for name, pid in pids.items():
            found[name].append(Turn(statistics.median(times[name]), (_cpu(pid) - before[name]) / RATE * 1e6))
    for client in clients.values():
        client.close()
    return found


def _print_memory(lab: Lab) -> None:
    """Print the memory after every thousand requests; each brings and gets 20 kB."""
    pid = int(lab.status()["pid"])
    sizes: list[float] = []
    for _ in range(5):
        for _ in range(1000):
            lab.client.post("/greet", content=b"x" * 20_000)
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        sizes.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
    table(["requests of 20 kB", "MiB"], [[f"{at * 1000:,}", f"{size:.1f}"] for at, size in enumerate(sizes, 1)])
    goal("memory after 5,000 requests beside that after 2,000,", sizes[4] / sizes[1], LIMIT)
