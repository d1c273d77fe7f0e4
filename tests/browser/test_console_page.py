"""The console in a real Chromium, before a real gateway: what goes through it, as people see it."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.programs import API, WEB, WORKER
from tests.local.gateway.gateway_lab import KEY, Lab
from tests.waiting import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit

    Make = Callable[..., Visit]

SIZES = {"phone": (390, 844), "small": (320, 640), "desktop": (1280, 860)}
PICTURES = {
    "light": (1280, 800, "light"),
    "dark": (1280, 800, "dark"),
    "phone-light": (390, 780, "light"),
    "phone-dark": (390, 780, "dark"),
}
VIEWS = ("requests", "services", "architecture", "logs")
LOOK = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A gateway with services of two kinds, one of which calls another, and one that does not start."""
    found = Lab(tmp_path_factory.mktemp("console"))
    found.service("api", API, path="/")
    found.service("worker", WORKER)
    found.service("vault", API, api_key=True)
    found.service("ledger", "raise RuntimeError('no DATABASE_URL')")
    found.server("web", WEB)
    found.extra = {"api_keys": [KEY], "throttle": {"rate": 100, "burst": 200}}
    found.start(warm=False)
    until(lambda: found.workers("api", "idle") and found.workers("worker", "idle"), "the functions run")
    until(lambda: found.processes("web") and found.described("ledger")["trouble"], "the server runs, ledger does not")
    yield found
    found.stop()


@pytest.fixture
def console(lab: Lab) -> str:
    """The console's address; nothing is kept yet."""
    lab.client.cookies.clear()
    lab.client.post("/_stackyard/clear", json={}).raise_for_status()
    return f"{lab.url}/_stackyard/"


def see(made: Visit, address: str, view: str = "requests") -> Page:
    """Open the console and wait until it is live."""
    made.page.goto(f"{address}#{view}")
    made.page.wait_for_selector("body[data-link=live]")
    made.page.wait_for_selector("#stage:not([hidden])")
    return made.page


def send_traffic(lab: Lab) -> None:
    """Send what a morning's work sends."""
    client = lab.client
    for name in ("Ann", "Ben", "Cleo"):
        client.get("/greet", params={"name": name})
        client.get("/web/orders")
        client.get("/health")
    client.get("/ledger/entries")
    client.get("/vault/greet")
    client.get("/local/greet?name=Dora")
    client.get("/old/path")
    client.post("/worker/broken", json={})
    client.get("/web")
    client.post("/worker/jobs?dry=false", json={"names": ["Ann", "Ben"]}, headers={"Authorization": "Bearer s3cr3t"})


def rows(page: Page) -> list[str]:
    """Return what the rows say."""
    return page.locator("#list li").all_inner_texts()


def choose(page: Page, words: str) -> None:
    """Open the newest request whose row holds the words."""
    page.locator("#list a", has_text=words).first.click()
    page.wait_for_selector("#detail .target")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read_on_any_screen(console: str, lab: Lab, visit: Make, size: str, scheme: str) -> None:
    """Labels, structure, contrast, room to touch, no sideways scrolling: empty, full, with a request, in every view."""
    made = visit(*SIZES[size], scheme, still=True)
    page = see(made, console)
    expect(page.locator("#empty .lead")).to_have_text("No requests yet")
    assert page.evaluate(LOOK) == []
    send_traffic(lab)
    expect(page.locator("#list li")).to_have_count(18)
    for words in ("job done", "no such job"):
        expect(page.locator("#log .line", has_text=words)).to_have_count(1)
    for view in VIEWS:
        page.evaluate(f"location.hash = '{view}'")
        page.wait_for_selector(f"#{view}:not([hidden])")
        assert page.evaluate(LOOK) == [], view
    page.evaluate("location.hash = 'requests'")
    choose(page, "/worker/jobs")
    for each in page.locator("#detail details").all():
        each.evaluate("each => { each.open = true; }")
    assert page.evaluate(LOOK) == []
    assert made.complaints == []
    assert page.evaluate("window.violations") == []


def test_pictures(
    console: str, lab: Lab, visit: Make, take_picture: Callable[[Page, str], None], pytestconfig: pytest.Config
) -> None:
    """For the documentation: kept with --pictures, after a minute's traffic, and else a look at what they show."""
    pages: dict[str, Page] = {}
    for name, (width, height, scheme) in PICTURES.items():
        pages[name] = see(visit(width, height, scheme, still=True), console)
    for second in range(50) if pytestconfig.getoption("--pictures") else ():
        for number in range(6 + 3 * (second * second % 7)):
            lab.client.get(f"/greet?name={number}" if number % 3 else "/web/orders")
        pages["light"].wait_for_timeout(900)
    kept = len(lab.client.get("/_stackyard/requests").json())
    send_traffic(lab)
    for name, page in pages.items():
        expect(page.locator("#list li")).to_have_count(kept + 18)
        if not name.startswith("phone"):
            choose(page, "/worker/jobs")
        page.mouse.move(0, 0)
        take_picture(page, f"console-{name}")
    page = pages["light"]
    page.evaluate("location.hash = 'architecture'")
    expect(page.locator("#drawing .call")).to_have_count(1)
    take_picture(page, "console-architecture")


def test_requests_appear_as_they_happen(console: str, lab: Lab, visit: Make) -> None:
    """The newest first, with status, time and service; the figures count; markup in a path is text."""
    page = see(visit(), console)
    lab.client.get("/greet?name=Ann")
    lab.client.get("/none/<b>bold</b>")
    expect(page.locator("#list li")).to_have_count(2)
    last, first = rows(page)
    assert re.search(r"200\s+GET\s+/greet\?name=Ann\s+api", first)
    assert "404" in last
    assert page.locator("#list b").count() == 0
    expect(page.locator("#fig-rate")).to_have_text("2")
    page.get_by_role("button", name="Pause").click()
    lab.client.get("/greet?name=Ben")
    expect(page.get_by_role("button", name="Go on (1 new)")).to_be_visible()
    assert len(rows(page)) == 2
    page.keyboard.press("p")
    expect(page.locator("#list li")).to_have_count(3)


def test_one_request_in_full(console: str, lab: Lab, visit: Make) -> None:
    """Event in, answer out, time, log lines; no secret anywhere in the page; a page that was answered is not run."""
    page = see(visit(), console)
    send_traffic(lab)
    expect(page.locator("#list li")).to_have_count(18)
    choose(page, "/worker/jobs")
    detail = page.locator("#detail")
    expect(detail.locator(".verdict")).to_contain_text("202 Accepted")
    expect(detail.locator(".verdict")).to_contain_text("warm")
    assert json.loads(detail.locator("pre").first.inner_text())["greetings"] == ["Hello, Ann!", "Hello, Ben!"]
    expect(detail.locator(".line .message")).to_contain_text("job done")
    detail.locator("summary", has_text="Event").click()
    event = json.loads(detail.get_by_label("the event", exact=True).inner_text())
    assert (event["path"], event["headers"]["Authorization"]) == ("/worker/jobs", "(not kept)")
    assert "s3cr3t" not in page.content()
    choose(page, "/web/orders")
    expect(detail.locator("pre").first).to_contain_text("<script>")
    assert page.evaluate("window.pwned") is None
    choose(page, "/ledger/entries")
    expect(detail.locator(".reason")).to_contain_text("no DATABASE_URL")


def test_filters(console: str, lab: Lab, visit: Make) -> None:
    """By words, by class of status, by a choice; nothing found is said, and undone with one button."""
    page = see(visit(), console)
    send_traffic(lab)
    expect(page.locator("#list li")).to_have_count(18)
    for words, count in (("5xx", 2), ("POST worker", 2), ("/web", 4), ("from nowhere", 0)):
        page.get_by_label("Filter requests", exact=True).fill(words)
        expect(page.locator("#list li")).to_have_count(count)
    expect(page.locator("#empty")).to_contain_text("Nothing matches")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#list li")).to_have_count(18)
    page.get_by_label("Show", exact=True).select_option("errors")
    assert all(re.match(r"[45]\d\d", each) for each in rows(page))


def test_send_again_and_edited(console: str, lab: Lab, visit: Make) -> None:
    """As it was, with one key; changed, in a form that says what is wrong; what was not kept is asked for."""
    page = see(visit(), console)
    lab.client.get("/greet?name=Ann")
    choose(page, "/greet?name=Ann")
    page.keyboard.press("r")
    expect(page.locator("#list li")).to_have_count(2)
    expect(page.locator("#list li").first).to_contain_text("replay")
    page.get_by_role("button", name="Edit and send").click()
    page.get_by_label("Path and query").fill("greet")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#composer-wrong")).to_contain_text("begins with /")
    page.get_by_label("Path and query").fill("/worker/jobs")
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("Body").fill('{"names": ["Zoe"]}')
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#detail .target")).to_contain_text("POST /worker/jobs")
    expect(page.locator("#detail pre").first).to_contain_text("Hello, Zoe!")
    lab.client.get("/vault/greet", headers={"X-Api-Key": KEY["value"]})
    choose(page, "/vault/greet")
    expect(page.locator("#detail .verdict")).to_contain_text("404")
    page.keyboard.press("r")
    expect(page.locator("#composer-hint")).to_contain_text("X-Api-Key is not kept")
    assert KEY["value"] not in page.content()
    page.keyboard.press("Escape")
    expect(page.locator("#composer")).not_to_be_visible()


def test_by_keyboard(console: str, lab: Lab, visit: Make) -> None:
    """One stop of Tab for the whole list, arrows within it; views, filter, help and close by their keys."""
    page = see(visit(), console)
    send_traffic(lab)
    expect(page.locator("#list li")).to_have_count(18)
    assert page.locator('#list a[tabindex="0"]').count() == 1
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#detail .target")).to_be_visible()
    chosen = page.locator('#list [aria-current="true"]').inner_text()
    assert chosen == page.locator("#list a").nth(1).inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    for key, view in zip("234", VIEWS[1:], strict=True):
        page.keyboard.press(key)
        expect(page.locator(f"#{view}")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("/")
    page.keyboard.type("5xx j n")
    assert page.locator("#filter").input_value() == "5xx j n", "keys are text where text is typed"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_services_and_the_drawing(console: str, lab: Lab, visit: Make) -> None:
    """Each service with how it is; the API as deployed, and calls between services as they were seen."""
    page = see(visit(), console, "services")
    send_traffic(lab)
    cards = page.locator(".card")
    expect(cards).to_have_count(5)
    expect(cards.filter(has_text="ledger")).to_contain_text("RuntimeError: no DATABASE_URL")
    expect(cards.filter(has_text="web").first).to_contain_text("ECS Fargate")
    expect(page.locator("#services-count")).to_have_text("1 broken")
    page.keyboard.press("3")
    drawing = page.locator("#drawing")
    for name, path in (("api", "/…"), ("worker", "/worker/…"), ("vault", "/vault/…  (key)"), ("web", "/web/…")):
        expect(drawing.locator("text.name", has_text=re.compile(f"^{name}$"))).to_have_count(1)
        expect(drawing.locator("text.route", has_text=re.compile(f"^{re.escape(path)}$"))).to_have_count(1)
    expect(drawing.locator(".call")).to_have_count(1)
    expect(drawing.locator("svg")).to_have_attribute("aria-label", re.compile("worker called api 2 times"))
    expect(page.locator("#routes tbody tr")).to_have_count(10)


def test_logs(console: str, lab: Lab, visit: Make) -> None:
    """What services print, in order, by service and by level."""
    page = see(visit(), console, "logs")
    send_traffic(lab)
    expect(page.locator("#log .message", has_text="job done")).to_have_count(1)
    page.get_by_label("Level").select_option("error")
    expect(page.locator("#log li", has_text="no such job")).to_have_count(1)
    expect(page.locator("#log .message", has_text="job done")).to_have_count(0)
    page.get_by_label("Service", exact=True).select_option("worker")
    page.get_by_label("Filter logs", exact=True).fill("nothing says this")
    expect(page.locator("#log-empty")).to_contain_text("Nothing matches")


@contextmanager
def steady(lab: Lab, rate: int) -> Generator[list[int]]:
    """Send so many requests a second until the end of the block; yield the statuses that come."""
    found: list[int] = []
    ended = threading.Event()

    def send() -> None:
        with httpx.Client(base_url=lab.url) as client:
            due = time.monotonic()
            while not ended.is_set():
                found.append(client.get("/greet?name=steady").status_code)
                due += 1 / rate
                ended.wait(max(0, due - time.monotonic()))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def test_it_stays_live_under_load(console: str, lab: Lab, visit: Make) -> None:
    """At 50 requests a second, past the thousand that are kept: rows keep coming, and clicks are answered."""
    page = see(visit(), console)
    with httpx.Client(base_url=lab.url) as client:
        for _ in range(1000):
            client.get("/greet?name=before")
    expect(page.locator("#list li")).to_have_count(1000)
    with steady(lab, 50) as sent:
        until(lambda: len(sent) > 75, "traffic flows")
        choose(page, "name=steady")
        page.keyboard.press("Escape")
        number = int(page.locator("#list .number").first.inner_text().removeprefix("#"))
        page.wait_for_function(
            "from => Number(document.querySelector('#list .number').textContent.slice(1)) > from + 50", arg=number
        )
    assert set(sent) == {200}
    expect(page.locator("#list li")).to_have_count(1000)
    newest = lab.client.get("/_stackyard/requests").json()[-1]["number"]
    expect(page.locator("#list .number").first).to_have_text(f"#{newest}")


def test_a_gateway_that_ends_and_comes_back(tmp_path: Path, visit: Make) -> None:
    """The page says so, goes on by itself, and a request of the time before is no longer there."""
    own = Lab(tmp_path)
    own.service("api", API, path="/")
    own.start()
    try:
        made = visit()
        page = see(made, f"{own.url}/_stackyard/")
        own.client.get("/greet")
        choose(page, "/greet")
        assert own.daemon is not None
        own.daemon.stop()
        expect(page.locator("#lost")).to_contain_text("The gateway does not answer")
        port = own.port
        again = Lab(tmp_path, paths=own.paths, functions=own.functions, options=("--port", str(port)))
        again.start()
        own.daemon = again.daemon
        page.wait_for_selector("body[data-link=live]")
        expect(page.locator("#lost")).to_be_hidden()
        expect(page.locator("#detail")).to_contain_text("no longer kept")
        again.client.get("/greet?name=again")
        expect(page.locator("#list li")).to_have_count(1)
        again.client.close()
    finally:
        own.stop()
