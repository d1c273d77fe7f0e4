"""Where the laptop keeps what runs, all below ``.stackyard/``: no other module spells these paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HIDDEN = ".stackyard"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one checkout."""

    root: Path

    @property
    def hidden(self) -> Path:
        """The folder that git does not see."""
        return self.root / HIDDEN

    @property
    def cache(self) -> Path:
        """What may be deleted at any time."""
        return self.hidden / "cache"

    @property
    def local(self) -> Path:
        """What the running laptop environment keeps."""
        return self.hidden / "local"

    @property
    def services_lock(self) -> Path:
        """Held by whoever adds or removes a service's folder."""
        return self.hidden / "services.lock"

    @property
    def template_lock(self) -> Path:
        """Held by whoever moves the project to another rendering of the template, their git included."""
        return self.hidden / "template.lock"

    @property
    def up_lock(self) -> Path:
        """Held by an ``inv up`` that starts or stays in the foreground."""
        return self.local / "up.lock"

    @property
    def deployment(self) -> Path:
        """What the local gateway serves from."""
        return self.local / "deployment.json"

    @property
    def calls(self) -> Path:
        """Every call of the embedded AWS, where `inv up` was told to write them down."""
        return self.local / "calls.jsonl"

    @property
    def journal(self) -> Path:
        """What the local gateway writes down: requests, what services print."""
        return self.local / "journal.jsonl"

    def daemon_lock(self, name: str) -> Path:
        """Held by a daemon (``emulator``, ``gateway``) for as long as it lives."""
        return self.local / f"{name}.lock"

    def daemon_facts(self, name: str) -> Path:
        """Written by a daemon when it answers: pid, port, url."""
        return self.local / f"{name}.json"

    def daemon_log(self, name: str) -> Path:
        """What a daemon prints."""
        return self.local / f"{name}.log"

    def released(self, name: str) -> Path:
        """There when a daemon was told to live on (``inv up --detach``)."""
        return self.local / f"{name}.released"

    def environment(self, name: str) -> Path:
        """What Terraform and the tasks keep between runs for one environment."""
        return self.hidden / "env" / name

    def stack_work(self, environment: str, stack: str) -> Path:
        """What one stack of an environment keeps."""
        return self.environment(environment) / stack

    def build_work(self, environment: str) -> Path:
        """What a build of images is told, and what it says."""
        return self.environment(environment) / "build"

    def environment_lock(self, name: str) -> Path:
        """Held by whoever changes an environment from this checkout, their Terraform included."""
        return self.environment(name) / "changing.lock"
