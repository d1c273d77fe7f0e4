"""Which of a call's parameters name the resources that IAM asks for, and which roles it hands on.

Of the operations that Terraform's provider and the tasks use, by AWS's API references; an operation that is not told
here fails where its resource is needed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session

if TYPE_CHECKING:
    from tests.infra.calls import Call

Json = Mapping[str, Any]

FREE = {"sts:GetCallerIdentity"}
"""What everybody may."""

_PREFIXES = {"monitoring": "cloudwatch"}
_OTHERWISE = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Operations whose right is called otherwise (Amazon S3: Required permissions for API operations)."""


@cache
def _gateway_operation(name: str) -> Any:  # botocore's have no types
    model: Any = cast("Any", botocore.session.Session()).get_service_model("apigateway")
    return model.operation_model(name)


def _http(operation: str) -> tuple[str, str]:
    found = _gateway_operation(operation).http
    return found["method"], found["requestUri"]


def action_of(service: str, operation: str) -> str:
    """Return the right that an operation needs, by the service as requests are signed for it."""
    if service == "apigateway":
        return f"apigateway:{_http(operation)[0]}"
    prefix = _PREFIXES.get(service, service)
    return _OTHERWISE.get(f"{prefix}:{operation}", f"{prefix}:{operation}")


_NAMES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("cloudwatch", "alarm"): ("alarm:{AlarmNames}", "alarm:{AlarmName}"),
    ("codedeploy", "application"): ("application:{applicationName}",),
    ("codedeploy", "deploymentconfig"): ("deploymentconfig:{deploymentConfigName}",),
    ("codedeploy", "deploymentgroup"): (
        "deploymentgroup:{applicationName}/{deploymentGroupName}",
        "deploymentgroup:{applicationName}/{currentDeploymentGroupName}",
        "deploymentgroup:{deploymentId}",
    ),
    ("ecr", "repository"): ("repository/{repositoryName}",),
    ("ecs", "cluster"): ("cluster/{clusterName}", "cluster/{cluster}", "cluster/{clusters}"),
    ("ecs", "service"): (
        "service/{cluster}/{serviceName}",
        "service/{cluster}/{service}",
        "service/{cluster}/{services}",
    ),
    ("ecs", "service-deployment"): ("{serviceDeploymentArns}",),
    ("ecs", "task"): ("task/{cluster}/{tasks}",),
    ("ecs", "task-definition"): ("task-definition/{family}:1",),
    ("eks", "cluster"): ("cluster/{name}", "cluster/{clusterName}"),
    ("kms", "alias"): ("{AliasName}",),
    ("kms", "key"): ("key/{KeyId}", "key/{TargetKeyId}", "key/{AliasName}"),
    ("lambda", "function"): ("function:{FunctionName}",),
    ("logs", "log-group"): ("log-group:{logGroupName}", "log-group:{resourceArn}"),
    ("s3", "bucket"): ("{Bucket}",),
    ("s3", "object"): ("{Bucket}/{Key}",),
    ("scheduler", "schedule"): ("schedule/{GroupName}/{Name}", "schedule/default/{Name}"),
    ("secretsmanager", "Secret"): ("secret:{SecretId}-AbCdEf", "secret:{Name}-AbCdEf"),
    ("application-autoscaling", "ScalableTarget"): ("scalable-target/{ResourceId}", "scalable-target/{ResourceARN}"),
    ("iam", "role"): ("role{Path}{RoleName}", "role/{RoleName}"),
}
"""Kind of resource -> how it is named by parameters; the first whose parameters are there counts."""

_EC2_IDS = {
    "elastic-ip": "eipalloc-",
    "internet-gateway": "igw-",
    "launch-template": "lt-",
    "natgateway": "nat-",
    "route-table": "rtb-",
    "security-group": "sg-",
    "security-group-rule": "sgr-",
    "subnet": "subnet-",
    "vpc": "vpc-",
    "vpc-endpoint": "vpce-",
    "vpc-flow-log": "fl-",
}
"""EC2's kind -> how its ids begin."""

_MAKES = {
    "apprunner:CreateAutoScalingConfiguration": ("autoscalingconfiguration", "autoscalingconfiguration/new/1/1"),
    "apprunner:CreateObservabilityConfiguration": ("observabilityconfiguration", "observabilityconfiguration/new/1/1"),
    "apprunner:CreateService": ("service", "service/new/1"),
    "apprunner:CreateVpcConnector": ("vpcconnector", "vpcconnector/new/1/1"),
    "ec2:AllocateAddress": ("elastic-ip", "elastic-ip/new"),
    "ec2:AuthorizeSecurityGroupEgress": ("security-group-rule", "security-group-rule/new"),
    "ec2:AuthorizeSecurityGroupIngress": ("security-group-rule", "security-group-rule/new"),
    "ec2:CreateFlowLogs": ("vpc-flow-log", "vpc-flow-log/new"),
    "ec2:CreateInternetGateway": ("internet-gateway", "internet-gateway/new"),
    "ec2:CreateLaunchTemplate": ("launch-template", "launch-template/new"),
    "ec2:CreateNatGateway": ("natgateway", "natgateway/new"),
    "ec2:CreateRouteTable": ("route-table", "route-table/new"),
    "ec2:CreateSecurityGroup": ("security-group", "security-group/new"),
    "ec2:CreateSubnet": ("subnet", "subnet/new"),
    "ec2:CreateVpc": ("vpc", "vpc/new"),
    "ec2:CreateVpcEndpoint": ("vpc-endpoint", "vpc-endpoint/new"),
    "elasticloadbalancing:CreateTargetGroup": ("targetgroup", "targetgroup/new/1"),
}
"""Action -> the kind that it makes, and its name before it has one."""

TAGGED = {"eks:CreateCluster": "cluster/{name}", "kms:CreateKey": "key/new"}
"""Action that makes something, but is not asked for on it -> what is made: giving it tags is asked for there."""

_OF_SERVICE = re.compile(r":service-(?:deployment|revision)/([^/]+/[^/]+)/[^/]+$")
_MADE_BY_NAME = re.compile(r"^(Create|Register)")

_PASSED = {
    "apprunner": {"AccessRoleArn": "build.apprunner.amazonaws.com", "InstanceRoleArn": "tasks.apprunner.amazonaws.com"},
    "codedeploy": {"serviceRoleArn": "codedeploy.amazonaws.com"},
    "ec2": {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    "ecs": {
        "executionRoleArn": "ecs-tasks.amazonaws.com",
        "taskRoleArn": "ecs-tasks.amazonaws.com",
        "roleArn": "ecs.amazonaws.com",
    },
    "eks": {"roleArn": "eks.amazonaws.com", "nodeRoleArn": "eks.amazonaws.com", "nodeRole": "ec2.amazonaws.com"},
    "lambda": {"Role": "lambda.amazonaws.com"},
    "scheduler": {"RoleArn": "scheduler.amazonaws.com"},
}
"""Service -> the parameters that hand it a role -> whom the role is handed to."""


@dataclass(slots=True)
class Place:
    """An account and a region, and what the ids in calls are known to mean there."""

    account: str
    region: str
    project: str
    partition: str = "aws"
    known: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])
    """Service and an id that is no resource's own (an association, a deployment, a role's name) -> what it means."""
    boundaries: dict[str, str] = field(default_factory=dict[str, str])

    def arn(self, service: str, resource: str) -> str:
        """Write an ARN."""
        where = {
            "s3": ("", ""),
            "iam": ("", self.account),
            "apigateway": (self.region, ""),
        }.get(service, (self.region, self.account))
        return f"arn:{self.partition}:{service}:{where[0]}:{where[1]}:{resource}"

    def fill(self, template: str, parameters: Json) -> str:
        """Fill a template's blanks by parameters, and by where we are."""
        here = {"partition": self.partition, "region": self.region, "account": self.account, "project": self.project}
        return template.format(**{**parameters, **here})

    def keys(self, action: str, parameters: Json) -> dict[str, str]:
        """Return the condition keys that a call has beside tags."""
        keys: dict[str, str | None] = {}
        match action:
            case "s3:ListBucket" | "s3:ListBucketVersions":
                keys = {"s3:prefix": parameters.get("Prefix")}
            case "iam:CreateRole" | "iam:PutRolePermissionsBoundary":
                keys = {"iam:PermissionsBoundary": parameters.get("PermissionsBoundary")}
            case "iam:AttachRolePolicy" | "iam:DetachRolePolicy" | "iam:PutRolePolicy" | "iam:DeleteRolePolicy":
                capped = self.boundaries.get(parameters["RoleName"])
                keys = {"iam:PermissionsBoundary": capped, "iam:PolicyARN": parameters.get("PolicyArn")}
            case "ecs:ListTasks":
                keys = {"ecs:cluster": self._filled("ecs", "cluster/{cluster}", parameters)[0]}
            case "kms:ScheduleKeyDeletion":
                keys = {"kms:ScheduleKeyDeletionPendingWindowInDays": str(parameters.get("PendingWindowInDays", 30))}
            case _:
                pass
        return {key: value for key, value in keys.items() if value is not None}

    def named(self, service: str, kind: str, parameters: Json) -> list[str]:
        """Return the ARNs of the resources of a kind that parameters name."""
        if service == "ec2":
            return [self.arn("ec2", f"{kind}/{each}") for each in self._ec2_ids(kind, parameters)]
        for template in _NAMES.get((service, kind), ()):
            if all(parameters.get(name) for name in re.findall(r"\{(\w+)\}", template)):
                return self._filled(service, template, parameters)
        texts = list(_texts(parameters))
        if (service, kind) == ("ecs", "service"):
            # A deployment and a revision have their service in their names.
            texts = [_OF_SERVICE.sub(r":service/\1", each) for each in texts]
        return [each for each in texts if re.match(rf"arn:[\w-]+:{service}:[^:]*:\d*:{kind}[/:]", each)]

    def _ec2_ids(self, kind: str, parameters: Json) -> list[str]:
        begin = _EC2_IDS.get(kind)
        texts = list(_texts(parameters))
        texts += [each for text in texts for each in self.known.get(("ec2", text), ())]
        return sorted({text for text in texts if begin and re.fullmatch(rf"{begin}[0-9a-f]+", text)})

    def _filled(self, service: str, template: str, parameters: Json) -> list[str]:
        names = re.findall(r"\{(\w+)\}", template)
        filled: list[str] = []
        for each in itertools.product(*(_several(parameters[name]) for name in names)):
            # What is an ARN already says it all, but for the cluster that a service is in.
            whole = [
                text for name, text in zip(names, each, strict=True) if text.startswith("arn:") and name != "cluster"
            ]
            parts = {
                name: text.rpartition("/")[2] if text.startswith("arn:") else text
                for name, text in zip(names, each, strict=True)
            }
            if whole:
                filled += [whole[-1]]
            elif (service, each[-1]) in self.known:
                filled += self.known[service, each[-1]]
            else:
                resource = template.format(**parts)
                filled.append(self.arn(service, resource))
        return filled

    def learn(self, service: str, operation: str, parameters: Json, answer: Json) -> None:
        """Remember what later calls will call things by."""
        match f"{service}:{operation}":
            case "ec2:AssociateRouteTable":
                self.known[service, answer["AssociationId"]] = [parameters["RouteTableId"], parameters["SubnetId"]]
            case "ec2:CreateNatGateway" | "ec2:DescribeNatGateways" | "ec2:DescribeAddresses":
                for each in _dicts(answer):
                    if "AllocationId" in each and "AssociationId" in each:
                        self.known[service, each["AssociationId"]] = [each["AllocationId"]]
            case "application-autoscaling:RegisterScalableTarget":
                self.known[service, parameters["ResourceId"]] = [answer["ScalableTargetARN"]]
            case "codedeploy:CreateDeployment":
                self.known[service, answer["deploymentId"]] = self.named("codedeploy", "deploymentgroup", parameters)
            case "codedeploy:GetDeployment":
                for each in _dicts(answer):
                    if "rollbackDeploymentId" in each:
                        self.known[service, each["rollbackDeploymentId"]] = self.known[
                            service, parameters["deploymentId"]
                        ]
            case "iam:CreateRole":
                self.known[service, parameters["RoleName"]] = [answer["Role"]["Arn"]]
                self.boundaries[parameters["RoleName"]] = parameters.get("PermissionsBoundary", "")
            case "kms:CreateAlias":
                self.known[service, parameters["AliasName"]] = self.named("kms", "key", parameters)
            case _:
                pass


def name_resources(place: Place, action: str, kind: str, call: Call) -> list[str]:
    """Return the ARNs of a call's resources of one kind; what is only being made ends with ``|new``."""
    prefix, _, name = action.partition(":")
    if prefix == "apigateway":
        return _gateway(place, kind, call)
    if action == "ecs:ListTasks":
        # AWS's reference names container instances, of which Fargate has none.
        return ["*"]
    if prefix == "kms" and kind == "alias":
        return [place.arn("kms", call.parameters["AliasName"])]
    made = _MAKES.get(action)
    if made and made[0] == kind:
        return [place.arn(prefix, made[1]) + "|new"]
    found = place.named(prefix, kind, call.parameters)
    if (
        _MADE_BY_NAME.match(name)
        and tags_of(call.parameters)
        and prefix not in {"apprunner", "ec2", "elasticloadbalancing"}
    ):
        return [f"{each}|new" for each in found]
    return found


def _gateway(place: Place, kind: str, call: Call) -> list[str]:
    """Name the one resource that is meant, whichever kinds AWS lists with its verbs."""
    method, path = _http(call.operation)
    if kind != "RestApi":  # one of many that are the same to us
        return []
    filled = re.sub(r"\{(\w+)\}", lambda blank: call.parameters[_parameter(call.operation, blank[1])], path)
    return [place.arn("apigateway", filled) + ("|new" if method == "POST" else "")]


@cache
def _parameter(operation: str, label: str) -> str:
    """Return the parameter that fills a blank of an operation's path."""
    members = _gateway_operation(operation).input_shape.members
    return next(name for name, shape in members.items() if shape.serialization.get("name") == label)


def ids_made(place: Place, call: Call) -> list[str]:
    """Return the ARNs of what a call has made, or given tags to."""
    action = action_of(call.service, call.operation)
    prefix, _, name = action.partition(":")
    if prefix == "apigateway":
        made = call.answer.get("id")
        return (
            [place.arn(prefix, f"{_http(call.operation)[1]}/{made}")]
            if made and "{" not in _http(call.operation)[1]
            else _gateway_stage(place, call)
        )
    if name in {"CreateTags", "AddTags", "TagResource"}:
        kinds = _EC2_IDS if prefix == "ec2" else ("",)
        return [arn for kind in kinds for arn in place.named(prefix, kind, call.parameters)]
    made = _MAKES.get(action)
    if made:
        return place.named(prefix, made[0], call.answer)
    return [each for each in _texts(call.answer) if each.startswith(f"arn:{place.partition}:{prefix}:")]


def _gateway_stage(place: Place, call: Call) -> list[str]:
    if call.operation != "CreateStage":
        return []
    api, stage = call.parameters["restApiId"], call.parameters["stageName"]
    return [place.arn("apigateway", f"/restapis/{api}/stages/{stage}")]


def passed_roles(service: str, operation: str, parameters: Json) -> Iterator[tuple[str, str]]:
    """Return each role that a call hands to a service, and to which."""
    if re.match(r"(Create|Register|Update|Put)", operation):
        for each in _dicts(parameters):
            for name, to in _PASSED.get(service, {}).items():
                if isinstance(each.get(name), str) and ":role/" in each[name]:
                    pods = operation.endswith("PodIdentityAssociation")
                    yield each[name], "pods.eks.amazonaws.com" if pods else to


def tags_of(parameters: Json) -> dict[str, str]:
    """Return the tags that a call sends, however its service writes them."""
    found: dict[str, str] = {}
    for name in ("tags", "Tags", "TagSpecifications"):
        value = parameters.get(name)
        if isinstance(value, Mapping):
            found |= cast("Mapping[str, str]", value)
        for each in _dicts(cast("object", value)) if isinstance(value, list) else ():
            keys = next(
                (pair for pair in (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue")) if pair[0] in each), None
            )
            if keys:
                found[each[keys[0]]] = each[keys[1]]
    return found


def _several(value: object) -> list[str]:
    return cast("list[str]", value) if isinstance(value, list) else [str(value)]


def _dicts(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        each = cast("Mapping[str, Any]", value)
        yield each
        for one in each.values():
            yield from _dicts(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _dicts(one)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in cast("Mapping[str, object]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("Iterable[object]", value):
            yield from _texts(one)
