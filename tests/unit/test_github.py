"""What GitHub is told: roles, facts, reports, settings; `gh` by a script of what it is asked and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.github import facts, role, show_values
from stackyard.commands.github_report import report
from stackyard.commands.github_setup import Request, set_up, show_set
from stackyard.drift import find_drift
from stackyard.errors import MissingError, ToolError, UsageError
from stackyard.github import render_outputs, touches_code
from stackyard.github_settings import plan_environments, plan_repository, read_environment
from stackyard.project import find_target, read_project
from stackyard.reports import LIMIT, Section, render_drift, render_plan, render_report
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.github import GitHub, find_run
from tests.unit.folder import PREVIEWS, PROJECT, Folder

GET = ("gh", "api", "--method", "GET")
LISTED = (*GET, "--paginate", "--slurp")
HERE = "repos/acme/platform"
NONE: dict[str, Any] = {"stderr": "gh: Not Found (HTTP 404)", "code": 1}


@pytest.mark.parametrize(
    ("env", "purpose", "arn", "environment"),
    [
        ("dev", "deploy", "arn:aws:iam::111111111111:role/acme/acme-dev_deploy", "dev"),
        ("prod", "plan", "arn:aws:iam::222222222222:role/acme/acme-prod_plan", "prod-plan"),
        ("pr-7", "deploy", "arn:aws:iam::111111111111:role/acme/acme-previews_deploy", "previews"),
        ("pr-12", "plan", "arn:aws:iam::111111111111:role/acme/acme-previews_plan", "previews-plan"),
    ],
)
def test_a_role_is_said_by_the_project_alone(
    folder: Folder, env: str, purpose: str, arn: str, environment: str
) -> None:
    """By account, project and environment; all previews share one."""
    folder.project_yaml(PROJECT + PREVIEWS)
    given = role(find_target(read_project(folder.root), env), purpose)
    assert (given["role"], given["environment"], given["region"]) == (arn, environment, "eu-west-1")


def test_other_partitions_have_other_arns(folder: Folder) -> None:
    """China's and the government's, by their regions."""
    folder.project_yaml(PROJECT.replace("eu-west-1", "us-gov-west-1"))
    assert role(find_target(read_project(folder.root), "dev"), "plan")["role"].startswith("arn:aws-us-gov:iam::")


def test_the_laptop_has_no_role_and_purposes_are_two(folder: Folder) -> None:
    """Both are said with what to type."""
    with pytest.raises(MissingError, match="local has no role"):
        role(find_target(read_project(folder.root), "local"), "plan")
    with pytest.raises(MissingError, match="it is deploy or plan"):
        role(find_target(read_project(folder.root), "dev"), "destroy")


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["README.md", "docs/guides/services.md", "docs/pictures/web.png"], False),
        (["README.md", "src/services/api/api/app.py"], True),
        (["docs/reference/service.schema.json"], True),
        (["src/services/api/README.md.py"], True),
        ([], False),
        (None, True),
    ],
)
def test_documentation_is_told_from_code(paths: list[str] | None, code: bool) -> None:
    """What nobody knows is taken for code."""
    assert touches_code(paths) is code


def test_facts_become_outputs_of_a_job(folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A line each, added to the file that GitHub names; a pull request is compared with what it is merged into."""
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    runner = ScriptedRunner().expect("git", "diff", ..., "HEAD^1", "HEAD", stdout="README.md\0docs/a b.md\0")
    values = facts(folder.root, runner)
    printed = printed_screen()
    show_values(printed.screen, values, json=False)
    expected = 'ours=true\nenvironments=["dev", "prod"]\npreviews=false\ncode=false\n'
    assert (tmp_path / "output").read_text() == printed.out() == expected
    shallow = ScriptedRunner().expect("git", ..., stderr="fatal: bad revision", code=128)
    assert facts(folder.root, shallow)["code"] == "true"
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    for repository, ours in (("Acme/Platform", "true"), ("mallory/platform", "false")):
        monkeypatch.setenv("GITHUB_REPOSITORY", repository)
        assert facts(folder.root, ScriptedRunner())["ours"] == ours
    assert facts(folder.root, ScriptedRunner())["code"] == "true"


def test_an_output_cannot_smuggle_in_another() -> None:
    """A line break within a value would begin the next output."""
    with pytest.raises(ValueError, match="more than one line"):
        render_outputs({"url": "https://a\nrole=arn:aws:iam::666666666666:role/theirs"})


def test_a_plan_is_written_without_a_value() -> None:
    """Actions, resources and reasons; what looks like Markdown, a name of a person or HTML stays text."""
    changes = [
        {"address": "api: aws_lambda_function", "action": "replace", "reason": "cannot_update"},
        {"address": "api: x[`@mallory <img src=x>|`]", "action": "create", "reason": ""},
        {"address": "api: y", "action": "read", "reason": ""},
    ]
    text = render_plan("1 to create, 1 to replace", changes, ["api-0123"])
    assert "| **replace** | `api: aws_lambda_function` (cannot update) |" in text
    assert "| create | `api: x['@mallory <img src=x>/']` |" in text
    assert "Images to build: `api-0123`" in text
    assert "api: y" not in text
    costs = render_plan("1 to create", [], cost=["+ $1.00 a month", "api: + $1.00 (memory 512 → 1024)"])
    assert costs.endswith("\nCost: + $1.00 a month\n- api: + $1.00 (memory 512 → 1024)\n")
    many = render_plan("", [{"address": f"r{n}", "action": "create", "reason": ""} for n in range(105)])
    assert "| | and 5 more |" in many


def test_a_report_fits_and_tells_who_failed() -> None:
    """Environments in their order; none is left out, and nothing is longer than GitHub takes."""
    text = render_report("Plan", [Section("dev", "**x**\n"), Section("prod", None)], "https://github.com/r/1")
    assert text.startswith("<!-- stackyard: Plan -->\n## Plan\n\n### `dev`\n\n**x**\n\n### `prod`\n\nNothing is known")
    assert text.endswith("[The run](https://github.com/r/1)\n")
    assert LIMIT < len(render_report("Plan", [Section("dev", "x" * 100_000)], "")) < 65_536
    assert render_drift([], "inv deploy --env dev") == ""


def test_a_run_has_an_address_in_a_job_alone() -> None:
    """Made of what GitHub says to each step."""
    job = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
    assert find_run(job) == "https://github.com/a/b/actions/runs/7"
    assert find_run({}) == ""


def comment(number: int, body: str, login: str = "github-actions[bot]") -> dict[str, Any]:
    return {"id": number, "number": number, "body": body, "html_url": f"https://x/{number}", "user": {"login": login}}


def reports(folder: Folder, **texts: str) -> Path:
    for name, text in texts.items():
        folder.write(f"reports/{name}.md", text)
    return folder.root / "reports"


def test_a_comment_is_written_once_and_then_changed(folder: Folder) -> None:
    """One that somebody else began with our line is not taken for ours."""
    listed = f"{HERE}/issues/7/comments?per_page=100"
    theirs = comment(1, "<!-- stackyard: Plan -->", "mallory")
    runner = ScriptedRunner().expect(*LISTED, listed, stdout=json.dumps([[theirs]]))
    runner.expect(
        "gh", "api", "--method", "POST", f"{HERE}/issues/7/comments", "--input", "-", stdout=json.dumps(theirs)
    )
    with runner:
        done = report(folder.root, printed_screen().screen, runner, "Plan", reports(folder, dev="a"), "", 7)
    assert done.done == "written"
    assert "### `dev`\n\na" in json.loads(runner.calls[1].stdin or "")["body"]
    ours = comment(2, "<!-- stackyard: Plan -->\n## Plan")
    runner = ScriptedRunner().expect(*LISTED, listed, stdout=json.dumps([[theirs], [ours]]))
    runner.expect("gh", "api", "--method", "PATCH", f"{HERE}/issues/comments/2", "--input", "-", stdout="{}")
    with runner:
        done = report(folder.root, printed_screen().screen, runner, "Plan", reports(folder), '["dev"]', 7)
    assert done.done == "changed"


@pytest.mark.parametrize(
    ("there", "texts", "done", "sent"),
    [
        (False, {"dev": "", "prod": ""}, "nothing", None),
        (False, {"dev": "x", "prod": ""}, "written", {"title": "Drift"}),
        (True, {"dev": "x", "prod": ""}, "changed", {}),
        (True, {"dev": ""}, "changed", {}),
        (True, {"dev": "", "prod": ""}, "closed", {"state": "closed", "state_reason": "completed"}),
        (False, {"dev": ""}, "nothing", None),
    ],
)
def test_an_issue_is_open_while_there_is_something(
    folder: Folder, there: bool, texts: dict[str, str], done: str, sent: dict[str, str] | None
) -> None:
    """Closed when every environment is known to be well: a job that failed closes none, and opens none."""
    ours = [comment(3, "<!-- stackyard: Drift -->")] if there else []
    pull = {**comment(2, "<!-- stackyard: Drift -->"), "pull_request": {"url": "https://x/2"}}
    address = f"{HERE}/issues?state=open&creator=github-actions%5Bbot%5D&per_page=100"
    runner = ScriptedRunner().expect(*LISTED, address, stdout=json.dumps([[pull, *ours]]))
    if sent is not None:
        method, path = ("PATCH", f"{HERE}/issues/3") if there else ("POST", f"{HERE}/issues")
        answer = json.dumps(comment(3, ""))
        runner.expect("gh", "api", "--method", method, path, "--input", "-", stdout=answer)
    folder_of_reports = reports(folder, **texts)
    with runner:
        result = report(folder.root, printed_screen().screen, runner, "Drift", folder_of_reports, '["dev", "prod"]', 0)
    assert result.done == done
    if sent is not None:
        body = json.loads(runner.calls[-1].stdin or "")
        assert {key: value for key, value in body.items() if key != "body"} == sent


def test_what_is_expected_is_a_list(folder: Folder) -> None:
    """Anything else is refused before GitHub is asked."""
    for words in ("dev", "{}"):
        with pytest.raises(MissingError, match="is no JSON list"):
            report(folder.root, printed_screen().screen, ScriptedRunner(), "Plan", folder.root, words, 7)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"code": 4, "stderr": "gh auth login"}, MissingError, "gh is not logged in"),
        ({"code": 1, "stderr": "gh: Forbidden (HTTP 403)"}, ToolError, "GitHub refused"),
    ],
)
def test_what_gh_refuses_is_told(answer: dict[str, Any], error: type[Exception], words: str) -> None:
    """In its own words, with what to type."""
    with pytest.raises(error, match=words):
        GitHub(ScriptedRunner().expect(..., **answer), "acme/platform").read("environments/dev")


def drift(kind: str, before: object, after: object, *actions: str, state: object = None) -> list[str]:
    change = {"actions": list(actions or ("update",)), "before": before, "after": after}
    data: dict[str, Any] = {"resource_drift": [{"address": f"{kind}.this", "type": kind, "change": change}]}
    if state is not None:
        data["prior_state"] = {"values": {"root_module": {"child_modules": [{"resources": state}]}}}
    return [each.words(each.address) for each in find_drift(data)]


def test_drift_is_told_by_its_attributes() -> None:
    """Those of blocks by their names; what AWS writes otherwise, and what auto scaling does, is none."""
    assert drift("aws_x", {"a": 1, "b": [{"c": 1, "d": 2}]}, {"a": 1, "b": [{"c": 2, "d": 2}]}) == [
        "aws_x.this: b.c was changed"
    ]
    assert drift("aws_x", {"a": 1, "t": {"k": "v"}}, {"a": 2, "t": {}}) == ["aws_x.this: a, t.k were changed"]
    assert drift("aws_x", {"a": 1}, None, "delete") == ["aws_x.this is gone"]
    assert drift("aws_x", {"a": None, "b": [], "c": ""}, {"a": {}, "b": None, "c": None}) == []
    assert drift("aws_ecs_service", {"desired_count": 1}, {"desired_count": 4}) == []
    assert drift("aws_sns_topic", {"policy": "{}"}, {"policy": "{1}"}) == []
    assert drift("aws_sns_topic_policy", {"policy": "{}"}, {"policy": "{1}"}) != []
    assert find_drift({}) == []
    blocks: list[dict[str, object]] = [
        {"id": "sum", "period": None, "metric": []},
        {"id": "all", "period": 0, "metric": [{"stat": "Sum"}]},
    ]
    read: list[dict[str, object]] = [
        {"id": "all", "period": None, "metric": [{"stat": "Sum", "unit": ""}]},
        {"id": "sum", "return_data": False},
    ]
    assert drift("aws_x", {"query": blocks}, {"query": read}) == []
    assert drift("aws_x", {"query": blocks}, {"query": read[:1]}) == ["aws_x.this: query was changed"]
    assert drift("aws_x", {"names": ["a", "b"]}, {"names": ["b", "a"]}) == ["aws_x.this: names was changed"]


def test_a_policy_given_by_hand_is_drift() -> None:
    """Those that Terraform gives by resources of their own are not, though the role has them now."""
    state = [
        {"type": "aws_iam_role_policy", "values": {"role": "acme-dev-api", "name": "own"}},
        {"type": "aws_iam_role_policy_attachment", "values": {"role": "acme-dev-api", "policy_arn": "arn:ours"}},
    ]

    def look(inline: list[str], managed: list[str]) -> list[str]:
        empty: dict[str, object] = {"name": "acme-dev-api", "inline_policy": [], "managed_policy_arns": []}
        has = {"inline_policy": [{"name": name} for name in inline], "managed_policy_arns": managed}
        return drift("aws_iam_role", empty, empty | has, state=state)

    assert look(["own"], ["arn:ours"]) == []
    assert look(["own", "theirs"], ["arn:ours"]) == ["aws_iam_role.this: inline_policy was changed"]
    assert look([], ["arn:theirs"]) == ["aws_iam_role.this: managed_policy_arns was changed"]


def test_a_route_given_by_hand_is_drift() -> None:
    """Those that Terraform gives by resources of their own are not, nor what AWS says of who uses what."""
    ours = {"route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0"}

    def look(*ranges: str) -> list[str]:
        table: dict[str, object] = {"id": "rtb-1", "route": []}
        has = {"route": [{"cidr_block": each, "nat_gateway_id": "nat-1"} for each in ranges]}
        return drift("aws_route_table", table, table | has, state=[{"type": "aws_route", "values": ours}])

    assert look("0.0.0.0/0") == []
    assert look("0.0.0.0/0", "10.9.0.0/16") == ["aws_route_table.this: route was changed"]
    assert drift("aws_lb_target_group", {"load_balancer_arns": []}, {"load_balancer_arns": ["arn"]}) == []
    assert drift("aws_eip", {"association_id": ""}, {"association_id": "eipassoc-1"}) == []


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request(reviewers=("a//b",)), "--reviewers a//b: that is no login"),
        (Request(reviewers=("octocat", "acme/ops/x")), "--reviewers acme/ops/x: "),
        (Request(reviewers=tuple(f"person-{n}" for n in range(7))), "--reviewers: 7 of them: GitHub takes 6"),
        (Request(approvals=-1), "--approvals -1: GitHub takes 0 to 10"),
        (Request(apply=True, approvals=11), "--approvals 11: "),
    ],
)
def test_what_github_would_refuse_is_refused_first(folder: Folder, request_: Request, said: str) -> None:
    """So that no half of it has been told already."""
    with ScriptedRunner() as runner, pytest.raises(UsageError, match=said):
        set_up(folder.root, printed_screen().screen, runner, request_)


def test_settings_are_shown_without_asking_anybody(folder: Folder) -> None:
    """Whoever has no `gh` can do them by hand; what is missing in stackyard.yaml is said."""
    (folder.root / ".github/workflows").mkdir(parents=True)
    (folder.root / ".github/workflows/release-please.yml").write_text("")
    printed = printed_screen()
    done = set_up(folder.root, printed.screen, ScriptedRunner(), Request(reviewers=("octocat", "acme/ops")))
    show_set(printed.screen, done)
    bodies = {each.title: each.body for each in done}
    assert bodies["environment prod"] == {
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
        "prevent_self_review": True,
        "reviewers": [{"type": "User", "name": "octocat"}, {"type": "Team", "name": "acme/ops"}],
    }
    assert bodies["branch of environment dev"] == {"name": "main", "type": "branch"}
    assert bodies["environment dev-plan"] == {"deployment_branch_policy": None}
    assert bodies["token's rights"]["can_approve_pull_request_reviews"] is True
    assert {each.done for each in done} == {"wanted"}
    assert "does not pin the repository by its numbers" in printed.err()
    assert "wanted  rules of main" in printed.out()


def script(folder: Folder, found: dict[str, Any]) -> ScriptedRunner:
    """Expect GitHub to be asked for everything, in order; what is not as it must be is sent."""
    runner = ScriptedRunner()
    for name, number in (("users/octocat", 1), ("orgs/acme/teams/ops", 2)):
        runner.expect(*GET, name, stdout=json.dumps({"id": number}))
    reviewers = [{"type": "User", "id": 1}, {"type": "Team", "id": 2}]
    runner.expect(*GET, HERE, stdout="{}")
    for setting in [
        *plan_environments(read_project(folder.root), reviewers),
        *plan_repository(releases=False, approvals=1),
    ]:
        there = found.get(setting.path)
        many = setting.path == "rulesets"
        answer: dict[str, Any] = NONE if there is None else {"stdout": json.dumps([there] if many else there)}
        asked = (*LISTED, f"{HERE}/rulesets?per_page=100") if many else (*GET, f"{HERE}/{setting.path}")
        nothing: dict[str, Any] = {"stdout": "[[]]"}
        runner.expect(*asked, **(nothing if there is None and many else answer))
        if many and there:
            runner.expect(*GET, f"{HERE}/rulesets/9", stdout=json.dumps(found["rulesets/9"]))
        if there is None:
            words = ("gh", "api", "--method", setting.method, f"{HERE}/{setting.path}", "--input", "-")
            runner.expect(*words, stdout=json.dumps({"id": 9}))
    return runner


def test_settings_are_made_once(folder: Folder) -> None:
    """In a new repository all of them; when all are there, as GitHub says it, nothing is sent."""
    request = Request(apply=True, reviewers=("octocat", "acme/ops"))
    runner = script(folder, {})
    with runner:
        done = set_up(folder.root, printed_screen().screen, runner, request)
    assert {each.done for each in done} == {"made"}

    custom = {"protected_branches": False, "custom_branch_policies": True}
    asked: dict[str, Any] = {"type": "required_reviewers", "prevent_self_review": True}
    asked["reviewers"] = [{"type": "User", "reviewer": {"id": 1}}, {"type": "Team", "reviewer": {"id": 2}}]
    found: dict[str, Any] = {
        "environments/dev": {"deployment_branch_policy": custom, "protection_rules": [{"type": "branch_policy"}]},
        "environments/prod": {"deployment_branch_policy": custom, "protection_rules": [asked]},
        "actions/permissions": {"enabled": True, "allowed_actions": "all", "sha_pinning_required": True},
        "rulesets": [{"id": 9, "name": "stackyard"}],
    }
    found |= {f"environments/{name}-plan": {"deployment_branch_policy": None} for name in ("dev", "prod")}
    for name in ("dev", "prod"):
        found[f"environments/{name}/deployment-branch-policies"] = {
            "branch_policies": [{"name": "main", "type": "branch"}]
        }
    rights, _, rules = plan_repository(releases=False, approvals=1)
    found |= {rights.path: rights.body, "rulesets/9": {**rules.body, "id": 9, "bypass_actors": []}}
    runner = script(folder, found)
    with runner:
        done = set_up(folder.root, printed_screen().screen, runner, request)
    assert {each.done for each in done} == {"there"}


def test_who_reviews_stays_where_nobody_is_named(folder: Folder) -> None:
    """An environment is written whole, so what it has and what we do not speak of is written back."""
    wait = {"type": "wait_timer", "wait_timer": 30}
    people = {"type": "required_reviewers", "reviewers": [{"type": "User", "reviewer": {"id": 5}}]}
    there = {"deployment_branch_policy": None, "protection_rules": [wait, people]}
    assert read_environment(there)["wait_timer"] == 30
    runner = ScriptedRunner().expect(*GET, HERE, stdout="{}")
    for setting in [*plan_environments(read_project(folder.root), None), *plan_repository(releases=False, approvals=1)]:
        many = setting.path == "rulesets"
        asked = (*LISTED, f"{HERE}/rulesets?per_page=100") if many else (*GET, f"{HERE}/{setting.path}")
        found: Any = [[]] if many else there if setting.path == "environments/prod" else None
        answer: dict[str, Any] = NONE if found is None else {"stdout": json.dumps(found)}
        runner.expect(*asked, **answer)
        runner.expect("gh", "api", "--method", setting.method, f"{HERE}/{setting.path}", "--input", "-", stdout="{}")
    with runner:
        set_up(folder.root, printed_screen().screen, runner, Request(apply=True))
    [sent] = [call for call in runner.calls if call.stdin and call.argv[4] == f"{HERE}/environments/prod"]
    assert json.loads(sent.stdin or "") == {
        "reviewers": [{"type": "User", "id": 5}],
        "wait_timer": 30,
        "prevent_self_review": True,
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }
