"""App Runner: a container behind an address of its own, for accounts that have it."""

from __future__ import annotations

from decimal import Decimal

from stackyard.kinds.kind import Kind, Size
from stackyard.kinds.pairs import wrong_pair
from stackyard.kinds.use import HOURS, Load, Use, plain

# App Runner: Architecture ("App Runner supported configurations"): MiB by cpu.
_PAIRS = {
    256: (512, 1024),
    512: (1024,),
    1024: (2048, 3072, 4096),
    2048: (4096, 6144),
    4096: (8192, 10240, 12288),
}


def _check(size: Size) -> str | None:
    # App Runner: quotas. 25 instances a service.
    if size.high is not None and size.high > 25:
        return f"scaling.max is {size.high}; App Runner has 25 instances at the most"
    return wrong_pair(size, _PAIRS, "App Runner")


def _uses(load: Load) -> tuple[Use, ...]:
    # AWS App Runner pricing: memory always, processors while an instance answers, for a minute at the least.
    whole = HOURS * 60 * load.low
    minutes = min(Decimal(load.requests), whole)
    one = Decimal(load.cpu) / 1024
    return (
        Use("apprunner.gb-hours", load.gigabytes * HOURS, f"{plain(load.gigabytes)} GB x {HOURS} h"),
        Use(
            "apprunner.vcpu-hours",
            one * minutes / 60,
            f"{plain(one)} vCPU x {plain(minutes)} minutes with requests, of {plain(whole)}",
        ),
    )


KIND = Kind(
    name="apprunner",
    image_target="server",
    platform="linux/amd64",
    module="apprunner-service",
    when="a web server without a network of your own",
    cost="about $11 for an idle 1 vCPU / 2 GiB instance, about $57 for a busy one",
    log_group="/aws/apprunner/{name}/",
    runs="server",
    memory=2048,
    cpu=1024,
    scaling={"min": 1, "max": 10, "concurrency": 100},
    check=_check,
    uses=_uses,
    keys=frozenset({"cpu", "vpc", "scaling.min", "scaling.concurrency"}),
    replaces="starts new instances beside the old ones and takes those away when the new ones are healthy",
    injects_secrets=True,
    name_limit=40,
    notice="App Runner takes no new customers since 30 April 2026; accounts without it choose ecs",
)
