"""What an environment costs a month by list, from its services' settings and its own.

Owns which things are billed for, and in which amounts. Knows neither files nor AWS; prices and settings come as data.
An estimate: servers at their smallest number, no discounts, no taxes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from pydantic import TypeAdapter

from stackyard.errors import ConfigError
from stackyard.kinds import KINDS
from stackyard.kinds.use import HOURS, Load, Use, plain
from stackyard.manifest import Service
from stackyard.prices import ITEMS, Prices, find_price
from stackyard.project import Environment, Previews

SHARED = "shared"
"""What stands where a service's name does, for what all of them share."""

_KB_OF_GB = Decimal(1024 * 1024)
_REQUEST_KB = Decimal(1)
"""What a request itself is counted with, its headers above all."""
_ACCESS_LOG_KB = Decimal("0.6")
"""A line of the gateway's access log (infra/modules/api-gateway)."""
_COMPRESSED = Decimal("0.15")
"""What CloudWatch keeps of a byte of logs (Amazon CloudWatch pricing, its examples)."""
_METHOD_METRICS = 5
"""Of each method: count, 4xx, 5xx, latency, integration latency (Amazon API Gateway dimensions and metrics)."""
_SAMPLED, _RESERVOIR = Decimal("0.05"), HOURS * 3600
"""X-Ray's default rule: one request a second, and so much of the others (AWS X-Ray: Configure sampling rules)."""
_ENDPOINTS, _MORE_ENDPOINTS = 9, 4
"""Interface endpoints of a network without NAT (infra/modules/network), and those that EKS needs beside them."""
_IMAGE_GB = Decimal("0.1")
"""Of a service's image in the repository; versions share all but a few kilobytes (docs/architecture.md)."""
_NODE_CPU, _NODE_MEMORY = Decimal("1.9"), Decimal("6.8")
"""vCPU and GiB of an m7g.large that pods get (Amazon EKS: Reserve compute resources for system daemons)."""
_NODE_DISK = {"auto": 80, "managed": 30}
"""GB (Amazon EKS: Create a Node Class; infra/modules/eks-cluster)."""
_REQUEST_ALARMS, _GATEWAY_ALARMS = 6, 2
"""Metrics that alarms on a service's requests read, and the gateway's: each is billed (infra/modules/monitoring)."""
_WAF_RULES = 4
"""Three groups of AWS's own, and the limit (infra/modules/waf)."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What comes to an environment in a month, as far as it is billed for."""

    requests: int = 1_000_000
    """To each service."""
    by_service: Mapping[str, int] = field(default_factory=dict[str, int])
    """Requests to services that have more or fewer than the others."""
    milliseconds: int = 100
    """That a request takes."""
    response_kb: Decimal = Decimal(10)
    log_kb: Decimal = Decimal(1)
    """That a service writes to its log at a request."""
    outbound_kb: Decimal = Decimal(1)
    """That a service in the network sends to and gets from the internet at a request."""

    def of(self, service: str) -> int:
        """Return the requests to a service."""
        return self.by_service.get(service, self.requests)

    def words(self) -> str:
        """Say it on one line."""
        others = "".join(f", {plain(count)} to {name}" for name, count in sorted(self.by_service.items()))
        return (
            f"{plain(self.requests)} requests a month to each service{others}, of {self.milliseconds} ms, "
            f"{plain(self.response_kb)} KB answered, {plain(self.log_kb)} KB logged"
        )


def parse_requests(text: str) -> tuple[int, dict[str, int]]:
    """Read ``1000000`` or ``1000000,api=5000,web=0``. Raises ConfigError."""
    each, named = Traffic().requests, dict[str, int]()
    for part in filter(None, text.split(",")):
        name, is_named, count = part.rpartition("=")
        digits = count.strip().replace("_", "")
        if not (digits.isascii() and digits.isdigit()) or (is_named and not name.strip()):
            raise ConfigError(
                f"--requests-per-month {text}",
                f"`{part}` is no number of requests",
                command="inv cost --env dev --requests-per-month 1000000,api=5000",
            )
        if is_named:
            named[name.strip()] = int(digits)
        else:
            each = int(digits)
    return each, named


@dataclass(frozen=True, slots=True)
class Ground:
    """What an environment has beside its services, as far as it is billed for."""

    region: str
    nat: Literal["none", "single", "per-zone"] = "single"
    zones: int = 2
    nodes: Literal["auto", "managed"] = "auto"
    xray: bool = True
    log_retention: int = 30
    waf: bool = False
    alarms: bool = False


def find_ground(place: Environment | Previews, region: str) -> Ground:
    """Return what follows from an environment's settings; ``region`` is the project's."""
    return Ground(
        place.region or region,
        place.network.nat,
        place.network.zones,
        place.eks.nodes,
        place.xray,
        place.log_retention,
        # The key comes with the firewall's module; by its name, so that a place without it has none.
        waf=place.model_dump().get("waf") is not None,
        alarms=place.alarms.enabled,
    )


@functools.cache
def _grounds() -> TypeAdapter[Ground]:
    return TypeAdapter(Ground)


def parse_ground(said: Mapping[str, object]) -> Ground:
    """Read what a release recorded; of other versions, too. Raises ValueError."""
    return _grounds().validate_python(said)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is billed for."""

    service: str
    """Or `SHARED`."""
    use: Use
    usd: Decimal
    """A month, to the cent."""

    @property
    def label(self) -> str:
        """What it is called."""
        return ITEMS[self.use.price].label


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an environment costs."""

    region: str
    lines: tuple[Line, ...]

    def total(self) -> Decimal:
        """Return USD a month: the sum of what the lines show."""
        return sum((line.usd for line in self.lines), Decimal(0))

    def by_service(self) -> dict[str, Decimal]:
        """Return USD a month by service, `SHARED` last."""
        sums: dict[str, Decimal] = {}
        for line in self.lines:
            sums[line.service] = sums.get(line.service, Decimal(0)) + line.usd
        return sums


def estimate(
    services: Mapping[str, Service], ground: Ground, traffic: Traffic, prices: Prices, *, free_tier: bool = False
) -> Estimate:
    """Estimate a month of an environment. Raises MissingError where a price is not known.

    Prices that fall with the amount count the amounts of all lines before; so does what is free.
    """
    used: dict[str, Decimal] = {}
    lines: list[Line] = []
    for owner, use in _uses(services, ground, traffic):
        price = find_price(prices, ground.region, use.price)
        free = ITEMS[use.price].free if free_tier else 0
        before = used.get(use.price, Decimal(0))
        used[use.price] = before + use.amount
        usd = price.cost(before + use.amount, free) - price.cost(before, free)
        lines.append(Line(owner, use, usd.quantize(Decimal("0.01"), ROUND_HALF_UP)))
    return Estimate(ground.region, tuple(lines))


def size_of(service: Service) -> dict[str, int]:
    """Return memory (MiB), cpu and smallest number of instances as they really are, without what the kind lacks."""
    kind = KINDS[service.kind]
    found = {
        "memory": service.memory or kind.memory,
        "cpu": service.cpu or kind.cpu,
        "scaling.min": service.scaling.min or kind.scaling.get("min"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _uses(services: Mapping[str, Service], ground: Ground, traffic: Traffic) -> Iterator[tuple[str, Use]]:
    for name, service in sorted(services.items()):
        size, requests = size_of(service), traffic.of(name)
        load = Load(size["memory"], size.get("cpu", 0), size.get("scaling.min", 1), requests, traffic.milliseconds)
        yield from ((name, use) for use in KINDS[service.kind].uses(load))
        yield from ((name, use) for use in _logs(requests, traffic.log_kb, ground, "requests"))
        yield from ((name, use) for use in _alarms(service, ground))
    for use in (
        *_gateway(services, ground, traffic),
        *_network(services, ground, traffic),
        *_cluster(services, ground),
    ):
        yield SHARED, use
    secrets = {value for service in services.values() for value in service.secrets.values()}
    if secrets:
        yield SHARED, Use("secrets.months", Decimal(len(secrets)), "one a name")
    if services:
        how = f"{len(services)} images x {plain(_IMAGE_GB)} GB"
        yield SHARED, Use("ecr.gb-months", len(services) * _IMAGE_GB, how)


def _logs(requests: int, kb: Decimal, ground: Ground, of: str) -> Iterator[Use]:
    written = requests * kb / _KB_OF_GB
    yield Use("logs.gb", written, f"{plain(requests)} {of} x {plain(kb)} KB")
    kept = written * _COMPRESSED * ground.log_retention * 12 / 365
    how = f"{_gb(written)} x {plain(_COMPRESSED)} compressed x {ground.log_retention} days of 365 / 12"
    yield Use("logs.gb-months", kept, how)


def _gateway(services: Mapping[str, Service], ground: Ground, traffic: Traffic) -> Iterator[Use]:
    if not services:
        return
    requests = sum(traffic.of(name) for name in services)
    yield Use("gateway.requests", Decimal(requests), "all services' requests")
    metrics = sum((_metrics(service, traffic.of(name)) for name, service in services.items()), Decimal(0))
    methods = sum(2 + service.catalog for service in services.values())
    how = f"{methods} methods x {_METHOD_METRICS} metrics, in hours with requests"
    yield Use("cloudwatch.metrics", metrics, how)
    yield from _logs(requests, _ACCESS_LOG_KB, ground, "lines")
    if ground.xray:
        first = min(Decimal(requests), _RESERVOIR)
        rest = (requests - first) * _SAMPLED
        yield Use("xray.traces", first + rest, "one request a second, and 5 % of those above")
    answered = requests * traffic.response_kb / _KB_OF_GB
    yield Use("transfer.gb", answered, f"{plain(requests)} answers x {plain(traffic.response_kb)} KB")
    if ground.alarms:
        yield Use("cloudwatch.alarms", Decimal(_GATEWAY_ALARMS), f"{_GATEWAY_ALARMS} metrics that alarms read")
        yield Use("kms.months", Decimal(1), "one for what alarms say")
    if ground.waf:
        yield Use("waf.months", Decimal(1), "one an environment")
        yield Use("waf.rules", Decimal(_WAF_RULES), "three groups of AWS's own, and the limit")
        yield Use("waf.requests", Decimal(requests), "all services' requests")


def _alarms(service: Service, ground: Ground) -> Iterator[Use]:
    # Target tracking makes one to scale out and one to scale in.
    scaling = 2 if service.kind == "ecs" else 0
    own = _own_alarms(service) if ground.alarms and service.alarms.enabled else 0
    if scaling + own:
        how = [f"{scaling} of auto scaling"] * (scaling > 0) + [f"{own} metrics that its own read"] * (own > 0)
        yield Use("cloudwatch.alarms", Decimal(scaling + own), ", ".join(how))


def _own_alarms(service: Service) -> int:
    """Return how many metrics a service's alarms read (infra/modules/monitoring)."""
    kind = KINDS[service.kind]
    most = service.scaling.max or kind.scaling.get("max") or 0
    least = service.scaling.min or kind.scaling.get("min") or 0
    throttles = service.kind == "lambda"
    capacity = service.kind == "ecs" or (service.kind != "eks" and most > least)
    return _REQUEST_ALARMS + throttles + capacity + {"ecs": 2, "eks": 1}.get(service.kind, 0)


def _metrics(service: Service, requests: int) -> Decimal:
    # A metric is billed by the hour in which something came (Amazon CloudWatch pricing).
    return (2 + service.catalog) * _METHOD_METRICS * min(Decimal(1), requests / HOURS)


def _network(services: Mapping[str, Service], ground: Ground, traffic: Traffic) -> Iterator[Use]:
    private = [name for name, service in services.items() if KINDS[service.kind].private]
    inside = [name for name, service in services.items() if name in private or service.vpc]
    if private:
        yield Use("balancer.hours", HOURS, f"{HOURS} h")
        requests = sum(traffic.of(name) for name in private)
        moved = requests * (_REQUEST_KB + traffic.response_kb) / _KB_OF_GB
        how = f"{plain(requests)} requests x ({plain(_REQUEST_KB)} + {plain(traffic.response_kb)}) KB, 1 GB a unit"
        yield Use("balancer.units", moved, how)
    if not inside:
        return
    requests = sum(traffic.of(name) for name in inside)
    kb = traffic.log_kb + (traffic.outbound_kb if ground.nat != "none" else 0)
    moved = requests * kb / _KB_OF_GB
    if ground.nat == "none":
        count = _ENDPOINTS + (_MORE_ENDPOINTS if any(service.kind == "eks" for service in services.values()) else 0)
        how = f"{count} services of AWS x {ground.zones} zones x {HOURS} h"
        yield Use("endpoint.hours", count * ground.zones * HOURS, how)
        yield Use("endpoint.gb", moved, f"{plain(requests)} requests x {plain(kb)} KB of logs")
        return
    gateways = ground.zones if ground.nat == "per-zone" else 1
    yield Use("nat.hours", gateways * HOURS, f"{gateways} x {HOURS} h")
    yield Use("nat.gb", moved, f"{plain(requests)} requests x {plain(kb)} KB of logs and what is sent and got")
    yield Use("ipv4.hours", gateways * HOURS, f"{gateways} x {HOURS} h")


def _cluster(services: Mapping[str, Service], ground: Ground) -> Iterator[Use]:
    pods = [size_of(service) for service in services.values() if service.kind == "eks"]
    if not pods:
        return
    cpu = sum((Decimal(pod["cpu"] * pod["scaling.min"]) / 1024 for pod in pods), Decimal(0))
    memory = sum((Decimal(pod["memory"] * pod["scaling.min"]) / 1024 for pod in pods), Decimal(0))
    smallest = 1 if ground.nodes == "auto" else 2
    nodes = max(smallest, math.ceil(cpu / _NODE_CPU), math.ceil(memory / _NODE_MEMORY))
    disk = _NODE_DISK[ground.nodes]
    yield Use("eks.cluster-hours", HOURS, f"{HOURS} h")
    yield Use("ec2.m7g-hours", nodes * HOURS, f"{nodes} for {plain(cpu)} vCPU and {plain(memory)} GB x {HOURS} h")
    yield Use("ebs.gb-months", Decimal(nodes * disk), f"{nodes} x {disk} GB")
    if ground.nodes == "auto":
        yield Use("eks.auto-hours", nodes * HOURS, f"{nodes} x {HOURS} h")
    yield Use("kms.months", Decimal(1), "one for the cluster's secrets")


def _gb(amount: Decimal) -> str:
    return f"{amount:.3f} GB"


def order_lines(lines: Iterable[Line]) -> list[Line]:
    """Return lines without those of nothing, dearest first within a service; what is shared comes last."""
    kept = [line for line in lines if line.use.amount]
    return sorted(kept, key=lambda line: (line.service == SHARED, line.service, -line.usd))
