"""API Gateway: what happens to a request, in API Gateway's order, and what a new deployment changes.

Stages of a request: size, route, key, throttle and quota, then event and function, or call and server. Each stage
refuses in its own words. A deployment is compiled into one frozen `Serving`; a new one replaces it whole, requests
under way keep theirs.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

from stackyard.local.gateway import refusal
from stackyard.local.gateway.deployment import Deployment
from stackyard.local.gateway.environment import Surroundings
from stackyard.local.gateway.event import Place, render_event
from stackyard.local.gateway.exchange import Exchange, Office
from stackyard.local.gateway.forward import render_call
from stackyard.local.gateway.functions import Function, ThrottledError, find_sleepers
from stackyard.local.gateway.integration import HttpTarget
from stackyard.local.gateway.journal import Journal
from stackyard.local.gateway.limits import Caller, Gate
from stackyard.local.gateway.message import Request
from stackyard.local.gateway.mock import MockTarget
from stackyard.local.gateway.routes import Router, binary_types
from stackyard.local.gateway.runtime import Attention, Invocation, parent_span
from stackyard.local.gateway.servers import Server
from stackyard.local.gateway.status import BARE, PREFIX, Desk, answer_own
from stackyard.local.gateway.upstream import Call

BODY_LIMIT = 10 * 1024 * 1024
"""Bytes of a request's body ("Quotas for configuring and running a REST API": 10 MB)."""

HEAD_LIMIT = 10_240
"""Bytes of request line and headers together (same page)."""

EVENT_LIMIT = 6 * 1024 * 1024
"""Bytes of an event ("Lambda quotas": 6 MB for a synchronous request)."""

START_AHEAD = 16
"""So many services get a process before their first request, and so many functions keep one that nobody asks."""

_AFTER_HOST = re.compile("[/?]")
_AT_ONCE = 2
_SWEEP = 5.0


@dataclass(frozen=True, slots=True)
class Serving:
    """One deployment, ready to be served."""

    deployment: Deployment
    router: Router
    gate: Gate
    office: Office
    root: str
    prefix: str


class Gateway:
    """Everything behind the port."""

    def __init__(self, root: Path, journal: Journal) -> None:
        self.root = root
        self.journal = journal
        self.url = ""
        self.port = 0
        self.host = ""
        self.functions: dict[str, Function] = {}
        self.servers: dict[str, Server] = {}
        self.serving: Serving | None = None
        self.console: Desk | None = None
        self._leaving: list[Function | Server] = []
        self._attention = Attention()
        self._ahead: asyncio.Task[None] | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    def deploy(self, deployment: Deployment) -> None:
        """Serve a deployment from the next request on. Raises ConfigError before anything changes."""
        router = Router(deployment.openapi, deployment.stage_variables)
        place = Place(
            account=deployment.account,
            api_id=deployment.api_id,
            stage=deployment.stage,
            deployment_id=hashlib.sha256(deployment.id.encode()).hexdigest()[:6],
            port=str(self.port),
            binary=binary_types(deployment.openapi),
        )
        surroundings = Surroundings(
            root=self.root,
            region=deployment.region,
            aws=deployment.aws,
            url=f"{self.url}/{deployment.stage}",
            journal=self.journal,
            attention=self._attention,
        )
        before = self.serving
        self.serving = Serving(
            deployment=deployment,
            router=router,
            gate=Gate(deployment, before.gate if before else None),
            office=Office(place, refusal.Refusals(deployment.openapi), self.journal),
            root=f"/{deployment.stage}",
            prefix=f"/{deployment.stage}/",
        )
        self._settle(deployment, surroundings)
        self._start_ahead()

    def _settle(self, deployment: Deployment, surroundings: Surroundings) -> None:
        """Have exactly the services that are deployed; those that stay keep their processes."""
        gone = [
            *(each for key, each in self.functions.items() if key not in deployment.functions),
            *(each for key, each in self.servers.items() if key not in deployment.servers),
        ]
        functions: dict[str, Function] = {}
        for arn, definition in deployment.functions.items():
            if (function := self.functions.get(arn)) is None:
                function = Function(arn, definition, surroundings)
            else:
                function.redefine(definition, surroundings)
            functions[arn] = function
        servers: dict[str, Server] = {}
        for address, definition in deployment.servers.items():
            if (server := self.servers.get(address)) is None:
                server = Server(address, definition, surroundings)
            else:
                server.redefine(definition, surroundings)
            servers[address] = server
        self.functions, self.servers = functions, servers
        for each in gone:
            each.retire()
        self._leaving = [each for each in self._leaving if each.busy] + gone

    @property
    def services(self) -> list[Function | Server]:
        """Everything that runs services."""
        return [*self.functions.values(), *self.servers.values()]

    def _start_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
        first = self.services[:START_AHEAD]
        self._ahead = asyncio.get_running_loop().create_task(self._start_in_turn(first))

    async def _start_in_turn(self, services: list[Function | Server]) -> None:
        for service in services:
            while sum(each.starting for each in services) >= _AT_ONCE:
                await asyncio.sleep(0.02)
            service.start_ahead()

    def sweep(self) -> None:
        """End what nobody needs, now and every few seconds."""
        for service in self.services:
            service.sweep()
        resting = {arn: each.resting_since for arn, each in self.functions.items()}
        waiting = {arn: since for arn, since in resting.items() if since is not None}
        for arn in find_sleepers(waiting, time.monotonic(), START_AHEAD):
            self.functions[arn].sleep()
        self._sweeper = asyncio.get_running_loop().call_later(_SWEEP, self.sweep)

    def reload(self, service: Function | Server) -> None:
        """Go on with new code."""
        self.journal.note("changed, reloading", service.definition.service)
        service.reload()

    async def close(self) -> None:
        """End all processes."""
        for task in (self._ahead, self._sweeper):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(each.close() for each in [*self.services, *self._leaving]))

    def serve(self, request: Request) -> None:
        """Take a request; its answer may come much later."""
        serving = self.serving
        if serving is None:
            request.answer(503, b"Content-Type: application/json\r\n", b'{"message":"Nothing is deployed"}')
            return
        target = request.target.decode("utf-8", "replace")
        if not target.startswith("/"):
            target = _origin_form(target)
        full, _, query = target.partition("?")
        if full.startswith(PREFIX) or full == BARE:
            answer_own(self, request, full)
            return
        staged = full.startswith(serving.prefix) or full == serving.root
        path = (full[len(serving.root) :] or "/") if staged else full
        exchange = Exchange(serving.office, request, full, query)
        caller: Caller | None = None
        match = serving.router.match(request.method.decode("latin-1"), path)
        if match is None or request.too_large:
            exchange.refuse(refusal.TOO_LARGE if request.too_large else refusal.MISSING_TOKEN)
            return
        exchange.match = match
        if match.method.needs_key:
            key = request.header(b"x-api-key")
            caller = serving.gate.callers.get(key.decode("latin-1")) if key else None
            if caller is None:
                exchange.refuse(refusal.INVALID_KEY)
                return
        if (limit := serving.gate.refuses(caller)) is not None:
            exchange.refuse(refusal.LIMITS[limit])
            return
        target = match.method.target
        if isinstance(target, HttpTarget):
            self._call(exchange, target, match.method.timeout)
        elif isinstance(target, MockTarget):
            exchange.answered(target.status, [], target.body)
        else:
            place, ids = serving.office.place, exchange.ids
            event = render_event(request, match, path, query, staged=staged, place=place, ids=ids, caller=caller)
            self._invoke(exchange, event, target, match.method.timeout)

    def _call(self, exchange: Exchange, target: HttpTarget, timeout: float) -> None:
        server = self.servers.get(target.server)
        if server is None:
            exchange.refuse(refusal.REJECTED, f"no such server: {target.server}")
            return
        call = Call(target.verb or exchange.request.method, render_call(exchange, target), exchange)
        exchange.send(call, server.definition.service, timeout)
        server.send(call)

    def _invoke(self, exchange: Exchange, event: bytes, arn: str, timeout: float) -> None:
        function = self.functions.get(arn)
        if function is None:
            exchange.refuse(refusal.REJECTED, f"no such function: {arn}")
            return
        if len(event) > EVENT_LIMIT:
            exchange.refuse(refusal.EVENT_TOO_LARGE, f"the event is {len(event)} bytes, Lambda takes {EVENT_LIMIT}")
            return
        invocation = Invocation(_lambda_id(exchange), event, parent_span(exchange.ids.trace), exchange)
        exchange.send(invocation, function.definition.service, timeout)
        try:
            function.invoke(invocation)
        except ThrottledError:
            exchange.refuse(refusal.REJECTED, "throttled: the function's reserved concurrency is used up")


def _lambda_id(exchange: Exchange) -> str:
    """Return Lambda's own id for the invocation, which is not the gateway's."""
    own = exchange.ids.request
    return f"{own[24:32]}{own[8:24]}{own[32:]}{own[:8]}"


def _origin_form(target: str) -> str:
    """Return the path and query of a target that names scheme and host, as a client of a proxy sends it."""
    _, _, rest = target.partition("://")
    found = _AFTER_HOST.search(rest)
    tail = rest[found.start() :] if found else ""
    return tail if tail.startswith("/") else "/" + tail
