"""GitHub's expressions (`${{ … }}`), as far as the workflows use them: read, looked through, and evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|(&&|\|\||==|!=|[!().,*])|([A-Za-z_][\w-]*))")
WORDS = {"true": True, "false": False, "null": None}
EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
FUNCTIONS = {"always", "cancelled", "contains", "failure", "fromJSON", "success"}


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: an operator, a call, a path through the contexts, or a literal."""

    kind: str
    value: Any
    parts: tuple[Node, ...] = ()

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Return every path in it."""
        if self.kind == "path":
            yield self.value
        for part in self.parts:
            yield from part.paths()

    def calls(self) -> Iterator[str]:
        """Return every function in it."""
        if self.kind == "call":
            yield self.value
        for part in self.parts:
            yield from part.calls()


def parse(text: str) -> Node:
    """Read an expression, without its braces. Raises ValueError."""
    tokens: list[str] = []
    place = 0
    while place < len(text.rstrip()):
        found = TOKEN.match(text, place)
        if not found:
            raise ValueError(f"cannot read {text[place:]!r} of {text!r}")
        tokens.append(found[0].strip())
        place = found.end()
    node, rest = _either(tokens)
    if rest:
        raise ValueError(f"{rest[0]!r} is too much in {text!r}")
    return node


def _either(tokens: list[str], operators: tuple[str, ...] = ("||", "&&", "==", "!=")) -> tuple[Node, list[str]]:
    """Read operators from the loosest to the tightest; the last two bind alike."""
    if not operators:
        return _single(tokens)
    here, tighter = (operators, ()) if operators[0] == "==" else (operators[:1], operators[1:])
    left, tokens = _either(tokens, tighter)
    while tokens and tokens[0] in here:
        right, rest = _either(tokens[1:], tighter)
        left, tokens = Node("operator", tokens[0], (left, right)), rest
    return left, tokens


def _single(tokens: list[str]) -> tuple[Node, list[str]]:
    if not tokens:
        raise ValueError("something is missing at the end")
    first, *rest = tokens
    if first == "!":
        node, rest = _single(rest)
        return Node("operator", "!", (node,)), rest
    if first == "(":
        node, rest = _either(rest)
        return node, _expect(rest, ")")
    if rest[:1] == ["("]:
        return _call(first, rest[1:])
    if first[0] in "'-0123456789" or first in WORDS:
        text = first.startswith("'")
        return Node("literal", first[1:-1].replace("''", "'") if text else WORDS.get(first, first)), rest
    path = [first]
    while rest[:1] == ["."]:
        path.append(rest[1])
        rest = rest[2:]
    return Node("path", tuple(path)), rest


def _call(name: str, rest: list[str]) -> tuple[Node, list[str]]:
    given: list[Node] = []
    while rest[:1] != [")"]:
        node, rest = _either(rest)
        given.append(node)
        if rest[:1] == [","]:
            rest = rest[1:]
    return Node("call", name, tuple(given)), rest[1:]


def _expect(tokens: list[str], token: str) -> list[str]:
    if tokens[:1] != [token]:
        raise ValueError(f"{token!r} is missing")
    return tokens[1:]


def evaluate(node: Node, contexts: Mapping[str, Any]) -> Any:
    """Return what an expression comes to; `status` among the contexts is the job's so far."""
    match node.kind, node.value:
        case "literal", value:
            return value
        case "path", path:
            return _look_up(contexts, path)
        case "call", name:
            return _do(name, [evaluate(part, contexts) for part in node.parts], contexts)
        case _, operator:
            return _operate(operator, node.parts, contexts)


def _operate(operator: str, parts: tuple[Node, ...], contexts: Mapping[str, Any]) -> Any:
    left = evaluate(parts[0], contexts)
    if operator == "!":
        return not _truth(left)
    if operator in {"&&", "||"}:
        return evaluate(parts[1], contexts) if _truth(left) == (operator == "&&") else left
    same = _plain(left) == _plain(evaluate(parts[1], contexts))
    return same == (operator == "==")


def _do(name: str, given: list[Any], contexts: Mapping[str, Any]) -> Any:
    match name:
        case "contains":
            return any(_plain(item) == _plain(given[1]) for item in given[0])
        case "fromJSON":
            return json.loads(given[0])
        case "always":
            return True
        case "cancelled" | "failure" | "success":
            return contexts["status"] == name
        case _:
            raise ValueError(f"no function {name}")


def _look_up(contexts: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = contexts
    for place, name in enumerate(path):
        if name == "*":
            members = list(cast("dict[str, Any]", value).values())
            return [_look_up(member, path[place + 1 :]) for member in members]
        value = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return value


def _truth(value: Any) -> bool:
    return value not in (None, False, 0, "")


def _plain(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def holds(text: str, contexts: Mapping[str, Any]) -> bool:
    """Tell whether a condition lets something run: without a status function, only after success."""
    found = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, re.DOTALL)
    node = parse(found[1] if found else text)
    asks = {"always", "cancelled", "failure", "success"} & set(node.calls())
    return _truth(evaluate(node, contexts)) and (bool(asks) or contexts["status"] == "success")


def fill(value: Any, contexts: Mapping[str, Any]) -> Any:
    """Replace the expressions in a text, and in whatever holds texts; a text that is one expression keeps its type."""
    if isinstance(value, dict):
        return {key: fill(item, contexts) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [fill(item, contexts) for item in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value, re.DOTALL)
    if whole:
        return evaluate(parse(whole[1]), contexts)
    return EMBEDDED.sub(lambda found: write(evaluate(parse(found[1]), contexts)), value)


def write(value: Any) -> str:
    """Write a value into a text as GitHub does."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def find_expressions(value: Any, *, condition: bool = False) -> Iterator[Node]:
    """Return every expression in a text, and in whatever holds texts; a condition is one without braces, too."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from find_expressions(item, condition=key == "if")
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from find_expressions(item)
    elif isinstance(value, str):
        found = EMBEDDED.findall(value)
        yield from (parse(text) for text in found or ([value] if condition else []))
