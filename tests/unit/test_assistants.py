"""What coding assistants are told is true: tasks, flags, sessions and paths exist, and no command may change AWS."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.unit.test_docs import FLAGS, ROOT

COMMANDS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".claude/commands").glob("*.md"))}
TOLD = COMMANDS | {name: (ROOT / name).read_text(encoding="utf-8") for name in ("AGENTS.md", "CLAUDE.md")}
SESSIONS = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
CHANGING = {
    "bootstrap", "deploy", "destroy", "docker-push", "promote", "rollback", "mend", "unlock", "state-restore",
    "restore", "api-key", "github-setup", "github-report",
}  # fmt: skip
"""Tasks that change something past this machine."""


def test_the_five_commands_are_there() -> None:
    """Under the names that the documentation gives."""
    assert set(COMMANDS) == {"add-service", "explain-architecture", "test-api", "deploy", "troubleshoot"}


@pytest.mark.parametrize("name", TOLD)
def test_tasks_and_flags_exist(name: str) -> None:
    """`inv NAME --flag` as the tasks have it, and `nox -s NAME` as the noxfile has it."""
    wrong: list[str] = []
    for task, rest in re.findall(r"\binv ([a-z][\w-]*)([^`\n,:)]*)", TOLD[name]):
        flags = set(re.findall(r"--[a-z][a-z-]*", rest)) - {"--help"}
        if task not in FLAGS or not flags <= FLAGS[task]:
            wrong.append(f"inv {task}{rest}")
    assert wrong == []
    assert set(re.findall(r"nox -s (\w+)", TOLD[name])) <= SESSIONS


@pytest.mark.parametrize("name", TOLD)
def test_paths_exist(name: str) -> None:
    """Those in backticks and those of links; `<name>`, NAME and `…` stand for something else."""
    named = re.findall(r"`((?:src|tests|infra|docs|tasks|\.claude)/[\w./-]*)`", TOLD[name])
    linked = re.findall(r"\]\(([\w./-]+)\)", TOLD[name])
    assert [path for path in named + linked if "NAME" not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_calls_tasks_and_may_change_the_laptop_alone(name: str) -> None:
    """Its frontmatter says what it is for and allows what it names; what changes AWS is left for a person to allow."""
    _, front, body = COMMANDS[name].split("---\n", 2)
    said = yaml.safe_load(front)
    assert said["description"]
    assert said["argument-hint"]
    assert re.search(r"uv run (?:inv|nox)", body)
    allowed = re.findall(r"Bash\(uv run inv ([\w-]+)([^)]*)\)", said["allowed-tools"])
    assert allowed
    assert [f"{task}{rest}" for task, rest in allowed if task in CHANGING and "--env local" not in rest] == []


def test_the_instructions_are_short() -> None:
    """An assistant reads them at every start."""
    assert len(TOLD["AGENTS.md"].splitlines()) < 80
    assert "AGENTS.md" in TOLD["CLAUDE.md"]
