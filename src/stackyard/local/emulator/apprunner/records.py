"""What App Runner keeps: services and versioned configurations, and how it describes each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import uuid4

from stackyard.local.emulator.shapes import Json


@dataclass(frozen=True, slots=True, eq=False)
class ConfigurationKind:
    """One of the three things that exist in revisions and that services refer to."""

    name: str
    """As members of requests and answers are named for it."""
    defaults: Mapping[str, object]
    list_key: str
    active: str = "ACTIVE"
    inactive: str = "INACTIVE"


_SCALING = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}

# AWS answers this one's status in lower case, whatever its description says, and the provider waits for that.
AUTO_SCALING = ConfigurationKind(
    "AutoScalingConfiguration",
    MappingProxyType(_SCALING),
    "AutoScalingConfigurationSummaryList",
    "active",
    "inactive",
)
VPC_CONNECTOR = ConfigurationKind("VpcConnector", MappingProxyType({"SecurityGroups": []}), "VpcConnectors")
OBSERVABILITY = ConfigurationKind(
    "ObservabilityConfiguration", MappingProxyType({}), "ObservabilityConfigurationSummaryList"
)


@dataclass(slots=True)
class Configuration:
    """One revision of an auto scaling configuration, a VPC connector or an observability configuration."""

    kind: ConfigurationKind
    name: str
    revision: int
    arn: str
    settings: Json
    is_default: bool = False
    created: float = field(default_factory=time.time)
    deleted: float | None = None

    def summary(self) -> Json:
        """Return what a service and a list say of it."""
        kind = self.kind.name
        return {f"{kind}Arn": self.arn, f"{kind}Name": self.name, f"{kind}Revision": self.revision}

    def describe(self, *, latest: bool, used: bool) -> Json:
        """Return all of it; ``latest`` and ``used`` depend on what else there is."""
        status = self.kind.active if self.deleted is None else self.kind.inactive
        answer = {**self.summary(), **self.settings, "Status": status, "CreatedAt": self.created}
        if self.deleted is not None:
            answer["DeletedAt"] = self.deleted
        if self.kind is not VPC_CONNECTOR:
            answer["Latest"] = latest
        if self.kind is AUTO_SCALING:
            answer |= {"HasAssociatedService": used, "IsDefault": self.is_default}
        return answer


@dataclass(slots=True)
class Service:
    """One service and what was done to it."""

    name: str
    id: str
    arn: str
    url: str
    scaling: Configuration
    settings: Json
    """SourceConfiguration, InstanceConfiguration and so on, with what App Runner fills in."""
    status: str = "RUNNING"
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    deleted: float | None = None
    operations: list[Json] = field(default_factory=list[Json])

    def summary(self) -> Json:
        """Return what a list says of it."""
        return {
            "ServiceName": self.name,
            "ServiceId": self.id,
            "ServiceArn": self.arn,
            "ServiceUrl": self.url,
            "CreatedAt": self.created,
            "UpdatedAt": self.updated,
            "Status": self.status,
        }

    def describe(self) -> Json:
        """Return all of it."""
        answer = {**self.summary(), **self.settings, "AutoScalingConfigurationSummary": self.scaling.summary()}
        if self.deleted is not None:
            answer["DeletedAt"] = self.deleted
        return answer

    def change(self, operation: str, status: str = "RUNNING") -> Json:
        """Note that an operation was done, and return its answer: it is under way as far as the caller is told."""
        now = time.time()
        self.status, self.updated = status, now
        self.deleted = now if status == "DELETED" else None
        done = {"Id": str(uuid4()), "Type": operation, "Status": "SUCCEEDED", "TargetArn": self.arn}
        self.operations.insert(0, done | {"StartedAt": now, "UpdatedAt": now, "EndedAt": now})
        return {"Service": self.describe() | {"Status": "OPERATION_IN_PROGRESS"}, "OperationId": done["Id"]}
