"""Anything at all as a name, a path, a kind or a value: a clear error, or what was meant and nothing else."""

from __future__ import annotations

import ast
import json
import re
import tempfile
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stackyard.addresses import FILE, FOLDER
from stackyard.bake import Registry, render_bake
from stackyard.commands.observe import variables as terraform_variables
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, StackyardError
from stackyard.images import Image
from stackyard.kinds import KINDS
from stackyard.manifest import ServiceFile
from stackyard.models import merge
from stackyard.names import group_of, module_name
from stackyard.rendering import Templates, find_templates
from stackyard.scaffold import Request, plan_additions
from stackyard.testing import ScriptedRunner, printed_screen
from tests.generated import FACTS, names, paths, settings_of_services, texts, write_yaml
from tests.unit.folder import PREVIEWS, PROJECT, Folder

TEMPLATES = Templates()
FEWER = settings(max_examples=80)
"""For tests that write files: a disk is slow."""

requests = st.builds(
    Request,
    names=st.lists(st.one_of(names, texts), max_size=3).map(tuple),
    kind=st.one_of(st.just(""), st.sampled_from(sorted(KINDS)), texts),
    path=st.one_of(st.just(""), paths, texts),
    template=st.one_of(st.just(""), st.sampled_from(find_templates()), texts),
    api_key=st.booleans(),
)


@given(requests)
def test_whatever_is_asked_for_is_refused_or_harmless(request: Request) -> None:
    """No name and no path leaves its folder, its line or its quotes, in YAML, TOML, Python, HCL, JSON or a shell."""
    try:
        additions = plan_additions(request, FACTS, TEMPLATES.render)
    except ConfigError as error:
        assert str(error).replace("\n  ", " ").isprintable()
        return
    for addition in additions:
        service = addition.service
        assert re.fullmatch(r"[a-z0-9-]+", service.name)
        assert re.fullmatch(r"/[a-z0-9_-]*", service.path)
        files = {file.path: file.text for file in addition.files}
        for path in files:
            assert ".." not in PurePosixPath(path).parts
            assert not PurePosixPath(path).is_absolute()
        said = ServiceFile.model_validate(yaml.safe_load(files["service.yaml"]))
        assert (said.kind, said.path or f"/{service.name}", said.api_key) == (
            service.kind.name,
            service.path,
            request.api_key,
        )
        assert tomllib.loads(files["pyproject.toml"])["project"]["name"] == service.name
        assert ast.parse(files[f"{module_name(service.name)}/app.py"])


@given(st.one_of(names, texts), st.one_of(names, texts))
def test_whatever_services_are_called_terraform_gets_a_map(one: str, other: str) -> None:
    """A name that the checks let pass is one key of the HCL map, and one target of a bake file."""
    try:
        additions = plan_additions(Request((one, other)), FACTS, TEMPLATES.render)
    except ConfigError:
        return
    digests = {each.service.name: f"sha256:{'0' * 64}" for each in additions}
    with tempfile.TemporaryDirectory() as place, ScriptedRunner() as runner:
        session = Session(Folder(Path(place, "project")).root, "dev", printed_screen().screen, runner)
        given_to_terraform = terraform_variables(session, digests)
    assert json.loads(given_to_terraform["image_digests"].replace('" = "', '": "')) == digests
    images = [Image(name, f"{name}-0123", "linux/arm64", "lambda") for name in digests]
    baked = json.loads(render_bake(images, Registry("127.0.0.1:5000", "acme"), "python", {}))
    assert {name: target["args"]["SERVICE"] for name, target in baked["target"].items()} == {
        each: each for each in digests
    }
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) for name in baked["target"])


def read(text: str | bytes, environment: str) -> dict[str, str] | None:
    """Read a project with one service.yaml; return its environment variables, or None where it was refused."""
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(Path(place, "project"))
        folder.project_yaml(PROJECT + PREVIEWS)
        base = folder.service("shop")
        folder.write(f"{FOLDER}/shop/shop/app.py", "")
        (base / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            [entry] = folder.read_catalog(environment).entries
        except StackyardError as error:
            assert error.exit_code in {2, 3}
            assert error.command
            return None
    return entry.service.environment


@FEWER
@given(settings_of_services(), st.sampled_from(["local", "dev", "prod", "pr-12"]))
def test_a_value_arrives_as_it_was_written(data: dict[str, Any], environment: str) -> None:
    """Whatever the text, and whatever stands for another environment."""
    merged = merge(data, data.get("overrides", {}).get(group_of(environment), {}))
    assert read(write_yaml(data), environment) == merged["environment"]


@FEWER
@given(settings_of_services())
def test_a_value_that_a_tool_wrote_arrives_or_is_refused(data: dict[str, object]) -> None:
    """PyYAML leaves quotes out where it sees no need; what others would read differently is refused."""
    found = read(yaml.safe_dump(data, allow_unicode=True), "prod")
    assert found is None or found == data["environment"]


@FEWER
@given(st.one_of(st.binary(max_size=60), texts, texts.map("kind: lambda\n{}".format)))
def test_any_bytes_are_settings_or_a_clear_error(content: str | bytes) -> None:
    """Never a traceback."""
    read(content, "local")


anything = st.one_of(st.integers(), st.booleans(), texts, st.dictionaries(texts, texts, max_size=2))


@FEWER
@given(st.dictionaries(st.sampled_from(sorted(ServiceFile.model_fields)), anything, max_size=4))
def test_any_value_of_any_key_is_taken_or_a_clear_error(data: dict[str, object]) -> None:
    """Never a traceback."""
    read(write_yaml({"kind": "lambda", **data}), "local")
