"""What `inv diagram` draws follows from the files, and is a flowchart that Mermaid reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stackyard.diagram import FILE, draw, render_page
from stackyard.manifest import Service
from stackyard.marked import place
from stackyard.project import Environment, Previews
from stackyard.services import Entry

ROOT = Path(__file__).resolve().parents[2]
AWS = Environment(account="111111111111")
NODE = r'[a-z_][a-z0-9_]*(?:\["[^"\[\]]+"\])?'
EDGE = r'(?: (?:-->|-\.->|-- (?:"[^"]+"|[\w ]+) -->|-\. [\w ]+ \.->) )'
LINE = re.compile(rf'{NODE}(?: & {NODE})*(?:{EDGE}{NODE}(?: & {NODE})*)*|subgraph [a-z]+\["[^"]+"\]|end')


def entry(name: str, **says: object) -> Entry:
    """Return a service of the catalog, with its secrets by their whole names."""
    service = Service.model_validate({"kind": "lambda", **says})
    return Entry(name, service, service.path or f"/{name}", f"src/services/{name}", dict(service.secrets))


def environment(**says: object) -> Environment:
    """Return an environment that says so."""
    return Environment.model_validate({"account": "111111111111", **says})


EVERYTHING = [
    entry("api", path="/", api_key=True),
    entry("end", kind="ecs"),
    entry("graph-style", kind="eks", secrets={"A": "acme/dev/a"}),
    entry("old", kind="apprunner", auth={"jwt": {"issuer": "https://issuer.example/", "audience": ["old"]}}),
]
FULL = environment(
    waf={"mode": "block"},
    network={"nat": "none"},
    domain={"name": "api.acme.example", "certificate": "arn:aws:acm:eu-west-1:111111111111:certificate/0f1e2d3c"},
)


@pytest.mark.parametrize("services", [[], EVERYTHING[:1], EVERYTHING])
@pytest.mark.parametrize("where", [None, AWS, FULL, Previews(account="111111111111")])
def test_every_line_is_a_flowcharts(where: Environment | Previews | None, services: list[Entry]) -> None:
    """Nodes with quoted labels, edges, subgraphs that end; no id is a word of Mermaid's own."""
    first, *lines = draw("acme", "dev", where, services).splitlines()
    assert first == "flowchart LR"
    assert [line for line in lines if not LINE.fullmatch(line.strip())] == []
    assert sum("subgraph" in line for line in lines) == sum(line.strip() == "end" for line in lines)
    ids = set(re.findall(r"([a-z_]\w*)\[", "\n".join(lines)))
    assert ids.isdisjoint({"end", "graph", "style", "class", "click", "default"})
    used = {
        word for line in lines for word in re.findall(r"(?:^|> |& )([a-z_]\w*)", re.sub(r'"[^"]*"', "", line.strip()))
    }
    assert used - ids - {"subgraph", "end"} == set()


def test_every_service_is_reached() -> None:
    """By its path and what it runs on: private ones by way of the load balancer, at their ports."""
    drawn = draw("acme", "dev", FULL, EVERYTHING)
    assert 'gateway -- "/" --> service_api' in drawn
    assert 'gateway -- "/old" --> service_old' in drawn
    assert 'gateway -- "/end, /graph-style" --> link["VPC link"] --> balancer' in drawn
    assert re.search(r'balancer -- "port \d{5}" --> service_end', drawn)
    assert 'service_api["api<br/>lambda, wants a key"]' in drawn
    assert 'service_old["old<br/>apprunner, wants a token"]' in drawn


def test_what_the_environment_says_is_in_it() -> None:
    """Firewall, domain, way out, secrets; and nothing of them where it says nothing."""
    drawn = draw("acme", "prod", FULL, EVERYTHING)
    assert 'callers["callers"] -- "api.acme.example" --> waf' in drawn
    assert "waf --> gateway" in drawn
    assert "endpoints of AWS's services" in drawn
    assert 'secrets["Secrets Manager"] -. at start .-> service_graph_style' in drawn
    plain = draw("acme", "dev", AWS, EVERYTHING[:1])
    assert not [word for word in ("waf", "network", "Secrets") if word in plain]


def test_the_page_has_its_diagrams() -> None:
    """Between marks, and written again they are the same; a page without marks stays as it is."""
    text = (ROOT / FILE).read_text(encoding="utf-8")
    assert render_page(text) == text
    stale = text.replace("service_worker", "service_gone")
    assert stale != text
    assert render_page(stale) == text
    assert place("no marks", "<!-- a -->", "<!-- b -->", "x") == "no marks"
