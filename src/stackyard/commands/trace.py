"""``inv trace``: the log lines of one request over all services, in order, with the time between them.

Lines that bear the id name others of the same request (the gateway's, the trace's, Lambda's own); those are looked for
too, until no new one turns up.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from stackyard.commands.logs import Source, find_sources, reading
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.loglines import Line, normal_id, trace_time
from stackyard.logview import Look, parse_time
from stackyard.tools.logstreams import Wish
from stackyard.words import plural

ROUNDS = 4
"""Looks at the most: the request, its trace, what Lambda calls it, what was sent on."""

MOST = 100
"""Ids that are looked for at once: a filter pattern has 1,024 characters, so 20 go into each request."""

LINES = 20_000
"""Lines of one request that are kept."""

AFTER = 15 * 60_000
"""ms after an X-Ray trace began in which its lines are looked for."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A request's lines, in the order in which they happened."""

    id: str
    services: Sequence[str]
    lines: Sequence[Line]

    def record(self) -> dict[str, object]:
        """Return it as data."""
        begun = self.lines[0].moment
        return {
            "id": self.id,
            "ids": sorted(frozenset[str]().union(*(line.ids for line in self.lines))),
            "milliseconds": max(line.moment for line in self.lines) - begun,
            "lines": [{**line.record(), "after": line.moment - begun} for line in self.lines],
        }


def trace(session: Session, given: str, *, since: str = "") -> Traced:
    """Find a request's lines. Raises MissingError where there is none, ConfigError for what is no id."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~+/=-]{7,127}", given):
        raise ConfigError(
            f"{given!r} is no id",
            "it has 8 to 128 letters and digits",
            command="inv trace --help",
        )
    sources = find_sources(session, ())
    wish = _wish(given, since)
    wanted, asked = frozenset({normal_id(given)}), frozenset[str]()
    found: dict[tuple[str, int, str, str], Line] = {}
    for _ in range(ROUNDS):
        for line in _search(session, sources, wish, wanted - asked):
            found[line.service, line.at, line.message, repr(line.fields)] = line
        asked |= wanted
        wanted |= frozenset[str]().union(*(line.ids for line in found.values()))
        if wanted == asked or len(wanted) > MOST:
            break
    if not found:
        begun = datetime.fromtimestamp(wish.start / 1000).astimezone()
        raise MissingError(
            f"no log line of {given}",
            f"{session.target.name} has none since {begun:%Y-%m-%d %H:%M}",
            fix="Lines reach CloudWatch Logs some seconds late. Look further back?",
            command=f"inv trace {given} --env {session.target.name} --since 24h",
        )
    names = [source.name for source in sources]
    return Traced(given, names, order(found.values()))


def order(lines: Iterable[Line]) -> list[Line]:
    """Sort lines as they happened; of the same moment the gateway's first, which tells when a request began."""
    return sorted(lines, key=lambda line: (line.moment, line.kind != "access", line.at))


def _wish(given: str, since: str) -> Wish:
    here = datetime.now().astimezone()
    made = trace_time(given)
    if since or made is None:
        return Wish(parse_time("--since", since or "1h", here))
    return Wish(made - 60_000, made + AFTER)


def _search(session: Session, sources: Sequence[Source], wish: Wish, ids: frozenset[str]) -> list[Line]:
    """Return the lines that bear one of the ids; a filter lets AWS look for them."""
    found: list[Line] = []
    each = sorted(ids)
    for start in range(0, len(each), 20):
        some = frozenset(each[start : start + 20])
        narrowed = Wish(wish.start, wish.end, render_pattern(some))
        with reading(session, sources, narrowed) as readers:
            while (lines := readers.merge.take(1.0)) is not None:
                found += [line for line in lines if line.ids & some]
                if len(found) > LINES:
                    return found
    return found


def render_pattern(ids: frozenset[str]) -> str:
    """Write CloudWatch's filter for lines with any of these ids (CloudWatch Logs: Filter pattern syntax)."""
    spelled: list[str] = []
    for each in sorted(ids):
        spelled.append(each)
        if re.fullmatch(r"[0-9a-f]{32}", each):
            spelled.append(f"1-{each[:8]}-{each[8:]}")
    quoted = [f'"{each}"' for each in spelled]
    return quoted[0] if len(quoted) == 1 else " ".join(f"?{each}" for each in quoted)


def show_trace(session: Session, traced: Traced, *, as_json: bool) -> None:
    """Print the lines with the time since the first, or the data."""
    screen = session.screen
    if as_json:
        screen.data(json.dumps(traced.record(), indent=2, default=str))
        return
    colour = screen.out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    services = [name for name in traced.services if any(line.service == name for line in traced.lines)]
    look = Look(services, colour)
    begun = traced.lines[0].moment
    for line in traced.lines:
        screen.data(look.render(line, begun))
    took = max(line.moment for line in traced.lines) - begun
    screen.say(f"{plural(len(traced.lines), 'line')} of {plural(len(services), 'source')} in {took} ms")
