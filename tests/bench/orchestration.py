"""What a deploy costs beyond its commands: `inv deploy` against its Terraform and docker commands typed into bash.

A copy of the project in a temporary folder, its laptop environment up. The commands are recorded from real deploys and
replayed by bash: the same arguments, variables and files; as a person types them is without what makes Terraform
quicker (`QUICK`), tuned with it. A changed deploy goes to and fro between two versions of one line of a service. With a
docker engine and a registry named by STACKYARD_REGISTRY it is measured once more with images really built and pushed:
then each turn has a line of its own, and bash types `docker buildx bake`, too (what docker's daemon does is in nobody's
figures). CPU time in ms, children included; daemons are nobody's children here. "own CPU" is without children, that is
inv's Python: less noisy than the difference of two big numbers.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackyard.bake import REGISTRY
from stackyard.commands.deploy import deploy
from stackyard.commands.session import Session
from stackyard.commands.wanted import Options
from stackyard.screen import Screen
from stackyard.tools.process import Completed, SystemRunner
from stackyard.tools.terraform import QUICK
from tests.bench.common import goal, median, ratios, say, table, take_turns
from tests.local.project import HERE, Project, copy_project, find_uv, free_port, install

GOAL = 1.03
CHANGED = "src/services/api/api/app.py"
PROGRAMS = ("terraform", "tofu", "docker")
TYPED, TUNED, INV = "commands typed into bash", "commands from bash, tuned", "inv deploy --env local"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took in ms: CPU time of its own, and with all that it waited for; wall time."""

    own: float
    cpu: float
    wall: float


@dataclass
class Recorder(SystemRunner):
    """The system's own processes, and the lines and variables with which they were started."""

    lines: list[str] = field(default_factory=list[str])
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, argv: Sequence[str], **options: Any) -> Completed:  # passed on as it is
        """Run it."""
        self._note(argv, options)
        return super().run(argv, **options)

    def stream(self, argv: Sequence[str], on_line: Callable[[str], None], **options: Any) -> Completed:  # the same
        """Run it."""
        self._note(argv, options)
        return super().stream(argv, on_line, **options)

    def _note(self, argv: Sequence[str], options: Mapping[str, Any]) -> None:
        if Path(argv[0]).name in PROGRAMS and "version" not in argv:
            self.lines.append(shlex.join(argv))
            self.env = options.get("env") or self.env


def main(argv: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench orchestration", description=__doc__)
    parser.add_argument("--rounds", type=int, default=8, help="deploys of each kind (8)")
    rounds = parser.parse_args(argv).rounds
    registry = os.environ.pop(REGISTRY, "")
    reached = [_show(title, by_kind) for title, by_kind in _measure(rounds, build=False).items()]
    goal("a deploy's CPU time beside the same commands typed into bash", reached[0][TYPED], GOAL)
    goal("the same beside commands tuned as the deploy's are", reached[0][TUNED], GOAL)
    if not registry or not _has_engine():
        say("not measured with docker: that takes an engine and STACKYARD_REGISTRY")
        return
    os.environ[REGISTRY] = registry
    [built] = [_show(title, by_kind) for title, by_kind in _measure(rounds, build=True).items()]
    goal("the same with images built and pushed, beside commands typed into bash", built[TYPED], GOAL)
    goal("and beside tuned ones", built[TUNED], GOAL)


def _has_engine() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def _measure(rounds: int, *, build: bool) -> dict[str, Mapping[str, Sequence[Spent]]]:
    """Measure in a project of its own, and return what each way took, by what there was to do."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "project"
        copy_project(root)
        if build:
            for file in ("Dockerfile", ".dockerignore"):
                shutil.copy2(HERE / file, root / file)
        install(root)
        project = Project(root, root / ".venv/bin/inv", free_port(), {"UV": find_uv()})
        try:
            project.up()
            if build:
                return {"one line changed, built": take_turns(_built(project), rounds)}
            changed, same = _kinds(project)
            return {"one line changed": take_turns(changed, rounds), "nothing changed": take_turns(same, rounds)}
        finally:
            project.down()


def _show(title: str, found: Mapping[str, Sequence[Spent]]) -> dict[str, float]:
    """Print one comparison and return the ratio of inv to each kind."""
    cpu = {who: [one.cpu for one in spent] for who, spent in found.items()}
    reached = {who: median(ratios(cpu[INV], values)) for who, values in cpu.items()}
    rows = [
        [
            who,
            f"{median(cpu[who]):.0f}",
            f"{min(cpu[who]):.0f}",
            f"{reached[who]:.3f}",
            f"{median([one.own for one in spent]):.0f}",
            f"{median([one.wall for one in spent]):.0f}",
        ]
        for who, spent in found.items()
    ]
    table([title, "CPU ms", "min", "ratio", "own CPU", "wall ms"], rows)
    return reached


def _kinds(project: Project) -> tuple[dict[str, Callable[[], Spent]], dict[str, Callable[[], Spent]]]:
    """Return what is measured with one line changed in each turn, and with nothing changed."""
    text = (project.root / CHANGED).read_text(encoding="utf-8")
    # The third is the second again: nothing has changed.
    recorded = [_record(project, f"{text}\n# Version {version}.\n") for version in (0, 1, 1)]
    now = 1

    def turn() -> int:
        nonlocal now
        now = 1 - now
        project.write(CHANGED, f"{text}\n# Version {now}.\n")
        return now

    return _ways(project, recorded, turn, "release "), _ways(
        project, recorded, lambda: 2, "nothing changed since release"
    )


def _built(project: Project) -> dict[str, Callable[[], Spent]]:
    """Return what is measured with a line in each turn that no image has yet.

    bash builds that line under the tag, and applies the digest, of one of two deploys that were recorded: as much work
    as for its own.
    """
    # The registry may have what an earlier run of this bench pushed.
    text = f"{(project.root / CHANGED).read_text(encoding='utf-8')}\n# Run {time.time_ns()}.\n"
    recorded = [_record(project, f"{text}# Recorded {version}.\n") for version in (0, 1)]
    if not any("bake" in line for line in recorded[0].lines):
        raise RuntimeError(f"nothing was built: {recorded[0].lines}")
    turns = 0

    def turn() -> int:
        nonlocal turns
        turns += 1
        project.write(CHANGED, f"{text}# Turn {turns}.\n")
        return turns % 2

    return _ways(project, recorded, turn, "release ")


def _ways(
    project: Project, recorded: Sequence[Recorder], turn: Callable[[], int], said: str
) -> dict[str, Callable[[], Spent]]:
    """Return the three ways to deploy; ``turn`` makes the change and says which recorded deploy bash types."""
    inv = [str(project.inv), "deploy", "--env", "local"]

    def deployed() -> Spent:
        turn()
        return _spend(inv, project.root, project.environment(), said)

    return {
        TYPED: lambda: _typed(project, recorded[turn()], without=QUICK),
        TUNED: lambda: _typed(project, recorded[turn()], without=()),
        INV: deployed,
    }


def _record(project: Project, text: str) -> Recorder:
    """Deploy a version in this process, and return what was started for it."""
    project.write(CHANGED, text)
    runner = Recorder()
    deploy(Session(project.root, "local", Screen(quiet=True), runner), Options(yes=True))
    return runner


def _typed(project: Project, recorded: Recorder, *, without: Collection[str]) -> Spent:
    """Run recorded commands one after another, without some variables; a plan with changes ends with 2."""
    env = {name: value for name, value in recorded.env.items() if name not in without}
    lines = [f"{line} > /dev/null || [ $? -eq 2 ] || exit 1" for line in recorded.lines]
    return _spend(["bash", "-c", "\n".join(lines)], project.root, env, "")


def _spend(argv: Sequence[str], cwd: Path, env: Mapping[str, str], said: str) -> Spent:
    """Run a program and return what it took. Raises RuntimeError when it fails, or does not say what it must."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - begun
        # Dead, and not yet waited for: its own time and its children's are still apart.
        user, system = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        code = process.wait()
        output.seek(0)
        words = output.read()
    if code != 0 or said not in words:
        raise RuntimeError(f"{' '.join(argv)}: exit code {code}\n{words}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(own * 1000, cpu * 1000, wall * 1000)
