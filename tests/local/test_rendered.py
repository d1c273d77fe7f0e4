"""What add-service renders, as its user has it next: by `uv run`, in a project with an environment of its own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from stackyard.kinds import KINDS
from stackyard.rendering import find_templates
from tests.local.project import HERE, Project, copy_project, find_uv, free_port, install


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose environment the test may change."""
    root = tmp_path_factory.mktemp("rendered") / "project"
    copy_project(root)
    install(root)
    return Project(root, root / ".venv/bin/inv", free_port(), {"UV": find_uv()})


def uv(project: Project, *arguments: str) -> str:
    done = subprocess.run(
        [find_uv(), *arguments], cwd=project.root, env=project.environment(), capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"uv {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_rendered_services_pass_their_tests_and_the_projects_checks(own: Project) -> None:
    """Each kind with each template: the command that add-service names runs their tests, and no check complains."""
    folders: list[str] = []
    command: list[str] = []
    for kind in KINDS:
        for template in find_templates():
            names = [f"a-{kind}-{template}", f"z{kind}{template}"]  # before and after `servicekit` in the alphabet
            done = own.run("add-service", "--kind", kind, "--template", template, *names)
            assert done.code == 0, done.text()
            folders += [f"src/services/{name}" for name in names]
            named = re.search(r"^try it: uv (run .*)$", done.err, re.MULTILINE)
            assert named, done.text()
            command = named[1].split()
    assert command[-2:] == folders[-2:]
    tests = uv(own, *command[:-2], "-q", *folders)
    passed = re.search(r"^(\d+) passed", tests, re.MULTILINE)
    assert passed, tests
    assert int(passed[1]) > 5 * len(folders), tests
    checks = ("--all-packages", "--group", "test", "--group", "lint", "--group", "typecheck")
    uv(own, "run", *checks, "ruff", "check", *folders)
    uv(own, "run", *checks, "ruff", "format", "--check", *folders)
    uv(own, "run", *checks, "yamllint", "--strict", "-c", str(HERE / ".yamllint.yaml"), *folders)
    uv(own, "run", *checks, "basedpyright", *folders)


def test_the_wheel_has_the_templates(tmp_path: Path) -> None:
    """An installed Stackyard renders too."""
    subprocess.run(
        [find_uv(), "build", "-q", "--wheel", "--out-dir", str(tmp_path), str(HERE)], check=True, timeout=120
    )
    [wheel] = tmp_path.glob("stackyard-*.whl")
    listed = subprocess.run(["python3", "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True)
    templates = HERE / "src/stackyard/templates"
    files = [path.relative_to(HERE / "src").as_posix() for path in templates.rglob("*") if path.is_file()]
    assert [name for name in files if name not in listed.stdout] == []
