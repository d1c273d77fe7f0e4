"""service.yaml and the catalog: each service by itself, and all of them against one another."""

from __future__ import annotations

import pytest

from stackyard.addresses import find_crowding
from stackyard.errors import ConfigError, MissingError
from stackyard.models import merge
from tests.unit.folder import PREVIEWS, PROJECT, Folder


def refuse(folder: Folder) -> str:
    with pytest.raises(ConfigError) as caught:
        folder.read_catalog()
    return str(caught.value)


def test_a_service_is_read_with_its_defaults(folder: Folder) -> None:
    """The kind is all that it must say."""
    folder.service("order-desk")
    [entry] = folder.read_catalog().entries
    service = entry.service
    assert (entry.name, entry.package, entry.path) == ("order-desk", "order_desk", "/order-desk")
    assert entry.folder == "src/services/order-desk"
    assert (service.kind, service.memory, service.timeout, service.scaling.max) == ("lambda", None, None, None)
    assert (service.environment, service.api_key) == ({}, False)


def test_the_service_named_api_owns_the_root(folder: Folder) -> None:
    """Others get their name."""
    folder.service("api")
    folder.service("web")
    assert [(entry.name, entry.path) for entry in folder.read_catalog().entries] == [("api", "/"), ("web", "/web")]


def test_previews_share_an_override_and_their_secrets(folder: Folder) -> None:
    """None of them has a place of its own in a file: they come and go with pull requests."""
    folder.project_yaml(PROJECT + PREVIEWS)
    folder.service("web", "kind: lambda\nsecrets: {TOKEN: token}\noverrides:\n  previews: {memory: 256}\n")
    for name, memory, secret in (("pr-1", 256, "previews"), ("pr-999999", 256, "previews"), ("dev", None, "dev")):
        catalog = folder.read_catalog(name)
        [entry] = catalog.entries
        assert catalog.environment == name
        assert (entry.service.memory, entry.secrets) == (memory, {"TOKEN": f"acme/{secret}/token"})


def test_an_override_names_no_single_preview(folder: Folder) -> None:
    """It would be left behind in the file, and be another pull request's business."""
    folder.project_yaml(PROJECT + PREVIEWS)
    folder.service("web", "kind: lambda\noverrides:\n  pr-1: {memory: 256}\n")
    assert "`overrides.pr-1`: there is no such environment: local, dev, prod, previews" in refuse(folder)


def test_a_service_has_room_in_the_longest_preview(folder: Folder) -> None:
    """A name that is too long for pull request 100,000 is too long today, in every environment."""
    folder.project_yaml(PROJECT.replace("acme", "a" * 20, 1) + PREVIEWS)
    folder.service("s" * 26)
    assert f"`{'a' * 20}-pr-999999-{'s' * 26}` has 57 characters" in refuse(folder)


def test_an_override_is_merged_deeply_and_for_its_environment_alone(folder: Folder) -> None:
    """Maps are merged key by key, everything else is replaced."""
    folder.service(
        "web",
        """\
        kind: lambda
        memory: 512
        environment: {A: one, B: two}
        scaling: {max: 3}
        overrides:
          prod:
            memory: 2048
            environment: {B: three, C: four}
          dev:
            path: /website
            scaling: {}
        """,
    )
    [local], [dev], [prod] = (folder.read_catalog(name).entries for name in ("local", "dev", "prod"))
    assert (local.service.memory, local.service.environment) == (512, {"A": "one", "B": "two"})
    assert (prod.service.memory, prod.service.environment) == (2048, {"A": "one", "B": "three", "C": "four"})
    assert (dev.path, dev.service.scaling.max, dev.service.memory) == ("/website", 3, 512)
    assert (prod.path, prod.service.scaling.max) == ("/web", 3)


def test_merging_leaves_both_sides_as_they_were() -> None:
    """The base is merged once for each environment."""
    base: dict[str, object] = {"a": {"b": 1, "c": {"d": 1}}, "e": [1]}
    over: dict[str, object] = {"a": {"c": {"f": 2}}, "e": [2]}
    assert merge(base, over) == {"a": {"b": 1, "c": {"d": 1, "f": 2}}, "e": [2]}
    assert base == {"a": {"b": 1, "c": {"d": 1}}, "e": [1]}
    assert over == {"a": {"c": {"f": 2}}, "e": [2]}


ALL = (
    "alarms, api_key, auth, catalog, cors, cpu, environment, example, kind, memory, overrides, path, rollout, scaling, "
    "secrets, timeout, usage, vpc"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("memory: 512\n", "service.yaml: the key `kind` is missing", id="no kind"),
        pytest.param(
            "kind: ec2\n", "service.yaml:1: `kind` is `ec2`: allowed: 'lambda', 'apprunner', 'ecs' or 'eks'", id="kind"
        ),
        pytest.param("kind: lambda\nmemroy: 1\n", f":2: unknown key `memroy`: allowed here: {ALL}", id="typo"),
        pytest.param(
            "kind: lambda\nscaling: {mx: 1}\n",
            ":2: unknown key `scaling.mx`: allowed here: concurrency, max, min",
            id="typo in scaling",
        ),
        pytest.param(
            "kind: lambda\noverrides:\n  prod:\n    scaling:\n      mx: 1\n",
            ":5: unknown key `overrides.prod.scaling.mx`: allowed here: concurrency, max, min",
            id="typo in an override's scaling",
        ),
        pytest.param(
            "kind: lambda\noverrides:\n  prod: {kind: lambda}\n",
            ":3: unknown key `overrides.prod.kind`: allowed here: alarms, api_key, auth, catalog, cors, cpu, "
            "environment, example, memory, path, rollout, scaling, secrets, timeout, usage, vpc",
            id="kind in an override",
        ),
        pytest.param(
            "kind: lambda\noverrides:\n  staging: {memory: 512}\n",
            ":3: `overrides.staging`: there is no such environment: local, dev, prod",
            id="override of no environment",
        ),
        pytest.param("kind: lambda\nmemory: 64\n", ":2: `memory` is `64`: it must be greater", id="memory"),
        pytest.param("kind: lambda\nmemory: 1.5\n", "`memory` is `1.5`: it must be a whole number", id="half a MiB"),
        pytest.param('kind: lambda\nmemory: "512"\n', "`memory` is `512`: it must be a whole number", id="text"),
        pytest.param("kind: lambda\nmemory: true\n", "`memory` is `true`: it must be a whole number", id="truth"),
        pytest.param(
            "kind: lambda\nmemory: 512\noverrides:\n  dev:\n    memory: 1\n",
            ":5: `overrides.dev.memory` is `1`: it must be greater",
            id="an override's value has the override's line",
        ),
        pytest.param("kind: lambda\ntimeout: 901\n", "`timeout` is `901`: it must be less", id="timeout"),
        pytest.param("kind: lambda\nscaling: 3\n", "`scaling` is `3`: it must be keys and values", id="scaling"),
        pytest.param("kind: lambda\nscaling: {max: 0}\n", "`scaling.max` is `0`: it must be greater", id="max"),
        pytest.param("kind: lambda\noverrides: [dev]\n", "`overrides` is `[…]`: it must be keys and values", id="list"),
        pytest.param("kind: lambda\napi_key: maybe\n", "`api_key` is `maybe`: it must be true or false", id="api_key"),
        pytest.param("kind: lambda\npath: web\n", ":2: `path` is `web`: it must match", id="path without a slash"),
        pytest.param("kind: lambda\npath: /a/b\n", '(Its public path, "/" or one segment.', id="path of two segments"),
        pytest.param("kind: lambda\npath: /{proxy+}\n", "`path` is `/{proxy+}`: it must match", id="path with braces"),
        pytest.param("kind: lambda\npath: /local\n", "the path /local is the stage of the laptop", id="path local"),
        pytest.param("kind: lambda\npath: /ping\n", "the path /ping is API Gateway's own", id="path ping"),
        pytest.param(
            "kind: lambda\nenvironment: {DEBUG: true}\n",
            '`environment.DEBUG` is `true`: it must be text; quote it: "…"',
            id="variable that is no text",
        ),
        pytest.param(
            "kind: lambda\nenvironment:\n  AWS_REGION: x\n",
            ":3: the key `environment.AWS_REGION`: PORT and names beginning with AWS_, LAMBDA_ or SERVICE_ are set",
            id="variable that AWS sets",
        ),
        pytest.param("kind: lambda\nenvironment: {service_x: y}\n", "`environment.service_x`", id="in small letters"),
        pytest.param(
            "kind: lambda\noverrides: {dev: {environment: {LAMBDA_X: z}}}\n",
            "the key `overrides.dev.environment.LAMBDA_X`: PORT and names beginning",
            id="variable in an override",
        ),
        pytest.param("kind: lambda\nenvironment: {a-b: x}\n", "the key `environment.a-b`: it must match", id="dash"),
        pytest.param('kind: lambda\nenvironment: {A: "\\0"}\n', "`A` holds a zero byte", id="zero byte"),
        pytest.param(
            f"kind: lambda\nenvironment: {{A: {'x' * 3600}}}\n", "Lambda has room for 4096", id="too many variables"
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Folder, text: str, words: str) -> None:
    """One problem, one line, once, though it is wrong in every environment."""
    folder.service("web", text)
    message = refuse(folder)
    assert words in message
    assert message.startswith("src/services/web/service.yaml")
    assert "\n" not in message


def test_variables_may_be_too_many_after_merging_only(folder: Folder) -> None:
    """The limit is on what one environment gets, and the error says which."""
    half = "x" * 2000
    folder.service(
        "web", f"kind: lambda\nenvironment: {{A: {half}}}\noverrides: {{dev: {{environment: {{B: {half}}}}}}}\n"
    )
    assert "4002 bytes; Lambda has room for 4096" in refuse(folder)
    assert refuse(folder).endswith("(as merged for dev)")


def test_a_secret_in_the_wrong_place_is_not_printed(folder: Folder) -> None:
    """Errors end up in CI's logs."""
    folder.service("web", "kind: lambda\nmemory: {password: hunter2}\n")
    assert "hunter2" not in refuse(folder)


def test_two_owners_of_the_root_are_named(folder: Folder) -> None:
    """Both files, and what to do."""
    folder.service("api")
    folder.service("web", "kind: lambda\npath: /\n")
    assert refuse(folder) == (
        "src/services/api/service.yaml and src/services/web/service.yaml both own /; give one of them another `path`"
    )


def test_a_path_given_twice_is_named(folder: Folder) -> None:
    """A default counts as much as a given one."""
    folder.service("web")
    folder.service("shop", "kind: lambda\npath: /web\n")
    assert "src/services/shop/service.yaml and src/services/web/service.yaml both have the path /web" in refuse(folder)


def test_paths_that_meet_in_one_environment_only_are_refused_for_all(folder: Folder) -> None:
    """What can be deployed to dev must be right for prod."""
    folder.service("web")
    folder.service("shop", "kind: lambda\noverrides: {prod: {path: /web}}\n")
    assert "both have the path /web" in refuse(folder)


def test_services_may_swap_their_paths_in_an_environment(folder: Folder) -> None:
    """Paths are compared within one environment."""
    folder.service("web", "kind: lambda\noverrides: {prod: {path: /shop}}\n")
    folder.service("shop", "kind: lambda\noverrides: {prod: {path: /web}}\n")
    assert [entry.path for entry in folder.read_catalog("prod").entries] == ["/web", "/shop"]


@pytest.mark.parametrize(
    "name", ["service.yaml", "pyproject.toml", "order_desk/__init__.py", "order_desk/lambda_handler.py"]
)
def test_a_folder_that_lacks_a_file_is_named(folder: Folder, name: str) -> None:
    """The folder is what makes a service, so an incomplete one is never passed over."""
    (folder.service("order-desk") / name).unlink()
    assert refuse(folder).startswith(f"src/services/order-desk/{name} is missing (")


@pytest.mark.parametrize("name", [".cache", "_drafts", "__pycache__"])
def test_a_hidden_folder_is_no_service(folder: Folder, name: str) -> None:
    """Nor is an empty one, which git does not keep, nor a file."""
    folder.write(f"src/services/{name}/x", "")
    folder.write("src/services/notes.txt", "")
    (folder.root / "src/services/empty").mkdir()
    assert folder.read_catalog().entries == ()


def test_what_a_removed_service_leaves_behind_is_no_service(folder: Folder) -> None:
    """Git takes the files and leaves Python's caches."""
    folder.write("src/services/gone/gone/__pycache__/app.cpython-314.pyc", "")
    (folder.root / "src/services/gone/tests").mkdir()
    assert folder.read_catalog().entries == ()


def test_an_api_has_room_for_149_services_and_one_list_of_them() -> None:
    """300 resources: the root and two a service, one less for the owner of the root, one more for a list."""
    full = [(f"/s{number}", number == 0) for number in range(149)]
    assert find_crowding(full) == []
    assert find_crowding([("/", True), ("/s0", True), *full[2:]]) == []
    [problem] = find_crowding([*full, ("/one-more", False)])
    assert "150 services need 302 resources" in problem
    assert "one API has 300" in problem


@pytest.mark.parametrize("path", ["/health", "/docs", "/ping", "/local"])
def test_a_path_that_would_hide_what_others_answer_is_refused(folder: Folder, path: str) -> None:
    """Whoever owns / has its health checks and documentation there."""
    folder.service("checks", f"kind: lambda\npath: {path}\n")
    assert f"the path {path} is" in refuse(folder)


def test_broken_files_are_named_beside_other_problems(folder: Folder) -> None:
    """One run tells all of them."""
    folder.service("web", "kind: [\n")
    folder.service("shop", "kind: lambda\ntimeout: 0\n")
    message = refuse(folder)
    assert "src/services/web/service.yaml:2" in message
    assert "src/services/shop/service.yaml:2" in message


def test_no_services_is_an_empty_catalog(folder: Folder) -> None:
    """Whether that may be deployed is not the catalog's to say."""
    assert folder.read_catalog().names() == ()


def test_problems_of_all_services_are_said_at_once(folder: Folder) -> None:
    """Each with its own file."""
    folder.service("web", "kind: lambda\nmemory: 1\n")
    folder.service("shop", "kind: lambda\ntimeout: 0\n")
    folder.write("src/services/json/service.yaml", "kind: lambda\n")
    message = refuse(folder)
    assert message.startswith("src/services has 3 problems\n")
    for words in ("web/service.yaml:2: `memory`", "shop/service.yaml:2: `timeout`", "would hide Python's own module"):
        assert words in message


def test_a_name_too_long_together_with_project_and_environment_is_refused(folder: Folder) -> None:
    """AWS limits the three together, so each alone may be right."""
    folder.project_yaml(PROJECT.replace("acme\n", f"{'p' * 20}\n", 1).replace("  dev:", f"  {'e' * 16}:"))
    folder.service("s" * 18)
    assert folder.read_catalog().names() == ("s" * 18,)
    folder.service("t" * 19)
    assert "has 57 characters; AWS names of such a service have room for 56; shorten one of the three names" in refuse(
        folder
    )


def test_an_installed_packages_name_is_refused(folder: Folder) -> None:
    """A service called yaml would be imported in the place of PyYAML."""
    folder.service("yaml")
    with pytest.raises(ConfigError, match="would hide the installed package `yaml`"):
        folder.read_catalog(taken=frozenset({"yaml"}))


def test_a_service_yaml_that_is_a_folder_is_missing(folder: Folder) -> None:
    """It is no file."""
    place = folder.service("web") / "service.yaml"
    place.unlink()
    place.mkdir()
    with pytest.raises((ConfigError, MissingError), match=r"web/service\.yaml is missing"):
        folder.read_catalog()
