"""`inv init` and `inv upgrade` from outside: real git, and two versions of the template made of this very tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from stackyard.answers import FILE, read_record
from stackyard.local.layout import Layout
from stackyard.project import read_project
from stackyard.tools.holding import take
from tests.printed import check_printed
from tests.terminal import converse
from tests.terraform import ROOT

BIN = Path(sys.executable).parent
SAMPLES = ("api", "web", "worker")
MODULE = "infra/modules/lambda-service/main.tf"
NEW = "src/stackyard/brandnew.py"
NOTED = "docs/gotchas.md"


@dataclass(slots=True)
class Checkout:
    """A repository in a temporary folder."""

    root: Path
    env: dict[str, str]

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            argv, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout.strip()

    def inv(self, *arguments: str, code: int = 0) -> str:
        """Run `inv`, and insist on its exit code; what it said on both streams."""
        done = self.run(str(BIN / "inv"), *arguments, check=False)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        check_printed(arguments, done.stdout)
        return done.stdout + done.stderr

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def change(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text, f"{path} has no {old!r}"
        (self.root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def clone(self, root: Path) -> Checkout:
        self.git("clone", "--quiet", str(self.root), str(root))
        return Checkout(root, self.env)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user that git knows, and none of this machine's settings."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\nname = U\nemail = u@example.com\n[init]\ndefaultBranch = main\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CI", "NOX", "XDG_"))}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, env: dict[str, str]) -> Checkout:
    """A repository that publishes the template: 0.1.0 is this tree, 0.2.0 changes, adds and removes something."""
    made = Checkout(tmp_path_factory.mktemp("template"), env)
    listed = Checkout(ROOT, env).git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (made.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, made.root / name)
    made.git("init", "--quiet")
    made.commit("Begin")
    made.git("tag", "v0.1.0")
    made.change("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    made.change("Dockerfile", "\n", "\n# 0.2.0: at the top\n")
    made.write(MODULE, made.read(MODULE) + "\n# 0.2.0: at the end\n")
    made.write("tests/unit/test_brandnew.py", "raise RuntimeError\n")
    made.write(NEW, '"""New in 0.2.0."""\n')
    (made.root / "docs/guides/adopting.md").unlink()
    made.write(NOTED, "# Gotchas of 0.2.0\n" + made.read(NOTED).partition("\n")[2])
    made.commit("Go on")
    made.git("tag", "v0.2.0")
    return made


def make_clone(template: Checkout, root: Path) -> Checkout:
    """Clone 0.1.0 to a branch main, whose origin is the template."""
    made = template.clone(root)
    made.git("checkout", "--quiet", "-B", "main", "v0.1.0")
    return made


@pytest.fixture
def clone(template: Checkout, tmp_path: Path) -> Checkout:
    """A fresh clone of 0.1.0."""
    return make_clone(template, tmp_path / "shop")


@pytest.fixture(scope="module")
def made(template: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A user's project made from 0.1.0, once for all."""
    clone = make_clone(template, tmp_path_factory.mktemp("made") / "shop")
    clone.inv("init", "--project", "shop", "--repository", "you/shop", "--account", "dev=111122223333")
    return clone


@pytest.fixture
def project(made: Checkout, tmp_path: Path) -> Checkout:
    """A user's project made from 0.1.0, for one test."""
    shutil.copytree(made.root, tmp_path / "shop", symlinks=True)
    return Checkout(tmp_path / "shop", made.env)


def test_a_clone_becomes_a_project_in_one_commit(clone: Checkout, template: Checkout) -> None:
    """Names and accounts are in, what tests the template is out; again changes nothing."""
    before = clone.git("rev-parse", "HEAD")
    tried = json.loads(clone.inv("init", "--project", "shop", "--repository", "you/shop", "--dry-run", "--json"))
    assert tried["dry_run"]
    assert len(tried["changes"]) > 100
    assert (clone.git("rev-parse", "HEAD"), clone.status()) == (before, "")
    said = clone.inv("init", "--project", "shop", "--repository", "you/shop", "--account", "dev=111122223333")
    assert "no account yet: test, prod" in said
    assert "next: git remote set-url origin git@github.com:you/shop.git" in said
    assert (clone.git("rev-parse", "HEAD~1"), clone.status()) == (before, "")
    assert clone.git("log", "-1", "--format=%s %an") == "Make shop of Stackyard 0.1.0 U"
    project = read_project(clone.root)
    assert (project.project, project.repository) == ("shop", "you/shop")
    assert project.environments["dev"].account == "111122223333"
    record = read_record(clone.root)
    assert record
    assert (record.template, record.version, record.commit) == (str(template.root), "0.1.0", before)
    assert clone.read("README.md").startswith("# shop\n")
    for gone in ("tests/contract", "tests/local/test_up.py", ".ci", "src/stackyard/templates/project"):
        assert not (clone.root / gone).exists(), gone
    clone.write("uv.lock", "x")
    assert clone.status() == "?? uv.lock"
    (clone.root / "uv.lock").unlink()
    head = clone.git("rev-parse", "HEAD")
    assert "shop: nothing to change" in clone.inv("init")
    assert "shop: nothing to change" in clone.inv("init", "--project", "shop")
    assert clone.git("rev-parse", "HEAD") == head
    undo = re.search(r"take it back: (git reset --keep \w+)", said)
    assert undo
    clone.run(*undo[1].split())
    assert (clone.git("rev-parse", "HEAD"), clone.status()) == (before, "")


def test_other_answers_later_keep_what_was_written(project: Checkout) -> None:
    """A new name, an account and no samples any more; an own service and own settings stay."""
    project.inv("add-service", "mine")
    project.change("stackyard.yaml", "protected: true", "protected: true, xray: false")
    project.commit("Mine")
    project.inv("init", "--project", "store", "--account", "dev=444455556666", "--samples", "remove")
    read = read_project(project.root)
    assert (read.project, read.repository) == ("store", "you/shop")
    assert (read.environments["dev"].account, read.environments["prod"].xray) == ("444455556666", False)
    assert [path.name for path in (project.root / "src/services").iterdir() if path.name != ".gitkeep"] == ["mine"]
    assert project.status() == ""


def test_at_a_terminal_it_asks(clone: Checkout) -> None:
    """A wrong answer is asked again, Enter takes what is offered; the folder's name is a guess at the project's."""
    answers = {
        "begins every name in AWS [shop]: ": "No Name\n",
        "20 at the most\r\nProject's name; it begins every name in AWS [shop]: ": "\n",
        "owner/name: ": "you/shop\n",
        "AWS region [eu-west-1]: ": "us-east-1\n",
        "  dev: ": "111122223333\n",
        "  test: ": "\n",
        "  prod: ": "\n",
        "[keep]: ": "2\n",
    }
    code, said = converse([str(BIN / "inv"), "init"], clone.root, clone.env, answers)
    assert code == 0, said
    read = read_project(clone.root)
    assert (read.project, read.repository, read.region) == ("shop", "you/shop", "us-east-1")
    assert [path.name for path in (clone.root / "src/services").iterdir()] == [".gitkeep"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--project is missing: there is nobody to ask"),
        (("--project", "Shop"), "--project Shop: must be small letters"),
        (("--project", "shop", "--repository", "shop"), "--repository shop: must be owner/name"),
        (
            ("--project", "shop", "--repository", "you/shop", "--samples", "some"),
            "--samples some: must be keep or remove",
        ),
        (("--account", "dev=1"), "--account dev=1: must be 12 digits"),
        (
            ("--project", "shop", "--repository", "you/shop", "--account", "dev-eu=111111111111"),
            "begins with `dev-` and is in the same account",
        ),
    ],
)
def test_a_wrong_answer_changes_nothing(clone: Checkout, arguments: tuple[str, ...], words: str) -> None:
    """It is named, with what is allowed."""
    head = clone.git("rev-parse", "HEAD")
    assert words in clone.inv("init", *arguments, code=2)
    assert (clone.git("rev-parse", "HEAD"), clone.status()) == (head, "")


def test_a_project_hangs_together(project: Checkout) -> None:
    """What its checks name is there: folders of tests, modules that tests import, groups, links of its pages."""
    noxfile = project.read("noxfile.py")
    for path in re.findall(r'"(tests/[\w/.]+)"', noxfile):
        assert (project.root / path).exists(), path
    named = "".join(project.read(str(path)) for path in (project.root / "tests").rglob("*.py"))
    for module in set(re.findall(r"^(?:from|import) (tests[\w.]*)", named, re.MULTILINE)) - {"tests"}:
        place = project.root / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or place.is_dir(), module
    marked = project.run("git", "grep", "--line-number", "# template-only", "--", ":!src", ":!docs", check=False).stdout
    assert marked == ""
    workflow = yaml.safe_load(project.read(".github/workflows/ci.yml"))
    assert set(workflow["jobs"]["ci"]["needs"]) <= set(workflow["jobs"])
    sessions = re.findall(r"^def (\w+)\(session", noxfile, re.MULTILINE)
    assert set(workflow["jobs"]["tools"]["strategy"]["matrix"]["session"]) <= set(sessions)
    groups = set(re.findall(r"^([a-z]+) = \[", project.read("pyproject.toml").split("[dependency-groups]")[1], re.M))
    for call in re.findall(r"(?:sync\(session,|groups =) (.*)", noxfile):
        assert set(re.findall(r'"(\w+)"', call)) <= groups
    broken: list[str] = []
    for page in (project.root / "README.md", *(project.root / "docs").rglob("*.md")):
        text = re.sub(r"^ *```.*?^ *```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        links = [link for link in re.findall(r"\]\(([^)\s#]+)", text) if not re.match(r"[a-z]+:", link)]
        broken += [f"{page.relative_to(project.root)}: {link}" for link in links if not (page.parent / link).exists()]
    assert broken == []


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
