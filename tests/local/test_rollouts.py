"""Requests come to a new version by and by: to its end, undone by an alarm, killed on the way.

Of a function first; then the service becomes one of ECS, and does it all again.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import make_client
from tests.infra.calls import judge, read_calls
from tests.infra.named import Place
from tests.infra.unused import LED, ROLLOUTS
from tests.local.conftest import running
from tests.local.project import Done, Project, read_until
from tests.minutes import RolloutClock

APP = "src/services/api/api/app.py"
SETTINGS = "src/services/api/service.yaml"
ALARM = "api has errors"
INTERVAL = 3
"""Minutes that each of these rollouts takes."""
ROLLOUT = f"\nrollout: {{strategy: canary, percent: 25, interval: {INTERVAL}, alarms: [{ALARM}]}}\n"


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> RolloutClock:
    """The rollouts' clock: nothing goes on before it was looked at."""
    return RolloutClock(tmp_path_factory.mktemp("clock") / "minutes")


@pytest.fixture(scope="module")
def canary(installed: Path, clock: RolloutClock, tmp_path_factory: pytest.TempPathFactory) -> Generator[Project]:
    """A project whose service api has a canary rollout, by a clock that stands still."""
    with running(installed, tmp_path_factory.mktemp("canary") / "project", "api") as project:
        project.env |= clock.environment
        project.record()
        text = (project.root / SETTINGS).read_text()
        project.write(SETTINGS, text + ROLLOUT)
        project.up()
        client(project, "cloudwatch").put_metric_alarm(
            AlarmName=ALARM,
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        yield project


def client(project: Project, service: str) -> Any:
    """Return a client of the embedded AWS."""
    url = json.loads((project.root / ".stackyard/local/emulator.json").read_text())["url"]
    return make_client(url, service)


def alias(project: Project) -> tuple[str, dict[str, float]]:
    """Return where the alias points, and the weights beside it."""
    found: Any = client(project, "lambda").get_alias(FunctionName="acme-local-api", Name="live")
    routing: dict[str, dict[str, float]] = found.get("RoutingConfig") or {}
    return found["FunctionVersion"], routing.get("AdditionalVersionWeights") or {}


def releases(project: Project) -> list[int]:
    """Return the numbers of the release records."""
    bucket = "acme-state-123456789012-eu-west-1"
    found = client(project, "s3").list_objects_v2(Bucket=bucket, Prefix="releases/local/")["Contents"]
    return sorted(int(name) for each in found if (name := Path(each["Key"]).stem).isdigit())


def touch(project: Project, word: str) -> None:
    """Change the service's code."""
    text = (project.root / APP).read_text()
    project.write(APP, f"{text}\nTOUCHED = {word!r}\n")


def deploy(project: Project, clock: RolloutClock, *moments: str) -> Done:
    """Deploy; each time that a moment is told, let the rollout go on to its end."""
    with project.started("deploy", "--env", "local") as process:
        printed = ""
        for moment in moments:
            printed += read_until(process, moment)
            clock.go_on(INTERVAL)
        assert process.stdout is not None
        assert process.stderr is not None
        # Not by communicate(), which does not know what is read already and not given out yet.
        printed += process.stderr.read()
        done = Done(process.wait(), process.stdout.read(), printed)
    assert done.code == 0, done.text()
    return done


def ring(project: Project, state: str) -> None:
    """Set the alarm."""
    client(project, "cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test")


def test_a_new_version_gets_some_requests_first(canary: Project, clock: RolloutClock) -> None:
    """The first has nobody to share with. The deploy tells each step; nothing is left for the next plan to change."""
    assert alias(canary) == ("1", {})
    touch(canary, "second")
    done = deploy(canary, clock, "CodeDeploy: 25 %")
    assert "api: CodeDeploy: 100 %" in done.err
    assert alias(canary) == ("2", {})
    planned = canary.run("plan", "--env", "local", "--json")
    assert json.loads(planned.out)["changed"] is False, planned.text()
    assert releases(canary) == [1, 2]


def test_an_alarm_undoes_it(canary: Project, clock: RolloutClock) -> None:
    """Exit code 4, the alarm's name, the version before serves, no record; the next deploy tries again, otherwise."""
    touch(canary, "third")
    with canary.started("deploy", "--env", "local") as process:
        printed = read_until(process, "CodeDeploy: 25 %")
        ring(canary, "ALARM")
        _, rest = process.communicate(timeout=120)
    assert process.returncode == 4, printed + rest
    assert f"the alarm {ALARM} went off" in rest
    assert "Version 2 of api goes on serving" in rest
    assert "run: inv rollback --env local --to 2" in rest
    assert alias(canary) == ("2", {})
    assert releases(canary) == [1, 2]

    ring(canary, "OK")
    canary.change(SETTINGS, "percent: 25", "percent: 20")
    again = deploy(canary, clock, "CodeDeploy: 20 %")
    assert "requests come from version 2 to version 3" in again.err, again.text()
    assert alias(canary) == ("3", {})
    assert releases(canary) == [1, 2, 3]


def test_ended_on_the_way_the_next_deploy_follows_it(canary: Project, clock: RolloutClock) -> None:
    """The same sources: CodeDeploy goes on without us, and what it does is waited for and recorded."""
    touch(canary, "fourth")
    with canary.started("deploy", "--env", "local") as process:
        read_until(process, "CodeDeploy: 20 %")
        process.send_signal(signal.SIGKILL)
    assert alias(canary) == ("3", {"4": 0.2})
    deploy(canary, clock, "an earlier rollout of api")
    assert alias(canary) == ("4", {})
    assert releases(canary) == [1, 2, 3, 4]


def test_other_sources_stop_what_is_under_way(canary: Project, clock: RolloutClock) -> None:
    """A deploy that goes elsewhere does not wait for a version that nobody wants any more."""
    touch(canary, "fifth")
    with canary.started("deploy", "--env", "local") as process:
        read_until(process, "CodeDeploy: 20 %")
        process.send_signal(signal.SIGKILL)
    touch(canary, "sixth")
    done = deploy(canary, clock, "CodeDeploy: 20 %")
    assert alias(canary) == ("6", {}), done.text()
    assert "api: stopping the rollout of version 5 that is under way" in done.err, done.text()
    assert "requests come from version 4 to version 6" in done.err, done.text()
    assert releases(canary) == [1, 2, 3, 4, 5]


def test_all_at_once_again_takes_codedeploy_away(canary: Project) -> None:
    """Terraform moves the alias by itself then, and all that was made for the canary goes."""
    text = (canary.root / SETTINGS).read_text()
    canary.write(SETTINGS, text.replace("strategy: canary", "strategy: all-at-once"))
    touch(canary, "seventh")
    done = canary.deploy()
    assert "CodeDeploy:" not in done.err, done.text()
    assert alias(canary) == ("7", {})
    assert client(canary, "codedeploy").list_applications()["applications"] == []
    planned = canary.run("plan", "--env", "local", "--json")
    assert json.loads(planned.out)["changed"] is False, planned.text()


def test_rolled_back_within_its_rights(canary: Project) -> None:
    """The deploy role, as the bootstrap made it, may make every call of all that; rights for it alone were used."""
    done = canary.run("rollback", "--env", "local")
    assert done.code == 0, done.text()
    assert alias(canary)[0] == "8"
    verdict = judge(read_calls(canary.calls), Place("123456789012", "eu-west-1", "acme"), "local")
    assert verdict.refused == ()
    assert verdict.used >= ROLLOUTS


@pytest.fixture(scope="module")
def tasks(canary: Project) -> Project:
    """The same project, its service of kind ecs; the first tasks have nobody to share requests with."""
    text = (canary.root / SETTINGS).read_text()
    text = re.sub(r"^(kind|rollout|timeout|memory):.*\n", "", text, flags=re.MULTILINE)
    canary.write(
        SETTINGS, f"{text}\nkind: ecs\nrollout: {{strategy: blue-green, interval: {INTERVAL}, alarms: [{ALARM}]}}\n"
    )
    done = canary.deploy()
    assert "ECS: " not in done.err, done.text()
    return canary


def task_definition(project: Project) -> int:
    """Return the number of the task definition that the service is at, when it is at nothing else."""
    found: Any = client(project, "ecs").describe_services(cluster="acme-local", services=["acme-local-api"])
    [deployment] = found["services"][0]["deployments"]
    assert deployment["taskDefinition"] == found["services"][0]["taskDefinition"]
    return int(deployment["taskDefinition"].rpartition(":")[2])


def is_planned_empty(project: Project) -> bool:
    """Tell whether Terraform would change nothing."""
    planned = project.run("plan", "--env", "local", "--json")
    return json.loads(planned.out)["changed"] is False


def test_new_tasks_get_all_requests_while_the_old_ones_stay(tasks: Project, clock: RolloutClock) -> None:
    """ECS is told both target groups first, once. Nothing is left for the next plan to change."""
    assert task_definition(tasks) == 1
    touch(tasks, "eighth")
    done = deploy(tasks, clock, "api: ECS: 100 %, the old tasks are kept")
    assert "api: ECS learns of both target groups first" in done.err, done.text()
    assert "api: requests come from task definition 1 to 2" in done.err
    assert task_definition(tasks) == 2
    assert is_planned_empty(tasks)


def test_an_alarm_undoes_what_ecs_does(tasks: Project) -> None:
    """Exit code 4, the alarm's name, the tasks before serve, no record."""
    tasks.change(SETTINGS, "strategy: blue-green", "strategy: canary, percent: 30")
    touch(tasks, "ninth")
    before = releases(tasks)
    with tasks.started("deploy", "--env", "local") as process:
        printed = read_until(process, "ECS: 30 %")
        ring(tasks, "ALARM")
        _, rest = process.communicate(timeout=120)
    ring(tasks, "OK")
    assert process.returncode == 4, printed + rest
    assert "learns of both" not in printed
    assert f"the alarm {ALARM} went off" in rest
    assert "Version 2 of api goes on serving" in rest
    assert (task_definition(tasks), releases(tasks)) == (2, before)


def test_killed_on_the_way_ecs_is_followed(tasks: Project, clock: RolloutClock) -> None:
    """The same sources again: ECS goes on without us, and what it does is waited for and recorded."""
    before = releases(tasks)
    with tasks.started("deploy", "--env", "local") as process:
        read_until(process, "ECS: 30 %")
        process.send_signal(signal.SIGKILL)
    deploy(tasks, clock, "an earlier rollout of api")
    assert task_definition(tasks) == 3
    assert releases(tasks) == [*before, before[-1] + 1]


def test_tasks_come_all_at_once_again(tasks: Project) -> None:
    """Whatever was under way goes back first. Terraform changes the service by itself then."""
    touch(tasks, "tenth")
    with tasks.started("deploy", "--env", "local") as process:
        read_until(process, "ECS: 30 %")
        process.send_signal(signal.SIGKILL)
    tasks.change(SETTINGS, "strategy: canary, percent: 30", "strategy: all-at-once")
    touch(tasks, "eleventh")
    done = tasks.deploy()
    assert "api: stopping the rollout that is under way" in done.err, done.text()
    assert "requests come from" not in done.err
    assert task_definition(tasks) == 5
    assert is_planned_empty(tasks)


def test_ecs_is_led_within_the_deploy_roles_rights(tasks: Project) -> None:
    """What deploys of ECS services beside Terraform call, the role may, and it was called."""
    verdict = judge(read_calls(tasks.calls), Place("123456789012", "eu-west-1", "acme"), "local")
    assert verdict.refused == ()
    assert verdict.used >= LED
