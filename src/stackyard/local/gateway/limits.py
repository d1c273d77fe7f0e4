"""Who may pass: API keys, token buckets and quotas.

Owns counting. Sources: "Throttle requests to your REST APIs for better throughput in API Gateway" (token bucket,
429) and "Usage plans and API keys for REST APIs in API Gateway" (the plan's throttle and quota apply per key).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from stackyard.local.gateway.deployment import ApiKey, Deployment, Quota, Throttle


class Bucket:
    """Tokens that refill at ``rate`` a second up to ``burst``; each request takes one."""

    __slots__ = ("_burst", "_clock", "_rate", "_seen", "_tokens")

    def __init__(self, throttle: Throttle, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = throttle.rate
        self._burst = float(throttle.burst)
        self._tokens = self._burst
        self._clock = clock
        self._seen = clock()

    def take(self) -> bool:
        """Take a token; False when there is none."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._seen) * self._rate)
        self._seen = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Allowance:
    """A quota's count, starting again with each day, week (Sunday) or month in UTC."""

    __slots__ = ("_clock", "_quota", "_since", "_used")

    def __init__(self, quota: Quota, clock: Callable[[], float] = time.time) -> None:
        self._quota = quota
        self._clock = clock
        self._since = self._start()
        self._used = 0

    def _start(self) -> tuple[int, int]:
        now = datetime.fromtimestamp(self._clock(), UTC)
        if self._quota.period == "DAY":
            return (now.year, now.timetuple().tm_yday)
        if self._quota.period == "MONTH":
            return (now.year, now.month)
        return (0, (now.toordinal()) // 7)

    def take(self) -> bool:
        """Count a request; False when the period's are used up."""
        start = self._start()
        if start != self._since:
            self._since, self._used = start, 0
        if self._used >= self._quota.limit:
            return False
        self._used += 1
        return True


class Caller:
    """An API key with what it may still use."""

    __slots__ = ("allowance", "bucket", "key")

    def __init__(self, key: ApiKey) -> None:
        self.key = key
        self.bucket = Bucket(key.throttle) if key.throttle else None
        self.allowance = Allowance(key.quota) if key.quota else None


class Gate:
    """The limits of one deployment."""

    def __init__(self, deployment: Deployment, before: Gate | None = None) -> None:
        """Start counting; keys that a deployment ``before`` had, with the same grants, keep their counts."""
        known = before.callers if before else {}
        self.callers = {key.value: _kept(known.get(key.value), key) for key in _enabled(deployment.api_keys)}
        self._throttle = deployment.throttle
        same = before is not None and before._throttle == self._throttle
        self.bucket = before.bucket if before and same else Bucket(self._throttle) if self._throttle else None

    def refuses(self, caller: Caller | None) -> str | None:
        """Count a request and return the type of the gateway response that refuses it, or None."""
        if caller is not None:
            if caller.bucket is not None and not caller.bucket.take():
                return "THROTTLED"
            if caller.allowance is not None and not caller.allowance.take():
                return "QUOTA_EXCEEDED"
        if self.bucket is not None and not self.bucket.take():
            return "THROTTLED"
        return None


def _enabled(keys: Iterable[ApiKey]) -> Iterable[ApiKey]:
    return (key for key in keys if key.enabled)


def _kept(caller: Caller | None, key: ApiKey) -> Caller:
    return caller if caller is not None and caller.key == key else Caller(key)
