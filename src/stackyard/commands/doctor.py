"""``inv doctor``: every tool, version, credential, quota and setting that a deploy needs, and what mends each.

Each check observes one thing and returns a row; none stops the others. What fails ends the command with exit code 3.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from stackyard.bake import REGISTRY
from stackyard.commands.previews import find_there
from stackyard.commands.secrets import create_secret
from stackyard.commands.session import Session
from stackyard.errors import StackyardError
from stackyard.kinds import KINDS
from stackyard.local import daemons
from stackyard.names import LOCAL, PREVIEW_PREFIX
from stackyard.project import find_target
from stackyard.screen import Screen
from stackyard.tools.buildx import check_engine
from stackyard.tools.secrets import has_secret
from stackyard.tools.terraform_binary import find_mirror, mirror_folders

Status = Literal["ok", "warn", "fail"]

DISK = 2
"""GiB that Terraform's provider, packages and images want free."""

CONCURRENCY = 100
"""Requests at once that Lambda leaves unreserved at the least (Lambda: Configuring reserved concurrency)."""


SCALINGS = 10
"""Auto scaling configurations by name, of an account in a region (App Runner: Managing App Runner automatic scaling).
Every service has its own."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    command: str = ""


def doctor(root: Path, environment: str, screen: Screen, *, json: bool = False) -> bool:
    """Check everything and print it; True when nothing failed."""
    session = Session.begin(root, environment, screen)
    checks = list(run_checks(session))
    if json:
        screen.json([asdict(check) for check in checks])
    else:
        signs = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
        width = max(len(check.name) for check in checks)
        for check in checks:
            first, *rest = check.found.splitlines() or [""]
            screen.data(f"{signs[check.status]}  {check.name.ljust(width)}  {first}")
            for line in rest:
                screen.data(f"      {' ' * width}  {line}")
            if check.status != "ok" and check.command:
                screen.data(f"      {' ' * width}  run: {check.command}")
    return all(check.status != "fail" for check in checks)


def run_checks(session: Session) -> Iterator[Check]:
    """Look at everything, the machine first, then the project, then the environment's AWS."""
    yield _python()
    yield _program(session, "uv", "pip install uv", ["--version"])
    yield _program(session, "git", "apt-get install git   # or: brew install git", ["--version"])
    yield _guarded("terraform", lambda: _terraform(session))
    yield _guarded("AWS provider", lambda: _provider(session))
    yield _docker(session)
    yield _disk(session)
    yield _guarded("stackyard.yaml", lambda: Check("stackyard.yaml", "ok", f"project {session.project.project}"))
    yield _guarded("services", lambda: Check("services", "ok", ", ".join(session.catalog.names()) or "none"))
    yield _lock(session)
    environment = _guarded("environment", lambda: _environment(session))
    yield environment
    if environment.status == "fail":
        return
    yield from _local(session) if session.environment == LOCAL else _account(session)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    """Turn an error of ours into a failed check that shows the same words and command."""
    try:
        return look()
    except StackyardError as error:
        return Check(name, "fail", "\n".join(filter(None, [str(error), error.fix])), error.command)


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = sys.version_info >= (3, 11)
    return Check("python", "ok" if good else "fail", version, "uv python install 3.14")


def _program(session: Session, name: str, command: str, arguments: list[str]) -> Check:
    path = (os.environ.get("UV") if name == "uv" else None) or session.runner.which(name)
    if path is None:
        return Check(name, "fail", "not on PATH", command)

    def ask() -> Check:
        done = session.runner.run([path, *arguments])
        words = (done.stdout or done.stderr).strip()
        return Check(name, "ok", words) if done.code == 0 else Check(name, "fail", words or "does not run", command)

    return _guarded(name, ask)


def _terraform(session: Session) -> Check:
    binary = session.terraform
    note = f" ({binary.note})" if binary.note else ""
    return Check("terraform", "ok", f"{binary.product} {binary.version}{note}")


def _provider(session: Session) -> Check:
    named = os.environ.get("TF_CLI_CONFIG_FILE")
    if named and Path(named).is_file():
        return Check("AWS provider", "ok", f"as {named} says")
    folder = os.environ.get("STACKYARD_PROVIDER_MIRROR")
    if not folder and (Path.home() / ".terraformrc").is_file():
        return Check("AWS provider", "ok", "as your .terraformrc says")
    mirror = find_mirror(mirror_folders(os.environ, Path.home()), session.terraform.registry)
    if mirror is None and folder:
        return Check(
            "AWS provider",
            "fail",
            f"{folder} holds no {session.terraform.registry}/hashicorp/aws",
            "unset STACKYARD_PROVIDER_MIRROR",
        )
    return Check("AWS provider", "ok", f"from {mirror}" if mirror else f"from {session.terraform.registry}")


def _docker(session: Session) -> Check:
    """Look for what builds images; only a warning where none need be built."""
    try:
        return Check("docker", "ok", check_engine(session.runner))
    except StackyardError as error:
        if session.environment == LOCAL and not os.environ.get(REGISTRY):
            found = f"{error.why}; without {REGISTRY} the laptop builds no images"
            return Check("docker", "warn", found, error.command)
        return Check("docker", "fail", "\n".join(filter(None, [error.why, error.detail])), error.command)


def _disk(session: Session) -> Check:
    folder = session.root
    free = shutil.disk_usage(folder).free / 2**30
    if not os.access(folder, os.W_OK):
        return Check("disk", "fail", f"{folder} may not be written", f"ls -ld {folder}")
    return Check("disk", "ok" if free >= DISK else "fail", f"{free:.0f} GiB free", f"df -h {folder}")


def _lock(session: Session) -> Check:
    there = (session.root / "uv.lock").is_file()
    return Check(
        "uv.lock", "ok" if there else "fail", "there" if there else "missing; images are made from it", "uv lock"
    )


def _environment(session: Session) -> Check:
    target = session.target
    protected = ", protected" if target.protected else ""
    return Check("environment", "ok", f"{target.name}: account {target.account}, {target.region}{protected}")


def _local(session: Session) -> Iterator[Check]:
    for name in (daemons.EMULATOR, daemons.GATEWAY):
        running = daemons.find_daemon(session.layout, name)
        title = daemons.TITLES[name].removeprefix("the ")
        found = f"{running.url} (process {running.pid})" if running else "not running"
        yield Check(title, "ok" if running else "warn", found, "inv up")


def _account(session: Session) -> Iterator[Check]:
    target, env = session.target, session.environment
    caller = _guarded("credentials", lambda: Check("credentials", "ok", session.aws.check_caller().arn))
    yield caller
    yield _pin(session)
    if caller.status == "fail":
        return
    bootstrap = f"inv bootstrap --env {env}"

    def bucket() -> Check:
        there = session.aws.has_bucket(target.state_bucket)
        found = target.state_bucket if there else f"{target.state_bucket} is missing"
        return Check("state bucket", "ok" if there else "fail", found, bootstrap)

    def images() -> Check:
        session.aws.find_images(target.image_repository, ["doctor"])
        return Check("image repository", "ok", target.image_repository)

    def role() -> Check:
        found = session.aws.gateway_log_role()
        return Check("gateway's log role", "ok" if found else "fail", found or "not set in this region", bootstrap)

    def quota() -> Check:
        total, unreserved = session.aws.concurrency_limit()
        functions = [entry.service for entry in session.catalog.entries if entry.kind.runs == "function"]
        reserved = sum(service.scaling.max or 0 for service in functions)
        good = total - reserved >= CONCURRENCY
        found = f"{total} at once, {unreserved} unreserved; this project reserves {reserved}"
        ask = f"aws service-quotas request-service-quota-increase --region {target.region} --service-code lambda"
        return Check(
            "Lambda concurrency", "ok" if good else "fail", found, f"{ask} --quota-code L-B99A9384 --desired-value 1000"
        )

    def locks() -> Check:
        held = session.aws.list_keys(target.state_bucket, "app/" + env + "/terraform.tfstate.tflock")
        return Check(
            "state lock", "warn" if held else "ok", "held" if held else "free", f"inv unlock --env {env} --dry-run"
        )

    yield _guarded("state bucket", bucket)
    yield _guarded("image repository", images)
    yield _guarded("gateway's log role", role)
    yield _guarded("Lambda concurrency", quota)
    yield _guarded("state lock", locks)
    previews = session.project.previews
    if target.preview and previews:
        yield _guarded("previews", lambda: judge_previews(target.name, find_there(session), previews.max))
    yield from _kinds(session)


def _kinds(session: Session) -> Iterator[Check]:
    """Look at what only some services need."""
    entries = session.catalog.entries
    wanted = sorted({secret for entry in entries for secret in entry.secrets.values()})
    if wanted:

        def secrets() -> Check:
            missing = [name for name in wanted if not has_secret(session.aws, name)]
            found = f"missing: {', '.join(missing)}" if missing else ", ".join(wanted)
            command = create_secret(session.target, missing[0]) if missing else ""
            return Check("secrets", "fail" if missing else "ok", found, command)

        yield _guarded("secrets", secrets)
    if any(entry.service.kind == "apprunner" for entry in entries):

        def app_runner() -> Check:
            there, needed = session.aws.count_app_runner_services(), count_app_runner(session)
            return judge_app_runner(there, needed, session.target.region)

        yield _guarded("App Runner", app_runner)


def count_app_runner(session: Session) -> int:
    """Count the App Runner services of all environments that share the account and region of the session's."""
    target, project = session.target, session.project
    previews = [f"{PREVIEW_PREFIX}{n + 1}" for n in range(project.previews.max if project.previews else 0)]
    targets = [find_target(project, name) for name in [*project.environments, *previews]]
    shared = sum((each.account, each.region) == (target.account, target.region) for each in targets)
    return shared * sum(entry.service.kind == "apprunner" for entry in session.catalog.entries)


def judge_app_runner(there: int, needed: int, region: str) -> Check:
    """Say whether an account that has ``there`` services of App Runner will take the ``needed`` ones."""
    if not there:
        return Check("App Runner", "warn", f"none in this region yet; {KINDS['apprunner'].notice}")
    if needed > SCALINGS:
        found = f"this project's {needed} services in this region want a scaling each; without a higher quota there are"
        command = f"aws service-quotas list-service-quotas --region {region} --service-code apprunner"
        return Check("App Runner", "warn", f"{found} {SCALINGS}", command)
    return Check("App Runner", "ok", f"{there} services in this region")


def judge_previews(name: str, there: list[str], most: int) -> Check:
    """Say which previews there are, and whether ``name`` finds room beside them."""
    found = f"{len(there)} of {most}" + (f": {', '.join(there)}" if there else "")
    if len(there) >= most and name not in there:
        return Check("previews", "warn", f"{found}; no room for {name}", f"inv destroy --env {there[0]}")
    return Check("previews", "ok", found)


def _pin(session: Session) -> Check:
    project = session.project
    if project.owner_id is not None:
        return Check("GitHub's trust", "ok", f"{project.repository}, pinned to its ids")
    found = "owner_id and repository_id are not in stackyard.yaml: a repository of the same name could be trusted"
    command = f"gh api repos/{project.repository} --jq '{{owner_id: .owner.id, repository_id: .id}}'"
    return Check("GitHub's trust", "warn", found, command)
