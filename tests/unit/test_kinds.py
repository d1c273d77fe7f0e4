"""What each kind of service takes, and how it is refused what it does not."""

from __future__ import annotations

from typing import get_args

import pytest

from stackyard.addresses import listener_port
from stackyard.errors import ConfigError
from stackyard.kinds import KINDS
from stackyard.manifest import KindName
from tests.unit.folder import Folder


def test_every_kind_may_be_named() -> None:
    """The model's names are the registry's."""
    assert get_args(KindName) == tuple(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_needs_nothing_but_its_name(folder: Folder, kind: str) -> None:
    """Its defaults go together."""
    folder.service("web", f"kind: {kind}\n")
    [entry] = folder.read_catalog().entries
    assert (entry.kind.name, entry.path) == (kind, "/web")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: lambda\ncpu: 256\n", ":2: `cpu` is not for kind lambda, only for apprunner, ecs, eks"),
        ("kind: ecs\ntimeout: 9\n", ":2: `timeout` is not for kind ecs, only for lambda"),
        ("kind: ecs\nvpc: true\n", ":2: `vpc` is not for kind ecs, only for apprunner"),
        ("kind: lambda\nscaling: {min: 1}\n", "`scaling.min` is not for kind lambda, only for apprunner, ecs, eks"),
        ("kind: eks\nscaling: {concurrency: 9}\n", "`scaling.concurrency` is not for kind eks, only for apprunner"),
        ("kind: lambda\nmemory: 20000\n", ":2: memory is 20000; Lambda has 128 to 10240 MiB"),
        ("kind: ecs\nmemory: 700\n", ":2: memory is 700 with cpu 256; Fargate has 512, 1024, 2048 MiB there"),
        ("kind: ecs\ncpu: 1024\n", "memory is 512 with cpu 1024; Fargate has 2048 to 8192 in steps of 1024 MiB there"),
        ("kind: ecs\ncpu: 300\n", "cpu is 300; Fargate has 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU)"),
        ("kind: apprunner\nmemory: 512\n", "memory is 512 with cpu 1024; App Runner has 2048, 3072, 4096 MiB there"),
        ("kind: apprunner\nscaling: {max: 26}\n", "scaling.max is 26; App Runner has 25 instances at the most"),
        ("kind: eks\nmemory: 70000\n", "memory is 70000; a pod may ask for 128 to 65536 MiB"),
        ("kind: ecs\nscaling: {min: 5}\n", ":2: scaling.min is 5 and scaling.max is 4; min must not be above max"),
        ("kind: ecs\ncors: {max_age: 5}\n", ":2: `cors` needs `origins`"),
        (
            "kind: ecs\ncors: {origins: ['*'], credentials: true}\n",
            ":2: any page could act in the name of who is signed in",
        ),
        ("kind: ecs\ncors: {origins: ['*', 'https://a.example']}\n", ':2: "*" is every origin'),
        ("kind: ecs\ncors: {origins: ['https://a.example/']}\n", ":2: `cors.origins"),
        ("kind: ecs\ncors: {origins: ['http://a.example']}\n", ":2: `cors.origins"),
        ("kind: ecs\nauth: {}\n", ":2: `auth.jwt` needs `issuer` and `audience`"),
        ("kind: ecs\nauth: {jwt: {issuer: 'https://a.example'}}\n", ":2: `auth.jwt` needs `audience`"),
        ("kind: ecs\nauth: {jwt: {issuer: 'http://a.example', audience: [a]}}\n", ":2: `auth.jwt.issuer` is"),
        ("kind: ecs\nauth: {jwt: {issuer: 'https://a.example/?t=1', audience: [a]}}\n", ":2: `auth.jwt.issuer` is"),
        ("kind: ecs\nauth: {jwt: {issuer: 'https://u:p@a.example', audience: [a]}}\n", ":2: `auth.jwt.issuer` is"),
        ("kind: ecs\nauth: {jwt: {issuer: 'https://a.example', audience: ['a b']}}\n", ":2: `auth.jwt.audience"),
        ("kind: ecs\nauth: {jwt: {issuer: 'https://a.example', audience: a}}\n", ":2: `auth.jwt.audience` is `a`"),
        (
            "kind: ecs\nauth: {jwt: {issuer: 'http://127.0.0.1:9', audience: [a]}}\n",
            ":2: `auth.jwt.issuer` is `http://127.0.0.1:9`: dev needs https",
        ),
        (
            "kind: lambda\nauth: {jwt: {issuer: 'https://a.example', audience: [a]}}\nenvironment: {A: "
            + "x" * 3560
            + "}\n",
            ":3: 0 secrets, `cors` and `auth` leave 3",
        ),
        (
            f"kind: lambda\nenvironment: {{A: {'x' * 3400}}}\ncors: {{origins: ['https://a.example']}}\n",
            ":2: 0 secrets, `cors` and `auth` leave",
        ),
        ("kind: ecs\nusage: {rate: 5}\n", ":2: `usage` limits the holders of an API key; it needs `api_key: true`"),
        ("kind: ecs\nenvironment: {A: x}\nsecrets: {A: s}\n", "`A` is in `environment` and in `secrets`; keep one"),
        ("kind: ecs\nsecrets: {PORT: s}\n", "PORT and names beginning with"),
        ("kind: ecs\nsecrets: {A: 'a b'}\n", "`secrets.A` is `a b`: it must match"),
        (
            "kind: eks\nrollout: {strategy: canary}\n",
            ":2: `canary` is not for kind eks, only for lambda, ecs; eks ",
        ),
        ("kind: eks\nrollout: {alarms: [slow]}\n", ":2: `rollout.alarms` is not for kind eks, only for lambda, ecs"),
        (
            "kind: lambda\nrollout: {strategy: slow}\n",
            "`rollout.strategy` is `slow`: allowed: 'all-at-once', 'blue-green', 'canary'",
        ),
        ("kind: lambda\nrollout: {strategy: canary, percent: 100}\n", "`rollout.percent` is `100`"),
        (
            "kind: lambda\nrollout: {strategy: linear, percent: 1, interval: 60}\n",
            "the rollout takes 5940 minutes; 2880 are allowed for lambda",
        ),
        (
            "kind: lambda\nrollout: {strategy: blue-green}\n",
            ":2: `blue-green` is not for kind lambda, only for ecs; lambda points its alias at the new version",
        ),
        (
            "kind: ecs\nrollout: {strategy: blue-green, interval: 1441}\n",
            ":2: `rollout.interval` is 1441; ecs has 1440 minutes at the most",
        ),
        (
            "kind: ecs\nrollout: {strategy: linear, percent: 2}\n",
            ":2: `rollout.percent` is 2; ecs goes on by 3 at the least",
        ),
        ("kind: ecs\nexample: '/${x}'\n", "`example` is `/${x}`: it must match"),
        (
            "kind: ecs\noverrides:\n  prod:\n    cpu: 512\n",
            "memory is 512 with cpu 512; Fargate has 1024 to 4096 in steps of 1024 MiB there (as merged for prod)",
        ),
    ],
)
def test_what_does_not_go_with_a_kind_is_named(folder: Folder, text: str, words: str) -> None:
    """With its line, what there is instead, and for which environment."""
    folder.service("web", text)
    with pytest.raises(ConfigError) as caught:
        folder.read_catalog()
    assert words in str(caught.value)


@pytest.mark.parametrize(("kind", "file"), [("lambda", "lambda_handler.py"), ("ecs", "app.py"), ("eks", "app.py")])
def test_what_a_kind_calls_must_be_there(folder: Folder, kind: str, file: str) -> None:
    """A service that changes its kind is told which module it lacks."""
    (folder.service("web", f"kind: {kind}\n") / "web" / file).unlink()
    with pytest.raises(ConfigError, match=rf"src/services/web/web/{file} is missing \(what {kind} calls\)"):
        folder.read_catalog()


def test_app_runner_names_are_shorter(folder: Folder) -> None:
    """App Runner: CreateService, 40 characters."""
    folder.service("a" * 25, "kind: apprunner\n")
    assert folder.read_catalog().names()
    folder.service("b" * 32, "kind: apprunner\n")
    with pytest.raises(ConfigError, match="have room for 40"):
        folder.read_catalog()


def test_private_services_that_get_the_same_port_are_refused(folder: Folder) -> None:
    """A port follows from the name alone, so that no other service's coming or going moves it."""
    ports: dict[int, str] = {}
    for number in range(2000):
        name = f"s{number}"
        other = ports.setdefault(listener_port(name), name)
        if other != name:
            break
    else:
        pytest.fail("no two names share a port")
    assert 10000 <= listener_port(name) < 50000
    folder.service(name, "kind: ecs\n")
    folder.service(other, "kind: lambda\n")
    assert folder.read_catalog().names()
    folder.service(other, "kind: eks\n")
    with pytest.raises(ConfigError, match="same port of the load balancer from their names; rename one"):
        folder.read_catalog()


def test_a_secret_is_the_environments_own(folder: Folder) -> None:
    """A short name is found below the environment's prefix; another environment's secret cannot be read."""
    folder.service("web", "kind: ecs\nsecrets: {DATABASE_URL: db, TOKEN: shared/token}\n")
    with pytest.raises(ConfigError, match=r":2: `secrets.TOKEN` is `shared/token`, which dev's services may not read"):
        folder.read_catalog()
    folder.service("web", "kind: ecs\nsecrets: {DATABASE_URL: db}\n")
    assert folder.read_catalog("prod").entries[0].secrets == {"DATABASE_URL": "acme/prod/db"}
    text = "kind: ecs\nsecrets: {A: acme/dev/a}\noverrides: {prod: {secrets: {A: acme/prod/a}}}\n"
    folder.service("web", text)
    assert folder.read_catalog("prod").entries[0].secrets == {"A": "acme/prod/a"}
