"""Everything that is checked, by name. A bare `nox` runs all but what needs a live AWS.

Each session gets the workspace synced into an environment of its own, from the one lock file. What is marked
`template-only` checks the template itself: `inv init` leaves it out (docs/guides/upgrading.md).
"""

import os
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = [
    "lint",
    "typecheck",
    "unit",
    "infra",
    "contract",  # template-only
    "local",
]

ROOT = Path(__file__).parent
UV = os.environ.get("UV", "uv")

SIDE_BY_SIDE = ("--numprocesses=3", "--dist=worksteal")
"""Tests that often wait, for Terraform's own pauses and for other processes: three keep two cores at work."""

ROOMY = {"GOGC": "off", "GOMEMLIMIT": "1200MiB"}
"""Hundreds of short Terraforms collect no garbage before each has that much: a tenth less work for the processors."""

LINT = (
    ("ruff", "check", "--quiet", "--output-format=concise", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("yamllint", "--strict", "."),
    ("python", "-m", "stackyard.schemas", "--check"),
    ("python", "-m", "stackyard.costtable", "--check"),  # template-only
    ("python", "-m", "stackyard.diagram", "--check"),  # template-only
    ("python", "tests/terraform.py", "fmt", "-check", "-recursive", "infra"),
)

SCANS = {
    "Dockerfile": ("hadolint", "Dockerfile"),
    "scripts": ("shellcheck", ".ci/run"),  # template-only
    "workflows": ("zizmor", "--offline", "--no-progress", "--quiet", "."),
    "secrets": (
        "kingfisher", "scan", ".", "--quiet", "--redact", "--no-validate", "--no-update-check",
        "--exclude=.venv", "--exclude=.nox", "--exclude=.uv", "--exclude=.stackyard",
    ),
    "infra": ("uv", "run", "--quiet", "--no-project", "--with-requirements=infra/checkov.txt", "checkov"),
}  # fmt: skip
"""What needs no network, by what is scanned. A finding ends with another code than 0.

Secrets are looked for in files and history, never shown and never tried out. checkov's settings are in `.checkov.yaml`.
"""

STRICT = {"CKV_PARSE_ERROR_FAIL": "true"}
"""What checkov cannot read has not been checked."""

EXPORT = ("export", "--quiet", "--frozen", "--all-packages", "--all-groups", "--no-emit-workspace")
"""Lists every package of the lock but our own, with its hashes."""

AUDIT = ("pip-audit", "--vulnerability-service=osv", "--disable-pip", "--require-hashes", "--progress-spinner=off")
"""Asks OSV for advisories about each package of a list; its address is `--osv-url`'s."""

ACCEPTED: dict[str, str] = {}
"""Advisory -> why it does not concern this project."""


def sync(session: nox.Session, *groups: str) -> None:
    """Bring the session's environment to what the lock file says."""
    chosen = [f"--group={group}" for group in groups]
    # Bytecode is compiled: without it every process that a test starts is three times slower.
    session.run_install(
        UV, "sync", "--quiet", "--all-packages", "--no-default-groups", "--compile-bytecode", *chosen,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location, "VIRTUAL_ENV": session.virtualenv.location},
        external=True,
    )  # fmt: skip
    session.env.update({"UV": UV, "PYTHONDONTWRITEBYTECODE": "0", **ROOMY})


@nox.session
def lint(session: nox.Session) -> None:
    """Style, borders between modules, Terraform's format, and that generated files are fresh."""
    sync(session, "lint")
    for command in LINT:
        session.run(*command)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Types, strictly."""
    groups = ["typecheck", "test", "dev"]
    groups += ["browser", "fuzz", "docs"]  # template-only
    sync(session, *groups)
    # Told, because it would otherwise look into the project's own .venv.
    session.run("basedpyright", "--pythonpath", f"{session.bin}/python")


@nox.session
def unit(session: nox.Session) -> None:
    """Decisions, models, texts, services: no process, no socket, no AWS."""
    sync(session, "test")
    session.run("pytest", *SIDE_BY_SIDE, "tests/unit", "src/servicekit/tests", "src/services", *session.posargs)


@nox.session
def infra(session: nox.Session) -> None:
    """Every Terraform module by its own tests, with a mocked provider."""
    sync(session, "test")
    session.run("pytest", *SIDE_BY_SIDE, "tests/infra", *session.posargs)


# template-only: begin
@nox.session
def contract(session: nox.Session) -> None:
    """The real tools, one at a time: git, Terraform, the embedded AWS, what reads the workflows."""
    sync(session, "test", "security", "lint")
    session.run("pytest", *SIDE_BY_SIDE, "tests/contract", *session.posargs)


# template-only: end
@nox.session
def local(session: nox.Session) -> None:
    """The whole system on this machine, beside the one that `inv up` runs."""
    groups, folders = ["test", "dev"], ["tests/local"]
    groups, folders = [*groups, "browser"], [*folders, "tests/browser"]  # template-only
    sync(session, *groups)
    session.run("pytest", *SIDE_BY_SIDE, *folders, *session.posargs)


@nox.session
def security(session: nox.Session) -> None:
    """Infra, workflows, Dockerfile, secrets, advisories about every locked package: `-- --offline` leaves those out."""
    sync(session, "security", "test", "dev")
    if "true" in str(session.run("git", "rev-parse", "--is-shallow-repository", external=True, silent=True, log=False)):
        session.warn("NOT SCANNED for secrets: the history, of which this clone has no more than its end")
    for tool, *arguments in SCANS.values():
        session.run(UV if tool == "uv" else tool, *arguments, external=tool == "uv", env=STRICT)
    session.run("pytest", "tests/security")  # template-only
    asked = list(session.posargs)
    if "--offline" in asked:
        session.warn("NOT CHECKED: whether any package has a known vulnerability (--offline)")
        return
    locked = f"{session.create_tmp()}/locked.txt"
    session.run(UV, *EXPORT, f"--output-file={locked}", external=True)
    ignored = [f"--ignore-vuln={advisory}" for advisory in ACCEPTED]
    session.run(*AUDIT, *ignored, f"--requirement={locked}", *asked)


# template-only: begin
@nox.session
def images(session: nox.Session) -> None:
    """Images built, run, pushed and deployed, by a docker engine with buildx and a registry, which must be there."""
    sync(session, "test", "dev")
    session.run("pytest", "tests/images", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Malformed HTTP, slow clients and each service's own OpenAPI document, against the gateway of `inv up`."""
    sync(session, "test", "dev", "fuzz")
    session.run("pytest", "--numprocesses=2", "--dist=loadfile", "tests/fuzz", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """The page alone, which `local` has, too, in this machine's Chromium: `nox -s browser [-- --base-url URL]`."""
    sync(session, "test", "browser")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, strictly, and every shell block of the pages, typed: `nox -s docs [-- --write-times]`."""
    sync(session, "test", "dev", "docs")
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Print figures, side by side: `nox -s bench -- NAME`, without a name all.

    cli, servicekit, gateway, deploy, orchestration, up, scale, fingerprint, bake, logs.
    """
    sync(session, "test", "dev")
    session.run("python", "-m", "tests.bench", *session.posargs)


# template-only: end
@nox.session
def smoke(session: nox.Session) -> None:
    """A deployed environment, by its address: `nox -s smoke -- --env dev [--service api]`."""
    sync(session, "test")
    session.run("pytest", "tests/smoke", *(session.posargs or ["--env", "local"]))
