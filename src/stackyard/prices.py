"""What AWS charges by list, as far as Stackyard makes things that are charged for.

Owns which prices there are, how each is called in AWS's price list, and the dated file that holds them by region. Knows
neither services nor how the list is fetched.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from stackyard.errors import ConfigError, MissingError

FILE = Path(__file__).with_name("data") / "prices.json"
SHOWN = "src/stackyard/data/prices.json"

Sure = Literal["read", "quoted", "remembered"]
"""By `inv prices` in AWS's own list; in somebody's dated copy of the list or page about it; nowhere."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that has a price, and where AWS's price list has it (AWS Price List: service price list files)."""

    label: str
    unit: str
    service: str
    """The offer code."""
    usage: str
    """The usage type without the region that it begins with."""
    operation: str = ""
    """Where one usage type is several things."""
    scale: int = 1
    """Units that people name a price for."""
    free: int = 0
    """Units a month that are free for ever, in all of an account together (AWS Free Tier: always free)."""


_MILLION = 1_000_000
ITEMS: Mapping[str, Item] = {
    "gateway.requests": Item("API Gateway", "requests", "AmazonApiGateway", "ApiGatewayRequest", scale=_MILLION),
    "lambda.requests": Item("Lambda requests", "requests", "AWSLambda", "Request-ARM", scale=_MILLION, free=_MILLION),
    "lambda.gb-seconds": Item(
        "Lambda", "GB-seconds", "AWSLambda", "Lambda-GB-Second-ARM", scale=_MILLION, free=400_000
    ),
    "apprunner.gb-hours": Item("App Runner memory", "GB-hours", "AWSAppRunner", "AppRunner-Provisioned-GB-hours"),
    "apprunner.vcpu-hours": Item("App Runner processors", "vCPU-hours", "AWSAppRunner", "AppRunner-vCPU-hours"),
    "fargate.vcpu-hours": Item("Fargate processors", "vCPU-hours", "AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU"),
    "fargate.gb-hours": Item("Fargate memory", "GB-hours", "AmazonECS", "Fargate-ARM-GB-Hours"),
    "eks.cluster-hours": Item("EKS cluster", "hours", "AmazonEKS", "AmazonEKS-Hours:perCluster"),
    "eks.auto-hours": Item("EKS Auto Mode, for the nodes", "hours", "AmazonEKS", "EKS-Auto:m7g.large-management-hours"),
    "ec2.m7g-hours": Item("nodes, m7g.large", "hours", "AmazonEC2", "BoxUsage:m7g.large", "RunInstances"),
    "ebs.gb-months": Item("nodes' disks", "GB-months", "AmazonEC2", "EBS:VolumeUsage.gp3"),
    "nat.hours": Item("NAT gateway", "hours", "AmazonEC2", "NatGateway-Hours", "NatGateway"),
    "nat.gb": Item("NAT gateway traffic", "GB", "AmazonEC2", "NatGateway-Bytes", "NatGateway"),
    "ipv4.hours": Item("public addresses", "hours", "AmazonVPC", "PublicIPv4:InUseAddress"),
    "endpoint.hours": Item("VPC endpoints", "hours", "AmazonVPC", "VpcEndpoint-Hours"),
    "endpoint.gb": Item("VPC endpoints' traffic", "GB", "AmazonVPC", "VpcEndpoint-Bytes"),
    "balancer.hours": Item("load balancer", "hours", "AWSELB", "LoadBalancerUsage", "LoadBalancing:Network"),
    "balancer.units": Item("load balancer traffic", "NLCU-hours", "AWSELB", "LCUUsage", "LoadBalancing:Network"),
    "transfer.gb": Item("traffic to the internet", "GB", "AWSDataTransfer", "DataTransfer-Out-Bytes", free=100),
    "logs.gb": Item("logs written", "GB", "AmazonCloudWatch", "DataProcessing-Bytes", free=5),
    "logs.gb-months": Item("logs kept", "GB-months", "AmazonCloudWatch", "TimedStorage-ByteHrs"),
    "cloudwatch.metrics": Item("metrics of methods", "metrics", "AmazonCloudWatch", "CW:MetricMonitorUsage", free=10),
    "cloudwatch.alarms": Item("alarms", "alarms", "AmazonCloudWatch", "CW:AlarmMonitorUsage", free=10),
    "xray.traces": Item("X-Ray", "traces", "AWSXRay", "XRay-TracesStored", scale=_MILLION, free=100_000),
    "ecr.gb-months": Item("images", "GB-months", "AmazonECR", "TimedStorage-ByteHrs"),
    "secrets.months": Item("secrets", "secrets", "AWSSecretsManager", "AWSSecretsManager-Secrets"),
    "kms.months": Item("keys", "keys", "awskms", "KMS-Keys"),
    "waf.months": Item("web firewall", "lists", "awswaf", "WebACLV2"),
    "waf.rules": Item("web firewall's rules", "rules", "awswaf", "RuleV2"),
    "waf.requests": Item("web firewall's requests", "requests", "awswaf", "RequestV2-Tier1", scale=_MILLION),
}
"""Every price by its name here."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs in one region."""

    usd: Mapping[str, str]
    """US dollars a unit, by the amount a month from which on it is so."""
    sure: Sure
    on: str
    """The day on which it was so, ISO 8601."""
    source: str

    def tiers(self, free: int = 0) -> list[tuple[Decimal, Decimal]]:
        """Return from which amount on a unit costs how much; ``free`` units come first."""
        known = sorted((Decimal(begin), Decimal(usd)) for begin, usd in self.usd.items())
        if not free:
            return known
        # The free units count for where the next tier begins.
        return [(Decimal(0), Decimal(0)), *((max(begin, Decimal(free)), usd) for begin, usd in known)]

    def cost(self, amount: Decimal, free: int = 0) -> Decimal:
        """Return what an amount costs, USD, not rounded."""
        tiers = self.tiers(free)
        ends = [begin for begin, _ in tiers[1:]] + [max(amount, tiers[-1][0])]
        pairs = zip(tiers, ends, strict=True)
        return sum(((min(amount, end) - begin) * usd for (begin, usd), end in pairs if amount > begin), Decimal(0))


@dataclass(frozen=True, slots=True)
class Prices:
    """The whole file."""

    regions: Mapping[str, Mapping[str, Price]] = field(default_factory=dict[str, Mapping[str, Price]])
    currency: Literal["USD"] = "USD"


@functools.cache
def _adapter() -> TypeAdapter[Prices]:
    return TypeAdapter(Prices)


def read_prices(path: Path = FILE) -> Prices:
    """Read the file. Raises ConfigError."""
    try:
        prices = _adapter().validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(SHOWN, f"it holds no prices ({first})", command=f"git checkout {SHOWN}") from error
    unknown = sorted({name for region in prices.regions.values() for name in region} - ITEMS.keys())
    if unknown:
        raise ConfigError(SHOWN, f"nothing is called {', '.join(unknown)}", command=f"git checkout {SHOWN}")
    return prices


def render_prices(prices: Prices) -> str:
    """Return the file's text: one price a line, so that a change is a line of a diff."""
    regions: list[str] = []
    for region, known in sorted(prices.regions.items()):
        lines = [f"      {json.dumps(name)}: {json.dumps(asdict(known[name]))}" for name in ITEMS if name in known]
        regions.append(f"    {json.dumps(region)}: {{\n" + ",\n".join(lines) + "\n    }")
    return '{\n  "currency": "USD",\n  "regions": {\n' + ",\n".join(regions) + "\n  }\n}\n"


def find_price(prices: Prices, region: str, name: str) -> Price:
    """Return a price. Raises MissingError where the file has none."""
    known = prices.regions.get(region)
    if known is None or name not in known:
        what = f"no price of {ITEMS[name].label} in {region}" if known else f"no prices of {region}"
        have = ", ".join(sorted(prices.regions))
        raise MissingError(what, f"{SHOWN} has {have}", command=f"inv prices --region {region}")
    return known[name]


Row = Mapping[str, str]
"""One line of a price list as CSV, by its columns' headings."""

_REGION = r"(?:EU-|[A-Z]{2,4}[0-9]-)?"
"""What usage types begin with: the region, but often not in us-east-1."""


@functools.cache
def _patterns(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    found = [(name, item) for name, item in ITEMS.items() if item.service == service]
    return [(name, re.compile(_REGION + re.escape(item.usage)), item.operation) for name, item in found]


def find_item(service: str, row: Row) -> str | None:
    """Return which of our prices a line of a service's list is, or None."""
    if row.get("TermType") != "OnDemand" or row.get("Currency") != "USD":
        return None
    usage, operation = row.get("usageType", ""), row.get("operation", "")
    for name, pattern, wanted in _patterns(service):
        if pattern.fullmatch(usage) and wanted in ("", operation):
            return name
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """What a service's price list says."""

    prices: Mapping[str, Price]
    unclear: Mapping[str, str]
    """Name -> why it was not taken."""


def collect_prices(service: str, rows: Iterable[Row], on: str, source: str) -> Found:
    """Gather our prices from the lines of a service's list in one region; ``on`` is the day of the list."""
    tiers: dict[str, dict[str, str]] = {}
    unclear: dict[str, str] = {}
    for row in rows:
        name = find_item(service, row)
        if name is None:
            continue
        begin, usd = _number(row.get("StartingRange", "")), _number(row.get("PricePerUnit", ""))
        if not begin or not usd:
            unclear[name] = "a line of it holds no number"
        elif tiers.setdefault(name, {}).setdefault(begin, usd) != usd:
            unclear[name] = f"the list has ${tiers[name][begin]} and ${usd}"
    for name in tiers.keys() - unclear.keys():
        if "0" not in tiers[name]:
            unclear[name] = f"it begins with {min(tiers[name], key=Decimal)} units"
    for name, item in ITEMS.items():
        if item.service == service and name not in tiers:
            unclear.setdefault(name, "the list has no such line")
    taken = {name: Price(usd, "read", on, source) for name, usd in tiers.items() if name not in unclear}
    return Found(taken, unclear)


def _number(text: str) -> str:
    """Write a number as the file does, without zeros that say nothing; empty where it is none."""
    return f"{Decimal(text).normalize():f}" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else ""


@dataclass(frozen=True, slots=True)
class Change:
    """A price that is another now."""

    region: str
    name: str
    old: Mapping[str, str] | None
    """None where there was none."""
    new: Mapping[str, str]

    def words(self) -> str:
        """Say it on one line."""
        label = f"{self.region}: {ITEMS[self.name].label}"
        new = show_rate(self.name, self.new)
        return f"{label}: {new} (new)" if self.old is None else f"{label}: {show_rate(self.name, self.old)} → {new}"


def update_prices(prices: Prices, region: str, found: Mapping[str, Price]) -> tuple[Prices, list[Change]]:
    """Lay what was found over what is known of a region; what was not found stays as it was."""
    known = prices.regions.get(region, {})
    changes = [
        Change(region, name, known[name].usd if name in known else None, price.usd)
        for name, price in found.items()
        if name not in known or _amounts(known[name].usd) != _amounts(price.usd)
    ]
    return Prices({**prices.regions, region: {**known, **found}}), changes


def _amounts(usd: Mapping[str, str]) -> dict[Decimal, Decimal]:
    return {Decimal(begin): Decimal(each) for begin, each in usd.items()}


def show_rate(name: str, usd: Mapping[str, str]) -> str:
    """Say it for as many as people name a price for: ``$0.20 per million requests``; of several tiers the first."""
    item = ITEMS[name]
    rate = min(_amounts(usd).items())[1] * item.scale
    digits = max(2, -int(rate.normalize().as_tuple().exponent)) if rate else 2
    unit = f"million {item.unit}" if item.scale == _MILLION else item.unit.removesuffix("s")
    return f"${rate:,.{digits}f} per {unit}"
