"""``inv cost``: what an environment costs a month by list, from the files alone; nothing is asked of AWS.

Read the settings, estimate, show: a table by service, and for ``--explain`` how each amount came about and where its
price is from. ``inv plan`` has the same reckoned for the running release, and shows the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stackyard.commands.session import Session
from stackyard.costchange import CostChange, compare_costs
from stackyard.costs import (
    Estimate,
    Ground,
    Line,
    Traffic,
    estimate,
    find_ground,
    order_lines,
    parse_ground,
    parse_requests,
)
from stackyard.errors import ConfigError, MissingError
from stackyard.kinds.use import plain
from stackyard.manifest import Service
from stackyard.prices import ITEMS, SHOWN, Price, Prices, find_price, read_prices, show_rate
from stackyard.project import find_place
from stackyard.releases import Release
from stackyard.services import secret_name


@dataclass(frozen=True, slots=True)
class Assumed:
    """What somebody typed about the traffic."""

    requests: str = ""
    milliseconds: str = ""
    response_kb: str = ""
    log_kb: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an environment costs, and under which assumptions."""

    environment: str
    ground: Ground
    traffic: Traffic
    free_tier: bool
    estimate: Estimate
    prices: Prices

    def price(self, line: Line) -> Price:
        """Return the price of a line."""
        return find_price(self.prices, self.ground.region, line.use.price)

    def record(self) -> dict[str, object]:
        """Return it as data."""
        return {
            "environment": self.environment,
            "region": self.ground.region,
            "currency": self.prices.currency,
            "free_tier": self.free_tier,
            "assumed": {
                "requests_per_month_each": self.traffic.requests,
                "requests_per_month": dict(self.traffic.by_service),
                "duration_ms": self.traffic.milliseconds,
                "response_kb": float(self.traffic.response_kb),
                "log_kb": float(self.traffic.log_kb),
                "outbound_kb": float(self.traffic.outbound_kb),
            },
            "usd_per_month": float(self.estimate.total()),
            "services": {name: float(usd) for name, usd in self.estimate.by_service().items()},
            "lines": [self._line(line) for line in order_lines(self.estimate.lines)],
        }

    def _line(self, line: Line) -> dict[str, object]:
        price = self.price(line)
        return {
            "service": line.service,
            "what": line.label,
            "amount": float(line.use.amount),
            "unit": ITEMS[line.use.price].unit,
            "how": line.use.how,
            "usd_per_unit": {begin: float(usd) for begin, usd in price.usd.items()},
            "usd_per_month": float(line.usd),
            "price": {"name": line.use.price, "sure": price.sure, "on": price.on, "source": price.source},
        }


def services_of(session: Session) -> dict[str, Service]:
    """Return every service as the environment has it, with its secrets' whole names."""
    return {entry.name: _named(session, entry.service) for entry in session.catalog.entries}


def ground_of(session: Session) -> Ground:
    """Return what the environment has beside its services."""
    return find_ground(find_place(session.project, session.environment), session.project.region)


def compare_release(session: Session, release: Release | None) -> CostChange | None:
    """Compare the working tree's cost with the running release's; without a release all of it is new.

    None where the release does not say which settings it had. Raises StackyardError.
    """
    if release is not None and release.settings is None:
        return None
    now = ground_of(session)
    then, before = now, dict[str, Service]()
    if release is not None and release.settings is not None:
        try:
            then = parse_ground(release.ground) if release.ground else now
            before = {name: _named(session, Service.model_validate(said)) for name, said in release.settings.items()}
        except ValueError as error:
            why = f"they are of another version of Stackyard ({str(error).splitlines()[0]})"
            raise ConfigError("the running release's settings", why) from error
    return compare_costs(before, services_of(session), then, now, read_prices())


def _named(session: Session, service: Service) -> Service:
    """Return a service with its secrets' whole names."""
    target = session.target
    secrets = {key: secret_name(each, target.project, target.name) for key, each in service.secrets.items()}
    return service.model_copy(update={"secrets": secrets})


def cost(session: Session, assumed: Assumed, *, free_tier: bool = False) -> Cost:
    """Estimate a month of the environment. Raises StackyardError."""
    services, ground, prices = services_of(session), ground_of(session), read_prices()
    traffic = read_traffic(assumed, services)
    whole = estimate(services, ground, traffic, prices, free_tier=free_tier)
    return Cost(session.target.name, ground, traffic, free_tier, whole, prices)


def read_traffic(assumed: Assumed, services: Mapping[str, Service]) -> Traffic:
    """Turn what was typed into figures. Raises ConfigError or MissingError."""
    usual = Traffic()
    each, named = parse_requests(assumed.requests)
    for name in named:
        if name not in services:
            have = ", ".join(sorted(services)) or "none"
            raise MissingError(f"there is no service {name}", f"there are {have}", command="inv services")
    return Traffic(
        each,
        named,
        int(_number("duration", assumed.milliseconds, Decimal(usual.milliseconds))),
        _number("response-kb", assumed.response_kb, usual.response_kb),
        _number("log-kb", assumed.log_kb, usual.log_kb),
    )


def _number(flag: str, text: str, usual: Decimal) -> Decimal:
    if not text:
        return usual
    whole, _, rest = text.partition(".")
    if not (text.isascii() and whole.isdigit() and (not rest or rest.isdigit()) and len(text) <= 12):
        raise ConfigError(f"--{flag} {text}", "it is no number", command="inv cost --help")
    return Decimal(text)


def show_cost(session: Session, found: Cost, *, explain: bool) -> None:
    """Print it as a table; ``explain`` adds how each amount came about, and its price's source."""
    screen = session.screen
    screen.data(f"{found.environment} in {found.ground.region}: {found.traffic.words()}")
    lines = order_lines(found.estimate.lines)
    amounts = [f"{line.usd:,.2f}" for line in lines]
    width = max((len(each) for each in amounts), default=0)
    rows = [
        (line.service, line.label, usd.rjust(width), _amount(line), show_rate(line.use.price, found.price(line).usd))
        for line, usd in zip(lines, amounts, strict=True)
    ]
    headings = ("SERVICE", "FOR", "USD".rjust(width), "AMOUNT", "PRICE")
    if explain:
        rows = [(*row, line.use.how) for row, line in zip(rows, lines, strict=True)]
    screen.table((*headings, "HOW") if explain else headings, rows)
    for name, usd in found.estimate.by_service().items():
        screen.data(f"{name}: ${usd:,.2f}")
    screen.data(f"${found.estimate.total():,.2f} a month in all")
    for line in _footnotes(found, lines, explain=explain):
        screen.data(line)


def _amount(line: Line) -> str:
    amount = line.use.amount
    shown = amount.quantize(Decimal("0.01")) if amount < 1000 else amount.quantize(Decimal(1))
    return f"{plain(shown)} {ITEMS[line.use.price].unit}"


def _footnotes(found: Cost, lines: list[Line], *, explain: bool) -> list[str]:
    prices = {line.use.price: found.price(line) for line in lines}
    remembered = [ITEMS[name].label for name, price in prices.items() if price.sure == "remembered"]
    oldest = min((price.on for price in prices.values()), default="")
    free = "what is free for ever is taken off, as if the account had nothing else"
    notes = [
        f"({free if found.free_tier else 'nothing free taken off: --free-tier'}; servers at their smallest number)"
    ]
    if remembered:
        dates = f"prices of {oldest} and later, {SHOWN}; from memory only: {', '.join(remembered)}"
        notes.append(f"({dates}; `inv prices` fetches AWS's own list)")
    elif oldest:
        notes.append(f"(prices of {oldest} and later, {SHOWN})")
    if explain:
        notes += [f"  {ITEMS[name].label}: {price.sure} {price.on}, {price.source}" for name, price in prices.items()]
    if found.environment == "local":
        notes.append("(local costs nothing: this is what it would cost in AWS)")
    return notes
