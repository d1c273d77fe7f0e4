"""stackyard.yaml: what it may say, and that each error names line, key, what was found and what is allowed."""

from __future__ import annotations

import pytest

from stackyard.errors import ConfigError, MissingError
from stackyard.project import EMULATED_ACCOUNT, Project, find_target
from tests.unit.folder import PREVIEWS, PROJECT, Folder

DEV = '  dev: {account: "111111111111"}\n'


def refuse(folder: Folder, text: str) -> str:
    folder.project_yaml(text)
    with pytest.raises(ConfigError) as caught:
        folder.read_project()
    return str(caught.value)


def test_a_project_is_read_with_its_defaults(folder: Folder) -> None:
    """An account is all that an environment must say."""
    project = folder.read_project()
    dev, prod = project.environments["dev"], project.environments["prod"]
    assert (dev.account, dev.region, dev.protected, dev.log_retention, dev.xray) == (
        "111111111111",
        None,
        False,
        30,
        True,
    )
    assert (dev.throttle.rate, dev.throttle.burst) == (100, 200)
    assert prod.protected


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(
            "project: acme", "project: Acme", "stackyard.yaml:1: `project` is `Acme`: it must match", id="name"
        ),
        pytest.param("project: acme", "project: a--b", "`project` is `a--b`: it must match", id="two dashes"),
        pytest.param(
            "project: acme", f"project: {'a' * 21}", f"`{'a' * 21}`: it must have at most 20 characters", id="long name"
        ),
        pytest.param("project: acme\n", "", "stackyard.yaml: the key `project` is missing", id="missing"),
        pytest.param(
            "acme/platform", "acme", "stackyard.yaml:2: `repository` is `acme`: it must match", id="repository"
        ),
        pytest.param("acme/platform", "a${b}/c", "`repository` is `a${b}/c`: it must match", id="repository in HCL"),
        pytest.param("acme/platform", "acme", "(At GitHub: owner/name)", id="a pattern comes with its words"),
        pytest.param("eu-west-1", "narnia", "stackyard.yaml:3: `region` is `narnia`: it must match", id="region"),
        pytest.param("eu-west-1", "eu-west-\u0661", "`region` is `eu-west-\u0661`", id="region in other digits"),
        pytest.param(
            '"111111111111"',
            "111111111111",
            "`environments.dev.account` is `111111111111`: it must be text; quote",
            id="int",
        ),
        pytest.param('"111111111111"', '"1111"', "(The AWS account, 12 digits in quotes)", id="short account"),
        pytest.param('"111111111111"', '"' + "\u0661" * 12 + '"', "`environments.dev.account`", id="other digits"),
        pytest.param(
            '"111111111111"}', '"111111111111", acount: 1}', "unknown key `environments.dev.acount`", id="typo"
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", acount: 1}',
            "allowed here: account, alarms, domain, eks, log_retention, network, protected, region, throttle, waf",
            id="a typo comes with the keys there are",
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", throttle: {rat: 1}}',
            "stackyard.yaml:5: unknown key `environments.dev.throttle.rat`: allowed here: burst, rate",
            id="typo in throttle",
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", log_retention: 31}',
            "`environments.dev.log_retention` is `31`: allowed: 1, 3, 5, 7, 14, 30,",
            id="retention",
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", protected: 1}',
            "protected` is `1`: it must be true or false",
            id="truth",
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", throttle: {rate: 0}}',
            "`environments.dev.throttle.rate` is `0`: it must be greater than 0",
            id="rate",
        ),
        pytest.param(
            '"111111111111"}',
            '"111111111111", throttle: {burst: 1.5}}',
            "`environments.dev.throttle.burst` is `1.5`: it must be a whole number",
            id="burst",
        ),
        pytest.param(
            '{account: "111111111111"}', "[]", "`environments.dev` is `[…]`: it must be keys and values", id="list"
        ),
        pytest.param("  dev:", "  Dev_1:", "stackyard.yaml:5: the key `environments.Dev_1`: it must match", id="key"),
        pytest.param("region:", "owner_id: 5\nregion:", "owner_id and repository_id go together", id="one id"),
        pytest.param("region:", "owner: me\nregion:", "stackyard.yaml:3: unknown key `owner`", id="typo at the top"),
        pytest.param("  dev:", "  local:", "`environments.local`: this environment always exists", id="local"),
        pytest.param(
            "  prod:",
            '  dev-eu: {account: "111111111111"}\n  prod:',
            "stackyard.yaml:6: `environments.dev-eu`",
            id="mix",
        ),
        pytest.param(
            "  prod:", '  dev-plan: {account: "333333333333"}\n  prod:', "kept for who may plan `dev`", id="plan"
        ),
        pytest.param("  prod:", "  local-plan:", "kept for who may plan `local`", id="plan of local"),
        pytest.param("  prod:", "  pr-7:", "6: `environments.pr-7`: this name is kept for previews", id="a preview"),
        pytest.param("  prod:", "  pr-blue:", "`environments.pr-blue`: this name is kept", id="like a preview"),
        pytest.param("  prod:", "  previews:", "`environments.previews`: this name is kept", id="all previews"),
        pytest.param("  prod:", "  previews-plan:", "`environments.previews-plan`: this name", id="previews' plan"),
        pytest.param(
            "environments:",
            'previews: {account: "111111111111", protected: true}\nenvironments:',
            "stackyard.yaml:4: unknown key `previews.protected`: allowed here: account,",
            id="protected previews",
        ),
        pytest.param(
            "environments:",
            "previews: {max: 3}\nenvironments:",
            "stackyard.yaml:4: the key `previews.account` is missing",
            id="previews nowhere",
        ),
        pytest.param(
            "environments:",
            'previews: {account: "111111111111", max: 101}\nenvironments:',
            "`previews.max` is `101`: it must be less than or equal to 100",
            id="too many previews",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Folder, old: str, new: str, words: str) -> None:
    """One problem, one line."""
    assert old in PROJECT
    message = refuse(folder, PROJECT.replace(old, new, 1))
    assert words in message
    assert "\n" not in message


def test_all_that_is_wrong_is_said_at_once(folder: Folder) -> None:
    """Nobody should have to run a command five times to mend five keys."""
    message = refuse(folder, PROJECT.replace("acme", "A").replace("eu-west-1", "x").replace('"111111111111"', "1"))
    assert message.startswith("stackyard.yaml has 3 problems\n  stackyard.yaml:1: `project`")
    assert message.count("\n") == 3


def test_an_environment_is_needed(folder: Folder) -> None:
    """A project without one can only run on the laptop, which is more likely a mistake."""
    assert "must have at least 1 item" in refuse(folder, PROJECT.split("  dev")[0].rstrip() + " {}\n")


def test_names_that_share_a_beginning_may_live_in_two_accounts(folder: Folder) -> None:
    """What one role may touch ends at its account."""
    folder.project_yaml(PROJECT + '  dev-eu: {account: "333333333333"}\n')
    assert list(folder.read_project().environments) == ["dev", "prod", "dev-eu"]


def test_no_stackyard_yaml_is_a_missing_file(folder: Folder) -> None:
    """With exit code 3."""
    (folder.root / "stackyard.yaml").unlink()
    with pytest.raises(MissingError, match=r"^stackyard\.yaml: there is no such file$"):
        folder.read_project()


def test_a_target_has_the_projects_defaults_applied(folder: Folder) -> None:
    """And names everything that is named after it."""
    folder.project_yaml(PROJECT.replace("protected: true", "region: us-east-1"))
    project = folder.read_project()
    dev, prod, local = (find_target(project, name) for name in ("dev", "prod", "local"))
    assert (dev.region, prod.region, local.region) == ("eu-west-1", "us-east-1", "eu-west-1")
    assert (dev.emulated, local.emulated, local.account, local.protected) == (False, True, EMULATED_ACCOUNT, False)
    assert prod.state_bucket == "acme-state-222222222222-us-east-1"
    assert dev.image_repository == "acme"
    assert local.resource_name("api") == "acme-local-api"


@pytest.mark.parametrize("name", ["staging", "", "Dev", "dev\n", "a" * 500, "\x1b[31m", "../dev", "$(id)"])
def test_an_unknown_environment_lists_those_there_are(folder: Folder, name: str) -> None:
    """What was typed is shown without letting it drive the terminal."""
    project: Project = folder.read_project()
    with pytest.raises(MissingError, match=r"stackyard\.yaml has local, dev, prod") as caught:
        find_target(project, name)
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_preview_is_made_from_its_template(folder: Folder) -> None:
    """Under its own name, and never protected."""
    folder.project_yaml(PROJECT + PREVIEWS.replace("max: 2", "region: us-east-1, throttle: {rate: 5}"))
    target = find_target(folder.read_project(), "pr-123")
    assert (target.name, target.account, target.region) == ("pr-123", "1" * 12, "us-east-1")
    assert (target.preview, target.emulated, target.protected, target.throttle.rate) == (True, False, False, 5)
    assert target.resource_name("api") == "acme-pr-123-api"
    assert not find_target(folder.read_project(), "dev").preview


@pytest.mark.parametrize(
    "name", ["pr-0", "pr-012", "pr-1234567", "pr-", "pr-1a", "PR-1", "pr-1\n", "pr-\u0661", "previews"]
)
def test_a_preview_is_called_pr_and_a_number(folder: Folder, name: str) -> None:
    """Of six digits at the most: so long its AWS names may be."""
    folder.project_yaml(PROJECT + PREVIEWS)
    with pytest.raises(MissingError, match=r"stackyard\.yaml has local, dev, prod, pr-<number>"):
        find_target(folder.read_project(), name)


def test_without_a_template_there_are_no_previews(folder: Folder) -> None:
    """The error says what to write."""
    with pytest.raises(MissingError, match="and no `previews`") as caught:
        find_target(folder.read_project(), "pr-123")
    assert "previews: {account:" in caught.value.fix


def test_an_environment_may_not_reach_into_previews(folder: Folder) -> None:
    """The names of `pr`'s services would begin as previews' do, which is all that tells them apart in one account."""
    pr = '  pr: {account: "111111111111"}\n'
    message = refuse(folder, PROJECT + pr + PREVIEWS)
    assert "stackyard.yaml:7: `environments.pr`: previews are in the same account" in message
    folder.project_yaml(PROJECT + pr + PREVIEWS.replace("111111111111", "333333333333"))
    assert "pr" in folder.read_project().environments


def test_the_longest_bucket_name_fits(folder: Folder) -> None:
    """S3 allows 63 characters; the longest region there is has 14."""
    folder.project_yaml(PROJECT.replace("project: acme", f"project: {'a' * 20}").replace("eu-west-1", "ap-southeast-1"))
    assert len(find_target(folder.read_project(), "dev").state_bucket) <= 63
