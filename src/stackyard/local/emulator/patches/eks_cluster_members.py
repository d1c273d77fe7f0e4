"""A cluster must be described with all that it was created with.

moto drops what is named below, and the cluster's security group, so that a second plan replaces the cluster. No
upstream issue was found.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.eks.models import Cluster, EKSBackend
from moto.eks.responses import EKSResponse

# "CreateCluster", Amazon EKS API Reference: what AWS describes where nothing was given.
_MEMBERS: dict[str, object] = {
    "accessConfig": {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True},
    "computeConfig": None,
    "deletionProtection": False,
    "storageConfig": None,
    "upgradePolicy": {"supportType": "EXTENDED"},
    "zonalShiftConfig": None,
}
_NETWORK = {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4", "elasticLoadBalancing": {"enabled": False}}


def apply() -> None:
    """Wrap ``create_cluster`` and ``delete_cluster``."""
    create, delete = EKSResponse.create_cluster, EKSBackend.delete_cluster

    def create_cluster(self: EKSResponse) -> ActionResult:
        result = create(self)
        cluster: Any = cast("dict[str, Cluster]", result.result)["cluster"]
        asked = partial(self._get_param)  # pyright: ignore[reportPrivateUsage]  (moto's way to read requests)
        for member, default in _MEMBERS.items():
            setattr(cluster, member, asked(member) or default)
        cluster.kubernetes_network_config = _NETWORK | (asked("kubernetesNetworkConfig") or {})
        _join_vpc(self.eks_backend, cluster)
        return result

    def delete_cluster(self: EKSBackend, name: str) -> Cluster:
        cluster = delete(self, name)
        ec2 = ec2_backends[self.account_id][self.region_name]
        group: str | None = cluster.resources_vpc_config.get("clusterSecurityGroupId")
        if group:
            ec2.delete_security_group(group_id=group)
        return cluster

    EKSResponse.create_cluster = create_cluster
    EKSBackend.delete_cluster = delete_cluster


def _join_vpc(backend: EKSBackend, cluster: Cluster) -> None:
    """Make the security group that EKS itself makes, in the VPC of the cluster's subnets."""
    ec2 = ec2_backends[backend.account_id][backend.region_name]
    given = cluster.resources_vpc_config
    vpc = ec2.describe_subnets(subnet_ids=list(given["subnetIds"]))[0].vpc_id
    name = f"eks-cluster-sg-{cluster.name}"
    group = ec2.create_security_group(name, "EKS created security group", vpc_id=vpc)
    cluster.resources_vpc_config = {
        "securityGroupIds": [],
        "endpointPublicAccess": True,
        "endpointPrivateAccess": False,
        "publicAccessCidrs": ["0.0.0.0/0"],
        **given,
        "vpcId": vpc,
        "clusterSecurityGroupId": group.id,
    }
