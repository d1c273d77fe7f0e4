"""What an environment costs: against a hand calculation in the docs, part by part, and as a difference."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stackyard.costchange import CostChange, compare_costs
from stackyard.costs import (
    SHARED,
    Estimate,
    Ground,
    Traffic,
    estimate,
    find_ground,
    parse_ground,
    parse_requests,
    size_of,
)
from stackyard.costtable import BEGIN, END, SAMPLE, place_table, render_table
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS
from stackyard.manifest import Service
from stackyard.prices import Prices, read_prices
from stackyard.project import Environment, read_project
from stackyard.services import read_catalog

ROOT = Path(__file__).resolve().parents[2]
PRICES = read_prices(Path(__file__).with_name("recorded") / "prices.json")
"""Those that the template came with, which the docs reckon with; a refreshed file breaks no test."""
GROUND = Ground("eu-west-1", alarms=True)


def made(**said: object) -> Service:
    return Service.model_validate({"kind": "lambda", **said})


def find(whole: Estimate, label: str, service: str = SHARED) -> Decimal:
    """Return what stands behind a label; zero where it does not stand."""
    return sum((line.usd for line in whole.lines if (line.service, line.label) == (service, label)), Decimal(0))


def amount(whole: Estimate, price: str) -> Decimal:
    return sum((line.use.amount for line in whole.lines if line.use.price == price), Decimal(0))


OPERATORS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda dividend, divisor: dividend / divisor,
}


def reckon(text: str) -> Decimal:
    """Reckon what is written with units, dollars and thousands, as a person would."""
    bare = re.sub(r"[A-Za-z$,]", "", text).replace("\N{MULTIPLICATION SIGN}", "*")

    def work(node: ast.expr) -> Decimal:
        match node:
            case ast.Constant():
                return Decimal(ast.get_source_segment(bare, node) or "")
            case ast.BinOp():
                return OPERATORS[type(node.op)](work(node.left), work(node.right))
            case _:
                raise ValueError(text)

    return work(ast.parse(bare.strip(), mode="eval").body)


def read_hand_calculation() -> tuple[dict[tuple[str, str], tuple[str, Decimal]], Decimal]:
    """Return the docs' lines by service and label, and their sum."""
    page = (ROOT / "docs/guides/costs.md").read_text(encoding="utf-8").partition("## By hand")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| ")
    ]
    (*lines, last) = [row for row in rows if row[0] != "Service"]
    return {(row[0], row[1]): (row[2], Decimal(row[3])) for row in lines}, Decimal(last[3])


def test_the_hand_calculation_in_the_docs_agrees_to_the_cent() -> None:
    """Each line reckoned again from what the page writes, and each is a line of the estimate; so is the sum."""
    by_hand, total = read_hand_calculation()
    for written, usd in by_hand.values():
        assert reckon(written).quantize(Decimal("0.01"), ROUND_HALF_UP) == usd, written
    whole = estimate(SAMPLE, GROUND, Traffic(), PRICES)
    assert {(line.service, line.label): line.usd for line in whole.lines} == {
        key: usd for key, (_, usd) in by_hand.items()
    }
    assert whole.total() == total == sum((usd for _, usd in by_hand.values()), Decimal(0))


def test_the_sample_is_what_the_template_comes_with() -> None:
    """As far as it is billed for, in dev."""
    project = read_project(ROOT)
    entries = read_catalog(ROOT, project, "dev", frozenset()).entries
    ground = find_ground(project.environments["dev"], project.region)
    theirs = estimate({entry.name: entry.service for entry in entries}, ground, Traffic(), PRICES)
    assert theirs == estimate(SAMPLE, GROUND, Traffic(), PRICES)


@pytest.mark.parametrize("kind", KINDS)
@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_requests_never_cost_less(kind: str, one: int, other: int) -> None:
    """For every kind, and what nobody calls costs no more than a first request."""
    low, high = (
        estimate({"one": made(kind=kind)}, GROUND, Traffic(requests), PRICES).total()
        for requests in sorted((one, other))
    )
    assert low <= high


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_more_leaves_the_others_as_they_are(kind: str) -> None:
    """Requests are to each; only what is shared moves."""
    alone = estimate({"api": made()}, GROUND, Traffic(), PRICES).by_service()
    both = estimate({"api": made(), "more": made(kind=kind)}, GROUND, Traffic(), PRICES).by_service()
    assert both["api"] == alone["api"]
    assert both[SHARED] > alone[SHARED]


def test_functions_share_no_network() -> None:
    """NAT, addresses and load balancer are there where a service needs them; for App Runner where it asks."""
    network = ("NAT gateway", "public addresses", "load balancer", "EKS cluster")

    def there(**said: object) -> list[str]:
        whole = estimate({"one": made(**said)}, GROUND, Traffic(), PRICES)
        return [label for label in network if find(whole, label)]

    assert there() == []
    assert there(kind="apprunner") == []
    assert there(kind="apprunner", vpc=True) == ["NAT gateway", "public addresses"]
    assert there(kind="ecs") == ["NAT gateway", "public addresses", "load balancer"]
    assert there(kind="eks") == list(network)


@pytest.mark.parametrize(
    ("ground", "price", "hours"),
    [
        (Ground("eu-west-1", nat="single", zones=3), "nat.hours", 730),
        (Ground("eu-west-1", nat="per-zone", zones=3), "nat.hours", 3 * 730),
        (Ground("eu-west-1", nat="per-zone", zones=3), "ipv4.hours", 3 * 730),
        (Ground("eu-west-1", nat="none", zones=2), "nat.hours", 0),
        (Ground("eu-west-1", nat="none", zones=2), "endpoint.hours", 9 * 2 * 730),
    ],
)
def test_ways_out_of_the_network(ground: Ground, price: str, hours: int) -> None:
    """One NAT gateway, one a zone, or endpoints to AWS's services in each."""
    assert amount(estimate({"one": made(kind="ecs")}, ground, Traffic(), PRICES), price) == hours


def test_numbers_are_those_of_the_terraform_modules() -> None:
    """Interface endpoints, the managed nodes' type, number and disks, and that the gateway keeps metrics of methods."""
    modules = ROOT / "infra/modules"
    text = (modules / "network/variables.tf").read_text(encoding="utf-8")
    endpoints = re.search(r'variable "endpoints" .*?default +=\s*\[(.*?)\]', text, re.DOTALL)
    more = re.search(r"more_endpoints\s*=.*?\?\s*\[(.*?)\]", (ROOT / "infra/app/main.tf").read_text(encoding="utf-8"))
    assert endpoints
    assert more
    ground = Ground("eu-west-1", nat="none", zones=2, nodes="managed")
    both = estimate({"one": made(kind="eks")}, ground, Traffic(), PRICES)
    assert amount(both, "endpoint.hours") == (endpoints[1].count(",") + 1 + more[1].count(",") + 1) * 2 * 730

    group = (modules / "eks-cluster/variables.tf").read_text(encoding="utf-8")
    assert '["m7g.large"]' in group
    smallest = re.search(r"min +=\s*optional\(number, (\d+)\)", group)
    disk = re.search(r"volume_size = (\d+)", (modules / "eks-cluster/nodes.tf").read_text(encoding="utf-8"))
    assert smallest
    assert disk
    assert amount(both, "ec2.m7g-hours") == int(smallest[1]) * 730
    assert amount(both, "ebs.gb-months") == int(smallest[1]) * int(disk[1])
    assert re.search(r"metrics_enabled +=\s*true", (modules / "api-gateway/main.tf").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("nodes", "services", "count"),
    [
        ("auto", {"one": {}}, 1),
        ("managed", {"one": {}}, 2),
        ("auto", {"one": {"cpu": 1024, "scaling": {"min": 2, "max": 2}}}, 2),
        ("auto", {"one": {"memory": 6963}}, 1),
        ("auto", {"one": {"memory": 6964}}, 2),
        ("managed", {"one": {"cpu": 2048}, "two": {"cpu": 4096}}, 4),
    ],
)
def test_nodes_are_as_many_as_the_pods_need(nodes: str, services: dict[str, dict[str, object]], count: int) -> None:
    """By processors and by memory, each with what Kubernetes keeps for itself; the fee is Auto Mode's alone."""
    ground = parse_ground({"region": "eu-west-1", "nodes": nodes})
    whole = estimate({name: made(kind="eks", **said) for name, said in services.items()}, ground, Traffic(), PRICES)
    assert amount(whole, "ec2.m7g-hours") == count * 730
    assert amount(whole, "eks.auto-hours") == (count * 730 if nodes == "auto" else 0)


def test_nobody_pays_for_metrics_of_methods_that_nobody_calls() -> None:
    """They are billed by the hour in which something came: a hundred requests are a hundred hours at the most."""
    few = estimate({"one": made()}, GROUND, Traffic(73), PRICES)
    assert amount(few, "cloudwatch.metrics") == 1
    assert amount(estimate({"one": made()}, GROUND, Traffic(0), PRICES), "cloudwatch.metrics") == 0


def test_an_apprunner_service_is_busy_no_longer_than_a_month() -> None:
    """A minute a request at the most, and all of its smallest number of instances."""
    few, many = (
        estimate({"one": made(kind="apprunner", scaling={"min": 2})}, GROUND, Traffic(requests), PRICES)
        for requests in (60, 10**9)
    )
    assert amount(few, "apprunner.vcpu-hours") == 1
    assert amount(many, "apprunner.vcpu-hours") == 2 * 730
    assert amount(few, "apprunner.gb-hours") == amount(many, "apprunner.gb-hours") == 2 * 2 * 730


def test_the_ground_is_the_environments_own() -> None:
    """What stackyard.yaml says of it, X-Ray and the firewall among it."""
    place = Environment.model_validate(
        {"account": "111111111111", "region": "us-east-1", "xray": False, "network": {"nat": "none"}}
    )
    ground = find_ground(place, "eu-west-1")
    assert (ground.region, ground.nat, ground.xray) == ("us-east-1", "none", False)
    there = {"eu-west-1": PRICES.regions["eu-west-1"], "us-east-1": PRICES.regions["eu-west-1"]}
    without = estimate({"one": made()}, ground, Traffic(), Prices(there))
    assert find(without, "X-Ray") == 0
    guarded = estimate({"one": made()}, Ground("eu-west-1", waf=True), Traffic(), PRICES)
    assert find(guarded, "web firewall") + find(guarded, "web firewall's rules") == Decimal("9.00")
    assert find(guarded, "web firewall's requests") == Decimal("0.60")


def test_what_is_free_is_taken_off_once() -> None:
    """It is the account's: two functions share its million requests."""
    both = {"api": made(), "more": made()}
    whole = estimate(both, GROUND, Traffic(), PRICES, free_tier=True)
    assert find(whole, "Lambda requests", "api") + find(whole, "Lambda requests", "more") == Decimal("0.20")
    assert find(whole, "Lambda", "api") + find(whole, "Lambda", "more") == 0
    assert whole.total() < estimate(both, GROUND, Traffic(), PRICES).total()


def test_a_secret_that_two_services_read_is_paid_once() -> None:
    """By its whole name."""
    both = {name: made(secrets={"DATABASE": "acme/dev/db"}) for name in ("api", "more")}
    assert find(estimate(both, GROUND, Traffic(), PRICES), "secrets") == Decimal("0.40")


TYPED: list[tuple[str, tuple[int, dict[str, int]]]] = [
    ("", (1_000_000, {})),
    ("5_000", (5000, {})),
    ("5,api=70", (5, {"api": 70})),
    ("api=0", (1_000_000, {"api": 0})),
]


@pytest.mark.parametrize(("text", "read"), TYPED)
def test_requests_are_read(text: str, read: tuple[int, dict[str, int]]) -> None:
    """A number for all, numbers by name, or both."""
    assert parse_requests(text) == read


@pytest.mark.parametrize("text", ["many", "1e6", "-5", "=5", "api=", "api=-1", "5,api", "1.5", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ConfigError, match="is no number of requests"):
        parse_requests(text)


def change(old: dict[str, Service], new: dict[str, Service], then: Ground = GROUND, now: Ground = GROUND) -> CostChange:
    """Compare, and insist that the parts are the whole."""
    found = compare_costs(old, new, then, now, PRICES)
    assert sum((part.usd for part in found.parts), Decimal(0)) == found.usd == found.after - found.before
    return found


def test_a_service_added_resized_removed_is_told() -> None:
    """With what it costs, and what comes and goes with it."""
    added = change({"api": made()}, {"api": made(), "shop": made(kind="ecs")})
    assert (added.parts[0].service, added.parts[0].why) == ("shop", "new, ecs")
    assert "load balancer comes" in added.parts[-1].why
    assert added.usd > 50
    resized = change({"api": made()}, {"api": made(memory=2048)})
    assert [part.words() for part in resized.parts] == ["api: + $1.34 (memory 1024 → 2048)"]
    assert resized.words() == "+ $1.34 a month ($16.67 → $18.01) at 1,000,000 requests to each service"
    removed = change({"api": made(), "shop": made(kind="ecs")}, {"api": made()})
    assert removed.usd == -added.usd
    assert removed.parts[0].words().startswith("shop: - $8.85 (goes)")
    moved = change({"api": made()}, {"api": made(kind="apprunner")})
    assert moved.parts[0].why == "lambda → apprunner"
    more = change({"shop": made(kind="ecs")}, {"shop": made(kind="ecs", cpu=512, memory=1024, scaling={"min": 2})})
    assert more.parts[0].why == "memory 512 → 1024, cpu 256 → 512, scaling.min 1 → 2"


def test_nothing_that_is_billed_for_changes_nothing() -> None:
    """Another variable, another path."""
    same = change({"api": made()}, {"api": made(environment={"A": "b"}, path="/other")})
    assert (same.usd, same.parts) == (0, ())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("kind: lambda", 7),
        ("kind: lambda\nscaling: {max: 9}", 8),
        ("kind: apprunner", 7),
        ("kind: apprunner\nscaling: {min: 10}", 6),
        ("kind: ecs", 11),
        ("kind: eks", 7),
        ("kind: ecs\nalarms: {enabled: false}", 2),
        ("kind: lambda\nalarms: {enabled: false}", 0),
    ],
)
def test_each_metric_that_an_alarm_reads_is_counted(text: str, count: int) -> None:
    """What modules/monitoring makes for a service of the kind, and what scales it."""
    service = Service.model_validate(yaml.safe_load(text))
    lines = estimate({"shop": service}, GROUND, Traffic(), PRICES).lines
    assert sum(line.use.amount for line in lines if (line.service, line.label) == ("shop", "alarms")) == count


def test_the_environments_own_settings_count() -> None:
    """A NAT gateway a zone is told by its name."""
    services = {"shop": made(kind="ecs")}
    found = change(services, services, now=Ground("eu-west-1", nat="per-zone", alarms=True))
    assert [part.words() for part in found.parts] == ["shared: + $38.69 (NAT gateway, public addresses)"]
    assert found.record()["usd_change"] == 38.69


def test_sizes_are_what_really_runs() -> None:
    """A kind's own where the file says nothing."""
    assert size_of(made(kind="ecs")) == {"memory": 512, "cpu": 256, "scaling.min": 1}
    assert size_of(made(memory=256)) == {"memory": 256}


def test_the_readmes_table_is_put_between_its_marks() -> None:
    """And nothing else is touched; a README without them has no table."""
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert place_table(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert place_table("no table", "new") == "no table"
    rows = render_table(PRICES).splitlines()
    assert len(rows) == 3 + len(KINDS)
    assert "| $110.65 |" in rows[2]
