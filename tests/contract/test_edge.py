"""The edge against the embedded AWS: a web ACL before the gateway's stage, counting, blocking, gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

STACK = """
variable "waf" {
  type    = object({ mode = string, rate = number })
  default = null
}

variable "integration" { default = { type = "http_proxy", target = "https://a.example" } }

module "api_gateway" {
  source = "../modules/api-gateway"
  name   = "acme-local"
  stage  = "local"
  region = "eu-west-1"
  domain = var.domain
  services = {
    web = { path = "/", api_key = true, cors = true, integration = var.integration }
  }
}

variable "domain" {
  type    = object({ name = string, certificate = string, only = bool })
  default = null
}

module "waf" {
  source    = "../modules/waf"
  count     = var.waf == null ? 0 : 1
  name      = "acme-local"
  stage_arn = module.api_gateway.stage_arn
  mode      = var.waf.mode
  rate      = var.waf.rate
}

output "domain" { value = module.api_gateway.domain }
output "url" { value = module.api_gateway.url }
output "api_id" { value = module.api_gateway.api_id }
output "arn" { value = one(module.waf[*].arn) }
"""


def test_a_web_acl_comes_changes_and_goes(try_modules: Callable[[str, str], Any], emulator: Any) -> None:
    """Each apply leaves nothing for a second plan; the stage knows who stands before it."""
    terraform = try_modules("edge", STACK)
    waf, gateway = emulator.client("wafv2"), emulator.client("apigateway")

    def standing(api: str) -> str | None:
        return gateway.get_stage(restApiId=api, stageName="local").get("webAclArn")

    domain = {
        "name": "api.acme.example",
        "certificate": emulator.client("acm").request_certificate(DomainName="api.acme.example")["CertificateArn"],
    }
    outputs = terraform.settle(
        "edge",
        "count",
        "-var",
        'waf={mode="count",rate=500}',
        "-var",
        f"domain={json.dumps({**domain, 'only': False})}",
    )
    assert outputs["url"].endswith(".amazonaws.com/local")
    assert outputs["domain"]["leads_to"]
    assert standing(outputs["api_id"]) == outputs["arn"]
    logs = waf.get_logging_configuration(ResourceArn=outputs["arn"])["LoggingConfiguration"]
    assert [group.rpartition(":")[2] for group in logs["LogDestinationConfigs"]] == ["aws-waf-logs-acme-local"]
    assert {each["SingleHeader"]["Name"] for each in logs["RedactedFields"]} == {"authorization", "cookie", "x-api-key"}

    outputs = terraform.settle(
        "edge", "block", "-var", 'waf={mode="block",rate=100}', "-var", f"domain={json.dumps({**domain, 'only': True})}"
    )
    assert outputs["url"] == "https://api.acme.example"
    assert gateway.get_rest_api(restApiId=outputs["api_id"])["disableExecuteApiEndpoint"] is True
    assert gateway.get_domain_name(domainName="api.acme.example")["securityPolicy"] == "TLS_1_2"
    (found,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    acl = waf.get_web_acl(Name="acme-local", Scope="REGIONAL", Id=found["Id"])["WebACL"]
    actions = {rule["Name"]: {**rule.get("Action", {}), **rule.get("OverrideAction", {})} for rule in acl["Rules"]}
    assert {name: next(iter(action)) for name, action in actions.items()} == {
        "rate": "Block",
        "AWSManagedRulesAmazonIpReputationList": "None",
        "AWSManagedRulesKnownBadInputsRuleSet": "None",
        "AWSManagedRulesCommonRuleSet": "None",
    }

    terraform.run("edge", "apply", "-auto-approve", "-input=false", "-no-color")
    assert waf.list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert not standing(outputs["api_id"])
