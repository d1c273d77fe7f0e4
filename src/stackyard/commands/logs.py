"""``inv logs``: what services and the gateway say, of all kinds, in one order; also while it goes on.

Each source is read by a thread of its own, from the journal of the local gateway or from CloudWatch Logs; a `Merge`
brings the lines into order, and this prints those that were asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from stackyard.commands.session import Session
from stackyard.errors import MissingError
from stackyard.kinds import KINDS
from stackyard.local.journals import now, read_journal
from stackyard.loglines import GATEWAY, parse_line
from stackyard.logview import Look, Sought, parse_level, parse_pattern, parse_time
from stackyard.merging import Merge
from stackyard.tools.logstreams import GroupReader, Wish, find_groups
from stackyard.tools.turns import Turns

PATIENCE = 15.0
"""Seconds for which lines of all others wait for a source that does not answer, while following."""


JOURNAL_HOLD = 300
"""ms for which lines of the laptop are held back."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was typed."""

    services: Sequence[str] = ()
    follow: bool = False
    since: str = "10m"
    until: str = ""
    grep: str = ""
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Source:
    """Something that writes logs: a service or the gateway, and its log groups in AWS."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass
class Reading:
    """Readers at work, and what they bring."""

    merge: Merge
    stopped: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Read one source in a thread, which nobody waits for: it may hang on a connection."""

        def run() -> None:
            try:
                work()
                self.merge.end(name)
            except Exception as error:  # noqa: BLE001  (whatever it is, who takes the lines raises it)
                self.merge.fail(error)

        threading.Thread(target=run, name=f"logs {name}", daemon=True).start()

    def stop(self) -> None:
        """Have the readers end."""
        self.stopped.set()
        self.merge.stop()


def logs(session: Session, request: Request, *, as_json: bool) -> int:
    """Print the lines and return how many. Raises StackyardError; KeyboardInterrupt is the caller's."""
    here = datetime.now().astimezone()
    sought = Sought(parse_level(request.level), parse_pattern(request.grep))
    end = parse_time("--until", request.until, here) if request.until else None
    wish = Wish(parse_time("--since", request.since, here), end, follow=request.follow)
    sources = find_sources(session, request.services)
    screen = session.screen
    colour = screen.out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    look = Look([source.name for source in sources], colour)
    printed, last = 0, 0
    with reading(session, sources, wish) as readers:
        while True:
            lines = readers.merge.take(1.0)
            if lines is None:
                return printed
            texts: list[str] = []
            for line in lines:
                if sought.wants(line) and (end is None or line.at < end):
                    late = line.at < last
                    texts.append(json.dumps(line.record(), default=str) if as_json else look.render(line, late=late))
                last = max(last, line.at)
            if not lines and request.follow and is_unread(screen.out):
                return printed
            if texts:
                printed += len(texts)
                screen.data("\n".join(texts))
            if screen.unread:
                return printed


def is_unread(out: IO[str]) -> bool:
    """Tell whether what is printed goes into a pipe whose reader has ended (`| head`), before the next line tells."""
    try:
        poll = select.poll()
        poll.register(out.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (OSError, ValueError, AttributeError):
        return False


def find_sources(session: Session, names: Sequence[str]) -> list[Source]:
    """Return the gateway and the services, or those that are named. Raises MissingError for one that is not there."""
    entries = {entry.name: entry for entry in session.catalog.entries}
    unknown = [name for name in names if name not in entries and name != GATEWAY]
    if unknown:
        known = ", ".join([GATEWAY, *entries])
        raise MissingError(f"there is no service {unknown[0]}", f"there are {known}", command="inv services")
    chosen = list(dict.fromkeys(names)) or [GATEWAY, *(name for name in entries if name != GATEWAY)]
    if session.target.emulated:
        return [Source(name) for name in chosen]
    session.aws.check_caller()
    sources: list[Source] = []
    for name in chosen:
        resource = session.target.resource_name(name)
        if name in entries:
            pattern = KINDS[entries[name].service.kind].log_group.format(name=resource)
            groups = find_groups(session.aws, pattern) if pattern.endswith("/") else [pattern]
        else:
            groups = [f"/aws/api-gateway/{session.target.resource_name()}"]
        sources.append(Source(name, tuple(groups)))
    return sources


@contextlib.contextmanager
def reading(session: Session, sources: Sequence[Source], wish: Wish) -> Generator[Reading]:
    """Read sources until the block ends. Raises MissingError where the laptop has no journal."""
    patience = PATIENCE if wish.follow else float("inf")
    if session.target.emulated:
        readers = Reading(Merge(["journal"], patience=patience))
        _read_journal(session, sources, wish, readers)
    else:
        groups = [(source.name, group) for source in sources for group in source.groups]
        readers = Reading(Merge([group for _, group in groups], patience=patience))
        turns = Turns()
        for service, group in groups:
            _read_group(session, service, GroupReader(session.aws, group, wish, turns, readers.stopped), readers)
    try:
        yield readers
    finally:
        readers.stop()


def _read_journal(session: Session, sources: Sequence[Source], wish: Wish, readers: Reading) -> None:
    path, chosen = session.layout.journal, {source.name for source in sources}
    if not wish.follow and not path.exists():
        raise MissingError("nothing has run on this machine yet", "there is no log", command="inv up")

    def work() -> None:
        for page in read_journal(path, wish.start, follow=wish.follow, stopped=readers.stopped.wait):
            lines = [line for line in page if line.service in chosen]
            # In the order of things, but for a moment: pipes are read a few times a second.
            until = page[-1].at if page else now()
            if not readers.merge.add("journal", lines, until - JOURNAL_HOLD):
                return

    readers.start("journal", work)


def _read_group(session: Session, service: str, reader: GroupReader, readers: Reading) -> None:
    def tell(why: str) -> None:
        session.screen.warn(
            f"{service}: CloudWatch Logs does not answer ({why}); asking again"
            if why
            else f"{service}: it answers again"
        )

    reader.on_trouble = tell

    def work() -> None:
        for page in reader.pages():
            lines = [parse_line(service, text, at) for at, text in page.events]
            if not readers.merge.add(reader.group, lines, page.until):
                return

    readers.start(reader.group, work)
