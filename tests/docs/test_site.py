"""The site: built strictly, whole, and asking no other host for anything while it is read."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.documents import ROOT, read_pages

FETCHING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src")}


class Page(HTMLParser):
    """The ids, links and fetched addresses of one page."""

    def __init__(self, text: str) -> None:
        """Read it."""
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.ids.add(value)
            if (tag, name) in FETCHING and ("rel", "canonical") not in attrs:
                self.fetched.append(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Page]:
    """The site's pages by path, as MkDocs builds them with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {path: Page(path.read_text(encoding="utf-8")) for path in folder.rglob("*.html")}


def test_every_page_is_in_it(site: dict[Path, Page]) -> None:
    """README and all that lies below docs; 404 beside them."""
    pages = [name for name in read_pages() if name == "README.md" or name.startswith("docs/")]
    assert len(site) == len(pages) + 1


def test_every_link_within_it_leads_somewhere(site: dict[Path, Page]) -> None:
    """To a page, and to a heading that it has."""
    broken: list[str] = []
    checked = 0
    for path, page in site.items():
        for link in page.links:
            target = urlsplit(link)
            if target.scheme or path.name == "404.html":
                continue
            file = (path.parent / unquote(target.path)).resolve() if target.path else path
            file = file / "index.html" if file.is_dir() else file
            anchors = site[file].ids if file in site else set[str]()
            if not file.exists() or (target.fragment and unquote(target.fragment) not in anchors):
                broken.append(f"{path.name}: {link}")
            checked += 1
    assert broken == []
    assert checked > 500


def test_nothing_is_fetched_from_another_host(site: dict[Path, Page]) -> None:
    """No font, no script, no picture: a reader's visit is nobody else's business, and it works without a network."""
    fetched = {address for page in site.values() for address in page.fetched}
    assert len(fetched) > 5
    assert [address for address in sorted(fetched) if re.match(r"(https?:)?//", address)] == []


def test_links_to_the_repository_name_what_is_there(site: dict[Path, Page]) -> None:
    """What lies outside of docs is linked at the repository, by a path that this checkout has."""
    links = {link for page in site.values() for link in page.links if re.search(r"/(blob|tree)/main/", link)}
    assert len(links) > 3
    gone = [link for link in links if not (ROOT / re.split(r"/(?:blob|tree)/main/", urlsplit(link).path)[1]).exists()]
    assert gone == []
