"""List prices: the file, tiers, and which line of AWS's list is which of ours."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.errors import ConfigError, MissingError
from stackyard.prices import (
    FILE,
    ITEMS,
    Price,
    Prices,
    Row,
    collect_prices,
    find_item,
    find_price,
    read_prices,
    render_prices,
    show_rate,
    update_prices,
)

TIERED = {"0": "0.0000035", "333000000": "0.0000028", "1000000000": "0.00000238"}


def price(usd: dict[str, str] | None = None) -> Price:
    return Price(usd or {"0": "0.5"}, "read", "2026-11-23", "https://example.com")


def row(usage: str, operation: str = "", **more: str) -> Row:
    cells = {"TermType": "OnDemand", "Currency": "USD", "StartingRange": "0", "PricePerUnit": "0.5000000000"}
    return {**cells, "usageType": usage, "operation": operation, **more}


def test_the_file_is_as_it_would_be_written() -> None:
    """And every price in it has an amount from 0 on, a day, and a source."""
    prices = read_prices()
    assert FILE.read_text(encoding="utf-8") == render_prices(prices)
    for region in prices.regions.values():
        for each in region.values():
            assert "0" in each.usd
            assert all(Decimal(usd) > 0 for usd in each.usd.values())
            assert each.source
            assert each.on.startswith("20")


def test_the_default_region_has_every_price() -> None:
    """What the template is deployed to first; nothing that Stackyard makes is left without."""
    assert read_prices().regions["eu-west-1"].keys() == ITEMS.keys()


@pytest.mark.parametrize("text", ["", "{}x", '{"regions": {"eu-west-1": {"tea": {}}}}'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    """With what brings it back."""
    path = tmp_path / "prices.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="it holds no prices"):
        read_prices(path)


def test_a_name_that_nothing_has_is_refused(tmp_path: Path) -> None:
    """A price under a name mistyped would be one that is missing."""
    path = tmp_path / "prices.json"
    path.write_text(render_prices(Prices({"eu-west-1": {"nat.gb": price()}})).replace("nat.gb", "nat.tb"))
    with pytest.raises(ConfigError, match=r"nothing is called nat\.tb"):
        read_prices(path)


@pytest.mark.parametrize(
    ("amount", "free", "usd"),
    [
        (0, 0, "0"),
        (1_000_000, 0, "3.5"),
        (333_000_000, 0, "1165.5"),
        (334_000_000, 0, "1168.3"),
        (2_000_000_000, 0, "5413.1"),
        (1_000_000, 1_000_000, "0"),
        (3_000_000, 1_000_000, "7"),
        (334_000_000, 1_000_000, "1164.8"),
    ],
)
def test_tiers_and_what_is_free(amount: int, free: int, usd: str) -> None:
    """Each part of an amount costs what its tier says; free units are the first ones."""
    assert price(TIERED).cost(Decimal(amount), free) == Decimal(usd)


@given(
    st.dictionaries(st.integers(1, 10**9), st.decimals("0.0001", 1, places=4), max_size=4),
    st.integers(0, 10**10),
    st.integers(0, 10**10),
    st.integers(0, 10**6),
)
def test_more_never_costs_less(tiers: dict[int, Decimal], one: int, other: int, free: int) -> None:
    """Whatever the tiers; and what is free never makes dearer."""
    tried = price({"0": "0.5", **{str(begin): str(usd) for begin, usd in tiers.items()}})
    low, high = sorted((Decimal(one), Decimal(other)))
    assert 0 <= tried.cost(low, free) <= tried.cost(high, free) <= tried.cost(high)


def test_a_region_without_prices_is_never_guessed() -> None:
    """The error says how to get them."""
    with pytest.raises(MissingError, match="no prices of ap-southeast-2") as missing:
        find_price(Prices({"eu-west-1": {}}), "ap-southeast-2", "nat.gb")
    assert missing.value.command == "inv prices --region ap-southeast-2"
    with pytest.raises(MissingError, match="no price of EKS cluster in eu-west-1"):
        find_price(Prices({"eu-west-1": {"nat.gb": price()}}), "eu-west-1", "eks.cluster-hours")


@pytest.mark.parametrize(
    ("service", "usage", "operation", "name"),
    [
        ("AmazonEC2", "EU-NatGateway-Hours", "NatGateway", "nat.hours"),
        ("AmazonEC2", "NatGateway-Hours", "NatGateway", "nat.hours"),
        ("AmazonEC2", "EUC1-NatGateway-Bytes", "NatGateway", "nat.gb"),
        ("AmazonEC2", "EU-RegionalNatGateway-Hours", "RegionalNatGateway", None),
        ("AmazonEC2", "EU-BoxUsage:m7g.large", "RunInstances", "ec2.m7g-hours"),
        ("AmazonEC2", "EU-BoxUsage:m7g.large", "RunInstances:0010", None),
        ("AmazonEC2", "EU-UnusedBox:m7g.large", "RunInstances", None),
        ("AWSELB", "EU-LoadBalancerUsage", "LoadBalancing:Network", "balancer.hours"),
        ("AWSELB", "EU-LoadBalancerUsage", "LoadBalancing:Application", None),
        ("AWSELB", "EU-TS-LoadBalancerUsage", "LoadBalancing:Network", None),
        ("AWSLambda", "EU-Request-ARM", "", "lambda.requests"),
        ("AWSLambda", "EU-Request", "", None),
        ("AWSLambda", "Global-Request", "", None),
        ("AmazonECR", "APS2-TimedStorage-ByteHrs", "", "ecr.gb-months"),
        ("AmazonCloudWatch", "APS2-TimedStorage-ByteHrs", "", "logs.gb-months"),
        ("AmazonEKS", "APN1-EKS-Auto:m7g.large-management-hours", "", "eks.auto-hours"),
    ],
)
def test_a_line_of_the_list_is_known_by_its_usage(service: str, usage: str, operation: str, name: str | None) -> None:
    """With and without a region before it, and by its operation where a usage is several things."""
    assert find_item(service, row(usage, operation)) == name


@pytest.mark.parametrize("other", [{"TermType": "Reserved"}, {"Currency": "CNY"}])
def test_other_terms_and_currencies_are_passed_over(other: dict[str, str]) -> None:
    """A reserved instance's price is nobody's list price."""
    assert find_item("AmazonECR", row("EU-TimedStorage-ByteHrs", **other)) is None


def test_a_lists_tiers_are_gathered() -> None:
    """In whatever order, without zeros at the end; what is unclear is not taken."""
    rows = [
        row("EU-ApiGatewayRequest", StartingRange="333000000", PricePerUnit="0.0000028000"),
        row("EU-ApiGatewayRequest", PricePerUnit="0.0000035000"),
    ]
    found = collect_prices("AmazonApiGateway", rows, "2026-11-20", "https://list")
    assert found.prices == {
        "gateway.requests": Price({"333000000": "0.0000028", "0": "0.0000035"}, "read", "2026-11-20", "https://list")
    }
    assert found.unclear == {}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "the list has no such line"),
        (
            [row("EU-TimedStorage-ByteHrs"), row("EU-TimedStorage-ByteHrs", PricePerUnit="1")],
            "the list has $0.5 and $1",
        ),
        ([row("EU-TimedStorage-ByteHrs", StartingRange="10")], "it begins with 10 units"),
        ([row("EU-TimedStorage-ByteHrs", PricePerUnit="free")], "a line of it holds no number"),
    ],
)
def test_what_is_unclear_in_the_list_is_said_and_not_taken(rows: list[Row], why: str) -> None:
    """Two prices for one thing, none, or no beginning."""
    found = collect_prices("AmazonECR", rows, "2026-11-20", "https://list")
    assert (found.prices, found.unclear) == ({}, {"ecr.gb-months": why})


def test_what_was_not_found_stays() -> None:
    """A change is one of the amount; how it was written, its day and its source are none."""
    known = Prices({"eu-west-1": {"nat.gb": price({"0": "0.50"}), "nat.hours": price()}, "us-east-1": {}})
    found = {"nat.gb": price({"0": "0.5"}), "ipv4.hours": price()}
    new, changes = update_prices(known, "eu-west-1", found)
    assert new.regions["eu-west-1"] == {"nat.gb": found["nat.gb"], "nat.hours": price(), "ipv4.hours": price()}
    assert [change.words() for change in changes] == ["eu-west-1: public addresses: $0.50 per hour (new)"]
    _, changes = update_prices(new, "eu-west-1", {"nat.gb": price({"0": "0.045"})})
    assert [change.words() for change in changes] == ["eu-west-1: NAT gateway traffic: $0.50 per GB → $0.045 per GB"]
    assert json.loads(render_prices(new))["regions"].keys() == {"eu-west-1", "us-east-1"}


def test_a_rate_is_shown_as_people_name_it() -> None:
    """A millionth of a dollar means nothing to anybody."""
    assert show_rate("gateway.requests", TIERED) == "$3.50 per million requests"
    assert show_rate("fargate.vcpu-hours", {"0": "0.03238"}) == "$0.03238 per vCPU-hour"
