"""A project that unit tests add services to, and what hypothesis makes: names, settings, any text where text may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from hypothesis import strategies as st

from stackyard.kinds import KINDS
from stackyard.rendering import DEFAULT, find_templates
from stackyard.scaffold import Facts, Found

FACTS = Facts(
    project="acme",
    environments=("local", "dev", "prod"),
    taken=frozenset({"yaml"}),
    templates=find_templates(),
    default_template=DEFAULT,
    services={"api": Found(settings={"kind": "lambda", "path": "/"})},
)
"""A project that add-service adds to: one service, which owns ``/``."""

SIZES = {
    "lambda": [(128, None), (1024, None), (10240, None)],
    "apprunner": [(2048, 1024), (4096, 2048)],
    "ecs": [(512, 256), (2048, 1024)],
    "eks": [(128, 64), (512, 256), (65536, 16384)],
}

NASTY = [
    *("${path.module}", "%{ if true }x%{ endif }", '"; rm -rf /; "', "$(id)", "`id`", "${{ x }}", "FROM x\nRUN y"),
    *("yes", "1e3", "0x1F", "~", "null", "2026-11-01", "", " ", "\t", "\n", "\r\n", "\\", "'", '"', "\x7f"),
    *("- a", "{a: b}", "# no comment", "a: b", "<<", "&a *a", "!!python/object:os.system", "---", "..."),
    *("\u2028", "\x85", "e\u0301", "😀"),
]

ORIGINS = ["https://shop.example.com", "https://a-b.example:8443", "http://localhost:3000", "http://127.0.0.1"]

ISSUERS = [
    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345",
    "https://acme.eu.auth0.com/",
    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0",
    "https://id.example.com:8443",
]
AUDIENCES = ["shop", "https://api.example.com/", "api://00000000-0000-0000-0000-000000000000", "a@b+c=d-e_f~g"]
SCOPES = ["openid", "orders:read", "https://api.example.com/orders.write", "orders/read", "*"]

texts = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
names = st.from_regex(r"[a-z](-?[a-z0-9]){0,20}", fullmatch=True)
paths = st.from_regex(r"/([a-z0-9][a-z0-9_-]{0,20})?", fullmatch=True)
variables = st.from_regex(r"[B-KM-RT-Z][A-Za-z0-9_]{1,20}", fullmatch=True).filter(lambda name: name.upper() != "PORT")
values = texts.filter(lambda text: "\0" not in text)
secrets = st.from_regex(r"[A-Za-z0-9_+=.@-]{1,40}", fullmatch=True)


@st.composite
def settings_of_services(draw: st.DrawFn) -> dict[str, Any]:
    """Make what a service.yaml may say, for any kind; the path is left to its name."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    memory, cpu = draw(st.sampled_from(SIZES[kind]))
    data: dict[str, Any] = {"kind": kind, "memory": memory, "environment": draw(_variables(values))}
    if cpu:
        data |= {"cpu": cpu, "scaling": {"min": draw(st.integers(1, 3)), "max": draw(st.integers(3, 25))}}
    else:
        data["timeout"] = draw(st.integers(1, 900))
    others = {name: value for name, value in draw(_variables(secrets)).items() if name not in data["environment"]}
    data["secrets"] = others
    if KINDS[kind].alarms:
        data["rollout"] = {
            "strategy": draw(st.sampled_from(KINDS[kind].strategies)),
            "percent": draw(st.integers(3, 99)),
            "interval": draw(st.integers(1, 29)),
            "alarms": draw(
                st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 _./:+=@,()#-]{0,20}", fullmatch=True), max_size=3)
            ),
        }
    if draw(st.booleans()):
        data["cors"] = {
            "origins": draw(st.lists(st.sampled_from(ORIGINS), unique=True, max_size=3)),
            "methods": draw(st.lists(st.sampled_from(["GET", "PUT", "DELETE"]), min_size=1, unique=True)),
            "credentials": draw(st.booleans()),
        }
    if draw(st.booleans()):
        data["auth"] = {
            "jwt": {
                "issuer": draw(st.sampled_from(ISSUERS)),
                "audience": draw(st.lists(st.sampled_from(AUDIENCES), unique=True, min_size=1)),
                "scopes": draw(st.lists(st.sampled_from(SCOPES), unique=True)),
            }
        }
    if draw(st.booleans()):
        data["alarms"] = {"errors": draw(st.sampled_from([0.5, 1, 99])), "latency_p99_ms": draw(st.integers(1, 29000))}
    if draw(st.booleans()):
        data |= {"api_key": True, "usage": {"rate": draw(st.integers(1, 100)), "period": "day"}}
    if draw(st.booleans()):
        over = {name: text for name, text in draw(_variables(values)).items() if name not in others}
        data["overrides"] = {draw(st.sampled_from(["local", "dev", "previews"])): {"environment": over}}
    return data


def _variables(values: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(variables, values, max_size=4)


def write_yaml(value: object) -> str:
    """Write YAML in one line that no reader can take for anything else: all text quoted, all but ASCII escaped."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return "{" + ", ".join(f"{write_yaml(name)}: {write_yaml(each)}" for name, each in pairs) + "}"
    if isinstance(value, str):
        plain = (c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in value)
        return f'"{"".join(plain)}"'
    return str(value).lower() if isinstance(value, bool) else str(value)
