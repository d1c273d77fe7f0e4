"""Decide how lines of logs look on a screen, and which of them were asked for. Prints nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stackyard.errors import ConfigError
from stackyard.loglines import LEVELS, Level, Line, at_least
from stackyard.words import printable

_SERVICE_COLOURS = (36, 32, 35, 34, 33, 96, 92, 95, 94, 93)
_LEVEL_COLOURS: Mapping[Level, str] = {"debug": "2", "info": "", "warning": "33", "error": "31", "critical": "1;31"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines are wanted."""

    level: Level = "info"
    pattern: re.Pattern[str] | None = None

    def wants(self, line: Line) -> bool:
        """Tell whether a line is one of them."""
        if not at_least(line, self.level):
            return False
        return self.pattern is None or self.pattern.search(_all_words(line)) is not None


@dataclass(frozen=True, slots=True)
class Look:
    """How lines look: services in columns as wide, each in a colour of its own."""

    services: Sequence[str]
    colour: bool

    def render(self, line: Line, begun: int | None = None, *, late: bool = False) -> str:
        """Write a line; a traceback is indented below it. ``begun``: tell ms since then, not the time."""
        width = max((len(name) for name in self.services), default=0)
        # A request's line is kept when it has ended; in a stream it stands there.
        shown = line.at if line.kind == "access" else line.moment
        when = clock(shown) if begun is None else f"{line.moment - begun:>+7} ms"
        number = self.services.index(line.service) if line.service in self.services else 0
        name = self._paint(line.service.ljust(width), str(_SERVICE_COLOURS[number % len(_SERVICE_COLOURS)]))
        level = self._paint(f"{line.level.upper():<8}"[:8], _LEVEL_COLOURS[line.level])
        words = self._paint(printable(line.message), _LEVEL_COLOURS[line.level])
        said = line.message.split()
        fields = {key: value for key, value in line.fields.items() if str(value) not in said}
        more = "".join(f" {printable(key)}={_value(value)}" for key, value in fields.items())
        head = f"{self._paint(when, '2')} {name} {level} {words}{self._paint(more, '2')}{' (late)' if late else ''}"
        return "\n".join([head, *(f"    {printable(each)}" for each in line.details.splitlines())])

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text else text


def clock(moment: int) -> str:
    """Write a time (ms since 1970) as this machine's clock shows it: ``14:03:07.250``."""
    when = datetime.fromtimestamp(moment / 1000).astimezone()
    return f"{when:%H:%M:%S}.{moment % 1000:03d}"


def parse_level(text: str) -> Level:
    """Read a level. Raises ConfigError for what is none."""
    found: Level | None = next((level for level in LEVELS if text and level.startswith(text.lower())), None)
    if found is None:
        raise ConfigError(f"--level {text}", f"levels are {', '.join(LEVELS)}", command="inv logs --help")
    return found


def parse_pattern(text: str) -> re.Pattern[str] | None:
    """Read a regular expression; none for nothing. Raises ConfigError for what is none."""
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise ConfigError(f"--grep {text}", f"is no regular expression ({error})", command="inv logs --help") from error


def parse_time(flag: str, text: str, now: datetime) -> int:
    """Read ``10m``, ``2h``, ``14:30`` or ``2026-11-23T14:30`` as ms since 1970; a clock's time is the last such one.

    Raises ConfigError. ``now`` has a time zone, which times without one are of.
    """
    if match := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return _ms(now - timedelta(seconds=int(match[1]) * _UNITS[match[2]]))
    if match := re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d))?", text):
        hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
        if hour < 24 and minute < 60 and second < 60:
            then = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
            return _ms(then if then <= now else then - timedelta(days=1))
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        why = "is no time; write 10m, 2h, 3d, 14:30 or 2026-11-23T14:30 (add Z for UTC)"
        raise ConfigError(f"{flag} {text}", why, command="inv logs --help") from None
    return _ms(told if told.tzinfo else told.replace(tzinfo=now.tzinfo))


def _ms(when: datetime) -> int:
    return int(when.timestamp() * 1000)


def _value(value: object) -> str:
    text = str(value)
    shown = printable(text if len(text) <= 200 else text[:200] + "…")
    return f'"{shown}"' if " " in shown else shown


def _all_words(line: Line) -> str:
    fields = " ".join(f"{key}={value}" for key, value in line.fields.items())
    return f"{line.message} {fields} {' '.join(line.ids)}\n{line.details}"
