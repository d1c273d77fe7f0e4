"""What the number of services costs: 1, 10 and 100 made by `inv add-service`, brought up with the real Terraform.

Of ten services eight are functions, one runs on App Runner, one on ECS; the first is a function. One project grows,
and each size is brought up anew. Wall time in s, once each, and behind it the CPU time of a task and its Terraform.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import re
import shutil
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackyard.commands.observe import observe, variables
from stackyard.commands.session import Session
from stackyard.commands.wanted import app_key
from stackyard.local.daemons import GATEWAY, find_daemon
from stackyard.local.gateway.routes import Router
from stackyard.local.layout import Layout
from stackyard.names import find_installed
from stackyard.project import read_project
from stackyard.screen import Screen
from stackyard.services import read_catalog
from stackyard.tools.process import start_daemon
from tests.bench.common import Cost, environment, goal, median, python, ratios, run, stages, table, take_turns
from tests.local.project import Project, copy_project, find_uv, free_port, install

RESOURCES_GOAL = 7
ROUTING_GOAL = 1.3
_KINDS = {8: "apprunner", 9: "ecs"}
_DEADLINE = 60

Figures = dict[str, str]


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench scale", description=__doc__)
    parser.add_argument("--services", type=int, nargs="+", default=[1, 10, 100], help="how many, growing (1 10 100)")
    sizes: list[int] = sorted(parser.parse_args(argv).services)
    sized: list[_Size] = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        copy_project(root)
        shutil.rmtree(root / "src/services")
        (root / "src/services").mkdir()
        install(root)
        project = Project(root, root / ".venv/bin/inv", free_port(), {"UV": find_uv()})
        for size in sizes:
            _grow(project, size)
            try:
                sized.append(_measure(project))
            finally:
                project.down()
    routing = take_turns({str(size): each.find_routes for size, each in zip(sizes, sized, strict=True)}, 20)
    few, many = routing[str(sizes[0])], routing[str(sizes[-1])]
    rows = [[title, *(each.figures[title] for each in sized)] for title in sized[-1].figures]
    rows.append(["finding a route, CPU ns", *(f"{median(found):.0f}" for found in routing.values())])
    table(["services", *map(str, sizes)], rows)
    dearest = max(each.resources["lambda"] for each in sized)
    goal("Terraform resources of an added Lambda service", dearest, RESOURCES_GOAL)
    what = f"finding a route among {sizes[-1]} services, beside {sizes[0]},"
    goal(what, median(ratios(many, few)), ROUTING_GOAL)


def name_of(number: int) -> str:
    """Return the name of a generated service."""
    return f"shop-{number:03d}"


def _grow(project: Project, size: int) -> None:
    """Add services until there are ``size``."""
    there = sum(1 for _ in (project.root / "src/services").iterdir())
    wanted = [(_KINDS.get(number % 10, "lambda"), name_of(number)) for number in range(there, size)]
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        done = project.run("add-service", "--kind", kind, *(name for each, name in wanted if each == kind))
        if done.code != 0:
            raise RuntimeError(done.text())


@dataclass(frozen=True, slots=True)
class _Size:
    """What one number of services costs: what is printed, resources by kind; ``find_routes`` measures in ns."""

    figures: Figures
    resources: Mapping[str, int]
    find_routes: Callable[[], float]


def _measure(project: Project) -> _Size:
    """Bring the project up and return every figure of it."""
    figures: Figures = {"reading the catalog in Python, CPU ms": f"{_read_catalog(project.root):.0f}"}
    figures["inv services, nothing running"] = _inv(project, "services")
    up = run(
        [str(project.inv), "up", "--detach", "--port", str(project.port)], cwd=project.root, env=project.environment()
    )
    told = stages(up.said)
    figures["inv up"] = _seconds(up)
    figures |= {f"  {title}": f"{told[title]:.1f}" for title in ("plan", "apply", "gateway")}
    figures["inv services, all deployed"] = _inv(project, "services")
    figures["inv plan, nothing changed"] = _inv(project, "plan", "--env", "local")
    figures["inv deploy, nothing changed"] = _inv(project, "deploy", "--env", "local")
    total, resources = _resources(project.root)
    figures["Terraform resources in all"] = str(total)
    figures |= {f"  of one {kind} service": str(resources.get(kind, "")) for kind in ("lambda", "apprunner", "ecs")}
    figures |= _gateway_figures(project)
    return _Size(figures, resources, _read_routes(project.root))


def _inv(project: Project, *arguments: str) -> str:
    """Return what a task takes that passes."""
    return _seconds(run([str(project.inv), *arguments], cwd=project.root, env=project.environment()))


def _seconds(cost: Cost) -> str:
    return f"{cost.wall / 1000:.1f} ({cost.cpu / 1000:.1f})"


def _read_catalog(root: Path) -> float:
    """Return the CPU ms to read and check all YAML files, the middle of five times."""
    taken = find_installed(Path(sysconfig.get_path("purelib")))
    found: list[float] = []
    for _ in range(5):
        begun = time.process_time()
        read_catalog(root, read_project(root), "local", taken)
        found.append((time.process_time() - begun) * 1000)
    return median(found)


def _resources(root: Path) -> tuple[int, dict[str, int]]:
    """Return the number of resources in the state, and how many one service of each kind has, at the most."""
    session = Session.begin(root, "local", Screen(quiet=True))
    given = variables(session, observe(session).plan.foreseen_digests())
    stack = session.stack("app", app_key("local"), given, None, "bench")
    env = {**stack.env, "TF_DATA_DIR": str(stack.work / "data")}
    listed = run([*stack.binary.argv, f"-chdir={stack.source}", "state", "list"], cwd=root, env=env).said
    addresses = [line for line in listed.split("\n") if line and not re.search(r"(^|\.)data\.", line)]
    owned = Counter(name for address in addresses for name in re.findall(r'\["([^"]+)"\]', address)[:1])
    by_kind: dict[str, int] = {}
    for entry in session.catalog.entries:
        by_kind[entry.service.kind] = max(by_kind.get(entry.service.kind, 0), owned[entry.name])
    return len(addresses), by_kind


def _gateway_figures(project: Project) -> Figures:
    """Return what the gateway takes: to start, in memory, and for a request to the first, middle and last service."""
    layout = Layout(project.root)
    running = find_daemon(layout, GATEWAY)
    if running is None:
        raise RuntimeError("no gateway runs")
    names = sorted(path.name for path in (project.root / "src/services").iterdir())
    chosen = {"first": names[0], "middle": names[len(names) // 2], "last": names[-1]}
    own, rest = _memory(running.pid)
    with _another(project.root) as (port, serves):
        [cold] = _ask(port, chosen["last"], 1)
        warm = {title: median(_ask(port, name, 200)[1:]) for title, name in chosen.items()}
    return {
        "gateway until it serves": f"{serves:.2f}",
        "gateway's first request to the last service": f"{cold:.2f}",
        "memory of the gateway, MiB": f"{own:.0f}",
        "memory of all services' processes, MiB": f"{rest:.0f}",
        **{f"request to the {title} service, p50 in ms": f"{p50 * 1000:.2f}" for title, p50 in warm.items()},
    }


@contextlib.contextmanager
def _another(root: Path) -> Generator[tuple[int, float]]:
    """Run a second gateway of the same deployment, one that throttles nobody; yield its port, and the s it took."""
    deployment = json.loads(Layout(root).deployment.read_text(encoding="utf-8"))
    file, ready, log, port = root / "another.json", root / "another.ready", root / "another.log", free_port()
    file.write_text(json.dumps(deployment | {"throttle": {"rate": 1e9, "burst": 10**9}}), encoding="utf-8")
    argv = python("-m", "stackyard.local.gateway", "--root", str(root), "--deployment", str(file))
    begun = time.perf_counter()
    daemon = start_daemon([*argv, "--port", str(port), "--ready", str(ready)], log=log, env=environment(), cwd=root)
    try:
        while not ready.exists():
            if time.perf_counter() - begun > _DEADLINE:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            time.sleep(0.005)
        yield port, time.perf_counter() - begun
    finally:
        daemon.stop()


def _ask(port: int, service: str, count: int) -> list[float]:
    """Return the s of each of ``count`` requests over one connection. Raises RuntimeError for any answer but 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_DEADLINE)
    times: list[float] = []
    with contextlib.closing(connection):
        for _ in range(count):
            begun = time.perf_counter()
            connection.request("GET", f"/{service}/liveness")
            answer = connection.getresponse()
            said = answer.read()
            times.append(time.perf_counter() - begun)
            if answer.status != 200:
                raise RuntimeError(f"{service} answers {answer.status}: {said!r}")
    return times


def _memory(pid: int) -> tuple[float, float]:
    """Return the MiB of a process, and of its descendants together; each has its share of what several hold."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    sizes: dict[int, float] = {}
    for each in family:
        with contextlib.suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{each}/smaps_rollup").read_text(), re.MULTILINE)
            sizes[each] = int(found[1]) / 1024 if found else 0
    own = sizes.pop(pid)
    return own, sum(sizes.values())


def _read_routes(root: Path) -> Callable[[], float]:
    """Return what measures the ns of CPU time to find a route, over a request for every route that is deployed."""
    deployment = json.loads(Layout(root).deployment.read_text(encoding="utf-8"))
    router = Router(deployment["openapi"], deployment["stage_variables"])
    paths = [path.replace("{proxy+}", "some/where") for path in router.resources]
    match: Callable[[str, str], object] = router.match
    if not all(match("GET", path) for path in paths):
        raise RuntimeError("a service is not reached")
    turns = max(1, 10_000 // len(paths))

    def measure() -> float:
        begun = time.process_time_ns()
        for _ in range(turns):
            for path in paths:
                match("GET", path)
        return (time.process_time_ns() - begun) / turns / len(paths)

    return measure
