"""Lambda: a container image behind an alias, on Graviton."""

from __future__ import annotations

from decimal import Decimal

from stackyard.kinds.kind import ALL_AT_ONCE, Kind, Size
from stackyard.kinds.use import Load, Use, plain


def _check(size: Size) -> str | None:
    # Lambda: Lambda quotas.
    if not 128 <= size.memory <= 10240:
        return f"memory is {size.memory}; Lambda has 128 to 10240 MiB"
    return None


def _uses(load: Load) -> tuple[Use, ...]:
    seconds = load.requests * Decimal(load.milliseconds) / 1000
    how = f"{plain(load.requests)} requests x {load.milliseconds} ms x {plain(Decimal(load.memory) / 1024)} GB"
    return (
        Use("lambda.requests", Decimal(load.requests), "one a request"),
        Use("lambda.gb-seconds", seconds * load.memory / 1024, how),
    )


KIND = Kind(
    name="lambda",
    image_target="lambda",
    platform="linux/arm64",
    module="lambda-service",
    when="requests come and go",
    cost="nothing while nobody calls; about $1.50 for a million requests of 100 ms at 1 GiB",
    log_group="/aws/lambda/{name}",
    runs="function",
    memory=1024,
    check=_check,
    uses=_uses,
    keys=frozenset({"timeout"}),
    replaces="points its alias at the new version",
    strategies=(ALL_AT_ONCE, "canary", "linear"),
    # AWS CodeDeploy quotas.
    slowest=2880,
    longest_interval=2880,
    alarms=True,
)
