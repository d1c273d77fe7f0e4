"""Draws an environment as a Mermaid flowchart, from the catalog and stackyard.yaml alone.

``python -m stackyard.diagram [--check]`` writes those of docs/architecture.md. Owns what is drawn and its words; asks
no AWS, so it shows what a deploy would bring, not what runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from stackyard.addresses import default_path, listener_port
from stackyard.costtable import SAMPLE
from stackyard.marked import place
from stackyard.names import LOCAL
from stackyard.project import Environment, Place
from stackyard.services import Entry

FILE = "docs/architecture.md"
DRAWN = ("dev", LOCAL)
BEGIN = "<!-- diagram of {}: made by `python -m stackyard.diagram` -->"
END = "<!-- end of diagram of {} -->"


def draw(project: str, environment: str, place: Place | None, entries: Iterable[Entry]) -> str:
    """Return the flowchart of an environment; ``place`` is its part of stackyard.yaml, None for the laptop."""
    drawn = (
        _draw_laptop(list(entries)) if place is None else _draw_aws(f"{project}-{environment}", place, list(entries))
    )
    return "\n".join(["flowchart LR", *(f"    {line}" for line in drawn)])


def _draw_aws(name: str, place: Place, entries: list[Entry]) -> list[str]:
    lines = [_node("gateway", "API Gateway", f"{name}, {place.throttle.rate:g} requests a second")]
    way = "gateway"
    if place.waf:
        lines += [_node("waf", "web firewall", place.waf.mode), "waf --> gateway"]
        way = "waf"
    domain = place.domain if isinstance(place, Environment) else None
    lines.append(f'callers["callers"] -- "{domain.name if domain else "https"}" --> {way}')
    private = [entry for entry in entries if entry.kind.private]
    for entry in entries:
        if not entry.kind.private:
            lines += [_service(entry), f'gateway -- "{entry.path}" --> {_id(entry)}']
    if private:
        paths = ", ".join(entry.path for entry in private)
        lines.append(f'gateway -- "{paths}" --> link["VPC link"] --> balancer')
        lines += [f'subgraph network["network, {place.network.zones} zones"]', '    balancer["load balancer"]']
        for kind in dict.fromkeys(entry.service.kind for entry in private):
            lines += [f'    subgraph {kind}["{kind} cluster"]']
            lines += [f"        {_service(entry)}" for entry in private if entry.service.kind == kind]
            lines += ["    end"]
        lines += [f'    balancer -- "port {listener_port(entry.name)}" --> {_id(entry)}' for entry in private]
        lines += ["end"]
        out = "endpoints of AWS's services" if place.network.nat == "none" else f"NAT gateway, {place.network.nat}"
        lines.append(f'network --> out["{out}"]')
    return [*lines, *_draw_secrets(entries), *_draw_watching(place, name)]


def _draw_secrets(entries: list[Entry]) -> list[str]:
    readers = [_id(entry) for entry in entries if entry.secrets]
    return [f'secrets["Secrets Manager"] -. at start .-> {" & ".join(readers)}'] if readers else []


def _draw_watching(place: Place, name: str) -> list[str]:
    alarms = getattr(place, "alarms", None)
    kept = f"logs, {place.log_retention} days"
    said = f"{kept}; alarms, dashboard" if alarms and alarms.enabled else kept
    traced = "; traces by X-Ray" if place.xray else ""
    return [f'gateway -.-> watching["CloudWatch {name}<br/>{said}{traced}"]']


def _draw_laptop(entries: list[Entry]) -> list[str]:
    lines = [
        'up["inv up"] -- lifeline --> emulator["embedded AWS<br/>moto under waitress"]',
        'up -- lifeline --> gateway["gateway<br/>127.0.0.1:8080"]',
        'up -- starts --> terraform["terraform<br/>bootstrap, then app"]',
        'terraform -- "AWS_ENDPOINT_URL" --> emulator',
        'emulator -- "outputs: OpenAPI body, aliases" --> deploy["inv deploy"]',
        'deploy -- "deployment.json" --> gateway',
        'browser["curl, browser"] --> gateway',
        'files["src/services, src/servicekit"] -- "saved: reload" --> gateway',
    ]
    for entry in entries:
        runs, calls = ("awslambdaric", "Runtime API") if entry.kind.runs == "function" else ("uvicorn", "HTTP")
        lines.append(
            f'gateway -- "{entry.path}: {calls}" --> {_node(_id(entry), entry.name, f"{entry.service.kind}: {runs}")}'
        )
    if entries:
        lines.append(f"{' & '.join(_id(entry) for entry in entries)} -- boto3 --> emulator")
    return lines


def _service(entry: Entry) -> str:
    """Return a service's node: its name, what it runs on, and what callers must bring."""
    needs = [
        word for word, wanted in (("key", entry.service.api_key), ("token", entry.service.auth.jwt.issuer)) if wanted
    ]
    return _node(_id(entry), entry.name, ", ".join([entry.service.kind, *(f"wants a {need}" for need in needs)]))


def _id(entry: Entry) -> str:
    """Return the node's id: never a word of Mermaid's own, as ``end`` would be."""
    return f"service_{entry.package}"


def _node(name: str, title: str, said: str) -> str:
    return f'{name}["{title}<br/>{said}"]'


def render_page(text: str) -> str:
    """Return docs/architecture.md with its diagrams, of the services that the template comes with."""
    entries = [Entry(name, each, each.path or default_path(name), "") for name, each in SAMPLE.items()]
    dev = Environment(account="111111111111")
    for environment in DRAWN:
        drawn = draw("acme", environment, None if environment == LOCAL else dev, entries)
        text = place(text, BEGIN.format(environment), END.format(environment), f"```mermaid\n{drawn}\n```")
    return text


def main(arguments: list[str]) -> int:
    """Write the diagrams, or with ``--check`` say that they are stale."""
    page = Path(FILE)
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    made = render_page(text)
    if made == text:
        return 0
    if "--check" in arguments:
        sys.stderr.write(f"{FILE}: a diagram is not what is drawn by now\n  run: python -m stackyard.diagram\n")
        return 1
    page.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
