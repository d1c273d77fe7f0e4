"""The lock of a Terraform stack's providers, for all machines that it is run on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackyard.errors import MissingError, StackyardError, ToolError
from stackyard.tools.process import Runner
from stackyard.tools.terraform import no_provider
from stackyard.tools.terraform_binary import Binary

LOCK = ".terraform.lock.hcl"
PLATFORMS = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")
"""GitHub's runners, and the machines that people have."""

_FETCHED = re.compile(r"- (Retrieved .+)")
_LACKS = re.compile(r"provider (\S+) (\S+) is not available for (\S+?)\.(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Locking:
    """How providers are locked."""

    runner: Runner
    binary: Binary
    env: Mapping[str, str]
    mirror: Path | None
    """A folder that holds them; None for their registries."""
    platforms: Sequence[str] = PLATFORMS

    def lock(self, stack: Path, tell: Callable[[str], None]) -> str:
        """Return the lock file of a stack that nobody else looks at: its modules are fetched and the file is written.

        What an earlier lock file chose stays chosen. ``tell`` gets a line for each package that came. Raises
        MissingError where there is none for a platform or nothing can be reached, ToolError for the rest.
        """
        environment = {
            **self.env,
            "TF_DATA_DIR": str(stack / ".terraform"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
        }
        terraform = [*self.binary.argv, f"-chdir={stack}"]
        done = self.runner.run([*terraform, "get", "-no-color"], env=environment)
        if done.code != 0:
            raise self._failed("terraform get", stack, done.stderr)

        def read(line: str) -> None:
            if found := _FETCHED.match(line):
                tell(found[1])

        argv = [*terraform, "providers", "lock", *(f"-platform={name}" for name in self.platforms)]
        # Unless it is told otherwise it asks the registries, whatever Terraform's settings say of mirrors.
        argv += [f"-fs-mirror={self.mirror}"] if self.mirror else []
        done = self.runner.stream(argv, read, log=stack / "lock.log", env=environment)
        if done.code != 0:
            raise self._failed("terraform providers lock", stack, done.stderr)
        return (stack / LOCK).read_text(encoding="utf-8")

    def _failed(self, what: str, stack: Path, stderr: str) -> StackyardError:
        words = re.sub(r"\x1b\[[0-9;]*m|[│╷╵]", "", stderr).strip()
        flat = " ".join(words.split())
        if lacking := _LACKS.search(flat):
            provider, version, platform = lacking.groups()
            others = ",".join(name for name in self.platforms if name != platform)
            where = f"in {self.mirror}" if self.mirror else "in its registry"
            return MissingError(
                f"no package of {provider} {version} for {platform}",
                f"there is none {where}",
                fix="Add it there, or lock without that platform: nobody on such a machine can run Terraform then.",
                command=f"inv lock --platform {others}" if others else "inv lock",
            )
        if "could not connect to" in flat or "Failed to query available provider packages" in flat:
            return no_provider(words)
        return ToolError(
            f"{what} failed in infra/{stack.name}", "its own words stand above", command="inv lock", detail=words
        )
