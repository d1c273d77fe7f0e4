"""What remove-service decides: what goes where, whether it may, and what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackyard.errors import MissingError, RefusedError
from stackyard.removal import plan_removal
from stackyard.scaffold import Facts, Found
from stackyard.testing import ScriptedRunner
from stackyard.tools.git import find_unsaved

WEB = Found(frozenset({"service.yaml", "a"}), {"kind": "ecs", "overrides": {"prod": {"path": "/w"}}})


def facts(**services: Found) -> Facts:
    return Facts("acme", ("local", "dev", "prod"), frozenset(), ("api",), "api", services)


def test_it_says_what_goes_where() -> None:
    """The folder, each path with its environments, each environment with the command that ends it there."""
    planned = plan_removal("web", facts(web=WEB, api=Found()), local=frozenset({"web"}), unsaved=[])
    assert planned.lines() == [
        "src/services/web: 2 files, deleted now",
        "the path /web (local, dev): gone with the next deploy, for everybody who calls it",
        "the path /w (prod): gone with the next deploy, for everybody who calls it",
        "local: deployed; inv deploy --env local destroys it",
        "dev: if it is deployed there; inv deploy --env dev destroys it",
        "prod: if it is deployed there; inv deploy --env prod destroys it",
    ]
    assert planned.next() == "inv deploy --env local"


def test_the_last_one_needs_a_word_more() -> None:
    """A deploy of no service at all is refused without it."""
    planned = plan_removal("web", facts(web=WEB), local=None, unsaved=[])
    assert planned.last
    assert planned.next() == "inv deploy --env dev --allow-empty"
    assert "local: not running" in planned.lines()


@pytest.mark.parametrize(
    ("unsaved", "words"),
    [
        (None, "there is no git repository here"),
        (["src/services/web/a"], "git could not bring back src/services/web/a"),
        ([f"f{number}" for number in range(7)], "f0, f1, f2, f3, f4 and 2 more"),
    ],
)
def test_what_git_could_not_bring_back_is_not_removed(unsaved: list[str] | None, words: str) -> None:
    """Unless one says that it is meant."""
    with pytest.raises(RefusedError, match="web is not all in git") as caught:
        plan_removal("web", facts(web=WEB), local=None, unsaved=unsaved)
    assert words in str(caught.value)
    assert caught.value.command == "inv remove-service web --force"
    assert plan_removal("web", facts(web=WEB), local=None, unsaved=unsaved, force=True).name == "web"


def test_a_service_that_is_not_there_is_said_with_those_that_are() -> None:
    """A name never reaches a path."""
    with pytest.raises(MissingError, match=r"there is no service \.\./web: there are: api"):
        plan_removal("../web", facts(api=Found()), local=None, unsaved=[])


def test_caches_need_no_saving(runner: ScriptedRunner) -> None:
    """Python writes them anew; an ignored .env is lost for good."""
    lines = ("?? s/new.py", "!! s/__pycache__/", "!! s/.env", " M s/app.py", "!! s/.pytest_cache/x")
    runner.expect("git", "status", ..., "--", "s", stdout="\0".join(lines) + "\0")
    assert find_unsaved(runner, Path(), "s") == ["s/new.py", "s/.env", "s/app.py"]
    runner.expect("git", "status", ..., code=128)
    assert find_unsaved(runner, Path(), "s") is None
