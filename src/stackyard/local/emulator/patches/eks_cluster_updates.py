"""A change of a cluster must be answered with an update that can be asked after.

moto answers UpdateClusterConfig with the cluster, where the provider waits for an update that it names, and has neither
UpdateClusterVersion nor DescribeUpdate. UpdateClusterConfig came with getmoto/moto#9119; no issue about the answer was
found.
"""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import Any

from moto.core.responses import ActionResult
from moto.eks.responses import EKSResponse
from moto.eks.urls import response, url_paths

# What UpdateClusterConfig changes, and the kind of update that it is then ("Update", Amazon EKS API Reference).
_TYPES = {
    "resourcesVpcConfig": "EndpointAccessUpdate",
    "logging": "LoggingUpdate",
    "accessConfig": "AccessConfigUpdate",
    "computeConfig": "AutoModeUpdate",
    "kubernetesNetworkConfig": "AutoModeUpdate",
    "storageConfig": "AutoModeUpdate",
    "upgradePolicy": "UpgradePolicyUpdate",
    "zonalShiftConfig": "ZonalShiftConfigUpdate",
    "deletionProtection": "DeletionProtectionUpdate",
}
_OURS = {"accessConfig", "computeConfig", "storageConfig", "upgradePolicy", "zonalShiftConfig", "deletionProtection"}
"""Kept under the member's own name, as `eks_cluster_members` keeps them."""
_MOTOS = {"resourcesVpcConfig": "resources_vpc_config", "kubernetesNetworkConfig": "kubernetes_network_config"}


def apply() -> None:
    """Replace ``update_cluster_config`` and add the two calls that are missing."""
    url_paths["{0}/clusters/(?P<name>[^/]+)/updates$"] = response.dispatch
    url_paths["{0}/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$"] = response.dispatch

    def update_cluster_config(self: EKSResponse) -> ActionResult:
        asked = partial(self._get_param)  # pyright: ignore[reportPrivateUsage]  (moto's way to read requests)
        cluster: Any = self.eks_backend.describe_cluster(name=asked("name"))
        given = {member: value for member in _TYPES if (value := asked(member)) is not None}
        for member, value in given.items():
            if member in _OURS:
                setattr(cluster, member, value)
            elif member in _MOTOS:
                setattr(cluster, _MOTOS[member], {**getattr(cluster, _MOTOS[member]), **value})
            else:
                cluster.logging = value
        return _update(cluster, _TYPES[next(iter(given), "logging")])

    def update_cluster_version(self: EKSResponse) -> ActionResult:
        asked = partial(self._get_param)  # pyright: ignore[reportPrivateUsage]  (see above)
        cluster: Any = self.eks_backend.describe_cluster(name=asked("name"))
        cluster.version = asked("version")
        return _update(cluster, "VersionUpdate")

    def describe_update(self: EKSResponse) -> ActionResult:
        asked = partial(self._get_param)  # pyright: ignore[reportPrivateUsage]  (see above)
        cluster: Any = self.eks_backend.describe_cluster(name=asked("name"))
        return ActionResult({"update": cluster.updates[asked("updateId")]})

    for method in (update_cluster_config, update_cluster_version, describe_update):
        setattr(EKSResponse, method.__name__, method)


def _update(cluster: Any, kind: str) -> ActionResult:
    """Return an update of a moto cluster that is done already, and keep it with the cluster."""
    update: dict[str, object] = {
        "id": str(uuid.uuid4()),
        "status": "Successful",
        "type": kind,
        "params": [],
        "createdAt": time.time(),
        "errors": [],
    }
    cluster.updates = {**getattr(cluster, "updates", {}), update["id"]: update}
    return ActionResult({"update": update})
