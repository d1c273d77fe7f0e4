"""The GitHub workflows as they are written: what they may, what they take from whom, and which job runs when."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, cast

import pytest
import yaml

import tasks
from stackyard.github import describe_facts
from stackyard.project import Project
from tests.expressions import FUNCTIONS, find_expressions
from tests.workflows import ACTIONS, FOLDER, JOBS, ROOT, WORKFLOWS, Job, all_steps, choose_jobs, find_own

RIGHTS = {
    ("plan", "plan"): {"contents": "read", "id-token": "write"},
    ("plan", "comment"): {"contents": "read", "pull-requests": "write"},
    ("deploy", "dev"): {"contents": "read", "id-token": "write"},
    ("deploy", "test"): {"contents": "read", "id-token": "write"},
    ("deploy", "prod"): {"contents": "read", "id-token": "write"},
    ("preview", "deploy"): {"contents": "read", "id-token": "write"},
    ("preview", "destroy"): {"contents": "read", "id-token": "write"},
    ("drift", "drift"): {"contents": "read", "id-token": "write"},
    ("drift", "issue"): {"contents": "read", "issues": "write"},
    ("smoke", "smoke"): {"contents": "read", "id-token": "write"},
    ("release-please", "release-please"): {"contents": "write", "issues": "write", "pull-requests": "write"},
    ("codeql", "analyze"): {"actions": "read", "contents": "read", "security-events": "write"},
    ("ci", "ci"): {},
}
"""What jobs may that do more than read the repository."""

EVENTS = {"push", "pull_request", "workflow_dispatch", "schedule"}
CONTEXTS = {"github", "inputs", "matrix", "needs", "steps"}
SYSTEM = {
    "sudo sysctl --quiet kernel.apparmor_restrict_unprivileged_userns=0",
    "exit 1",
    "uv sync --quiet --all-packages",
}
"""What is run beside inv and nox."""

FACTS = {"ours": "true", "environments": '["dev", "test", "prod"]', "previews": "true", "code": "true"}
SAME, FORK = "acme/platform", "mallory/platform"


def name(job: Job) -> str:
    return f"{job.workflow} {job.name}"


def pull_request(repository: str, action: str = "opened") -> dict[str, Any]:
    head = {"repo": {"full_name": repository}}
    return {
        "event_name": "pull_request",
        "ref": "refs/pull/7/merge",
        "repository": SAME,
        "event": {"action": action, "pull_request": {"number": 7, "head": head}},
    }


def runs(
    workflow: str,
    github: Mapping[str, Any],
    facts: Mapping[str, str] = FACTS,
    inputs: Mapping[str, str] | None = None,
) -> set[str]:
    """Return the jobs that an event lets run."""
    results = choose_jobs(workflow, github, inputs or {}, {"facts": facts, "dev": {"release": "4"}})
    return {job for job, result in results.items() if result == "success"}


@pytest.mark.parametrize("job", JOBS, ids=name)
def test_a_job_may_only_what_it_needs_and_ends(job: Job) -> None:
    """No right by default, each job's own listed here; a limit of time; a runner by its version."""
    assert WORKFLOWS[job.workflow]["permissions"] == {}
    assert job.data["permissions"] == RIGHTS.get((job.workflow, job.name), {"contents": "read"})
    assert 0 < job.data["timeout-minutes"] <= 90
    assert job.data["runs-on"] == "ubuntu-24.04"


def test_only_events_that_give_strangers_no_rights_start_a_workflow() -> None:
    """A pull request's own event alone, in which a fork's code has no secrets; and nothing uses a secret anyway."""
    for each in WORKFLOWS.values():
        assert set(each["on"]) <= EVENTS
    for file in FOLDER.rglob("*.yml"):
        assert not re.search(r"\bsecrets\b|\bvars\b", file.read_text(encoding="utf-8")), file


def test_actions_are_pinned_by_commit_with_their_version() -> None:
    """One commit for each action; ours by the commit that runs, which needs no checkout."""
    pins: dict[str, set[str]] = {}
    for file in FOLDER.rglob("*.yml"):
        for used, comment in re.findall(r"uses: (\S+)(?: # (.*))?", file.read_text(encoding="utf-8")):
            if used.startswith("$/"):
                assert (ROOT / used[2:] / "action.yml").is_file(), used
                continue
            owner, _, commit = used.partition("@")
            assert re.fullmatch(r"[0-9a-f]{40}", commit), used
            assert re.fullmatch(r"v\d+\.\d+\.\d+", comment), used
            pins.setdefault("/".join(owner.split("/")[:2]), set()).add(commit)
    assert {action: len(commits) for action, commits in pins.items()} == dict.fromkeys(pins, 1)
    assert len(pins) == 7


def test_no_step_keeps_the_token_or_takes_words_into_a_shell() -> None:
    """What was checked out has no credentials; what people wrote reaches a shell as a variable, never as its text."""
    for place, step in all_steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, place
        assert "${{" not in step.get("run", ""), place


def test_every_command_is_a_task_or_a_session() -> None:
    """`inv` with a task and flags that there are, `nox` with a session."""
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    known = cast("dict[str, Any]", tasks.namespace.tasks)  # Invoke's tasks have no types
    for place, step in all_steps():
        for line in step.get("run", "").splitlines():
            program, *words = shlex.split(line)
            if line in SYSTEM:
                continue
            if program == "nox":
                assert words[0] == "-s", place
                assert words[1] in sessions | {"$SESSION"}, place
                continue
            assert program == "inv", f"{place}: {line}"
            flags = {f"--{each.name.strip('_').replace('_', '-')}" for each in known[words[0]].get_arguments()}
            assert {word for word in words if word.startswith("--")} <= flags, f"{place}: {line}"


def outputs(step: Mapping[str, Any]) -> set[str]:
    """Return what a step puts out."""
    found = re.match(r"inv ([\w-]+)", step.get("run", ""))
    by_task = {"github-role": {"role", "region", "session", "environment"}, "github-facts": set(FACTS)}
    by_task |= {task: {"release", "url"} for task in ("deploy", "promote")}
    return by_task.get(found[1], set()) if found else set()


def scopes() -> Iterator[tuple[str, object, dict[str, set[str]]]]:
    """Return each job and action with the names that its expressions may use, by context."""
    for job in JOBS:
        before = {each.name: each for each in JOBS if each.workflow == job.workflow and each.name in job.needs}
        by_hand = cast("dict[str, Any]", WORKFLOWS[job.workflow]["on"].get("workflow_dispatch") or {})
        names = {
            "inputs": set(by_hand.get("inputs", {})),
            "matrix": set(job.data.get("strategy", {}).get("matrix", {})),
            "needs": {f"{key}.outputs.{each}" for key, one in before.items() for each in one.data.get("outputs", {})}
            | {f"{key}.result" for key in [*before, "*"]},
            "steps": {f"{step['id']}.outputs.{each}" for step in job.steps if "id" in step for each in outputs(step)},
        }
        yield name(job), job.data, names
    for key, action in ACTIONS.items():
        steps = [step for step in action["runs"]["steps"] if "id" in step]
        names = {"inputs": set(action["inputs"]), "matrix": set[str](), "needs": set[str]()}
        names["steps"] = {f"{step['id']}.outputs.{each}" for step in steps for each in outputs(step)}
        yield key, action["runs"], names


@pytest.mark.parametrize(("data", "names"), [pytest.param(*rest, id=key) for key, *rest in scopes()])
def test_expressions_name_what_there_is(data: Mapping[str, Any], names: Mapping[str, set[str]]) -> None:
    """A misspelt name would be an empty text: inputs, jobs waited for, outputs of steps, a matrix's keys."""
    for node in find_expressions(data):
        assert set(node.calls()) <= FUNCTIONS
        for context, *path in node.paths():
            assert context in CONTEXTS
            if context != "github":
                assert ".".join(path) in names[context], f"{context}.{'.'.join(path)}"


def test_what_is_put_out_is_what_the_tasks_put_out() -> None:
    """The facts that the tests here suppose are those that `inv github-facts` has."""
    project = Project.model_validate(yaml.safe_load((ROOT / "stackyard.yaml").read_text(encoding="utf-8")))
    assert describe_facts(project, None) == FACTS | {"previews": "false"}


def test_actions_are_given_what_they_ask_for() -> None:
    """Each action of ours gets inputs that it has, and all that it requires."""
    for place, step in all_steps():
        action = find_own(step)
        if action is not None:
            given, known = set(step.get("with", {})), action["inputs"]
            assert {key for key, each in known.items() if each.get("required")} <= given <= set(known), place


@pytest.mark.parametrize("job", [job for job in JOBS if "id-token" in job.data["permissions"]], ids=name)
def test_who_may_sign_in_does_so_in_an_environment(job: Job) -> None:
    """AWS trusts named GitHub environments alone: `-plan` to read, the plain one to change. No cache goes there."""
    [taken] = [step["with"] for step in job.steps if step.get("uses") == "$/.github/actions/aws"]
    expected = "previews" if taken["environment"].startswith("pr-") else taken["environment"]
    assert job.environment == (f"{expected}-plan" if taken["purpose"] == "plan" else expected)
    [setup] = [step for step in job.steps if step.get("uses") == "$/.github/actions/setup"]
    assert setup.get("with", {}).get("cache", "false") == "false"


def test_only_who_signs_in_has_an_environment() -> None:
    """Else a job would wait for reviewers for nothing."""
    assert {name(job) for job in JOBS if job.environment} == {
        name(job) for job in JOBS if "id-token" in job.data["permissions"]
    }


@pytest.mark.parametrize("workflow", [each for each in WORKFLOWS if "pull_request" in WORKFLOWS[each]["on"]])
@pytest.mark.parametrize("action", ["opened", "synchronize", "reopened", "closed"])
def test_a_fork_gets_nothing(workflow: str, action: str) -> None:
    """Of what its pull request starts, no job that could sign in, and none that could write; its checks run."""
    started = runs(workflow, pull_request(FORK, action))
    if workflow in {"plan", "preview"}:
        assert started == set()
    elif workflow == "ci":
        assert started == set(WORKFLOWS["ci"]["jobs"])
    for job in JOBS:
        if job.workflow == workflow and job.name in started:
            rights = job.data["permissions"]
            # GitHub gives a fork's run no more than reading, but for the results of CodeQL.
            assert {right for right, how in rights.items() if how == "write"} <= {"security-events"}


@pytest.mark.parametrize(
    ("workflow", "github", "inputs", "expected"),
    [
        ("plan", pull_request(SAME), {}, {"facts", "plan", "comment"}),
        ("preview", pull_request(SAME), {}, {"facts", "deploy"}),
        ("preview", pull_request(SAME, "synchronize"), {}, {"facts", "deploy"}),
        ("preview", pull_request(SAME, "closed"), {}, {"facts", "destroy"}),
        ("deploy", {"event_name": "push", "ref": "refs/heads/main"}, {}, {"facts", "dev", "test", "prod"}),
        *(
            ("deploy", {"event_name": "workflow_dispatch", "ref": ref}, {"environment": each}, jobs)
            for each in ("dev", "test", "prod")
            for ref, jobs in (("refs/heads/main", {"facts", each}), ("refs/heads/mine", set[str]()))
        ),
    ],
)
def test_an_event_starts_its_jobs(
    workflow: str, github: dict[str, Any], inputs: dict[str, str], expected: set[str]
) -> None:
    """What is pushed goes through all environments, what is asked for to one, and only from the main branch."""
    assert runs(workflow, github, inputs=inputs) == expected


@pytest.mark.parametrize("workflow", ["deploy", "drift", "plan", "preview", "smoke"])
def test_where_aws_lets_nobody_in_nobody_tries(workflow: str) -> None:
    """In a fork, and in a clone of the template before its first change, but for the job that finds that out."""
    elsewhere = {**FACTS, "ours": "false", "previews": "false"}
    event = pull_request(SAME) if workflow in {"plan", "preview"} else {"event_name": "push", "ref": "refs/heads/main"}
    assert runs(workflow, event, elsewhere) == {"facts"}


def test_pull_requests_of_documentation_alone_are_checked_quickly() -> None:
    """Style and unit tests read documentation; the required job waits for what ran."""
    results = choose_jobs("ci", pull_request(SAME), {}, {"facts": FACTS | {"code": "false"}})
    ran = {job for job, result in results.items() if result == "success"}
    assert ran == {"facts", "lint", "unit", "security", "ci"}
    assert set(Job("ci", "ci", WORKFLOWS["ci"]["jobs"]["ci"]).needs) == set(WORKFLOWS["ci"]["jobs"]) - {"ci"}


def test_no_run_that_changes_an_environment_is_cancelled_or_overtaken() -> None:
    """One at a time for each environment, whichever workflow it is of; a killed apply would leave a lock."""
    for job in JOBS:
        if job.environment and not job.environment.endswith("-plan"):
            taken = next(step["with"] for step in job.steps if step.get("uses") == "$/.github/actions/aws")
            assert job.data["concurrency"] == {"group": f"deploy-{taken['environment']}", "cancel-in-progress": False}
            assert not WORKFLOWS[job.workflow].get("concurrency"), "a whole workflow's would cancel or hold back others"


def test_the_checks_are_those_of_nox() -> None:
    """Everything that a bare `nox` and .ci/run have, once each, unit tests on every Python that we promise."""
    bare = re.search(
        r"^nox\.options\.sessions = (\[[^]]*\])", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert bare
    also = re.findall(r"uv run nox -s (\w+)", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    found: list[str] = []
    for job in WORKFLOWS["ci"]["jobs"].values():
        for step in job["steps"]:
            if step.get("run", "").startswith("nox"):
                session = step["run"].split()[2].strip('"')
                found += job["strategy"]["matrix"]["session"] if session == "$SESSION" else [session]
    assert sorted(found) == sorted([*yaml.safe_load(bare[1]), *also])
    pythons = WORKFLOWS["ci"]["jobs"]["unit"]["strategy"]["matrix"]["python"]
    assert pythons == ["3.11", "3.12", "3.13", "3.14"]


def test_the_chain_of_environments_is_the_projects() -> None:
    """deploy.yml names the environments of stackyard.yaml, in their order, each after the one it promotes."""
    project = yaml.safe_load((ROOT / "stackyard.yaml").read_text(encoding="utf-8"))
    chain = list(project["environments"])
    jobs = WORKFLOWS["deploy"]["jobs"]
    assert list(jobs) == ["facts", *chain]
    assert chain == WORKFLOWS["deploy"]["on"]["workflow_dispatch"]["inputs"]["environment"]["options"]
    for before, after in pairwise(chain):
        [run] = [step["run"] for step in jobs[after]["steps"] if "run" in step]
        assert jobs[after]["needs"] == ["facts", before]
        # --yes answers the question of a protected one: its reviewers have.
        assert run == f'inv promote --from {before} --to {after} --release "$RELEASE" --yes'
