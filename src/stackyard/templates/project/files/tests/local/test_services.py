"""Every service of this project runs on this machine, deployed by the real Terraform, and answers as it must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.project import HERE, Project, copy_project, find_uv, free_port, install, smoke


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A copy of the project with an environment of its own: what `inv up` runs here is left alone."""
    root = tmp_path / "project"
    copy_project(root)
    install(root)
    made = Project(root, root / ".venv/bin/inv", free_port(), {"UV": find_uv()})
    yield made
    made.run("down")


def test_every_service_answers(project: Project) -> None:
    """After one `inv up`, each service passes what `nox -s smoke` asks: its health first."""
    project.up()
    if any((HERE / "src/services").glob("*/service.yaml")):
        done = smoke(project)
        assert done.code == 0, done.text()
