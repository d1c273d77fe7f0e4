"""`inv` at a shell: pipes that are read halfway, exit codes, completion by Invoke's own script in a real bash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent


def bash(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in bash with `inv` on PATH, in this checkout."""
    return subprocess.run(
        ["bash", "-c", f'PATH="{PROGRAMS}:$PATH"; {script}'],
        cwd=ROOT,
        # As a user's shell has it: with PYTHONUNBUFFERED nothing would be left to print at the end.
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("line", "code", "first"),
    [
        ("inv", 0, "inv TASK [--flags]"),
        ("inv --list", 0, "inv TASK [--flags]"),
        ("inv deploy --help", 0, "Usage: inv deploy --env ENV [--flags]"),
        ("inv help status", 0, "Usage: inv status [--flags]"),
        ("inv cost --explain", 0, "local in "),
        ("inv services", 0, "NAME "),
    ],
)
def test_a_reader_may_leave_early(line: str, code: int, first: str) -> None:
    """`| true` reads nothing at all: no traceback, no complaint at the end, the exit code that the task has."""
    done = bash(f'{line} | true; echo "${{PIPESTATUS[0]}}"')
    assert done.stdout == f"{code}\n"
    assert done.stderr == ""
    whole = bash(line)
    assert whole.returncode == code
    assert whole.stdout.startswith(first)


def test_what_cannot_be_understood_ends_with_2() -> None:
    """And the words of our own errors, on standard error alone."""
    done = bash("inv delpoy --env dev")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there is no task delpoy: did you mean deploy?\n  run: inv deploy --env dev\n"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ('inv sta""', "state-history state-restore status"),
        ('inv deploy --env ""', "local dev test prod"),
        ("inv deploy --env p", "prod"),
        ("inv add-service --kind e", "ecs eks"),
        ("inv logs --follow w", "web worker"),
        ("inv deploy --env prod --dr", "--dry-run"),
    ],
)
def test_a_shell_completes(words: str, offered: str) -> None:
    """By the line that the guide says, as bash asks when somebody presses the tabulator."""
    script = f"""
source <(inv --print-completion-script bash)
complete -p inv | grep -o '_complete_[a-z]*' > /dev/null || exit 9
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
"$(complete -p inv | grep -o '_complete_[a-z]*')" inv "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
echo "${{COMPREPLY[@]}}"
"""
    done = bash(script)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split()) == sorted(offered.split())
