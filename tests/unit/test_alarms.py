"""A rollout's alarms, by their names in AWS."""

from __future__ import annotations

import pytest

from stackyard.alarms import name_alarms
from stackyard.errors import ConfigError
from stackyard.project import find_target, read_project
from tests.unit.folder import PROJECT, Folder

SERVICE = "kind: ecs\nrollout: {strategy: canary, alarms: [errors, shop is slow, latency]}\n"


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ("prod", ["acme-prod-shop-errors", "shop is slow", "acme-prod-shop-latency"]),
        ("local", ["shop is slow"]),
    ],
)
def test_a_services_own_alarms_have_a_word(folder: Folder, environment: str, names: list[str]) -> None:
    """Words become names; where the environment has no alarms they are left out; others stay as they are."""
    folder.service("shop", SERVICE)
    target = find_target(read_project(folder.root), environment)
    [entry] = folder.read_catalog(environment).entries
    assert name_alarms(entry, target).service.rollout.alarms == names


def test_a_rollout_cannot_watch_what_is_switched_off(folder: Folder) -> None:
    """Such a rollout would never go back, and nobody would know."""
    folder.service("shop", SERVICE + "alarms: {enabled: false}\n")
    with pytest.raises(ConfigError, match=r"names errors and latency, which `alarms.enabled: false` leaves out"):
        folder.read_catalog("prod")


@pytest.mark.parametrize(
    ("said", "alarmed"),
    [("", True), (", alarms: {enabled: false}", False), (", alarms: {email: ops@example.com}", True)],
)
def test_an_environment_is_watched_unless_it_says_no(folder: Folder, said: str, alarmed: bool) -> None:
    """By default, and with an address; previews and the laptop are not."""
    text = PROJECT.replace('dev: {account: "111111111111"', f'dev: {{account: "111111111111"{said}')
    (folder.root / "stackyard.yaml").write_text(text + 'previews: {account: "111111111111"}\n')
    project = read_project(folder.root)
    assert find_target(project, "dev").alarmed is alarmed
    assert not find_target(project, "pr-7").alarmed
    assert not find_target(project, "local").alarmed
