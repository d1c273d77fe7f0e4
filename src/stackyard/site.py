"""What MkDocs is told beyond `mkdocs.yml`: the order of the pages, and where links lead that leave `docs`.

Owns no page and no order: both are docs/README.md's, where people find them without any site. Knows nothing of tasks.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from stackyard.project import read_project

ROOT = Path(__file__).resolve().parents[2]
INDEX, START = "README.md", "start.md"
"""The page that leads to all others, and the project's own README, which lies above them."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)(#[^)\s]*)?(?=\))")
Entry = str | dict[str, list[str]]


def order_pages(index: str) -> list[Entry]:
    """Return the navigation: the index, then every page in the order in which it is linked, by the index's headings."""
    nav: list[Entry] = [INDEX]
    seen = {INDEX}
    for part in re.split(r"^## ", index, flags=re.MULTILINE):
        title, _, text = part.partition("\n")
        linked = [START if path == "../README.md" else path for path, _ in LINK.findall(text)]
        pages = [path for path in dict.fromkeys(linked) if path.endswith(".md") and not path.startswith("..")]
        pages = [path for path in pages if path not in seen]
        seen.update(pages)
        if part.startswith("# "):
            nav += pages
        elif pages:
            nav.append({title.strip(): pages})
    return nav


def lead_out(text: str, page: str, repository: str) -> str:
    """Have every link of a page that leaves ``docs`` lead to the repository, and those to its README to ``start.md``.

    ``page`` is the page's path within docs; code is left alone.
    """

    def turn(link: re.Match[str]) -> str:
        path, anchor = link[1], link[2] or ""
        target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), path))
        if target == "README.md":
            return posixpath.relpath(START, posixpath.dirname(page) or ".") + anchor
        if target.startswith("docs/"):
            return link[0]
        where = "tree" if (ROOT / target).is_dir() else "blob"
        return f"https://github.com/{repository}/{where}/main/{target}{anchor}"

    return "".join(part if code else LINK.sub(turn, part) for code, part in split_code(text))


def split_code(text: str) -> Iterator[tuple[bool, str]]:
    """Take a page apart into what is code, fenced or within a line, and what is not."""
    for number, part in enumerate(re.split(r"(^ *```.*?^ *```|`[^`\n]+`(?!\]))", text, flags=re.DOTALL | re.MULTILINE)):
        yield number % 2 == 1, part


def lower_readme(text: str) -> str:
    """Return the project's README as a page within docs."""
    parts = ((code, part) for code, part in split_code(text))
    return "".join(part if code else LINK.sub(_from_docs, part) for code, part in parts)


def _from_docs(link: re.Match[str]) -> str:
    path = link[1].removeprefix("docs/") if link[1].startswith("docs/") else f"../{link[1]}"
    return path + (link[2] or "")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Set the order of the pages, the repository, and headings' anchors as GitHub makes them."""
    config.nav = order_pages((ROOT / "docs" / INDEX).read_text(encoding="utf-8"))
    config.repo_url = f"https://github.com/{read_project(ROOT).repository}"
    config.mdx_configs["toc"]["slugify"] = anchor_of  # pyright: ignore[reportUnknownMemberType]  (MkDocs's own)
    return config


def anchor_of(heading: str, separator: str = "-") -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the project's README among the pages."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files.append(File.generated(config, START, content=lower_readme(readme)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links that leave the pages lead to the repository."""
    return lead_out(markdown, page.file.src_uri, read_project(ROOT).repository)
