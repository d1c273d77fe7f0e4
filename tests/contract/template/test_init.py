"""`inv init` from outside, with real git."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from stackyard.answers import read_record
from stackyard.project import read_project
from tests.contract.template.checkout import BIN, Checkout
from tests.terminal import converse


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
