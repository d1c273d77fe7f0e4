"""ECS's service deployments, which are ours: requests come to new tasks stage by stage, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackyard.manifest import Rollout
from stackyard.project import Target, Throttle
from stackyard.tools import ecsrollout
from stackyard.tools.aws import Aws
from stackyard.tools.ecsrollout import Leading
from stackyard.tools.rollout import Standing
from tests.minutes import RolloutClock
from tests.waiting import until

NAME, ALARM = "acme-dev-web", "web fails"
TARGET = Target(
    project="acme", name="dev", account="123456789012", region="eu-west-1", protected=False, throttle=Throttle()
)
GROUPS = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup"
DETAILS = {
    "container": "web",
    "target_group_arn": f"{GROUPS}/first/1",
    "second_group_arn": f"{GROUPS}/second/2",
    "listener_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/net/acme-dev/1/2",
    "role_arn": "arn:aws:iam::123456789012:role/acme/dev/acme-dev_ecs-rollout",
}
BLUE_GREEN = Rollout(strategy="blue-green", interval=1, alarms=[ALARM])
CANARY = Rollout(strategy="canary", percent=20, interval=1, alarms=[ALARM])
LINEAR = Rollout(strategy="linear", percent=40, interval=1)


@pytest.fixture(scope="module")
def aws(paced: Any) -> Iterator[Aws]:
    """What the tasks use, with a service `web` and six task definitions; the last one has an image that is nowhere."""
    ecs = paced.client("ecs")
    ecs.create_cluster(clusterName="acme-dev")
    nowhere = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme@sha256:{0:064}"
    for image in ("a", "b", "c", "d", "e", nowhere):
        ecs.register_task_definition(family=NAME, containerDefinitions=[{"name": "web", "image": image, "memory": 128}])
    balancer = {"targetGroupArn": DETAILS["target_group_arn"], "containerName": "web", "containerPort": 8080}
    ecs.create_service(
        cluster="acme-dev", serviceName=NAME, taskDefinition=f"{NAME}:1", desiredCount=2, loadBalancers=[balancer]
    )
    paced.client("cloudwatch").put_metric_alarm(
        AlarmName=ALARM, Namespace="AWS/ECS", MetricName="Errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    yield Aws(TARGET, paced.url)


def definition(number: int) -> str:
    """Return the ARN of a task definition."""
    return f"arn:aws:ecs:eu-west-1:123456789012:task-definition/{NAME}:{number}"


def serves(aws: Aws) -> str:
    """Return the name of the task definition that the service is at."""
    tasks = ecsrollout.find_tasks(aws, "web")
    assert tasks is not None
    return tasks.task_definition.rpartition(":")[2]


def words(aws: Aws, leading: Leading) -> str:
    """Return how a deployment stands, in words."""
    return ecsrollout.look_at(aws, leading).words


def ended(aws: Aws, leading: Leading) -> Standing:
    """Wait for a deployment's end."""

    def look() -> Standing | None:
        standing = ecsrollout.look_at(aws, leading)
        return standing if standing.done or standing.failed else None

    found = until(look, "the deployment's end", 60)
    assert found is not None
    return found


def test_a_strategy_needs_to_know_the_way(aws: Aws, paced: Any) -> None:
    """AWS refuses it before the service has both target groups, listener and role; these come at once."""
    before = ecsrollout.find_tasks(aws, "web")
    assert before is not None
    assert not ecsrollout.is_prepared(before, DETAILS)
    with pytest.raises(ClientError, match="advancedConfiguration"):
        paced.client("ecs").update_service(
            cluster="acme-dev", service=NAME, deploymentConfiguration=ecsrollout.render_configuration(CANARY)
        )
    assert ended(aws, ecsrollout.prepare(aws, "web", DETAILS, CANARY)).done
    after = ecsrollout.find_tasks(aws, "web")
    assert after is not None
    assert ecsrollout.is_prepared(after, DETAILS)
    assert (after.strategy, serves(aws)) == ("ROLLING", "1")


def test_blue_green_keeps_the_old_tasks_a_while(aws: Aws, clock: RolloutClock) -> None:
    """Every request goes to the new ones; only then the service has one deployment again."""
    leading = ecsrollout.start(aws, "web", definition(2), BLUE_GREEN)
    assert (leading.old, leading.new) == (definition(1), definition(2))
    until(lambda: words(aws, leading) == "ECS: 100 %, the old tasks are kept", "the bake time")
    assert ecsrollout.find_under_way(aws, "web") == leading
    described = aws.client("ecs").describe_services(cluster="acme-dev", services=[NAME])["services"][0]
    assert [each["status"] for each in described["deployments"]] == ["PRIMARY", "ACTIVE"]
    clock.go_on(1)
    assert ended(aws, leading).done
    assert ecsrollout.find_under_way(aws, "web") is None
    assert serves(aws) == "2"


def test_canary_and_linear_take_their_steps(aws: Aws, clock: RolloutClock) -> None:
    """As many as CodeDeploy takes for a function with the same settings."""
    leading = ecsrollout.start(aws, "web", definition(3), LINEAR)
    until(lambda: words(aws, leading) == "ECS: 40 %", "the first step")
    clock.go_on(1)
    until(lambda: words(aws, leading) == "ECS: 80 %", "the second step")
    clock.go_on(1)
    assert ended(aws, leading).done
    leading = ecsrollout.start(aws, "web", definition(4), CANARY)
    until(lambda: words(aws, leading) == "ECS: 20 %", "the first step")
    clock.go_on(1)
    assert ended(aws, leading).done
    assert serves(aws) == "4"


def test_an_alarm_brings_them_back(aws: Aws, paced: Any) -> None:
    """With its name; the service is at the task definition before."""
    alarms = paced.client("cloudwatch")
    leading = ecsrollout.start(aws, "web", definition(5), CANARY)
    until(lambda: words(aws, leading) == "ECS: 20 %", "the first step")
    alarms.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    assert ended(aws, leading).failed == "the alarm web fails went off"
    alarms.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="a test")
    assert serves(aws) == "4"


def test_tasks_that_do_not_start_are_given_up(aws: Aws) -> None:
    """By the circuit breaker, before a single request."""
    failed = ended(aws, ecsrollout.start(aws, "web", definition(6), CANARY)).failed
    assert "the new tasks did not become healthy" in failed
    assert "acme" in failed
    assert serves(aws) == "4"


def test_it_can_be_stopped_and_can_take_no_steps(aws: Aws) -> None:
    """A stop brings requests back; stopping what has ended is no error."""
    leading = ecsrollout.start(aws, "web", definition(5), CANARY)
    until(lambda: words(aws, leading) == "ECS: 20 %", "the first step")
    ecsrollout.stop(aws, leading)
    assert "requested by user" in ended(aws, leading).failed
    ecsrollout.stop(aws, leading)
    assert serves(aws) == "4"
    assert ecsrollout.look_at(aws, ecsrollout.start(aws, "web", definition(5), CANARY, at_once=True)).done
    assert serves(aws) == "5"


def test_the_strategy_can_be_ended_without_a_deployment(aws: Aws, clock: RolloutClock) -> None:
    """What was all at once goes on as it is; the next change is."""
    leading = ecsrollout.start(aws, "web", definition(3), LINEAR)
    until(lambda: words(aws, leading) == "ECS: 40 %", "the first step")
    clock.go_on(2)
    assert ended(aws, leading).done
    ecsrollout.end_strategy(aws, "web", LINEAR)
    tasks = ecsrollout.find_tasks(aws, "web")
    assert tasks is not None
    assert (tasks.strategy, ecsrollout.find_under_way(aws, "web")) == ("ROLLING", None)
