"""Lambda: a container image behind an alias, on Graviton."""

from __future__ import annotations

from stackyard.kinds.kind import ALL_AT_ONCE, Kind, Size


def _check(size: Size) -> str | None:
    # Lambda: Lambda quotas.
    if not 128 <= size.memory <= 10240:
        return f"memory is {size.memory}; Lambda has 128 to 10240 MiB"
    return None


KIND = Kind(
    name="lambda",
    image_target="lambda",
    platform="linux/arm64",
    module="lambda-service",
    when="requests come and go",
    cost="nothing while nobody calls; about $0.40 for 100,000 requests of 200 ms at 1 GiB",
    runs="function",
    memory=1024,
    check=_check,
    keys=frozenset({"timeout"}),
    replaces="points its alias at the new version",
    strategies=(ALL_AT_ONCE, "canary", "linear"),
    # AWS CodeDeploy quotas.
    slowest=2880,
    longest_interval=2880,
    alarms=True,
)
