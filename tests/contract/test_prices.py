"""`inv prices` against a server on this machine that answers as AWS's price list does."""

from __future__ import annotations

import contextlib
import csv
import http.server
import io
import shutil
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stackyard.commands.prices import find_regions, refresh
from stackyard.costtable import END
from stackyard.errors import ConfigError, StackyardError, ToolError
from stackyard.prices import ITEMS, SHOWN, read_prices
from stackyard.project import Project
from stackyard.testing import Printed, printed_screen
from stackyard.tools.pricelist import VARIABLE, open_client, open_listing

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
HEADINGS = (
    "SKU,OfferTermCode,RateCode,TermType,PriceDescription,EffectiveDate,StartingRange,EndingRange,Unit,PricePerUnit,"
    "Currency,Product Family,serviceCode,Location,Location Type,usageType,operation,Region Code,serviceName"
)


def write_list(service: str, prices: dict[str, str], filler: int = 0) -> bytes:
    """Write a service's list in the shape of AWS's: five lines about itself, headings, a line for each price tier.

    ``filler`` lines of things that nobody here asks for come between.
    """
    text = io.StringIO()
    lines = csv.writer(text, quoting=csv.QUOTE_ALL)
    about = {"FormatVersion": "v1.0", "Disclaimer": 'For "information" only, see http://aws.amazon.com'}
    about |= {"Publication Date": "2026-11-20T17:45:21Z", "Version": "20261120174521", "OfferCode": service}
    lines.writerows([*about.items(), next(csv.reader([HEADINGS]))])

    def row(usage: str, operation: str, usd: str, term: str = "OnDemand") -> list[str]:
        words = f'${usd} per thing, "on demand", Linux'
        return [
            *("K4EXFQ5YFQCP98EN", "JRTCKXETXF", "K4EXFQ5YFQCP98EN.JRTCKXETXF.6YS6EN2CT7", term, words, "2026-11-01"),
            *("0", "Inf", "Hrs", usd, "USD", "Family", service, "EU (Ireland)", "AWS Region", usage, operation),
            *(REGION, service),
        ]

    for number in range(filler):
        lines.writerow(row(f"EU-BoxUsage:m7g.{number}xlarge", "RunInstances", "1.0000000000"))
    for name, usd in prices.items():
        item = ITEMS[name]
        lines.writerow(row(f"EU-{item.usage}", item.operation, "9.0000000000", "Reserved"))
        lines.writerow(row(f"EU-{item.usage}", item.operation or "Some:Operation", usd))
    return text.getvalue().encode()


@dataclass
class PriceList:
    """What the server has: bodies by path; what is not there is forbidden, as at S3. ``cut`` ends answers early."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    cut: int = 0
    status: int = 200

    def put(self, service: str, body: bytes, region: str = REGION) -> None:
        self.files[f"/{service}/current/{region}/index.csv"] = body


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[PriceList]:
    """A price list on loopback, to which `inv prices` is pointed."""
    served = PriceList()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = served.files.get(self.path)
            self.send_response(served.status if body is not None else 403)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write((body or b"")[: -served.cut or None])

        def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (prints)
            """Print nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{server.server_address[1]}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with its file of prices and its README."""
    for name in (SHOWN, "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def printed() -> Printed:
    return printed_screen()


def known() -> dict[str, str]:
    """Return every price of the region in the repository's file, of one tier."""
    return {name: price.usd["0"] for name, price in read_prices().regions[REGION].items()}


def fill(listing: PriceList, prices: dict[str, str]) -> None:
    """Have the server list these, each in its service's file."""
    for service in {ITEMS[name].service for name in prices}:
        listing.put(service, write_list(service, {n: usd for n, usd in prices.items() if ITEMS[n].service == service}))


def test_what_the_list_says_is_written(root: Path, listing: PriceList, printed: Printed) -> None:
    """Changed prices are shown and dated, the README's table follows, and again nothing changes."""
    single = {name for name, price in read_prices().regions[REGION].items() if len(price.usd) == 1}
    fill(listing, {name: usd for name, usd in known().items() if name in single} | {"nat.hours": "0.0480000000"})
    done = refresh(root, printed.screen, [REGION])
    assert (done.changes, done.written) == ((), True)
    price = read_prices(root / SHOWN).regions[REGION]["nat.hours"]
    assert (price.usd, price.sure, price.on) == ({"0": "0.048"}, "read", "2026-11-20")
    assert price.source.endswith("/AmazonEC2/current/eu-west-1/index.csv")
    assert done.kept[REGION].keys() == ITEMS.keys() - single
    before = (root / "README.md").read_text()

    fill(listing, {name: usd for name, usd in known().items() if name in single} | {"nat.hours": "0.05"})
    with pytest.raises(ConfigError, match="1 prices are others by now"):
        refresh(root, printed.screen, [REGION], check=True)
    assert (root / "README.md").read_text() == before
    done = refresh(root, printed.screen, [REGION])
    assert [each.words() for each in done.changes] == ["eu-west-1: NAT gateway: $0.048 per hour → $0.05 per hour"]
    assert "NAT gateway: $0.048 per hour → $0.05 per hour" in printed.err()
    after = (root / "README.md").read_text()
    assert after != before
    assert after.partition(END)[2] == before.partition(END)[2]


def test_a_new_region_has_what_its_list_has(root: Path, listing: PriceList, printed: Printed) -> None:
    """No App Runner there: its prices are not made up."""
    for service in ("AWSLambda", "AmazonApiGateway"):
        prices = {name: "0.0000002" for name, item in ITEMS.items() if item.service == service}
        listing.put(service, write_list(service, prices).replace(b"EU-", b"APS2-"), "ap-southeast-2")
    done = refresh(root, printed.screen, ["ap-southeast-2"])
    regions = read_prices(root / SHOWN).regions
    assert regions["ap-southeast-2"].keys() == {"gateway.requests", "lambda.requests", "lambda.gb-seconds"}
    assert done.kept["ap-southeast-2"]["apprunner.gb-hours"] == "there is no list of its service"
    assert regions[REGION] == read_prices().regions[REGION]


@pytest.mark.parametrize(
    ("region", "answer", "error", "why"),
    [
        ("eu-north-9", (b"", 0, 200), ConfigError, "there is no region eu-north-9"),
        ("../../etc", (b"", 0, 200), ConfigError, "that is no AWS region"),
        (REGION, (b"<html>Sign in to the network</html>", 0, 200), ToolError, "it is no price list"),
        (REGION, (write_list("AWSAppRunner", {}).replace(b"Publication", b"Other"), 0, 200), ToolError, "when it was"),
        (REGION, (write_list("AWSAppRunner", known(), 50), 900, 200), ToolError, "incomplete|closed"),
        (REGION, (b"\xff\xfe\x00", 0, 200), ToolError, "it is no price list"),
        (REGION, (b"", 0, 500), ToolError, "it answered 500"),
    ],
)
def test_what_cannot_be_read_changes_nothing(
    root: Path,
    listing: PriceList,
    printed: Printed,
    region: str,
    answer: tuple[bytes, int, int],
    error: type[StackyardError],
    why: str,
) -> None:
    """A page to sign in, a list that ends early, a server that fails: named, with the address."""
    body, cut, status = answer
    listing.put("AWSAppRunner", body)
    listing.cut, listing.status = cut, status
    before = (root / SHOWN).read_bytes()
    with pytest.raises(error, match=why):
        refresh(root, printed.screen, [region])
    assert (root / SHOWN).read_bytes() == before


def test_nobody_there_is_told_with_the_way_round(root: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the internet keeps its prices, and learns of mirrors."""
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ToolError) as told:
        refresh(root, printed.screen, [REGION])
    assert VARIABLE in told.value.fix


def test_a_long_list_is_never_held(listing: PriceList) -> None:
    """EC2's has hundreds of megabytes: memory stays far below what was read."""
    body = write_list("AmazonEC2", {"nat.hours": "0.048"}, 30_000)
    listing.put("AmazonEC2", body)
    assert len(body) > 8_000_000
    tracemalloc.start()
    with open_client() as client, open_listing(client, "AmazonEC2", REGION, {"NatGateway-Hours"}) as opened:
        assert opened is not None
        rows = list(opened.rows)
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [row["PricePerUnit"] for row in rows] == ["9.0000000000", "0.048"]
    assert peak < 2_000_000


def test_regions_are_those_of_all_environments() -> None:
    """The project's, environments' own, and previews'."""
    place = {"account": "111111111111"}
    project = Project.model_validate(
        {
            "project": "acme",
            "repository": "acme/platform",
            "region": "eu-west-1",
            "environments": {"dev": place, "prod": {**place, "region": "us-east-1"}},
            "previews": {**place, "region": "eu-central-1"},
        }
    )
    assert find_regions(project) == ("eu-central-1", "eu-west-1", "us-east-1")
