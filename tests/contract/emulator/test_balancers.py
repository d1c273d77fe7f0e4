"""Deletion protection is lifted by the name that AWS has for it. The embedded AWS keeps it, and no more."""

from __future__ import annotations

from typing import Any

from stackyard.project import Target, Throttle
from stackyard.tools.aws import Aws
from stackyard.tools.balancers import lift_protection

TARGET = Target(
    project="acme", name="prod", account="123456789012", region="eu-west-1", protected=True, throttle=Throttle()
)


def test_a_guarded_balancer_may_go_once_it_was_told(emulator: Any) -> None:
    """The attribute is off afterwards; telling it again, when the load balancer is gone, is no error."""
    networks, balancers = emulator.client("ec2"), emulator.client("elbv2")

    def guarded() -> str:
        listed = balancers.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {each["Key"]: each["Value"] for each in listed}["deletion_protection.enabled"]

    vpc = networks.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = networks.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    made = balancers.create_load_balancer(Name="acme-prod", Type="network", Scheme="internal", Subnets=[subnet])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    balancers.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[protection])
    assert guarded() == "true"
    aws = Aws(TARGET, emulator.url)
    lift_protection(aws, [arn])
    assert guarded() == "false"
    balancers.delete_load_balancer(LoadBalancerArn=arn)
    lift_protection(aws, [arn])
