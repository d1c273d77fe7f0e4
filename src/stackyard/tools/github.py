"""GitHub by its own program `gh`, which knows the credentials; and what a job of GitHub's is told by files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from stackyard.errors import MissingError, ToolError
from stackyard.github import render_outputs
from stackyard.tools.process import Runner

LOGGED_OUT = 4
"""What `gh` ends with where it has no credentials (gh help exit-codes)."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """One repository at GitHub, by its REST API."""

    runner: Runner
    repository: str
    """``owner/name``."""

    def read(self, path: str = "") -> Any:  # JSON of GitHub's
        """Return what the repository has at ``path``, or None where there is nothing."""
        return self._call("GET", path, None)

    def ask(self, address: str) -> Any:  # the same
        """Return what is at an address outside the repository, or None where there is nothing."""
        return self._call("GET", "", None, address=address)

    def read_all(self, path: str, key: str = "") -> list[dict[str, Any]]:
        """Return a list of any length; ``key`` is where it is in each page."""
        pages = cast("list[Any]", self._call("GET", path, None, "--paginate", "--slurp") or [])
        lists = [page[key] if key else page for page in pages]
        return [item for items in lists for item in items]

    def send(self, method: str, path: str, body: Mapping[str, object]) -> Any:  # the same
        """Change something. Raises ToolError with GitHub's own words."""
        answer = self._call(method, path, body)
        if answer is None:
            raise ToolError(f"GitHub: {self.repository}", f"there is no {path}", command="gh auth status")
        return answer

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None, *options: str, address: str = ""
    ) -> Any:  # the same
        address = address or f"repos/{self.repository}" + (f"/{path}" if path else "")
        given = () if body is None else ("--input", "-")
        stdin = None if body is None else json.dumps(body)
        try:
            done = self.runner.run(
                ("gh", "api", "--method", method, *options, address, *given), stdin=stdin, timeout=60
            )
        except MissingError as error:
            fix = "Install GitHub's command line, https://cli.github.com."
            raise MissingError("there is no gh", "GitHub is asked by it", fix=fix, command="gh auth login") from error
        if done.code == LOGGED_OUT:
            raise MissingError("gh is not logged in", detail=done.stderr, command="gh auth login")
        if done.code != 0:
            if re.search(r"\(HTTP 404\)", done.stderr):
                return None
            raise ToolError(f"GitHub refused ({method} {address})", detail=done.stderr, command="gh auth status")
        return json.loads(done.stdout) if done.stdout.strip() else {}


def tell_job(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Give later steps of a job these outputs; outside of GitHub's jobs there is nobody to tell."""
    _append(environ.get("GITHUB_OUTPUT"), render_outputs(values))


def tell_reader(environ: Mapping[str, str], text: str) -> None:
    """Show Markdown on the page of the run; outside of GitHub's jobs there is none."""
    _append(environ.get("GITHUB_STEP_SUMMARY"), text)


def find_run(environ: Mapping[str, str]) -> str:
    """Return the address of the run that we are part of, or nothing."""
    parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _append(file: str | None, text: str) -> None:
    if file:
        with Path(file).open("a", encoding="utf-8") as output:
            output.write(text)
