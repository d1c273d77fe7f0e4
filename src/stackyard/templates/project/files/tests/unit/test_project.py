"""What the project's files say is read, and goes together. Tests of the team's own tasks belong here, too."""

from __future__ import annotations

import re
from pathlib import Path

from stackyard.project import read_project
from stackyard.services import read_catalog

ROOT = Path(__file__).resolve().parents[2]


def test_every_service_is_described_well() -> None:
    """`stackyard.yaml` and each `service.yaml` are read, for every environment, without a complaint."""
    project = read_project(ROOT)
    for environment in ("local", *project.environments):
        catalog = read_catalog(ROOT, project, environment, frozenset())
        assert all(entry.name for entry in catalog.entries)


def test_what_deploys_names_environments_that_exist() -> None:
    """`deploy.yml` names its environments; those are in `stackyard.yaml`."""
    workflow = ROOT / ".github/workflows/deploy.yml"
    text = workflow.read_text(encoding="utf-8") if workflow.is_file() else ""
    assert set(re.findall(r"--(?:env|to|from) ([a-z][a-z0-9-]*)", text)) <= set(read_project(ROOT).environments)
