"""The surface of the tasks: how words are read, what help and lists look like, what completion offers.

Invoke's own program in this process, with our tasks and our mending of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, cast

import pytest
from invoke.program import Program

import tasks
from tasks.program import SHORT

TASKS = cast("dict[str, Any]", tasks.namespace.tasks)  # Invoke's tasks have no types

CHANGES = {
    *("api-key", "bootstrap", "deploy", "destroy", "docker-push", "mend", "restore", "rollback", "state-restore"),
    *("unlock", "github-role"),
}
"""Tasks that ask for an environment: what they do, or tell, must not be done to another one by accident."""


class Started(Program):
    """Invoke's program; what it would run is kept instead."""

    def run_line(self, line: str) -> int:
        """Type ``inv`` and these words; return the exit code."""
        try:
            self.run(["inv", *shlex.split(line)])
        except SystemExit as end:
            return int(end.code or 0)
        return 0


def inv(line: str) -> int:
    """Type ``inv`` and these words; what cannot be parsed is told and runs nothing."""
    return Started(namespace=tasks.namespace, name="inv", binary="inv").run_line(line)


def flags_of(name: str) -> Mapping[str, Any]:
    """Return a task's flags as they are parsed."""
    program = Started(namespace=tasks.namespace, name="inv", binary="inv")
    program.run_line(f"{name} --help")
    contexts = cast("dict[str, Any]", program.parser.contexts)
    return contexts[name].args


@pytest.fixture(autouse=True)
def screen_of_80(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test a terminal's usual size."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", TASKS)
def test_every_task_shows_its_help_on_one_screen(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a required word or without; 24 lines of 80 columns, the prompt that follows included."""
    assert inv(f"{name} {flag}") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"Usage: inv {name}")
    [first, *_] = TASKS[name].__doc__.splitlines()
    assert first in printed.out
    lines = printed.out.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize(
    "line",
    [
        "deploy --env dev --help",
        "deploy --help --env dev",
        "deploy --help dev",
        "deploy --help --env",
        "deploy --env --help",
        "deploy --env=--help",
        "deploy --help --nonsense",
        "deploy --help down",
        "--help deploy",
    ],
)
def test_help_counts_wherever_it_stands(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside flags, half flags and other tasks, which then do not run."""
    assert inv(line) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Usage: inv deploy --env ENV [--flags]")


def test_help_is_a_task_too(capsys: pytest.CaptureFixture[str]) -> None:
    """With no name the list; with names their help; with a wrong one the right one."""
    assert inv("help") == 0
    listed = capsys.readouterr().out
    assert inv("") == 0
    assert capsys.readouterr().out == listed
    assert inv("help deploy down") == 0
    printed = capsys.readouterr().out
    assert "Usage: inv deploy" in printed
    assert "Usage: inv down" in printed
    assert inv("help delpoy") == 2
    assert "did you mean deploy?" in capsys.readouterr().err
    assert inv("--help delpoy") == 2
    assert "did you mean deploy?" in capsys.readouterr().err


def test_the_list_has_every_task_once_in_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, that is not wrapped."""
    assert inv("") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ")] == list(TASKS)
    assert [line for line in lines[1:] if line and not line.startswith(" ")] == list(tasks.GROUPS)
    assert all(len(line) < 80 for line in lines)


@pytest.mark.parametrize("name", TASKS)
def test_a_flag_is_the_same_in_every_task(name: str) -> None:
    """Its words, its letter and whether it takes a value; a task that looks at an environment has one by default."""
    flags = flags_of(name)
    for flag, argument in flags.items():
        assert argument.help, f"inv {name} --{flag} has no words"
        assert argument.names[1:] == ((SHORT[flag],) if flag in SHORT else ())
        if flag in SAID:
            assert (argument.help, argument.takes_value) == SAID[flag]
    if "env" in flags and name != "backup":
        assert flags["env"].default == (None if name in CHANGES else "local")
    assert ("json" in flags) == (name not in {"up", "down", "open", "help"})


SAID = {
    "env": ("The environment: local, or one of stackyard.yaml's.", True),
    "json": ("Print data for programs, to standard output.", False),
    "dry-run": ("Show what would be done, and do nothing.", False),
    "yes": ("Do not ask.", False),
    "allow-dirty": ("Build for a protected environment although not all is committed.", False),
    "allow-empty": ("Let the last service be taken away.", False),
    "count": ("How many, newest first.", True),
    "since": ("From when on: 10m, 2h, 3d, 14:30 or 2026-11-23T14:30.", True),
    "stack": ("The state: app, or bootstrap, which an account's environments share.", True),
}
"""Flags that several tasks have: what is said of them, and whether they take a value."""


@pytest.mark.parametrize(
    ("line", "what", "run"),
    [
        ("delpoy --env dev", "there is no task delpoy: did you mean deploy?", "inv deploy --env dev"),
        ("nonsense", "there is no task nonsense", "inv --list"),
        ("--nonsense", "inv has no --nonsense", "inv --help"),
        ("deploy --dryrun", "inv deploy has no --dryrun: did you mean --dry-run?", "inv deploy --dry-run"),
        (
            "deploy --dry --env dev",
            "inv deploy has no --dry: did you mean --dry-run?",
            "inv deploy --dry-run --env dev",
        ),
        ("deploy -x", "inv deploy has no -x", "inv deploy --help"),
        ("deploy --echo", "inv deploy has no --echo", "inv deploy --help"),
        ("deploy -e dev -n --nonsense", "inv deploy has no --nonsense", "inv deploy --help"),
        ("remove-service --froce shop", "did you mean --force?", "inv remove-service --force shop"),
        ("add-service --knd", "did you mean --kind?", "inv add-service --kind"),
        ("deploy", "inv deploy needs --env: there are local, dev, test, prod", "inv deploy --env local"),
        ("rollback --to 3", "inv rollback needs --env", "inv rollback --env local --to 3"),
        ("deploy down", "inv deploy needs --env", "inv deploy --env local down"),
        ("promote --from dev", "inv promote needs --to: there are local, dev, test, prod", "inv promote --help"),
        ("remove-service --yes", "inv remove-service needs NAME", "inv remove-service --help"),
        ("api-key shop", "inv api-key needs --env", "inv api-key --env local shop"),
        ("deploy prod", "inv deploy cannot make out prod: an environment has its flag", "inv deploy --env prod"),
        ("status dev", "an environment has its flag", "inv status --env dev"),
        ("status logz", "inv status cannot make out logz: did you mean logs?", "inv status --help"),
        ("deploy --env", "inv deploy --env: it needs a value behind it", "inv deploy --help"),
        ("deploy --env --yes", "inv deploy --env: it needs a value behind it", "inv deploy --help"),
        ("up --port http", "inv up --port http: it must be a whole number", "inv up --help"),
        ("--dry deploy --env local", "inv --dry: it is Invoke's own and would stop nothing", "inv TASK --dry-run"),
    ],
)
def test_what_cannot_be_understood_is_told_with_what_may_be_meant(
    line: str, what: str, run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As every error is: what, why, the next line to type; exit code 2, and nothing has begun."""
    assert inv(line) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.match(r"error: ", printed.err), printed.err
    assert what in printed.err
    assert printed.err.endswith(f"  run: {run}\n")


OFFERS: list[tuple[str, set[str], set[str]]] = [
    ("", {"up", "deploy", "logs"}, {"--env"}),
    ("de", {"deploy", "destroy"}, {"up"}),
    ("deploy", {"deploy", "--env", "--dry-run", "--help"}, {"up"}),
    ("deploy --", {"--env", "--yes"}, {"-e", "local"}),
    ("deploy --env", {"local", "dev", "prod"}, {"up", "--yes", "--env"}),
    ("deploy --env p", {"prod"}, {"local", "promote"}),
    ("deploy --env = p", {"prod"}, {"local", "promote"}),
    ("deploy --env prod", {"--yes"}, {"local", "up"}),
    ("deploy --env prod --y", {"--yes"}, {"--env"}),
    ("deploy --service", {"api", "web", "worker"}, {"up"}),
    ("promote --from", {"dev", "test"}, {"up"}),
    ("rollback --to", set(), {"dev", "--to"}),
    ("logs", {"api", "web", "--follow"}, {"up"}),
    ("logs a", {"api"}, {"api-key", "web"}),
    ("logs --level", {"warning"}, {"api"}),
    ("add-service --kind e", {"ecs", "eks"}, {"lambda"}),
    ("help dep", {"deploy"}, {"destroy"}),
    ("status --env dev trace --", {"--since"}, {"--dry-run"}),
]


@pytest.mark.parametrize(("typed", "offered", "not_offered"), OFFERS)
def test_a_shell_is_offered_what_may_come_next(
    typed: str, offered: set[str], not_offered: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Tasks, flags, environments, services; the names are this checkout's."""
    assert inv(f"--complete -- inv {typed}") == 0
    words = set(capsys.readouterr().out.split())
    assert offered <= words
    assert not words & not_offered
