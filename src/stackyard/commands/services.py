"""``inv services``: every service with its kind and path, and what of it is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from stackyard.commands.cluster import find_service
from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.errors import MissingError
from stackyard.images import Image
from stackyard.services import Entry
from stackyard.tools.live import Live


@dataclass(frozen=True, slots=True)
class Row:
    """One service."""

    name: str
    kind: str
    path: str
    deployed: str
    """``current``, ``older`` (the sources have moved on), ``no``, or ``unknown: <why>``."""
    version: str
    digest: str


def services(session: Session) -> list[Row]:
    """Compare the sources with what runs. Without an AWS to ask, what runs is unknown. Raises ConfigError."""
    entries = session.catalog.entries
    try:
        images = {image.service: image for image in wanted_images(session)}
        session.aws.check_caller()
        tags = [tag for image in images.values() for tag in _tags(session, image)]
        found = session.aws.find_images(session.target.image_repository, tags)

        def ask(entry: Entry) -> Live | None:
            return find_service(session, entry.service.kind, entry.name)

        with ThreadPoolExecutor(8) as pool:
            live = dict(zip(session.catalog.names(), pool.map(ask, entries), strict=True))
    except MissingError as error:
        return [Row(entry.name, entry.service.kind, entry.path, f"unknown: {error.what}", "", "") for entry in entries]
    rows: list[Row] = []
    for entry in entries:
        running = live[entry.name]
        state = _state(_tags(session, images[entry.name]), found, running)
        version, digest = (running.version, running.digest) if running else ("", "")
        rows.append(Row(entry.name, entry.service.kind, entry.path, state, version, digest))
    return rows


def _tags(session: Session, image: Image) -> list[str]:
    return [image.tag, image.stand_in] if session.target.emulated else [image.tag]


def _state(tags: list[str], found: Mapping[str, str], running: Live | None) -> str:
    if running is None:
        return "no"
    return "current" if running.digest in [found.get(tag) for tag in tags] else "older"


def show_services(session: Session, rows: list[Row], *, json: bool) -> None:
    """Print the table, or the data."""
    if json:
        session.screen.json([asdict(row) for row in rows])
        return
    cells = [[row.name, row.kind, row.path, row.deployed, row.version, row.digest[:19]] for row in rows]
    session.screen.table(["NAME", "KIND", "PATH", "DEPLOYED", "VERSION", "IMAGE"], cells)
