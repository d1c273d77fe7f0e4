"""A project's folder, written by a test file by file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from stackyard.names import module_name
from stackyard.project import Project, read_project
from stackyard.services import Catalog, read_catalog

PROJECT = """\
project: acme
repository: acme/platform
region: eu-west-1
environments:
  dev: {account: "111111111111"}
  prod: {account: "222222222222", protected: true}
"""

PREVIEWS = 'previews: {account: "111111111111", max: 2}\n'

UV_BUILD = """
[build-system]
requires = ["uv_build>=0.9,<1"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-root = ""
"""


class Folder:
    """A project in a temporary folder."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        self.root = root
        self.write("stackyard.yaml", PROJECT)

    def write(self, name: str, text: str) -> Path:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    def project_yaml(self, text: str) -> None:
        """Replace stackyard.yaml."""
        self.write("stackyard.yaml", text)

    def service(self, name: str, text: str = "kind: lambda\n") -> Path:
        """Write a service that has everything it needs; return its folder."""
        base = f"src/services/{name}"
        self.write(f"{base}/service.yaml", text)
        self.write(f"{base}/pyproject.toml", f'[project]\nname = "{name}"\n{UV_BUILD}')
        self.write(f"{base}/{module_name(name)}/__init__.py", "")
        for file in ("app.py", "lambda_handler.py"):
            self.write(f"{base}/{module_name(name)}/{file}", "")
        return self.root / base

    def read_project(self) -> Project:
        """Read stackyard.yaml."""
        return read_project(self.root)

    def read_catalog(self, environment: str = "local", taken: frozenset[str] = frozenset()) -> Catalog:
        """Read every service."""
        return read_catalog(self.root, self.read_project(), environment, taken)
