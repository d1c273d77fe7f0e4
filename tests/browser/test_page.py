"""The page of the service web, as people meet it: any screen, light or dark, by keyboard, behind a path prefix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.standin import KEY, Standin
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Visit

    Make = Callable[..., Visit]

SIZES = {"phone": (390, 844), "small": (320, 640), "desktop": (1280, 900)}
PICTURES = {"light": (1080, 980, "light"), "dark": (1080, 980, "dark"), "phone": (390, 780, "light")}
LOOK = (Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")


def card(page: Page, name: str) -> str:
    """Return what stands in a service's card."""
    return page.locator(".service", has=page.locator("h3", has_text=name)).first.inner_text()


def send(page: Page, method: str, path: str, body: str = "") -> str:
    """Send what the form says and return the answer's status line."""
    page.get_by_label("Method").select_option(method)
    page.get_by_label("Path").fill(path)
    if body:
        page.get_by_label("Body").first.fill(body)
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector("#status[data-state]")
    return page.locator("#status").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read_on_any_screen(base: str, visit: Make, size: str, scheme: str) -> None:
    """Labels, structure, contrast, room to touch, no sideways scrolling, with an answer and its body field shown."""
    page = visit(*SIZES[size], scheme).open(f"{base}/web/")
    assert page.evaluate(LOOK) == []
    page.locator("summary", has_text="API key").click()
    prefix = "/" + base.split("/", 3)[3]
    send(page, "POST", f"{prefix}/worker/jobs", '{"names": ["Ann", "Ben"]}')
    assert page.evaluate(LOOK) == []


def test_pictures(
    standin: Standin, visit: Make, take_picture: Callable[[Page, str], None], pytestconfig: pytest.Config
) -> None:
    """For the documentation: kept with --pictures, and else a look at a page that was open for a while."""
    for name, (width, height, scheme) in PICTURES.items():
        made = visit(width, height, scheme)
        if not pytestconfig.getoption("--pictures"):  # in a picture each answer has its time
            made.stop_the_clock()
        page = made.open(f"{standin.url}/local/web/")
        bars = page.locator(".service", has_text="ledger").locator(".trend rect.ok")
        for rounds in range(2, 16):
            page.get_by_role("button", name="Pause").click()
            page.get_by_role("button", name="Resume").click()
            expect(bars).to_have_count(rounds)
        send(page, "POST", "/local/worker/jobs", '{"names": ["Ann", "Ben"]}')
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        take_picture(page, f"web-{name}")


@pytest.mark.parametrize("ending", ["/web/", "/web"])
@pytest.mark.parametrize("stage", [True, False])
def test_it_works_below_any_prefix(base: str, visit: Make, ending: str, stage: bool) -> None:
    """With a stage and without, with a slash at the end and without; nothing to complain of, no rule broken."""
    address = base if stage else base.rpartition("/")[0]
    made = visit()
    page = made.open(address + ending)
    assert "healthy" in card(page, "worker")
    own = address.removeprefix("http://").partition("/")[2]
    prefix = f"/{own}" if own else ""
    assert page.locator(".service a.name", has_text="worker").get_attribute("href") == f"{prefix}/worker"
    assert send(page, "GET", f"{prefix}/greet?name=Ann").startswith("200")
    assert json.loads(page.locator("#content").inner_text()) == {"message": "Hello, Ann!"}
    serious = [each for each in made.complaints if "403 (Forbidden)" not in each]
    assert (serious, page.evaluate("window.violations")) == ([], [])


def test_the_policy_is_strict(base: str, visit: Make) -> None:
    """No inline script or style, nothing from elsewhere, no requests to elsewhere."""
    made = visit()
    answer = made.page.goto(f"{base}/web/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    asked: list[str] = []
    made.page.on("request", lambda request: asked.append(request.url))
    made.open(f"{base}/web/")
    origin = "/".join(base.split("/")[:3])
    assert [url for url in asked if not url.startswith(f"{origin}/")] == []
    blocked = made.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => error.name)")
    assert blocked == "TypeError"
    assert made.page.evaluate("window.violations") == ["connect-src"]


def test_a_job_from_the_form(base: str, visit: Make) -> None:
    """Method, path and body go out; status, time, headers and body come back; the next request follows from it."""
    page = visit().open(f"{base}/web/")
    prefix = "/" + base.split("/", 3)[3]
    status = send(page, "POST", f"{prefix}/worker/jobs", '{"names": ["Ann", "<b>Ben</b>"]}')
    assert status.startswith("202")
    assert " ms, " in status
    headers = page.get_by_role("row", name="location").inner_text()
    location = headers.split()[-1]
    assert send(page, "GET", location).startswith("200")
    assert json.loads(page.locator("#content").inner_text())["greetings"] == ["Hello, Ann!", "Hello, <b>Ben</b>!"]
    assert page.locator("#content b").count() == 0, "an answer is text, never markup"
    assert send(page, "GET", f"{prefix}/greet?name=").startswith("422")
    assert send(page, "POST", f"{prefix}/worker/jobs", "no json").startswith("422")
    assert send(page, "HEAD", f"{prefix}/health").startswith("200")
    assert page.locator("#content").inner_text() == "(empty)"
    assert send(page, "GET", f"{prefix}/web/static/icon.svg").startswith("200")


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example/", "/\\evil.example", "greet", ""])
def test_only_paths_of_this_address(base: str, visit: Make, path: str) -> None:
    """Anything else is refused by the form, with the browser's own words, before anything is sent."""
    page = visit().open(f"{base}/web/")
    page.get_by_label("Path").fill(path)
    page.get_by_role("button", name="Send").click()
    assert page.evaluate("document.querySelector('#path').validity.valid") is False
    assert page.locator("#status").get_attribute("data-state") is None


def test_by_keyboard_alone(base: str, visit: Make) -> None:
    """Everything is reached by Tab in reading order, is seen to have the focus, and works with Enter and Space."""
    page = visit().open(f"{base}/web/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the form"
    assert page.locator(".skip").bounding_box()["y"] >= 0  # pyright: ignore[reportOptionalSubscript]  # it is shown
    seen: list[str] = []
    lefts: list[float] = []
    while True:
        page.keyboard.press("Tab")
        name, outline, top = page.evaluate(
            "() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.id || e.textContent.trim(), parseFloat(s.outlineWidth) * (s.outlineStyle !== 'none'),"
            " e.getBoundingClientRect().top + scrollY]; }"
        )
        assert outline >= 2, f"{name}: the focus is not seen"
        seen.append(name)
        lefts.append(top)
        if name == "Send":
            break
        assert len(seen) < 100, seen
    assert seen[0] == "pause"
    assert [name for name in seen if name in {"pause", "method", "path", "Send"}] == ["pause", "method", "path", "Send"]
    assert seen.index("Try it (worker)") < seen.index("method")
    page.keyboard.press("Shift+Tab")
    page.get_by_role("button", name="Try it (worker)").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "path"
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("200")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("PO")
    assert page.evaluate("document.querySelector('#method').value") == "POST"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("{}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("405")


def test_it_keeps_still_when_asked(base: str, visit: Make) -> None:
    """With reduced motion nothing moves."""
    page = visit(still=True).open(f"{base}/web/")
    page.evaluate("document.querySelector('.service').dataset.state = 'checking'")
    assert page.evaluate("document.getAnimations().filter((each) => each.playState === 'running').length") == 0


def test_a_service_goes_down_and_comes_back(standin: Standin, base: str, visit: Make) -> None:
    """The card says so in words, the summary is read out, and only when it changes."""
    made = visit()
    made.stop_the_clock()
    page = made.open(f"{base}/web/")
    assert page.locator("#summary").get_attribute("role") == "status"
    page.evaluate(
        "window.told = []; const summary = document.querySelector('#summary');"
        "new MutationObserver(() => window.told.push(summary.textContent)).observe(summary, {childList: true})"
    )

    def go_on() -> None:
        # A round ends by writing when it was, and sets the next one's timer then.
        checked = page.locator("#checked")
        before = checked.inner_text()
        page.clock.run_for(5_100)
        expect(checked).not_to_have_text(before)

    summary = page.locator("#summary")
    bars = page.locator(".service", has_text="ledger").locator(".trend rect.ok")
    go_on()
    expect(bars).to_have_count(2)
    assert page.evaluate("window.told") == []
    standin.ledger = 503
    go_on()
    expect(summary).to_have_text("1 of 5 services down: ledger")
    assert "down: HTTP 503" in card(page, "ledger")
    assert page.evaluate("window.told") == ["1 of 5 services down: ledger"]
    standin.ledger = 200
    go_on()
    expect(summary).to_have_text("4 of 5 services healthy, 1 not let in")


def test_a_key_lets_in(standin: Standin, base: str, visit: Make) -> None:
    """A service that wants a key is not down; with the key it is healthy, and the form sends it too."""
    page = visit().open(f"{base}/web/")
    assert "needs a key" in card(page, "vault")
    page.locator("summary", has_text="API key").click()
    page.locator("#key").fill("wrong")
    page.locator("#key").press("Tab")
    expect(page.locator(".service", has_text="vault")).to_contain_text("key refused")
    page.locator("#key").fill(KEY)
    page.locator("#key").press("Tab")
    expect(page.locator("#summary")).to_have_text("All 5 services are healthy")
    assert send(page, "GET", "/local/vault/x").startswith("200")
    assert standin.asked[-1] == ("GET", "/local/vault/x")


def test_nobody_is_asked_while_nobody_looks(standin: Standin, base: str, visit: Make) -> None:
    """A hidden page is silent and asks at once when it is seen again; so does one that is paused."""
    made = visit()
    made.stop_the_clock()
    page = made.open(f"{base}/web/")

    def asked() -> int:
        return sum(path.endswith("/health") for _, path in standin.asked)

    def look(hidden: str) -> None:
        page.evaluate(
            f"Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )

    for stop, go in (
        (lambda: look("true"), lambda: look("false")),
        (page.get_by_role("button", name="Pause").click, page.get_by_role("button", name="Resume").click),
    ):
        stop()
        before = asked()
        page.clock.run_for(60_000)
        assert asked() == before
        go()
        until(lambda: asked() >= before + 5, "a round of checks")  # noqa: B023  used before it changes
        page.wait_for_function("document.querySelectorAll('[data-state=checking]').length === 0")
