"""ECS: a Fargate service on Graviton, private, behind the environment's load balancer."""

from __future__ import annotations

from stackyard.kinds.kind import ALL_AT_ONCE, Kind, Size
from stackyard.kinds.pairs import wrong_pair
from stackyard.kinds.use import HOURS, Load, Use, plain

# Amazon ECS: "Task CPU and memory" of Fargate task definition parameters: MiB by cpu.
_PAIRS = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}


def _check(size: Size) -> str | None:
    return wrong_pair(size, _PAIRS, "Fargate")


def _uses(load: Load) -> tuple[Use, ...]:
    return (
        Use("fargate.vcpu-hours", load.processors * HOURS, f"{plain(load.processors)} vCPU x {HOURS} h"),
        Use("fargate.gb-hours", load.gigabytes * HOURS, f"{plain(load.gigabytes)} GB x {HOURS} h"),
    )


KIND = Kind(
    name="ecs",
    image_target="server",
    platform="linux/arm64",
    module="ecs-service",
    when="a server that is always busy, or holds connections",
    cost="about $7 for 0.25 vCPU / 0.5 GiB; network and load balancer of the environment about $60 on top",
    log_group="/aws/ecs/{name}",
    runs="server",
    memory=512,
    cpu=256,
    scaling={"min": 1, "max": 4},
    check=_check,
    uses=_uses,
    keys=frozenset({"cpu", "scaling.min"}),
    replaces="starts new tasks beside the old ones and takes those away when the new ones are well",
    strategies=(ALL_AT_ONCE, "blue-green", "canary", "linear"),
    # Amazon ECS API: CanaryConfiguration, LinearConfiguration. AWS names no limit for all of it.
    slowest=2880,
    longest_interval=1440,
    least_step=3,
    alarms=True,
    injects_secrets=True,
    private=True,
)
