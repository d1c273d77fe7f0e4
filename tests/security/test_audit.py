"""The audit of packages, by the command that `nox -s security` runs, against an advisory service on the loopback."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import noxfile
from tests.terraform import ROOT


@dataclass(slots=True)
class Advisories:
    """A service that answers as OSV does (OSV: `POST /v1/query`)."""

    url: str = ""
    known: dict[str, str] = field(default_factory=dict[str, str])
    """Package -> id of its advisory."""
    asked: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def answer(self, query: dict[str, str | dict[str, str]]) -> dict[str, list[dict[str, object]]]:
        package, version = query["package"], query["version"]
        assert isinstance(package, dict)
        assert isinstance(version, str)
        self.asked.add((package["name"], version))
        if package["name"] not in self.known:
            return {}
        affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
        return {"vulns": [{"id": self.known[package["name"]], "summary": "planted", "affected": [affected]}]}


@pytest.fixture
def advisories() -> Iterator[Advisories]:
    """A service without a single advisory."""
    service = Advisories()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(service.answer(query)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base calls it so)
            """Say nothing: what the command says is enough."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}/v1/query"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield service
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv.lock holds, as the session lists it."""
    listed = tmp_path_factory.mktemp("audit") / "locked.txt"
    subprocess.run([os.environ.get("UV", "uv"), *noxfile.EXPORT, f"--output-file={listed}"], cwd=ROOT, check=True)
    return listed


def audit(locked: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    argv = [*noxfile.AUDIT, *more, f"--requirement={locked}", f"--osv-url={url}"]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_locked_package_is_asked_about(advisories: Advisories, locked: Path) -> None:
    """Each third-party package of the lock is asked about at its version, and without an advisory all is well."""
    done = audit(locked, advisories.url)
    assert done.returncode == 0, done.stderr
    # What only another system or Python gets stands behind a marker that is false here.
    wanted = set(re.findall(r"^([\w.-]+)==(\S+) \\$", locked.read_text(), re.MULTILINE))
    assert len(wanted) > 100
    assert advisories.asked >= wanted


def test_an_advisory_ends_the_session(advisories: Advisories, locked: Path) -> None:
    """One advisory about one package makes the command fail, and it names the package and the advisory."""
    advisories.known["jinja2"] = "GHSA-plan-ted0-0000"
    done = audit(locked, advisories.url)
    assert done.returncode != 0
    assert re.search(r"^jinja2\s+\S+\s+GHSA-plan-ted0-0000", done.stdout, re.MULTILINE)
    assert "Found 1 known vulnerability in 1 package" in done.stderr


def test_an_accepted_advisory_is_let_through(advisories: Advisories, locked: Path) -> None:
    """What stands in the noxfile's ACCEPTED is given to the command so, and is no failure."""
    advisories.known["jinja2"] = "GHSA-plan-ted0-0000"
    assert audit(locked, advisories.url, "--ignore-vuln=GHSA-plan-ted0-0000").returncode == 0


def test_no_answer_is_a_failure(locked: Path) -> None:
    """A service that cannot be reached ends the session: what was not checked does not pass."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, nobody else can
        assert audit(locked, f"http://127.0.0.1:{taken.getsockname()[1]}/v1/query").returncode != 0
