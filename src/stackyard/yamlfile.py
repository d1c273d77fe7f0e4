"""Read a YAML file so that Python and Terraform cannot disagree on what it says, and every key knows its line.

PyYAML and Terraform's ``yamldecode`` read the same files. Where they would differ (a key given twice, ``yes``, a
number that only one of them takes for a number) the file is refused rather than read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from stackyard.errors import ConfigError, MissingError

Key = tuple[str | int, ...]

_NUMBER_ELSEWHERE = re.compile(r"^[-+]?(0[xo])?[.\d][\d_.eE:+-]*$")
_TRUTH_ELSEWHERE = re.compile(r"^(y|n|yes|no|on|off)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file's content: ``data`` as plain Python values, ``lines`` the line of each key, counted from 1."""

    path: Path
    data: Mapping[str, object]
    lines: Mapping[Key, int]

    def line_of(self, key: Key) -> int | None:
        """Return the line of a key, or of the nearest key around it that the file has."""
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key[:-1]
        return None


def read_yaml(path: Path, shown: str) -> YamlFile:
    """Read one mapping from a file; ``shown`` is how errors name it.

    Raises ConfigError for what is not YAML or not one mapping, MissingError for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingError(shown, "there is no such file") from error
    except OSError as error:
        raise MissingError(shown, f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(shown, "is not UTF-8 text", fix="Save it as UTF-8.") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _broken(shown, error) from error
    except ValueError as error:
        raise ConfigError(shown, f"holds a value that is none: {error}", fix="Quote it to mean text.") from error
    if node is None:
        raise ConfigError(shown, "is empty", fix="It must hold keys and values, like `kind: lambda`.")
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(shown, "must hold keys and values, like `kind: lambda`, at its top level")
    lines: dict[Key, int] = {}
    _walk(node, (), lines, shown)
    return YamlFile(path, cast("Mapping[str, object]", data), lines)


def _broken(shown: str, error: yaml.YAMLError) -> ConfigError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        where = f"{shown}:{mark.line + 1}:{mark.column + 1}"
        why = f"is not valid YAML: {error.problem or error.context}"
        return ConfigError(where, why, fix=f"Mend line {mark.line + 1}.", detail=mark.get_snippet() or "")
    return ConfigError(shown, f"is not valid YAML: {error}")


def _walk(node: yaml.Node, key: Key, lines: dict[Key, int], shown: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for name_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            line = name_node.start_mark.line + 1
            if name_node.tag == "tag:yaml.org,2002:merge":
                raise ConfigError(f"{shown}:{line}", "merge keys (`<<`) are not read by Terraform", fix="Write it out.")
            if name_node.tag != "tag:yaml.org,2002:str":
                fix = f'Quote it: "{name_node.value}".'
                raise ConfigError(f"{shown}:{line}", f"the key `{name_node.value}` is not text", fix=fix)
            inner = (*key, cast("str", name_node.value))
            if inner in lines:
                why = f"`{dotted(inner)}` is given twice, first in line {lines[inner]}"
                raise ConfigError(f"{shown}:{line}", why, fix="Keep one of them.")
            lines[inner] = line
            _walk(value_node, inner, lines, shown)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(cast("list[yaml.Node]", node.value)):
            lines[*key, index] = item.start_mark.line + 1
            _walk(item, (*key, index), lines, shown)
    elif isinstance(node, yaml.ScalarNode):
        _check_scalar(node, key, shown)


def _check_scalar(node: yaml.ScalarNode, key: Key, shown: str) -> None:
    """Refuse a plain scalar that Python and Terraform read as different things."""
    value = cast("str", node.value)
    if node.style is not None:
        return
    text = node.tag == "tag:yaml.org,2002:str"
    truth = node.tag == "tag:yaml.org,2002:bool" and _TRUTH_ELSEWHERE.match(value)
    odd_number = node.tag in {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"} and re.search(
        r"[:_]|^[-+]?0\d", value
    )
    if truth or odd_number or (text and (_NUMBER_ELSEWHERE.match(value) or _TRUTH_ELSEWHERE.match(value))):
        line = node.start_mark.line + 1
        why = f"`{dotted(key)}` is `{value}`, which YAML readers disagree on"
        fix = f'Quote it to mean text ("{value}"), or write true, false or a plain decimal number.'
        raise ConfigError(f"{shown}:{line}", why, fix=fix)


def dotted(key: Key) -> str:
    """Write a key as people do: ``overrides.prod.memory``."""
    return ".".join(str(part) for part in key)
