"""The GitHub workflows in the eyes of other people's tools: the schemas of GitHub's files, zizmor, shellcheck."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from stackyard.tools.process import SystemRunner
from tests.workflows import FOLDER, all_steps

SCHEMAS = files("check_jsonschema") / "builtin_schemas" / "vendor"
FILES = {
    "github-workflows.json": sorted((FOLDER / "workflows").glob("*.yml")),
    "github-actions.json": sorted((FOLDER / "actions").glob("*/action.yml")),
    "dependabot.json": [FOLDER / "dependabot.yml"],
}


def tool(name: str) -> str:
    """Return a program of the environment that the tests run in."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is in the dependency group security"
    return found


@pytest.mark.parametrize("schema", FILES)
def test_files_are_what_github_reads(schema: str) -> None:
    """By the schemas that editors use, too (schemastore.org), as check-jsonschema carries them."""
    rules = json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))
    assert "draft-07" in rules["$schema"]
    validator = Draft7Validator(rules)
    assert FILES[schema]
    for file in FILES[schema]:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        # YAML 1.1's `on` is true.
        read = {"on" if key is True else key: value for key, value in data.items()}
        # Its iterator of errors has no types.
        assert [f"{file.name}: {each}" for each in validator.iter_errors(read)] == []  # pyright: ignore[reportUnknownMemberType]


def test_zizmor_finds_nothing() -> None:
    """Templates in shells, tokens that stay, unpinned actions, poisoned caches, too many rights."""
    done = SystemRunner().run((tool("zizmor"), "--offline", "--no-progress", "--format=json", str(FOLDER)))
    assert json.loads(done.stdout) == [], done.stdout
    assert done.code == 0, done.stderr


def test_shellcheck_finds_nothing() -> None:
    """Every `run:`, whose variables are quoted so that no name of a branch or service becomes two words."""
    scripts = sorted({step["run"] for _, step in all_steps() if "run" in step})
    assert len(scripts) > 10
    whole = "\n".join(f"(\n{script}\n)" for script in scripts)
    argv = (tool("shellcheck"), "--shell=bash", "--severity=style", "--exclude=SC2154", "--format=gcc", "-")
    done = SystemRunner().run(argv, stdin=f"#!/bin/bash\n{whole}\n")
    assert done.stdout == "", done.stdout
    assert done.code == 0, done.stderr
    unquoted = SystemRunner().run(argv, stdin="#!/bin/bash\ninv deploy --env $ENVIRONMENT\n")
    assert "SC2086" in unquoted.stdout
