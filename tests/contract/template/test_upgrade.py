"""`inv upgrade` from outside: real git, and two versions of the template."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from stackyard.answers import FILE, read_record
from stackyard.local.layout import Layout
from stackyard.tools.holding import take
from tests.contract.template.checkout import BIN, MODULE, NEW, NOTED, Checkout


def make_own(project: Checkout) -> str:
    """Make what a team makes: a service, a change of the Dockerfile and of a module, a task."""
    project.inv("add-service", "mine")
    project.write("Dockerfile", project.read("Dockerfile") + "\n# mine: at the end\n")
    project.change(MODULE, "\n", "\n# mine: at the top\n")
    project.write("tasks/own.py", OWN)
    project.change("tasks/__init__.py", "from tasks.laptop", "from tasks.own import seed\nfrom tasks.laptop")
    project.change("tasks/__init__.py", "(up, down,", "(seed, up, down,")
    project.run(str(BIN / "ruff"), "check", "--quiet", "--fix", "tasks")
    return project.commit("Ours")


OWN = '''"""The team's own tasks."""

# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task


@task
def seed(_c: Context) -> None:
    """Fill the database."""
'''


def test_an_upgrade_keeps_every_edit(project: Checkout, template: Checkout) -> None:
    """Service, Dockerfile, module and task of the team's go with what 0.2.0 brings; checks pass before and after."""
    own = make_own(project)
    green(project)
    told = json.loads(project.inv("upgrade", "--check", "--json"))
    assert (told["version"], told["to"], told["conflicts"], told["applied"]) == ("0.1.0", "0.2.0", [], False)
    assert {each["path"]: each["what"] for each in told["changes"]} == {
        "Dockerfile": "M",
        MODULE: "M",
        NEW: "A",
        NOTED: "M",
        "docs/guides/adopting.md": "D",
        FILE: "M",
    }
    assert (project.git("rev-parse", "HEAD"), project.status()) == (own, "")
    said = project.inv("upgrade", "--apply")
    assert "0.1.0 → 0.2.0: done" in said
    assert (project.git("rev-parse", "HEAD~1"), project.status()) == (own, "")
    for path, ours, theirs in (
        ("Dockerfile", "mine: at the end", "at the top"),
        (MODULE, "mine: at the top", "at the end"),
    ):
        assert ours in project.read(path)
        assert f"# 0.2.0: {theirs}" in project.read(path)
    assert "Fill the database." in project.inv("--list")
    assert (project.root / "src/services/mine/service.yaml").is_file()
    assert not (project.root / "tests/unit/test_brandnew.py").exists()
    record = read_record(project.root)
    assert record
    assert (record.version, record.commit) == ("0.2.0", template.git("rev-parse", "v0.2.0"))
    assert record.answers.accounts == {"dev": "111122223333"}
    green(project)
    assert "up to date: 0.2.0 is the newest version" in project.inv("upgrade")
    project.run("git", "reset", "--quiet", "--keep", own)
    assert "mine: at the end" in project.read("Dockerfile")
    assert not (project.root / NEW).exists()


def green(project: Checkout) -> None:
    """Insist that what `nox -s lint unit` runs of the project's own passes, and its list of tasks."""
    places = ["src", "src/servicekit", "src/services/mine"]
    env = {**project.env, "PYTHONPATH": os.pathsep.join(str(project.root / place) for place in places)}
    nox = project.read("noxfile.py")
    lint = re.findall(r'^    \("((?:ruff|yamllint)".*)\),$', nox, re.MULTILINE)
    assert len(lint) == 3
    commands = [[word.strip(' "') for word in each.split(",")] for each in lint]
    commands += [["python", "-m", "stackyard.schemas", "--check"]]
    commands += [["pytest", "-q", "-p", "no:cacheprovider", "tests/unit", "src/services/mine"]]
    for program, *arguments in commands:
        done = Checkout(project.root, env).run(str(BIN / program), *arguments, check=False)
        assert done.returncode == 0, f"{program} {arguments}\n{done.stdout}\n{done.stderr}"


def test_a_conflict_is_left_as_git_leaves_it(project: Checkout) -> None:
    """Marks in the file, both sides in the index, all else merged; `--abort` brings all back, `--continue` ends it."""
    project.write(NOTED, "# Our gotchas\n" + project.read(NOTED).partition("\n")[2])
    own = project.commit("Ours")
    said = project.inv("upgrade", "--check")
    assert f"~ {NOTED}   CONFLICT" in said
    assert "1 with conflicts" in said
    assert project.status() == ""
    for ending in ("abort", "continue"):
        said = project.inv("upgrade", "--apply", code=5)
        assert f"conflicts in 1 file: {NOTED}" in said
        assert "take it back: git cherry-pick --abort" in said
        assert f"UU {NOTED}" in project.status()
        marks = re.match(r"<<<<<<< HEAD\n# Our gotchas\n=======\n# Gotchas of 0\.2\.0\n>>>>>>> ", project.read(NOTED))
        assert marks, project.read(NOTED)[:300]
        assert (project.root / NEW).is_file()
        assert "an earlier one is under way" in project.inv("upgrade", "--apply", code=5)
        if ending == "abort":
            project.git("cherry-pick", "--abort")
            assert (project.git("rev-parse", "HEAD"), project.status()) == (own, "")
            assert not (project.root / NEW).exists()
    project.write(NOTED, "# Both\n")
    project.git("add", NOTED)
    project.git("-c", "core.editor=true", "cherry-pick", "--continue")
    assert (project.git("rev-parse", "HEAD~1"), project.status()) == (own, "")
    assert project.git("log", "-1", "--format=%s") == "Upgrade from Stackyard 0.1.0 to 0.2.0"
    assert "up to date" in project.inv("upgrade", "--apply")


def test_what_could_be_lost_is_refused(project: Checkout) -> None:
    """Changes that are in no commit, and files in the way of new ones, ignored ones too; looking is always allowed."""
    project.write("README.md", "mine\n")
    assert "not all is committed: README.md" in project.inv("upgrade", "--apply", code=5)
    assert "not all is committed: README.md" in project.inv("init", "--region", "us-east-1", code=5)
    assert "0.1.0 → 0.2.0" in project.inv("upgrade", "--check")
    project.git("checkout", "--quiet", "README.md")
    project.write(".git/info/exclude", f"{NEW}\n")
    project.write(NEW, "mine = 1\n")
    said = project.inv("upgrade", "--apply", code=5)
    assert f"files are in the way: {NEW}" in said
    assert project.read(NEW) == "mine = 1\n"
    (project.root / NEW).unlink()
    hold = take(Layout(project.root).daemon_lock("emulator"))
    assert hold
    assert "the laptop's environment runs" in project.inv("init", "--project", "other", code=5)
    hold.release()
    assert project.status() == ""


KILL = """#!/bin/sh
[ "$1" != filter ] || cat
[ -e {flag} ] || exit 0
rm {flag}
kill -9 0
"""
"""A hook or a filter of git's that once kills its own process group: git, and the `inv` that has started it."""


@pytest.mark.parametrize("moment", ["filter", "post-index-change", "prepare-commit-msg", "post-commit"])
def test_killed_at_any_moment_it_goes_on(project: Checkout, moment: str, tmp_path: Path) -> None:
    """Within the files, after them, before the commit and after it: the next run ends where an unharmed one does."""
    own = make_own(project)
    flag = tmp_path / "kill"
    script = project.root / ".git/hooks" / moment
    script.write_text(KILL.format(flag=flag))
    script.chmod(0o755)
    if moment == "filter":
        project.git("config", "filter.kill.smudge", f"{script} filter")
        project.git("config", "filter.kill.clean", "cat")
        project.write(".git/info/attributes", f"{MODULE} filter=kill\n")
    flag.touch()
    argv = [str(BIN / "inv"), "upgrade", "--apply"]
    killed = subprocess.run(
        argv, cwd=project.root, env=project.env, capture_output=True, start_new_session=True, check=False
    )
    assert (killed.returncode, flag.exists()) == (-signal.SIGKILL, False)
    assert moment == "post-commit" or project.git("rev-parse", "HEAD") == own
    said = project.inv("upgrade", "--apply")
    assert ("up to date" if moment == "post-commit" else "0.1.0 → 0.2.0: done") in said
    assert (project.git("rev-parse", "HEAD~1"), project.status()) == (own, "")
    assert "mine: at the end" in project.read("Dockerfile")
    assert "# 0.2.0: at the end" in project.read(MODULE)


def test_what_a_killed_git_left_is_kept_and_taken_back(project: Checkout) -> None:
    """Half of the files, a lock on the index, an edit since: the edit is among git's stashes, the rest is done."""
    own = make_own(project)
    project.inv("upgrade", "--apply")
    done = project.git("rev-parse", "HEAD")
    project.git("reset", "--quiet", "--hard", own)
    project.git("restore", f"--source={done}", "--worktree", NEW, "Dockerfile")
    project.write("README.md", "edited since\n")
    project.write(".git/index.lock", "")
    note = Layout(project.root).template_lock.with_suffix(".underway")
    note.write_text(json.dumps({"head": own, "aside": done}))
    said = project.inv("upgrade", "--apply")
    assert "took back what a killed run had left half done" in said
    assert "removed the index.lock" in said
    assert project.git("rev-parse", "HEAD^{tree}") == project.git("rev-parse", f"{done}^{{tree}}")
    assert project.status() == ""
    assert project.git("show", "stash@{0}:README.md") == "edited since"
    assert not note.exists()


def test_a_project_without_the_templates_history(template: Checkout, tmp_path: Path, env: dict[str, str]) -> None:
    """As GitHub's "Use this template" makes one: the template is told, and the same content is its beginning."""
    made = Checkout(tmp_path / "bare", env)
    made.root.mkdir()
    archive = template.run("git", "archive", "--output", str(tmp_path / "t.tar"), "v0.1.0")
    assert archive.returncode == 0
    made.run("tar", "-xf", str(tmp_path / "t.tar"))
    assert "this is no git repository with a commit" in made.inv("init", code=3)
    made.git("init", "--quiet")
    made.commit("Initial commit")
    said = made.inv("init", "--project", "shop", "--repository", "you/shop")
    assert "where the template is published is not known" in said
    assert "the template's address is not known" in made.inv("upgrade", code=3)
    make_own(made)
    made.inv("upgrade", "--apply", "--template", str(template.root))
    assert "mine: at the end" in made.read("Dockerfile")
    assert "# 0.2.0: at the top" in made.read("Dockerfile")
    again = made.clone(tmp_path / "again")
    assert "shop: nothing to change" in again.inv("init")


def test_another_template_is_refused(project: Checkout, tmp_path: Path, env: dict[str, str]) -> None:
    """One that never had what the project was made from; and one that is not there, in git's own words."""
    other = Checkout(tmp_path / "other", env)
    other.root.mkdir()
    other.git("init", "--quiet")
    other.write("a", "b")
    other.commit("Begin")
    other.git("tag", "v9.0.0")
    assert "is not this project's template" in project.inv("upgrade", "--template", str(other.root), code=3)
    said = project.inv("upgrade", "--template", str(tmp_path / "nowhere"), code=4)
    assert "does not appear to be a git repository" in said
    assert "has no version 7.0.0: it has 0.1.0, 0.2.0" in project.inv("upgrade", "--to", "7.0.0", code=3)
    assert project.status() == ""
