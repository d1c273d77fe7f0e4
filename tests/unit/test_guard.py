"""Which plans take away what AWS guards in a protected environment."""

from __future__ import annotations

import json

import pytest

from stackyard.commands.guard import deletes_guarded, refuse_guarded
from stackyard.commands.session import Session
from stackyard.errors import RefusedError
from stackyard.testing import ScriptedRunner, printed_screen
from stackyard.tools.terraform import Stack
from stackyard.tools.terraform_binary import Binary
from stackyard.tools.tfevents import Change
from tests.unit.folder import Folder

BALANCER = "module.load_balancer[0].aws_lb.this[0]"


def prod(folder: Folder, runner: ScriptedRunner) -> tuple[Session, Stack]:
    """Return a session of a protected environment, and its stack."""
    binary = Binary(("/bin/terraform",), "Terraform", "1.11.4")
    stack = Stack(
        runner, binary, folder.root / "infra/app", folder.root / "work", "prod", "inv destroy --env prod", {}, {}, {}
    )
    return Session(folder.root, "prod", printed_screen().screen, runner), stack


@pytest.mark.parametrize("action", ["delete", "replace"])
def test_the_load_balancer_is_guarded(action: str) -> None:
    """A plan that deletes the load balancer, or makes it anew, is told from others by its address."""
    assert deletes_guarded([Change("aws_vpc.this", "update"), Change(BALANCER, action)])


@pytest.mark.parametrize(
    "change",
    [
        Change(BALANCER, "update"),
        Change(BALANCER, "create"),
        Change("module.load_balancer[0].aws_security_group.this", "delete"),
        Change('module.ecs_service["shop"].aws_lb_listener.this[0]', "delete"),
    ],
    ids=lambda change: f"{change.action} {change.address}",
)
def test_what_stands_on_it_is_not(change: Change) -> None:
    """A service's listener goes with its service, and a load balancer may be changed."""
    assert not deletes_guarded([change])


@pytest.mark.parametrize("guarded", [["arn:aws:elasticloadbalancing:eu-west-1:222222222222:loadbalancer/net/a/0"], []])
def test_a_deploy_never_deletes_what_is_guarded(guarded: list[str], folder: Folder, runner: ScriptedRunner) -> None:
    """What the applied state guards stops the deploy before anything changes; where it guards nothing, all may go."""
    session, stack = prod(folder, runner)
    runner.expect(..., "output", "-json", "-no-color", stdout=json.dumps({"guarded": {"value": guarded}}))
    changes = [Change(BALANCER, "delete")]
    if not guarded:
        refuse_guarded(session, stack, changes)
        return
    with pytest.raises(RefusedError, match="prod would lose its load balancer"):
        refuse_guarded(session, stack, changes)


def test_nothing_is_read_where_nothing_guarded_goes(folder: Folder, runner: ScriptedRunner) -> None:
    """A plan that leaves the load balancer alone costs no Terraform more."""
    session, stack = prod(folder, runner)
    refuse_guarded(session, stack, [Change(BALANCER, "update")])
    assert not runner.calls
