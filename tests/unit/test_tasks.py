"""How a task's words are read: Invoke's own program in this process, with our tasks and our mending of its parser."""

from __future__ import annotations

from typing import Any, cast

import pytest
from invoke.program import Program

import tasks

TASKS = cast("dict[str, Any]", tasks.namespace.tasks)  # Invoke's tasks have no types


def inv(*arguments: str) -> None:
    """Type ``inv`` and these words; what cannot be parsed is told and runs nothing."""
    Program(namespace=tasks.namespace, name="inv", binary="inv").run(["inv", *arguments], exit=False)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", TASKS)
def test_every_task_shows_its_help(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With a required word or without; it is this task's, by its usage and its docstring."""
    inv(name, flag)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"Usage: inv [--core-opts] {name} ")
    [first, *_] = TASKS[name].__doc__.splitlines()
    assert first in printed.out


@pytest.mark.parametrize(
    "line",
    [
        "deploy --env dev --help",
        "deploy --help --env dev",
        "deploy dev --help",
        "deploy --help --env",
        "deploy --env --help",
        "deploy --env=--help",
        "deploy --help --nonsense",
        "deploy --help down",
        "down deploy --help",
        "--help deploy",
    ],
)
def test_help_counts_wherever_it_stands(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside flags, half flags and other tasks, which then do not run."""
    inv(*line.split())
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Usage: inv [--core-opts] deploy ")


@pytest.mark.parametrize("line", ["deploy --dryrun", "deploy -x", "remove-service --froce shop", "add-service --knd"])
def test_a_flag_mistyped_is_no_required_word(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--dryrun` is not an environment: the flag is named, and nothing runs."""
    inv(*line.split())
    printed = capsys.readouterr()
    assert f"No idea what {line.split()[1]!r} is!" in printed.err
    assert printed.out == ""


def test_short_flags_are_flags(capsys: pytest.CaptureFixture[str]) -> None:
    """Read before the word that is no flag at all."""
    inv("deploy", "-e", "dev", "-d", "--nonsense")
    assert "No idea what '--nonsense' is!" in capsys.readouterr().err


def test_a_required_word_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody asks for help, it is required still, behind one of Invoke's own flags as well."""
    for line in ("deploy", "deploy --echo", "remove-service --yes"):
        inv(*line.split())
        assert "did not receive required positional arguments" in capsys.readouterr().err
