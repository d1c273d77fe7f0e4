"""A network load balancer says whether its security groups hold for what comes by PrivateLink.

moto takes the setting and forgets it, so that every plan of an environment with a real load balancer showed a change.
`on` is AWS's default where there are security groups (ELB: SetSecurityGroups). No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.models import FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response

SETTING = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
ATTRIBUTE = "enforce_security_group_inbound_rules_on_private_link_traffic"


def apply() -> None:
    """Wrap ``ELBV2Response.set_security_groups`` and give load balancers the setting."""
    original = ELBV2Response.set_security_groups

    def set_security_groups(self: ELBV2Response) -> ActionResult:
        answer = original(self)
        asked: Any = self._get_param(SETTING)  # pyright: ignore[reportPrivateUsage]  (moto has no other way to it)
        balancer: Any = self.elbv2_backend.load_balancers[str(self._get_param("LoadBalancerArn"))]  # pyright: ignore[reportPrivateUsage]  (the same)
        if asked:
            balancer.__dict__["private_link_rules"] = asked
        told: Any = answer.result
        told[SETTING] = tell(balancer)
        return answer

    ELBV2Response.set_security_groups = set_security_groups
    setattr(FakeLoadBalancer, ATTRIBUTE, property(tell))


def tell(balancer: FakeLoadBalancer) -> str | None:
    """Return ``on`` or ``off``, or nothing where there is nothing to enforce."""
    if balancer.type != "network" or not balancer.security_groups:
        return None
    return str(balancer.__dict__.get("private_link_rules", "on"))
