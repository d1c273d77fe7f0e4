"""Run Terraform on one stack of one environment: typed arguments to argv, its JSON stream to events, errors to ours."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from stackyard.errors import ConfigError, MissingError, RefusedError, StackyardError, ToolError
from stackyard.tools.holding import unwritable, write_atomically
from stackyard.tools.process import Completed, Runner
from stackyard.tools.terraform_binary import Binary
from stackyard.tools.tfevents import Change, Diagnostic, Event, StateLock, find_lock, parse_event

_FULL = "no space left on device"
_NO_CREDENTIALS = ("No valid credential sources", "ExpiredToken", "InvalidClientTokenId", "no EC2 IMDS role")


QUICK = {"GOGC": "400"}
"""Terraform and its provider collect garbage less often: a plan takes a sixth less time and a tenth more memory.

Measured with Terraform 1.11 and provider 5.100 on two cores: 2.8 s and 352 MB by default, 2.4 s and 393 MB so.
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan found; ``changed`` also for outputs alone. ``file`` is what `apply` takes."""

    file: Path
    changes: tuple[Change, ...]
    changed: bool

    def deleted(self) -> list[str]:
        """Return the addresses of what goes for good."""
        return [change.address for change in self.changes if change.action == "delete"]


class LockedError(RefusedError):
    """Somebody else holds Terraform's lock on the state."""

    def __init__(self, lock: StateLock, environment: str) -> None:
        """Name the holder and the way to release the lock."""
        super().__init__(
            f"the state of {environment} is locked",
            f"{lock.who} holds it since {lock.created} ({lock.operation.removeprefix('OperationType').lower()})",
            fix="Wait for them. If that run was killed and is surely over, release the lock.",
            command=f"inv unlock --env {environment} --id {lock.id}",
        )
        self.lock = lock


def unreadable_lock(environment: str, words: str = "") -> RefusedError:
    """Make the error for a lock that does not say whose it is; ``words`` are Terraform's."""
    return RefusedError(
        f"the state of {environment} is locked by a lock that cannot be read",
        "it does not say whose it is",
        fix="If nobody deploys, release it.",
        command=f"inv unlock --env {environment}",
        detail=words,
    )


@dataclass(slots=True)
class Stack:
    """One root module applied for one environment, with its own data folder."""

    runner: Runner
    binary: Binary
    source: Path
    """The root module's folder, ``infra/app`` or ``infra/bootstrap``."""
    work: Path
    """What Terraform keeps between runs for this environment: never shared, so no state meets another's variables."""
    environment: str
    again: str
    """What to type to do it again."""
    env: Mapping[str, str]
    backend: Mapping[str, str]
    variables: Mapping[str, str]
    parallelism: int = 10
    keep_fds: Sequence[int] = ()
    on_start: Callable[[int], None] = lambda _pid: None
    on_interrupt: Callable[[], None] = lambda: None
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def init(self, sources: Sequence[Path]) -> bool:
        """Initialise where something that init reads has changed; say whether it ran.

        ``sources`` are the ``.tf`` files of the stack and its modules. Raises MissingError when a provider cannot
        be had, ToolError for the rest.
        """
        mark = self.work / "initialised"
        state = self._init_fingerprint(sources)
        with contextlib.suppress(OSError):
            made = (self.work / "data" / name for name in ("providers", "terraform.tfstate"))
            if mark.read_text(encoding="utf-8") == state and all(path.exists() for path in made):
                return False
        try:
            (self.work / "data").mkdir(parents=True, exist_ok=True)
            mark.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(mark, error) from error
        backend = [f"-backend-config={name}={value}" for name, value in self.backend.items()]
        done = self._run(["init", "-input=false", "-no-color", "-reconfigure", *backend])
        if done.code != 0:
            raise _init_error(done, self.environment, self.again)
        write_atomically(mark, self._init_fingerprint(sources))
        return True

    def _init_fingerprint(self, sources: Sequence[Path]) -> str:
        total = hashlib.sha256()
        for part in (*self.binary.argv, self.binary.version, self.env.get("TF_CLI_CONFIG_FILE", "")):
            total.update(part.encode() + b"\0")
        total.update(json.dumps(dict(self.backend), sort_keys=True).encode())
        for path in (*sources, self.source / ".terraform.lock.hcl"):
            total.update(str(path.name).encode() + b"\0")
            with contextlib.suppress(FileNotFoundError):
                total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()

    def plan(
        self,
        on_event: Callable[[Event], None],
        *,
        destroy: bool = False,
        lock: bool = True,
        replace: str = "",
        refresh_only: bool = False,
    ) -> Planned:
        """Plan, keep the plan in a file, and return what it found. Raises LockedError, ToolError and kin.

        Without ``lock`` it needs no right to write to the state bucket, and what it finds may be changing. ``replace``
        is the address of a resource that is to be made anew. ``refresh_only`` plans nothing but what the state would
        learn.
        """
        file = self.work / "plan.tfplan"
        changes: list[Change] = []

        def note(event: Event) -> None:
            if isinstance(event, Change):
                changes.append(event)
            on_event(event)

        # Its folder is for its owner alone: a plan holds every value, secret ones included.
        self.work.chmod(0o700)
        arguments = ["plan", "-input=false", "-detailed-exitcode", f"-out={file}"]
        arguments += [*(["-destroy"] if destroy else []), *([] if lock else ["-lock=false"])]
        arguments += [f"-replace={replace}"] if replace else []
        arguments += ["-refresh-only"] if refresh_only else []
        code = self._stream([*arguments, *self._variables()], note, "plan")
        return Planned(file, tuple(changes), changed=code == 2)

    def apply(self, planned: Planned, on_event: Callable[[Event], None]) -> None:
        """Apply a kept plan. Raises LockedError, RefusedError for a plan that is out of date, ToolError."""
        try:
            self._stream(["apply", "-input=false", str(planned.file)], on_event, "apply")
        finally:
            planned.file.unlink(missing_ok=True)

    def plan_and_apply(self, on_event: Callable[[Event], None]) -> None:
        """Plan and apply in one run, which nobody can look at in between. Raises LockedError, ToolError."""
        self._stream(["apply", "-input=false", "-auto-approve", *self._variables()], on_event, "apply")

    def show(self, planned: Planned) -> str:
        """Return a kept plan in Terraform's own words."""
        done = self._run(["show", "-no-color", str(planned.file)])
        if done.code != 0:
            raise explain_failure("terraform show", done.stderr, self.environment, self.again)
        return done.stdout

    def show_data(self, planned: Planned) -> dict[str, Any]:
        """Return a kept plan as data (Terraform: JSON Output Format). It holds every value, secret ones included."""
        done = self._run(["show", "-json", str(planned.file)])
        if done.code != 0:
            raise explain_failure("terraform show", done.stderr, self.environment, self.again)
        return cast("dict[str, Any]", json.loads(done.stdout))

    def outputs(self) -> dict[str, Any]:
        """Return the applied state's outputs by name; empty before the first apply."""
        done = self._run(["output", "-json", "-no-color"])
        if done.code != 0:
            raise explain_failure("terraform output", done.stderr, self.environment, self.again)
        data = cast("dict[str, dict[str, Any]]", json.loads(done.stdout))
        return {name: item["value"] for name, item in data.items()}

    def unlock(self, lock_id: str) -> Completed:
        """Release a lock by its id."""
        return self._run(["force-unlock", "-force", "-no-color", lock_id])

    def _variables(self) -> list[str]:
        return [f"-var={name}={value}" for name, value in self.variables.items()]

    def _env(self) -> dict[str, str]:
        return {
            **QUICK,
            **self.env,
            "TF_DATA_DIR": str(self.work / "data"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            # What CloudTrail tells of who called.
            "TF_APPEND_USER_AGENT": f"{self.env.get('TF_APPEND_USER_AGENT', '')} stackyard/{self.source.name}".lstrip(),
        }

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [*self.binary.argv, f"-chdir={self.source}", *arguments]

    def _run(self, arguments: Sequence[str]) -> Completed:
        return self.runner.run(self._argv(arguments), env=self._env(), keep_fds=self.keep_fds)

    def _stream(self, arguments: Sequence[str], on_event: Callable[[Event], None], name: str) -> int:
        """Run a command with ``-json`` and return its exit code; raise for a failure."""
        self.diagnostics = []

        def read(line: str) -> None:
            event = parse_event(line)
            if isinstance(event, Diagnostic) and event.severity == "error":
                self.diagnostics.append(event)
            elif event is not None:
                on_event(event)

        command, *rest = arguments
        tail = [f"-parallelism={self.parallelism}", "-json"] if command in {"plan", "apply"} else ["-json"]
        try:
            done = self.runner.stream(
                self._argv([command, *tail, *rest]),
                read,
                log=self.work / f"{name}.jsonl",
                env=self._env(),
                keep_fds=self.keep_fds,
                on_start=self.on_start,
                on_interrupt=self.on_interrupt,
            )
        except OSError as error:
            raise unwritable(self.work / f"{name}.jsonl", error) from error
        if done.code in ({0, 2} if command == "plan" else {0}):
            return done.code
        raise self._failure(command, done)

    def _failure(self, command: str, done: Completed) -> StackyardError:
        lock = find_lock(self.diagnostics)
        if lock is not None:
            return LockedError(lock, self.environment)
        if any("acquiring the state lock" in diagnostic.summary for diagnostic in self.diagnostics):
            return unreadable_lock(self.environment, "\n\n".join(each.text() for each in self.diagnostics))
        words = "\n\n".join(diagnostic.text() for diagnostic in self.diagnostics) or done.stderr or done.stdout[-2000:]
        if any("Saved plan is stale" in diagnostic.summary for diagnostic in self.diagnostics):
            why = "somebody else changed the state between our plan and our apply; nothing of ours was applied"
            return RefusedError(
                f"the plan for {self.environment} is out of date",
                why,
                command=self.again,
                detail=words,
            )
        return explain_failure(f"terraform {command}", words, self.environment, self.again)


def explain_failure(what: str, words: str, environment: str, again: str) -> StackyardError:
    """Turn Terraform's words into the error that helps most; ``again`` is what to type to do it again."""
    flat = _one_line(words)
    if any(sign in flat for sign in _NO_CREDENTIALS):
        return MissingError(
            "no AWS credentials",
            "Terraform found none that work",
            detail=words,
            command=f"inv doctor --env {environment}",
        )
    if _FULL in flat:
        return MissingError(
            what, "the disk is full", detail=words, command="df -h .", fix="Make room, then run the same command again."
        )
    if "Resource precondition failed" in flat or "Invalid value for variable" in flat:
        return ConfigError(what, "the configuration was refused", detail=words, command="inv services")
    if re.search(r"AlreadyExists|already exist|ResourceConflictException", flat):
        fresh = environment == "local"
        return ToolError(
            f"{what} failed",
            "something of that name is there already and Terraform's state does not know it, as after a power cut",
            fix="Make the laptop's AWS anew." if fresh else "Import it into the state (terraform import) or delete it.",
            command="inv down && inv up" if fresh else f"inv doctor --env {environment}",
            detail=words,
        )
    return ToolError(
        f"{what} failed",
        "its own words stand above",
        detail=words,
        command=again,
        fix="What was applied is in the state; the same command goes on from there.",
    )


def _init_error(done: Completed, environment: str, again: str) -> StackyardError:
    words = _one_line(done.stderr + done.stdout)
    if _FULL not in words and (
        "Failed to query available provider packages" in words or "Failed to install provider" in words
    ):
        return no_provider(done.stderr)
    return explain_failure("terraform init", done.stderr or done.stdout, environment, again)


def no_provider(words: str) -> MissingError:
    """Make the error for a provider that cannot be had; ``words`` are Terraform's."""
    return MissingError(
        "no AWS provider for Terraform",
        "its registry cannot be reached and no mirror folder holds it",
        fix="Go online once, or name a folder that holds registry.terraform.io/hashicorp/aws/….",
        command="export STACKYARD_PROVIDER_MIRROR=/path/to/mirror",
        detail=words,
    )


def _one_line(words: str) -> str:
    """Undo the line breaks that Terraform puts into its sentences."""
    return " ".join(words.split())


def stack_sources(infra: Path, stack: str) -> list[Path]:
    """List the ``.tf`` files that a stack is made of."""
    return sorted([*(infra / stack).glob("*.tf"), *(infra / "modules").glob("*/*.tf")])
