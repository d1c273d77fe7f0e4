"""A name that passes is safe in everything that it flows into; any other gets a reason."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stackyard.manifest import Service
from stackyard.names import SERVICE_LENGTH, TOGETHER, check_service_name, check_together, find_installed, module_name
from stackyard.project import Project

# Half of the examples are near misses: a sound name with something put into it.
ODD = st.sampled_from([*"\"'`$%{}()[]<>|&;:*?!#~\\/ \n\r\t\0\x1b.,=+@^_-AZé\u0661İ", "${", "%{", "..", "--"])
NEAR = st.tuples(
    st.from_regex(r"[a-z]{0,5}", fullmatch=True), ODD, st.from_regex(r"[a-z0-9]{0,5}", fullmatch=True)
).map("".join)
TEXT = st.one_of(st.text(max_size=40), NEAR, st.from_regex(r"[a-z][a-z0-9-]{0,35}", fullmatch=True))
SAFE = re.compile(r"[a-z0-9-]*")


@given(TEXT)
def test_a_service_name_is_safe_or_has_a_reason(name: str) -> None:
    """Small ASCII letters, digits and single dashes: nothing to HCL, JSON, a shell, a path or a regular expression."""
    why = check_service_name(name, frozenset())
    if why is None:
        assert SAFE.fullmatch(name)
        assert "--" not in name and not name.startswith("-") and not name.endswith("-")
        assert module_name(name).isidentifier() and not keyword.iskeyword(module_name(name))
        assert 0 < len(name) <= SERVICE_LENGTH
    else:
        assert why and "\n" not in why


@given(TEXT)
def test_a_path_is_safe_or_refused(path: str) -> None:
    """Nothing of it means anything to OpenAPI, HCL or a URL."""
    try:
        found = Service.model_validate({"kind": "lambda", "path": path}).path
    except ValidationError:
        return
    assert found == path
    assert re.fullmatch(r"/[a-z0-9_-]*", path)


PROJECT: dict[str, Any] = {
    "project": "acme",
    "repository": "acme/platform",
    "region": "eu-west-1",
    "environments": {"dev": {"account": "111111111111"}},
}


@given(TEXT)
def test_names_of_the_project_are_safe_or_refused(text: str) -> None:
    """Project, environment, account, region and repository end in ARNs, policies, bucket names and commands."""
    places: list[tuple[dict[str, Any], str]] = [
        ({"project": text}, r"[a-z0-9-]+"),
        ({"environments": {text: {"account": "111111111111"}}}, r"[a-z0-9-]+"),
        ({"environments": {"dev": {"account": text}}}, r"[0-9]{12}"),
        ({"region": text}, r"[a-z0-9-]+"),
        ({"repository": text}, r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+"),
    ]
    for given_here, safe in places:
        try:
            Project.model_validate({**PROJECT, **given_here})
        except ValidationError:
            continue
        assert re.fullmatch(safe, text), given_here


@given(TEXT)
def test_names_of_variables_are_safe_or_refused(name: str) -> None:
    """Lambda takes letters, digits and underscores."""
    try:
        Service.model_validate({"kind": "lambda", "environment": {name: "x"}})
    except ValidationError:
        return
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("json", "would hide Python's own module `json`"),
        ("http", "would hide Python's own module `http`"),
        ("class", "is a word of the Python language"),
        ("match", "is a word of the Python language"),
        ("Api", "must be small letters, digits and single dashes"),
        ("1st", "must be small letters"),
        ("a--b", "must be small letters"),
        ("a-", "must be small letters"),
        ("a_b", "must be small letters"),
        ("", "must be small letters"),
        ("api\n", "must be small letters"),
        ("a" * 33, "has 33 characters; at most 32 are allowed"),
        ("servicekit", "has a meaning of its own"),
        ("tests", "has a meaning of its own"),
        ("local", "has a meaning of its own"),
        ("fastapi", "would hide the installed package `fastapi`"),
        ("python-dateutil", "would hide the installed package `python-dateutil`"),
        ("my-module", "would hide the installed package `my_module`"),
    ],
)
def test_a_bad_service_name_says_why(name: str, words: str) -> None:
    """The first reason is enough."""
    why = check_service_name(name, frozenset({"fastapi", "python-dateutil", "my_module"}))
    assert why is not None
    assert words in why


@pytest.mark.parametrize("name", ["api", "a", "order-desk", "v2", "a1-b2-c3", "a" * 32, "apis", "jsons"])
def test_a_good_service_name_passes(name: str) -> None:
    """Names near a module's are no module's."""
    assert check_service_name(name, frozenset()) is None


def test_every_module_of_the_standard_library_is_refused() -> None:
    """Not only those that somebody thought of."""
    assert all(check_service_name(name, frozenset()) for name in sys.stdlib_module_names)


@pytest.mark.parametrize("length", [TOGETHER - 1, TOGETHER, TOGETHER + 1])
def test_the_three_names_together_have_room_for_what_aws_puts_behind_them(length: int) -> None:
    """A Lambda function's and a role's name have at most 64 characters; eight are kept for suffixes."""
    service = "s" * (length - len("acme-dev-"))
    assert (check_together("acme", "dev", service) is None) == (length <= TOGETHER)


def test_installed_packages_are_found_by_module_and_distribution(tmp_path: Path) -> None:
    """What the project itself installs in place is left out: its services are no strangers."""
    for name in ("yaml", "PyYAML-6.0.3.dist-info", "acme_api-0.1.dist-info", "__pycache__"):
        (tmp_path / name).mkdir()
    (tmp_path / "acme_api-0.1.dist-info/direct_url.json").touch()
    for name in ("six.py", "acme_api.pth", "typing_extensions-4.0.dist-info"):
        (tmp_path / name).touch()
    found = find_installed(tmp_path)
    assert {"yaml", "pyyaml", "six", "typing-extensions"} <= found
    assert not {"acme-api", "acme_api"} & found
