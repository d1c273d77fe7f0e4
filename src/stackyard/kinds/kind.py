"""What a compute kind is to the rest of the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from stackyard.kinds.use import Load, Use

Strategy = Literal["all-at-once", "blue-green", "canary", "linear"]
ALL_AT_ONCE: Strategy = "all-at-once"
"""Every request comes to the new version as soon as it is well. The others bring it to a part of them first."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one service asks for, as merged for one environment. None stands for what its file leaves open."""

    memory: int
    cpu: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Kind:
    """How services of a kind are built, sized and run."""

    name: str
    image_target: str
    """The Dockerfile's target."""
    platform: str
    """What its images run on, as docker says it."""
    module: str
    """The Terraform module, below ``infra/modules``."""
    when: str
    """One line on when to choose it."""
    cost: str
    """What it costs a month, in words."""
    log_group: str
    """Where its services' logs are, ``{name}`` being a service's AWS name; with ``/`` at the end, all below."""
    runs: Literal["function", "server"]
    """Whether an event or an HTTP request reaches it."""
    memory: int
    """MiB where the file says nothing."""
    check: Callable[[Size], str | None]
    """Says what is wrong with a size: which pairs of cpu and memory there are, how far it scales."""
    uses: Callable[[Load], tuple[Use, ...]]
    """What one service of it is billed for, beside what all kinds have: logs, the gateway, the network."""
    cpu: int | None = None
    """The same for processors; 1024 is one vCPU. None where it follows from the memory."""
    scaling: Mapping[str, int] = field(default_factory=dict[str, int])
    """``min``, ``max``, ``concurrency`` where the file says nothing."""
    keys: frozenset[str] = frozenset()
    """Keys of ``service.yaml`` that this kind has and not every other: ``timeout``, ``vpc``, ``scaling.min`` …"""
    replaces: str = ""
    """How its platform brings a new version in, as the end of a sentence."""
    strategies: tuple[Strategy, ...] = (ALL_AT_ONCE,)
    """How else its requests can come to a new version."""
    slowest: int = 0
    """Minutes that a gradual rollout may take, all intervals together."""
    longest_interval: int = 0
    """Minutes that one interval of it may take."""
    least_step: int = 1
    """Percent that a `linear` rollout goes on by at the least."""
    alarms: bool = False
    """Whether alarms can undo a rollout."""
    private: bool = False
    """Whether it stands in the environment's network, behind the load balancer."""
    injects_secrets: bool = False
    """Whether the platform puts secrets into the environment; where not, servicekit reads them."""
    name_limit: int = 64
    """Characters of ``<project>-<environment>-<service>``."""
    notice: str = ""
    """What to know before choosing it."""

    @property
    def handler_file(self) -> str:
        """What a service's package must hold: what the kind calls."""
        return "lambda_handler.py" if self.runs == "function" else "app.py"

    @property
    def extra(self) -> str:
        """The extra of servicekit's that its services need."""
        return "lambda" if self.runs == "function" else "server"
