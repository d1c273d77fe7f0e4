"""What a tag is made of is what uv puts into a wheel, so into an image: no more, and never less."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from stackyard.tools.tree import hash_package
from tests.terraform import ROOT

FOLDER = "src/services/order-desk"
BUILD = '[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"\n'
FILES = (
    *("LICENSE", "README.md", "conftest.py", "docs/plan.md", "order_desk/__init__.py", "order_desk/pages/README.md"),
    *("order_desk/.well-known/x", "shop/__init__.py", "shop/data/words.txt", "inside/order_desk/__init__.py"),
)


def make(root: Path, project: str = "", settings: str = "") -> Path:
    """Write a package that has more in its folder than belongs into its wheel."""
    folder = root / FOLDER
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    text = f'[project]\nname = "order-desk"\nversion = "1"\n{project}\n{BUILD}{settings}'
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def packed(folder: Path, out: Path) -> set[str]:
    """Build a wheel and return its files, but for those that describe it."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "these tests build with uv, as the Dockerfile does"
    subprocess.run([uv, "build", "-q", "--wheel", "--offline", "--out-dir", str(out), str(folder)], check=True)
    [wheel] = out.glob("*.whl")
    return {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/") and ".dist-info/" not in name}


def hashed(root: Path, folder: str, module_root: str = "") -> set[str]:
    """Return what counts for the tag, as a wheel would name it."""
    start = "/".join(part for part in (folder, module_root) if part)
    return {
        path.removeprefix(f"{start}/") for path in hash_package(root, folder) if not path.endswith("pyproject.toml")
    }


@pytest.mark.parametrize(
    ("settings", "module_root"),
    [
        ('module-root = ""', ""),
        ('module-root = "inside"', "inside"),
        ('module-root = ""\nmodule-name = ["order_desk", "shop"]', ""),
        ('module-root = ""\nmodule-name = "shop"', ""),
    ],
    ids=["flat", "in a folder", "two", "another name"],
)
def test_a_tag_counts_what_is_packed(tmp_path: Path, settings: str, module_root: str) -> None:
    """File by file, in each layout that is told by nothing but where its packages are."""
    folder = make(tmp_path, settings=f"[tool.uv.build-backend]\n{settings}\n")
    assert hashed(tmp_path, FOLDER, module_root) == packed(folder, tmp_path / "out")


@pytest.mark.parametrize(
    ("project", "settings"),
    [
        ('license-files = ["LICENSE"]', 'module-root = ""'),
        ("", 'module-root = ""\nnamespace = true'),
        ("", 'module-root = ""\nwheel-exclude = ["order_desk/pages"]'),
        ("", 'module-root = ""\n[tool.uv.build-backend.data]\nscripts = "docs"'),
    ],
    ids=["licences", "a namespace", "without some", "data"],
)
def test_a_tag_counts_all_where_more_is_said(tmp_path: Path, project: str, settings: str) -> None:
    """What uv makes of further settings is not guessed: every file counts, so none that is packed can be missed."""
    folder = make(tmp_path, project, f"[tool.uv.build-backend]\n{settings}\n")
    assert hashed(tmp_path, FOLDER) == set(FILES)
    assert packed(folder, tmp_path / "out") <= {*FILES, "order_desk-1.data/scripts/plan.md"}


@pytest.mark.parametrize("folder", ["src/servicekit", "src/services/api", "src/services/web", "src/services/worker"])
def test_the_projects_own_packages(tmp_path: Path, folder: str) -> None:
    """What is here is packed as it is counted; bytecode and tools' caches, which docker is not sent, are not."""
    copy = shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    assert hashed(ROOT, folder) == packed(copy, tmp_path / "out")
