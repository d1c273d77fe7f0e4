"""The template in two versions, made of this very tree, and projects that are made from it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.contract.template.checkout import MODULE, NEW, NOTED, Checkout
from tests.terraform import ROOT


@pytest.fixture(scope="session")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A user that git knows, and none of this machine's settings."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[user]\nname = U\nemail = u@example.com\n[init]\ndefaultBranch = main\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "CI", "NOX", "XDG_"))}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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
