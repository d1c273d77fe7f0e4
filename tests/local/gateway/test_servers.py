"""Services behind HTTP: their processes, from the first start through reloads and crashes to the end."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import signal
import time

import httpx
import pytest
from applications import ENVIRONMENT, FILES, FUNCTION, HELLO, KIT, version
from gateway_lab import Lab, is_alive

from stackyard.tools.process import SystemRunner
from tests.waiting import until


def notes(lab: Lab, name: str) -> list[str]:
    """Return what the gateway itself said of a service."""
    return [each["line"] for each in lab.records("note") if each["service"] == name]


def test_a_service_behind_http_answers(lab: Lab) -> None:
    """A FastAPI application under uvicorn, with the stage in the address and without."""
    lab.server("web", HELLO)
    lab.start()
    for prefix in ("", "/local"):
        got = lab.client.get(f"{prefix}/web/greet", params={"name": "a b"})
        assert (got.status_code, got.json()) == (200, {"message": "Hello, a b!"})
    assert lab.client.get("/web").status_code == 404
    assert lab.client.get("/web/greet/").status_code == 200


def test_files_are_uploaded_and_streams_come_back(lab: Lab) -> None:
    """What FastAPI applications do beside JSON, under the prefix that they are reached by."""
    module = lab.server("web", FILES)
    lab.start()
    got = lab.client.post("/web/files", files={"file": ("a.bin", bytes(range(256)) * 4096)})
    assert got.json()["named"] is True
    assert got.json()["size"] > 256 * 4096
    assert lab.client.get("/web/stream").text == "".join(f"{number}\n" for number in range(100))
    assert lab.client.get("/local/web/away").headers["location"] == "/web/stream"
    done = lab.curl("-F", f"file=@{module};filename=a.bin", f"{lab.url}/local/web/files")
    assert json.loads(done.stdout)["named"] is True


def test_a_service_of_servicekit_knows_its_public_path(lab: Lab) -> None:
    """Behind the stage and without it: documentation, links, health below its path and outside of it."""
    environment = {"SERVICE_NAME": "web", "SERVICE_ENVIRONMENT": "local", "SERVICE_PATH": "/web"}
    lab.server("web", KIT, environment=environment)
    lab.start()
    for prefix in ("", "/local"):
        assert lab.client.get(f"{prefix}/web/links").json()["root"] == f"{prefix}/web"
        assert f"'{prefix}/web/openapi.json'" in lab.client.get(f"{prefix}/web/docs").text
        assert lab.client.get(f"{prefix}/web/openapi.json").json()["servers"] == [{"url": f"{prefix}/web"}]
        assert lab.client.get(f"{prefix}/web/health").json()["service"] == "web"
        assert lab.client.get(f"{prefix}/web/none").headers["content-type"] == "application/problem+json"


def test_environment_is_what_was_deployed_and_ours(lab: Lab) -> None:
    """Nothing of the developer's; our own addresses win over what was deployed, in functions too."""
    lab.environment = {"MY_PRIVATE_TOKEN": "leaked", "AWS_PROFILE": "leaked", "PYTHONSTARTUP": "leaked"}
    theirs = {"GREETING": "grüße", "SERVICE_URL_BASE": "https://deployed", "SECRET": "resolved"}
    lab.server("env", ENVIRONMENT, environment=theirs)
    lab.service("near", FUNCTION, environment=theirs)
    lab.extra = {"aws": {"endpoint_url": "http://127.0.0.1:4566", "access_key_id": "a", "secret_access_key": "b"}}
    lab.start()
    facts = lab.event("/env")
    environment = facts["env"]
    assert "leaked" not in environment.values()
    for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LC_CTYPE"):
        environment.pop(name, None)
    folder = str(lab.root / "services" / "env")
    assert environment == {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "b",
        "GREETING": "grüße",
        "LANG": "C.UTF-8",
        "PORT": str(lab.told("env")["processes"][0]["port"]),
        "PYTHONPATH": folder,
        "PYTHONUNBUFFERED": "1",
        "SECRET": "resolved",
        "SERVICE_URL_BASE": f"{lab.url}/local",
    }
    assert (facts["cwd"], facts["argv"][0], facts["stdin"]) == (folder, "app:app", "")
    assert lab.event("/near")["SERVICE_URL_BASE"] == f"{lab.url}/local"


def test_what_a_service_prints_is_passed_on(lab: Lab) -> None:
    """Both streams, under the service's name; uvicorn itself is quiet."""
    lab.server("web", version("one"))
    lab.start()
    lab.client.get("/web/print").raise_for_status()
    until(lambda: "web | and to the other stream" in lab.screen(), "both lines are on the screen")
    assert [each["line"] for each in lab.records("log")] == ["grüße from the service ✓", "and to the other stream"]


def test_many_requests_at_once_reach_one_process(lab: Lab) -> None:
    """Unlike a function's worker a server takes many; more than the pool holds wait and are answered."""
    lab.server("web", version("one", 0.2))
    lab.start()
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(timeout=30, limits=limits) as client, concurrent.futures.ThreadPoolExecutor(130) as pool:
        got = list(pool.map(client.get, [f"{lab.url}/web/slow"] * 130))
    assert {each.status_code for each in got} == {200}
    assert len({each.text for each in got}) == 1
    assert lab.told("web")["requests"] == 130


def test_requests_wait_for_the_first_start(lab: Lab) -> None:
    """Who asks while the service imports gets the answer, late."""
    lab.server("web", "import time\ntime.sleep(1)\n" + version("one"))
    lab.start(warm=False)
    assert lab.client.get("/web/x").text.startswith("one ")
    assert lab.told("web")["starts"] == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_process_that_ends_is_started_again(lab: Lab, number: signal.Signals) -> None:
    """At once, whoever asks meanwhile waits, and the terminal says what happened."""
    lab.server("web", version("one"))
    lab.start()
    for _ in range(2):
        (before,) = lab.processes("web")
        os.kill(before, number)
        until(lambda before=before: not is_alive(before), "it has ended")
        got = until(lambda: httpx.get(f"{lab.url}/web/x", timeout=30), "an answer")
        if got.status_code == 504:
            # The second time within a moment there is a pause first.
            until(lambda: lab.client.get("/web/x").status_code == 200, "it is back")
        assert int(lab.client.get("/web/x").text.split()[1]) != before
    assert any("starting again" in line for line in notes(lab, "web"))


def test_a_request_that_kills_its_process_is_not_tried_again(lab: Lab) -> None:
    """504, as API Gateway answers for a network error; the next request finds the service back."""
    lab.server("web", version("one"))
    lab.start()
    assert lab.client.get("/web/x").status_code == 200
    got = lab.client.get("/web/die")
    assert (got.status_code, got.json()) == (504, {"message": "Network error communicating with endpoint"})
    assert lab.client.get("/web/x").status_code == 200
    assert lab.told("web")["starts"] == 2


def test_a_crash_loop_does_not_spin(lab: Lab) -> None:
    """Tried again ever more seldom; clients do not wait for that; a save ends the pause."""
    module = lab.server("web", "raise SystemExit(7)\n")
    lab.start(warm=False)
    until(lambda: "again in 2 s" in lab.screen(), "the pauses grow")
    begun = time.monotonic()
    for _ in range(50):
        assert lab.client.get("/web").status_code == 504
    assert time.monotonic() - begun < 5
    assert lab.told("web")["starts"] < 8
    assert lab.told("web")["state"] == "broken"
    assert lab.told("web")["trouble"] == "it ended with exit status 7"
    pauses = [float(each) for line in notes(lab, "web") for each in re.findall(r"again in ([\d.]+) s", line)]
    assert pauses[:3] == [0.5, 1, 2]
    module.write_text(version("mended"), encoding="utf-8")
    until(lambda: lab.client.get("/web/x").text.startswith("mended"), "the mended code answers")
    assert lab.told("web")["trouble"] is None


def test_status_tells_of_servers(lab: Lab) -> None:
    """Address, kind, version, process, port: the port answers by itself, for whoever debugs."""
    lab.server("web", version("one"))
    lab.start()
    lab.client.get("/web/x").raise_for_status()
    found = lab.told("web")
    wanted = {"service": "web", "kind": "ecs", "version": "acme-local-web:1", "state": "running", "requests": 1}
    assert wanted.items() <= found.items()
    assert found["server"] in lab.servers
    process = found["processes"][0]
    assert is_alive(process["pid"])
    assert httpx.get(f"http://127.0.0.1:{process['port']}/health").text == "ok"
    assert "uvicorn" in lab.status()["versions"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_gateway_ends_with_all_its_servers(lab: Lab, number: signal.Signals) -> None:
    """Asked to end, it answers what is under way and ends every process."""
    gate = lab.root / "gate"
    lab.server("web", version("done", gate))
    lab.server("idle", version("idle"))
    lab.start()
    pids = lab.processes("web") + lab.processes("idle")
    assert lab.daemon is not None
    daemon = lab.daemon
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        os.kill(daemon.pid, number)
        until(lambda: not lab.listens(), "nobody new is let in")
        gate.touch()
        assert under_way.result().text.startswith("done")
    until(lambda: daemon.poll() is not None, "the gateway has ended")
    assert daemon.poll() == 0
    assert not any(is_alive(pid) for pid in pids)


def test_a_killed_gateway_leaves_no_servers(lab: Lab) -> None:
    """After SIGKILL they end by themselves, busy or idle, started or starting."""
    lab.server("web", version("never", 300))
    lab.server("idle", version("idle"))
    lab.server("starting", "import time\ntime.sleep(300)\n")
    lab.start(warm=False)
    until(lambda: lab.processes("web") and lab.processes("idle") and lab.processes("starting", "starting"), "all run")
    pids = lab.processes("web") + lab.processes("idle") + lab.processes("starting", "starting")
    assert lab.daemon is not None
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "one of them is busy")
        os.kill(lab.daemon.pid, signal.SIGKILL)
        assert isinstance(under_way.exception(), httpx.HTTPError)
    until(lambda: not any(is_alive(pid) for pid in pids), "the processes are gone")


def test_without_uvloop(lab: Lab) -> None:
    """On asyncio's own loop servers start, answer, reload and end as well."""
    hide = (
        "import sys; sys.modules['uvloop'] = None; from stackyard.local.gateway.__main__ import main; sys.exit(main())"
    )
    lab.program = ("-c", hide)
    module = lab.server("web", version("one"))
    lab.start()
    assert lab.client.get("/web/x").text.startswith("one")
    module.write_text(version("two"), encoding="utf-8")
    until(lambda: lab.client.get("/web/x").text.startswith("two"), "the new code answers")
    pids = lab.processes("web")
    assert lab.daemon is not None
    lab.daemon.stop()
    assert lab.daemon.poll() == 0
    assert not any(is_alive(pid) for pid in pids)


def test_an_integration_that_cannot_be_served_is_refused_at_once(lab: Lab) -> None:
    """Exit code 2 and the place in the document."""
    lab.server("web", version("one"), address="http://${stageVariables.missing}")
    lab.deploy()
    done = SystemRunner().run(lab.argv(), timeout=30)
    assert done.code == 2
    assert "there is no stage variable 'missing'" in done.stderr
