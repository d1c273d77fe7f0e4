"""The page in a real Chromium: ``pytest tests/browser [--base-url http://127.0.0.1:8080/local] [--pictures]``."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from playwright.sync_api import ConsoleMessage, expect, sync_playwright

from tests.browser.standin import STAGE, Standin
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

MORNING = datetime(2026, 11, 2, 9, tzinfo=UTC)
PICTURES = Path(__file__).parents[2] / "docs/pictures"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the address of a running gateway, and whether to write pictures."""
    group = parser.getgroup("browser")
    group.addoption("--base-url", help="a gateway's address with its stage; without it a stand-in is started")
    group.addoption("--pictures", action="store_true", help="write docs/pictures anew")


@dataclass(slots=True)
class Visit:
    """A page in a browser, and everything that the browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])

    def stop_the_clock(self) -> None:
        """Have time pass in pages opened from now on only as the test lets it: no round begins by itself."""
        self.page.clock.install(time=MORNING)
        self.page.clock.pause_at(MORNING + timedelta(seconds=1))

    def open(self, url: str) -> Page:
        """Open the page and wait until every service was asked once."""
        self.page.goto(url)
        self.page.wait_for_selector("#summary:not([data-state=checking])")
        return self.page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium of this machine; without one the run ends and says how to get it.

    For a module: as long as it is there Playwright's event loop runs, and no other test could run one.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.exit("no Chromium on PATH, and CHROMIUM names none\n  run: apt-get install chromium", 3)
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def given(pytestconfig: pytest.Config) -> str | None:
    """The address of a real gateway, if there is one."""
    address = cast("str | None", pytestconfig.getoption("--base-url"))
    return address.rstrip("/") if address else None


@pytest.fixture(scope="session")
def running(given: str | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin | None]:
    """The stand-in, where no real gateway is given."""
    if given:
        yield None
        return
    with Standin(tmp_path_factory.mktemp("standin")) as standin:
        yield standin


@pytest.fixture
def standin(running: Standin | None) -> Standin:
    """The stand-in, healthy; tests that need one to obey are skipped at a real gateway."""
    if running is None:
        pytest.skip("a real gateway does not do as it is told")
    running.ledger = 200
    return running


@pytest.fixture
def base(given: str | None, running: Standin | None) -> str:
    """The gateway's address with its stage."""
    if running is None:
        return given or ""
    running.ledger = 200
    return f"{running.url}/{STAGE}"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Return a function that makes a page: width and height in CSS pixels, light or dark, moving or not."""
    contexts: list[Callable[[], None]] = []

    def make(width: int = 1280, height: int = 900, scheme: str = "light", *, still: bool = False) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce" if still else "no-preference",
            has_touch=width < 600,
        )
        contexts.append(context.close)
        context.add_init_script(_VIOLATIONS)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        made = Visit(page)

        def note(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                made.complaints.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        return made

    yield make
    for close in contexts:
        close()


@pytest.fixture
def take_picture(pytestconfig: pytest.Config) -> Callable[[Page, str], None]:
    """Return a function that keeps a picture of the page where --pictures is given."""

    def take(page: Page, name: str) -> None:
        if pytestconfig.getoption("--pictures"):
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    return take
