"""What add-service decides: names, kinds and paths checked against all there is; what is there is left alone."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import replace

import pytest
import yaml

from stackyard.addresses import listener_port
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS
from stackyard.manifest import Service, ServiceFile, check_kind
from stackyard.rendering import NewService, Templates, describe_template, find_templates
from stackyard.scaffold import Addition, Facts, Found, Request, plan_additions, settled_kind
from tests.generated import FACTS

TEMPLATES = Templates()


def plan(*names: str, facts: Facts = FACTS, **asked: str | bool) -> tuple[Addition, ...]:
    request = Request(
        names,
        kind=str(asked.get("kind", "")),
        path=str(asked.get("path", "")),
        template=str(asked.get("template", "")),
        api_key=bool(asked.get("api_key")),
    )
    return plan_additions(request, facts, TEMPLATES.render)


def refuse(*names: str, facts: Facts = FACTS, **asked: str | bool) -> str:
    with pytest.raises(ConfigError) as caught:
        plan(*names, facts=facts, **asked)
    return f"{caught.value}\n{caught.value.fix}"


def with_services(**services: Found) -> Facts:
    return replace(FACTS, services={**FACTS.services, **services})


def texts(addition: Addition) -> dict[str, str]:
    return {file.path: file.text for file in addition.files}


def test_a_new_service_has_all_that_it_needs() -> None:
    """The catalog's four files, the example, its tests and a README."""
    [addition] = plan("order-desk")
    assert addition.state == "new"
    assert addition.folder == "src/services/order-desk"
    assert set(texts(addition)) == {
        "service.yaml",
        "pyproject.toml",
        "README.md",
        "order_desk/__init__.py",
        "order_desk/app.py",
        "order_desk/settings.py",
        "order_desk/lambda_handler.py",
        "tests/test_order_desk.py",
        "tests/test_order_desk_lambda.py",
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("template", find_templates())
@pytest.mark.parametrize(("path", "api_key"), [("/shop", False), ("/", True), ("/a-b_c", False)])
def test_what_is_rendered_is_valid(kind: str, template: str, path: str, api_key: bool) -> None:
    """service.yaml says what was asked for, with what it has commented out too; TOML and Python can be read."""
    facts = replace(FACTS, services={})
    files = texts(plan("shop", facts=facts, kind=kind, template=template, path=path, api_key=api_key)[0])
    text = files["service.yaml"]
    service = ServiceFile.model_validate(yaml.safe_load(text))
    assert (service.kind, service.path or "/shop", service.api_key) == (kind, path, api_key)
    assert check_kind(service) == []
    modeline, _, *rest = text.splitlines()
    assert modeline == "# yaml-language-server: $schema=../../../docs/reference/service.schema.json"
    assert any(line.startswith("# secrets:") for line in rest)
    for line in rest:
        if line.startswith("# ") and not line.startswith("# overrides"):
            data = yaml.safe_load(line.removeprefix("# "))
            assert check_kind(Service.model_validate({"kind": kind, **data})) == [], line
    ServiceFile.model_validate(yaml.safe_load("\n".join(line.removeprefix("# ") for line in rest)))

    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "shop"
    assert project["dependencies"][0] == f"servicekit[{KINDS[kind].extra}]"
    assert project["dependencies"][1:] == describe_template(template)["dependencies"]
    for name in files:
        if name.endswith(".py"):
            ast.parse(files[name])
    assert ("shop/lambda_handler.py" in files) == (kind == "lambda")
    assert "{{" not in "".join(text for name, text in files.items() if not name.endswith(".html"))


@pytest.mark.parametrize("template", find_templates())
def test_the_application_is_the_same_for_every_kind(template: str) -> None:
    """What runs it differs; what it says does not."""
    facts = replace(FACTS, services={})
    apps = [texts(plan("shop", facts=facts, kind=kind, template=template)[0])["shop/app.py"] for kind in KINDS]
    assert len(set(apps)) == 1


@pytest.mark.parametrize("template", find_templates())
def test_settings_are_what_the_environment_sets(template: str) -> None:
    """Each variable of service.yaml is a field of settings.py."""
    files = texts(plan("shop", template=template)[0])
    variables = yaml.safe_load(files["service.yaml"])["environment"]
    fields = re.findall(r"^    (\w+): \w", files["shop/settings.py"], re.MULTILINE)
    assert {name.lower() for name in variables} == set(fields)


def test_no_one_loses_what_is_there() -> None:
    """A folder that has all its kind needs gets nothing, whatever else it lacks."""
    there = {"service.yaml", "pyproject.toml", "shop/__init__.py", "shop/lambda_handler.py"}
    facts = with_services(shop=Found(frozenset(there), {"kind": "lambda"}))
    [addition] = plan("shop", facts=facts)
    assert (addition.state, addition.files) == ("there", ())


@pytest.mark.parametrize("missing", ["service.yaml", "pyproject.toml", "shop/__init__.py", "shop/lambda_handler.py"])
def test_a_service_with_an_application_gets_only_what_it_lacks(missing: str) -> None:
    """The example and its tests are not for an application that is somebody's own."""
    there = {"service.yaml", "pyproject.toml", "shop/__init__.py", "shop/lambda_handler.py", "shop/app.py"} - {missing}
    settings = None if missing == "service.yaml" else {"kind": "lambda"}
    [addition] = plan("shop", facts=with_services(shop=Found(frozenset(there), settings)))
    assert (addition.state, [file.path for file in addition.files]) == ("incomplete", [missing])


def test_a_folder_without_an_application_gets_the_whole_example() -> None:
    """Its own README stays, and its service.yaml decides the kind."""
    there = frozenset({"README.md", "service.yaml"})
    [addition] = plan("shop", facts=with_services(shop=Found(there, {"kind": "ecs", "path": "/s", "api_key": True})))
    assert addition.state == "incomplete"
    assert (addition.service.kind.name, addition.service.path, addition.service.api_key) == ("ecs", "/s", True)
    assert set(texts(addition)) == {
        "pyproject.toml",
        "shop/__init__.py",
        "shop/app.py",
        "shop/settings.py",
        "tests/test_shop.py",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_completing_goes_on_where_it_was_killed(kind: str) -> None:
    """However many of the files are there, the rest follow, until nothing is missing."""
    [whole] = plan("shop", kind=kind)
    for count in range(1, len(whole.files) + 1):
        written = whole.files[:count]
        settings = {"kind": kind} if "service.yaml" in {file.path for file in written} else None
        there = frozenset(file.path for file in written)
        [rest] = plan("shop", kind=kind, facts=with_services(shop=Found(there, settings)))
        assert [*written, *rest.files] == list(whole.files)


def test_a_kind_changed_by_hand_is_followed() -> None:
    """The handler is added; what only its author can change is said."""
    there = frozenset({"service.yaml", "pyproject.toml", "shop/__init__.py", "shop/app.py"})
    found = Found(there, {"kind": "lambda"}, 'dependencies = ["servicekit[server]"]')
    [addition] = plan("shop", facts=with_services(shop=found))
    assert [file.path for file in addition.files] == ["shop/lambda_handler.py"]
    assert addition.notes == (
        "its pyproject.toml asks for `servicekit[server]`; a service of kind lambda needs servicekit[lambda]",
    )
    fitting = replace(found, pyproject='dependencies = ["servicekit[client,lambda]"]')
    assert plan("shop", facts=with_services(shop=fitting))[0].notes == ()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "ecs"}, "its kind is lambda, not ecs"),
        ({"path": "/other"}, "its path is /shop, not /other"),
        ({"api_key": True}, "its api_key is false, not true"),
    ],
)
def test_a_service_that_is_there_is_not_changed_by_flags(asked: dict[str, str | bool], words: str) -> None:
    """The file is the place to change it, and the error says so."""
    facts = with_services(shop=Found(frozenset({"service.yaml"}), {"kind": "lambda"}))
    message = refuse("shop", facts=facts, **asked)
    assert message.startswith(f"shop is there already: {words}")
    assert "src/services/shop/service.yaml" in message


def test_a_kind_that_is_none_is_named() -> None:
    """Nothing can be completed for it."""
    facts = with_services(shop=Found(frozenset({"service.yaml"}), {"kind": "lamdba"}))
    assert "`kind` is `lamdba`; there are lambda, apprunner, ecs, eks" in refuse("shop", facts=facts)


def test_all_that_is_wrong_is_said_at_once() -> None:
    """And nothing is planned for the names that are right."""
    message = refuse("shop", "Shop", "email", "yaml", kind="vm", template="x")
    assert message.count("\n  ") == 5
    for words in ("the name `Shop` must be", "Python's own module `email`", "installed package `yaml`", "no kind `vm`"):
        assert words in message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("shop", "the path `shop` cannot be: it must be / or one segment"),
        ("/a/b", "cannot be"),
        ("/a\n", r"the path `/a\n` cannot be"),
        ("/{x}", "cannot be"),
        (f"/{'x' * 128}", "at most 128 characters"),
        ("/", "src/services/api/service.yaml and src/services/shop/service.yaml both own /"),
        ("/health", "src/services/shop/service.yaml: the path /health is every service's own"),
        ("/local", "is the stage of the laptop's own gateway"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, words: str) -> None:
    """By its form, or because somebody has it."""
    assert words in refuse("shop", path=path)


def test_a_path_is_for_one_service() -> None:
    """Two cannot have it."""
    assert "--path is for one service" in refuse("shop", "web", path="/x")
    assert len(plan("shop", "shop", path="/x")) == 1


def test_a_path_taken_in_one_environment_is_taken() -> None:
    """What is added must be right for all of them."""
    web = Found(settings={"kind": "lambda", "overrides": {"prod": {"path": "/shop"}}})
    assert "src/services/web/service.yaml and src/services/shop/service.yaml both have the path /shop" in refuse(
        "shop", facts=with_services(web=web)
    )


def test_a_quarrel_of_others_is_theirs() -> None:
    """It is `inv services` that tells them."""
    facts = with_services(a=Found(settings={"path": "/x"}), b=Found(settings={"path": "/x"}))
    assert plan("shop", facts=facts)[0].state == "new"


def test_a_name_too_long_for_one_environment_is_refused() -> None:
    """With the environment's name in it; App Runner has less room than the others."""
    facts = replace(FACTS, environments=("local", "e" * 16), project="p" * 20)
    assert "has 57 characters" in refuse("s" * 19, facts=facts)
    long = "s" * 30
    assert plan(long)[0].state == "new"
    assert "room for 40" in refuse(long, kind="apprunner")


def test_two_private_services_do_not_share_a_port() -> None:
    """The port of the load balancer follows from the name, and names may meet."""
    owners: dict[int, str] = {}
    names = (f"s{number}" for number in range(10_000))
    one, other = next((owners[port], n) for n in names if owners.setdefault(port := listener_port(n), n) != n)
    assert "get the same port of the load balancer" in refuse(one, other, kind="ecs")
    taken = with_services(**{one: Found(settings={"kind": "eks"})})
    assert "get the same port of the load balancer" in refuse(other, facts=taken, kind="ecs")
    assert plan(other, facts=taken, kind="lambda")[0].state == "new"


def test_a_kind_is_asked_for_only_where_it_is_open() -> None:
    """A service.yaml has it already."""
    facts = with_services(shop=Found(settings={"kind": "ecs"}), web=Found(settings={"kind": "eks"}))
    assert settled_kind(Request(("new",)), facts) == ""
    assert settled_kind(Request(("new",), kind="eks"), facts) == "eks"
    assert settled_kind(Request(("shop",)), facts) == "ecs"
    assert settled_kind(Request(("shop", "new")), facts) == ""
    assert settled_kind(Request(("shop", "web")), facts) != ""


def test_every_template_says_what_it_is() -> None:
    """For the one who chooses, and for the smoke tests that ask its example."""
    assert find_templates() == ("api", "page")
    for name in find_templates():
        about = describe_template(name)
        Service.model_validate({"kind": "lambda", "example": about["example"], "environment": about["environment"]})
        assert about["about"]
        assert not about["about"].endswith(".")


def test_a_template_fills_in_everything_or_fails() -> None:
    """A misspelt value of a template is an error, not an empty text."""
    rendered = TEMPLATES.render(NewService("shop", KINDS["lambda"], "/shop", "api"))
    assert rendered == Templates().render(NewService("shop", KINDS["lambda"], "/shop", "api"))
