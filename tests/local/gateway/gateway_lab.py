"""A project in a temporary folder, a gateway process that serves it, and ways to ask it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from stackyard.tools.process import Completed, Daemon, SystemRunner, start_daemon
from tests.waiting import PATIENCE, until

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEADLINE = PATIENCE
KEY: dict[str, Any] = {
    "id": "k1",
    "name": "acme-local",
    "value": "0123456789abcdefghij",
    "enabled": True,
    "throttle": None,
    "quota": None,
}

ECHO = """
import json

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""

VERSION = """
import os
import time

def handler(event, context):
    time.sleep({pause})
    return {{"statusCode": 200, "body": "{version}"}}
"""

HELD = """
import os
import time

def handler(event, context):
    while not os.path.exists({gate!r}):
        time.sleep(0.01)
    return {{"statusCode": 200, "body": "{version}"}}
"""
"""Answers when the file ``gate`` is there: a test says when, and not a pause that a slow machine may miss."""

ENVIRONMENT = """
import json
import os
import sys

def handler(event, context):
    told = {"function_name": context.function_name, "function_version": context.function_version,
            "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn, "id": context.aws_request_id,
            "group": context.log_group_name, "left": context.get_remaining_time_in_millis()}
    print("grüße from the service ✓")
    facts = {"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv, "context": told}
    return {"statusCode": 200, "body": json.dumps(facts)}
"""

SAY = """
import base64
import json

def handler(event, context):
    return json.loads(base64.b64decode(event["body"]))
"""

T = TypeVar("T")
Json = dict[str, Any]


def is_alive(pid: int) -> bool:
    """Return whether a process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def arn(name: str) -> str:
    """Return a service's alias ARN."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:acme-local-{name}:live"


def method(name: str, *, api_key: bool = False, millis: int = 29000) -> Json:
    """Return an any-method for a service, as modules/api-gateway writes it."""
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn(name)}/invocations"
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": uri,
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": millis,
    }
    found: Json = {"x-amazon-apigateway-integration": integration}
    if api_key:
        found["security"] = [{"api_key": []}]
    return found


def forward(address: str, path: str, *, millis: int = 29000, api_key: bool = False) -> Json:
    """Return an any-method for a service behind HTTP, as modules/api-gateway writes it; ``path`` may end in {proxy}."""
    parameters = {
        "integration.request.header.x-stackyard-host": "context.domainName",
        "integration.request.header.x-stackyard-path": "context.path",
        "integration.request.header.x-stackyard-request-id": "context.requestId",
    }
    if "{proxy}" in path:
        parameters["integration.request.path.proxy"] = "method.request.path.proxy"
    integration = {
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": address + path,
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": millis,
        "requestParameters": parameters,
    }
    found: Json = {"x-amazon-apigateway-integration": integration}
    if api_key:
        found["security"] = [{"api_key": []}]
    return found


@dataclass
class Lab:
    """One project and its gateway."""

    root: Path
    paths: Json = field(default_factory=dict[str, Any])
    functions: Json = field(default_factory=dict[str, Any])
    servers: Json = field(default_factory=dict[str, Any])
    variables: dict[str, str] = field(default_factory=dict[str, str])
    openapi: Json = field(default_factory=dict[str, Any])
    extra: Json = field(default_factory=dict[str, Any])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    program: tuple[str, ...] = ("-m", "stackyard.local.gateway")
    options: tuple[str, ...] = ()
    deployments: int = 0
    port: int = 0
    daemon: Daemon | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=DEADLINE))

    def service(
        self,
        name: str,
        source: str,
        *,
        path: str | None = None,
        api_key: bool = False,
        millis: int = 29000,
        **more: object,
    ) -> Path:
        """Write a service of one module and route to it; return the module."""
        folder = self.root / "services" / name
        folder.mkdir(parents=True, exist_ok=True)
        module = folder / "app.py"
        module.write_text(source, encoding="utf-8")
        base = f"/{name}" if path is None else path
        found = {"x-amazon-apigateway-any-method": method(name, api_key=api_key, millis=millis)}
        self.paths[base] = found
        self.paths[f"{base.rstrip('/')}/{{proxy+}}"] = found
        self.functions[arn(name)] = {
            "service": name,
            "name": f"acme-local-{name}",
            "version": "1",
            "folder": f"services/{name}",
            "watch": [f"services/{name}"],
            "pythonpath": [f"services/{name}"],
            "handler": "app.handler",
            "memory": 512,
            "timeout": 29,
            "environment": {},
            "concurrency": None,
            "log_group": f"/aws/lambda/acme-local-{name}",
            **more,
        }
        return module

    def server(
        self,
        name: str,
        source: str,
        *,
        path: str | None = None,
        api_key: bool = False,
        millis: int = 29000,
        address: str | None = None,
        **more: object,
    ) -> Path:
        """Write a service behind HTTP of one module and route to it; return the module."""
        folder = self.root / "services" / name
        folder.mkdir(parents=True, exist_ok=True)
        module = folder / "app.py"
        module.write_text(source, encoding="utf-8")
        base = f"/{name}" if path is None else path
        uri = address or f"http://acme-local.elb.{REGION}.amazonaws.com:{10000 + len(self.servers)}"
        nested = f"{base.rstrip('/')}/{{proxy"
        for place, target in ((base, base), (nested + "+}", nested + "}")):
            method = forward(uri, target, millis=millis, api_key=api_key)
            self.paths[place] = {"x-amazon-apigateway-any-method": method}
        for variable, value in self.variables.items():
            uri = uri.replace(f"${{stageVariables.{variable}}}", value)
        self.servers[uri] = {
            "service": name,
            "kind": "ecs",
            "version": f"acme-local-{name}:1",
            "folder": f"services/{name}",
            "watch": [f"services/{name}"],
            "pythonpath": [f"services/{name}"],
            "app": "app:app",
            "memory": 512,
            "environment": {"SERVICE_NAME": name, "SERVICE_PATH": base},
            "log_group": f"/aws/ecs/acme-local-{name}",
            **more,
        }
        return module

    @property
    def file(self) -> Path:
        """Where the deployment is written."""
        return self.root / "deployment.json"

    @property
    def log(self) -> Path:
        """What the gateway prints."""
        return self.root / "screen.log"

    def deploy(self) -> str:
        """Write the deployment, whole at once, and return its id."""
        self.deployments += 1
        openapi: Json = {
            "openapi": "3.0.1",
            "info": {"title": "acme-local", "version": "1"},
            "x-amazon-apigateway-binary-media-types": ["*/*"],
            "components": {"securitySchemes": {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}},
            "paths": self.paths,
            **self.openapi,
        }
        deployment: Json = {
            "id": str(self.deployments),
            "project": "acme",
            "stage": "local",
            "api_id": "abcde12345",
            "account": ACCOUNT,
            "region": REGION,
            "openapi": openapi,
            "stage_variables": self.variables,
            "functions": self.functions,
            "servers": self.servers,
            **self.extra,
        }
        part = self.root / "deployment.json.part"
        part.write_text(json.dumps(deployment), encoding="utf-8")
        part.replace(self.file)
        return deployment["id"]

    def redeploy(self) -> None:
        """Deploy and wait until it is served."""
        wanted = self.deploy()
        until(lambda: self.status()["deployment"] == wanted, "the new deployment is served")

    def argv(self, port: int = 0) -> list[str]:
        """Return the command line of a gateway for this project."""
        options = ["--root", str(self.root), "--deployment", str(self.file), "--port", str(port)]
        files = ["--ready", str(self.root / "ready.json"), "--log", str(self.root / "gateway.jsonl")]
        return [sys.executable, *self.program, *options, *files, *self.options]

    def start(self, *, warm: bool = True) -> None:
        """Start the gateway and wait until it answers; with ``warm``, until every service has a worker."""
        self.deploy()
        hidden = {"PYTHONDONTWRITEBYTECODE", "STACKYARD_LIFELINE"}
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment.update(self.environment)
        self.daemon = start_daemon(self.argv(), log=self.log, env=environment, cwd=self.root)
        ready = self.root / "ready.json"
        until(lambda: ready.exists() or self.daemon is None or self.daemon.poll() is not None, "the gateway is ready")
        assert ready.exists(), self.screen()
        self.port = json.loads(ready.read_text(encoding="utf-8"))["port"]
        self.client.base_url = httpx.URL(self.url)
        if warm:
            until(lambda: all(self.workers(name, "idle") for name in self.names()), "every service has a worker")
            until(lambda: all(self.processes(str(each["service"])) for each in self.servers.values()), "servers are up")

    def listens(self) -> bool:
        """Return whether the gateway takes connections."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End the gateway."""
        self.client.close()
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    def names(self) -> list[str]:
        """Return the services' names."""
        return [str(each["service"]) for each in self.functions.values()]

    def status(self) -> Json:
        """Return what the gateway says of itself."""
        found: Json = self.client.get("/_stackyard/status").raise_for_status().json()
        return found

    def described(self, name: str) -> Json:
        """Return what the gateway says of one service."""
        return next(each for each in self.status()["services"] if each["service"] == name)

    def told(self, name: str) -> Json:
        """Return what the gateway says of one service behind HTTP."""
        return next(each for each in self.status()["servers"] if each["service"] == name)

    def processes(self, name: str, state: str | None = "running") -> list[int]:
        """Return the pids of a server's processes, all or those in one state."""
        found = self.told(name)["processes"]
        return [each["pid"] for each in found if each["pid"] and (state is None or each["state"] == state)]

    def workers(self, name: str, state: str | None = None) -> list[int]:
        """Return the pids of a service's workers, all or those in one state."""
        found = self.described(name)["workers"]
        return [each["pid"] for each in found if each["pid"] and (state is None or each["state"] == state)]

    def screen(self) -> str:
        """Return what the gateway printed so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def records(self, kind: str) -> list[Json]:
        """Return the log's lines of one kind."""
        file = self.root / "gateway.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [record for record in map(json.loads, lines) if record["kind"] == kind]

    def curl(self, *arguments: str, stdin: str | None = None) -> Completed:
        """Ask with curl."""
        curl = shutil.which("curl")
        assert curl is not None, "these tests need curl"
        return SystemRunner().run([curl, "--silent", "--show-error", "--max-time", "30", *arguments], stdin=stdin)

    def event(self, target: str, verb: str = "GET", **more: Any) -> Json:
        """Return the event that a request becomes."""
        found: Json = self.client.request(verb, target, **more).raise_for_status().json()
        return found

    def say(self, answer: object, path: str = "/say", headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Have a function return something, and return what the client gets for it."""
        return self.client.post(path, content=json.dumps(answer), headers=headers)

    def raw(self, data: bytes, *, finish: bool = True) -> bytes:
        """Send bytes and return everything that comes until the gateway hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as client:
            client.sendall(data)
            if finish:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := client.recv(65536):
                answer += chunk
            return answer
