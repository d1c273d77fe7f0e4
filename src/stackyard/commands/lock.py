"""``inv lock``: pin everything that comes from elsewhere, packages and Terraform's providers, for all platforms.

Terraform works on a copy of ``infra``, so that nothing of the project changes before everything has been found.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from stackyard.commands.state import STACKS
from stackyard.errors import UsageError
from stackyard.local.layout import Layout
from stackyard.screen import Screen
from stackyard.tools import uv
from stackyard.tools.holding import write_atomically
from stackyard.tools.process import Runner, SystemRunner
from stackyard.tools.providers import LOCK, PLATFORMS, Locking
from stackyard.tools.terraform_binary import cli_environment, find_terraform

_LEFT_OUT = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfplan", "__pycache__")


@dataclass(frozen=True, slots=True)
class LockFile:
    """A lock file, as it is now."""

    file: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Locked:
    """What is pinned, and for whom."""

    files: tuple[LockFile, ...]
    platforms: tuple[str, ...]

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {"files": [asdict(each) for each in self.files], "platforms": list(self.platforms)}


def lock(
    root: Path,
    screen: Screen,
    platforms: Sequence[str] = (),
    *,
    upgrade: bool = False,
    runner: Runner | None = None,
) -> Locked:
    """Write ``uv.lock`` and both stacks' ``.terraform.lock.hcl``. Raises StackyardError; then the latter are as before.

    Args:
        root: The project's.
        screen: Where what comes is told.
        platforms: Those of Terraform's providers, ``linux_amd64`` and so on; all that we know by default.
        upgrade: Take the newest that the files allow, whatever was locked before.
        runner: Starts uv and Terraform; the system's by default.

    """
    runner, platforms = runner or SystemRunner(), tuple(dict.fromkeys(platforms)) or PLATFORMS
    for name in platforms:
        if not re.fullmatch(r"[a-z0-9]+_[a-z0-9]+", name):
            raise UsageError(f"--platform {name}", f"that is no platform, such as {PLATFORMS[0]}", command="inv lock")
    cache = Layout(root).cache
    binary = find_terraform(runner, cache)
    named = os.environ.get("STACKYARD_PROVIDER_MIRROR")
    env = cli_environment(os.environ, Path.home(), binary.registry, cache)
    locking = Locking(runner, binary, env, Path(named).resolve() if named else None, platforms)
    written = {f"infra/{name}/{LOCK}": "" for name in STACKS}
    with tempfile.TemporaryDirectory(prefix="stackyard-lock-") as folder:
        copy = Path(folder) / "infra"
        shutil.copytree(root / "infra", copy, ignore=_LEFT_OUT)
        for name in STACKS:
            with screen.stage(f"providers of infra/{name}"):
                if upgrade:
                    (copy / name / LOCK).unlink(missing_ok=True)
                written[f"infra/{name}/{LOCK}"] = locking.lock(copy / name, screen.note)
    with screen.stage("packages"):
        before = _read(root / uv.LOCK)
        uv.lock_packages(runner, root, upgrade=upgrade)
    files = [LockFile(uv.LOCK, changed=_read(root / uv.LOCK) != before)]
    for file, text in written.items():
        changed = _read(root / file) != text
        if changed:
            write_atomically(root / file, text, 0o644)
        files.append(LockFile(file, changed))
    return Locked(tuple(files), platforms)


def show_locked(screen: Screen, locked: Locked) -> None:
    """Say which files changed, and what to do with them."""
    changed = [each.file for each in locked.files if each.changed]
    for each in locked.files:
        screen.say(f"{'written' if each.changed else 'as it was':9}  {each.file}")
    if changed:
        screen.say(f"next: commit {', '.join(changed)}")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
