"""Which plans take away what AWS guards in a protected environment."""

from __future__ import annotations

import pytest

from stackyard.commands.guard import deletes_guarded
from stackyard.tools.tfevents import Change

BALANCER = "module.load_balancer[0].aws_lb.this[0]"


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
