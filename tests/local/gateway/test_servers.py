"""Services behind HTTP: their processes, from the first start through reloads and crashes to the end."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest
from gateway_lab import Lab, is_alive, until

from stackyard.tools.process import SystemRunner

HEALTH = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}

"""
HELLO = (
    HEALTH
    + """
@app.get("/web/greet")
async def greet(name: str = "World") -> dict[str, str]:
    return {"message": f"Hello, {name}!"}
"""
)
FILES = (
    HEALTH
    + """
from fastapi import Request
from fastapi.responses import RedirectResponse, StreamingResponse


@app.post("/web/files")
async def upload(request: Request) -> dict[str, object]:
    body = await request.body()
    return {"named": b'filename="a.bin"' in body, "size": len(body)}


@app.get("/web/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse((b"%d\\n" % number for number in range(100)), media_type="text/plain")


@app.get("/web/away")
async def away() -> RedirectResponse:
    return RedirectResponse("/web/stream")
"""
)
LIFESPAN = """
import contextlib
from fastapi import FastAPI


@contextlib.asynccontextmanager
async def lifespan(app):
    {begin}
    yield
    {end}

app = FastAPI(lifespan=lifespan)
app.add_api_route("/health", lambda: "ok")
app.add_api_route("/web/x", lambda: {begin!r})
"""
VERSION = """
import asyncio
import os
import signal
import sys

SAID = set()


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/health":
        await answer(send, b"ok")
        return
    if path.endswith("/slow"):
        await asyncio.sleep({pause})
    if path.endswith("/die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if path.endswith("/print"):
        print("grüße from the service ✓")
        sys.stderr.write("and to the other stream\\n")
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await answer(send, b"{version} %d %d" % (os.getpid(), len(body)))


async def answer(send, body):
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}})
    await send({{"type": "http.response.body", "body": body}})
"""
ENVIRONMENT = """
import json
import os
import sys
from pathlib import Path


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    facts = {"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[1:], "stdin": sys.stdin.read()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(facts).encode()})
"""
FUNCTION = """
import json
import os

def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(dict(os.environ))}
"""


def version(name: str, pause: float = 0) -> str:
    """Return an application that answers with its name, its process and the size of what it was sent."""
    return VERSION.format(version=name, pause=pause)


@contextmanager
def load(lab: Lab, path: str, *, clients: int = 4) -> Generator[list[tuple[int, str]]]:
    """Ask and send again and again while the block runs; yield what was answered. Raises what a client met."""
    seen: list[tuple[int, str]] = []
    errors: list[Exception] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        with httpx.Client(timeout=30) as client:
            while not stop.is_set():
                try:
                    if number % 2:
                        got = client.post(f"{lab.url}{path}", content=b"x" * 1000)
                    else:
                        got = client.get(f"{lab.url}{path}")
                    seen.append((got.status_code, got.text))
                except httpx.HTTPError as error:
                    errors.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


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


def test_reload_under_load_drops_nothing(lab: Lab) -> None:
    """Saving a file brings the new code while requests go on, POST too, and each of them is answered."""
    module = lab.server("web", version("v0"))
    lab.start()
    pids = set(lab.processes("web"))
    with load(lab, "/web/x") as seen:
        for number in range(1, 5):
            module.write_text(version(f"v{number}"), encoding="utf-8")
            wanted = f"v{number} "
            until(lambda wanted=wanted: any(text.startswith(wanted) for _, text in seen), f"{wanted} answers")
            pids |= set(lab.processes("web"))
    assert {status for status, _ in seen} == {200}
    until(lambda: len(lab.processes("web", None)) == len(lab.processes("web")) == 1, "the old ones are gone")
    (last,) = lab.processes("web")
    until(lambda: not any(is_alive(pid) for pid in pids - {last}), "their processes have ended")


def test_a_request_under_way_finishes_on_the_old_code(lab: Lab) -> None:
    """The old process ends only when it has answered, and new requests do not wait for that."""
    module = lab.server("web", version("old", 3))
    lab.start()
    (old,) = lab.processes("web")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        module.write_text(version("new"), encoding="utf-8")
        until(lambda: lab.client.get("/web/x").text.startswith("new"), "the new code answers")
        assert not under_way.done()
        assert under_way.result().text == f"old {old} 0"
    until(lambda: not is_alive(old), "the old process has ended")


def test_lifespans_are_entered_and_left(lab: Lab) -> None:
    """A process that is replaced is asked to end (SIGTERM) and may clean up."""
    one, two = ({"begin": f"print('begins {each}')", "end": f"print('ends {each}')"} for each in ("one", "two"))
    module = lab.server("web", LIFESPAN.format(**one))
    lab.start()
    module.write_text(LIFESPAN.format(**two), encoding="utf-8")
    until(lambda: "web | ends one" in lab.screen(), "the old one is left")
    assert lab.client.get("/web/x").json() == two["begin"]
    said = [each["line"] for each in lab.records("log")]
    assert said.index("begins two") < said.index("ends one")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("def go():\n    raise RuntimeError('at import')\n\ngo()\n", "raise RuntimeError('at import')"),
        ("import nowhere.to_be_found\n", "No module named 'nowhere'"),
        ("def app(:\n", "SyntaxError"),
        ("application = None\n", 'Attribute "app" not found'),
        (LIFESPAN.format(begin="raise RuntimeError('no database')", end="pass"), "RuntimeError: no database"),
    ],
    ids=["import", "module", "syntax", "attribute", "lifespan"],
)
def test_code_that_does_not_start_is_shown(lab: Lab, source: str, shown: str) -> None:
    """The traceback is on the terminal, requests fail instead of meeting the old code, and the next save mends it."""
    module = lab.server("web", version("good"))
    lab.start()
    (old,) = lab.processes("web")
    module.write_text(source, encoding="utf-8")
    until(lambda: lab.client.get("/web/x").status_code == 504, "the broken code is noticed")
    until(lambda: shown in lab.screen(), "the error is shown")
    until(lambda: not is_alive(old), "the old code does not hide it")
    module.write_text(version("mended"), encoding="utf-8")
    until(lambda: lab.client.get("/web/x").text.startswith("mended"), "the mended code answers")


def test_broken_code_does_not_drop_what_is_under_way(lab: Lab) -> None:
    """A request that the old code has begun is answered by it, whatever was saved meanwhile."""
    module = lab.server("web", version("old", 2))
    lab.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        module.write_text("raise SystemExit(1)\n", encoding="utf-8")
        until(lambda: lab.client.get("/web/x").status_code == 504, "the broken code is noticed")
        assert under_way.result().status_code == 200


def test_a_service_without_health_says_so(lab: Lab) -> None:
    """It is not ready, as on AWS, and the terminal says why; adding the route mends it."""
    source = HEALTH + "\n@app.get('/web/x')\nasync def x() -> str:\n    return 'here'\n"
    module = lab.server("web", source.replace('"/health"', '"/elsewhere"'))
    lab.start(warm=False)
    until(lambda: "GET /health answers 404" in lab.screen(), "the status is shown")
    module.write_text(source, encoding="utf-8")
    assert until(lambda: lab.client.get("/web/x"), "an answer").json() == "here"


def test_a_new_deployment_changes_what_it_must(lab: Lab) -> None:
    """Other settings restart a service without dropping a request; what did not change keeps its process."""
    lab.server("kept", version("kept"))
    lab.server("gone", version("gone"))
    lab.server("changed", version("changed"))
    lab.start()
    kept, gone, changed = (lab.processes(name) for name in ("kept", "gone", "changed"))
    lab.server("new", version("new"))
    for each in lab.servers.values():
        if each["service"] == "changed":
            each["environment"] = {"GREETING": "new"}
    for path in ("/gone", "/gone/{proxy+}"):
        del lab.paths[path]
    with load(lab, "/changed/x") as seen:
        lab.servers = {address: each for address, each in lab.servers.items() if each["service"] != "gone"}
        lab.redeploy()
        until(lambda: lab.processes("changed") not in ([], changed), "the changed service has a new process")
    assert {status for status, _ in seen} == {200}
    assert lab.client.get("/new").text.startswith("new")
    assert lab.client.get("/gone").status_code == 403
    assert lab.processes("kept") == kept
    until(lambda: not any(is_alive(pid) for pid in gone + changed), "what is not needed has ended")


def test_a_kind_may_change(lab: Lab) -> None:
    """The same path, first a function, then a server, then a function again: nothing to restart by hand."""
    lab.service("app", FUNCTION)
    lab.start()
    assert "AWS_LAMBDA_FUNCTION_NAME" in lab.event("/app")
    lab.functions.clear()
    lab.server("app", version("server"))
    lab.redeploy()
    assert lab.client.get("/app/x").text.startswith("server")
    lab.servers.clear()
    lab.service("app", FUNCTION)
    lab.redeploy()
    assert "AWS_LAMBDA_FUNCTION_NAME" in lab.event("/app")


def test_a_shared_folder_reloads_all_that_use_it(lab: Lab) -> None:
    """A change in what services share reaches functions and servers alike."""
    shared = lab.root / "shared"
    shared.mkdir()
    (shared / "common.py").write_text("NAME = 'one'\n", encoding="utf-8")
    for name in ("a", "b"):
        places = [f"services/{name}", "shared"]
        source = HEALTH + f"\nimport common\n\n@app.get('/{name}')\nasync def x() -> str:\n    return common.NAME\n"
        lab.server(name, source, watch=places, pythonpath=places)
    lab.start()
    assert [lab.client.get(path).json() for path in ("/a", "/b")] == ["one", "one"]
    (shared / "common.py").write_text("NAME = 'two'\n", encoding="utf-8")
    until(lambda: [lab.client.get(path).json() for path in ("/a", "/b")] == ["two", "two"], "both have the new code")


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
    lab.server("web", version("done", 0.5))
    lab.server("idle", version("idle"))
    lab.start()
    pids = lab.processes("web") + lab.processes("idle")
    assert lab.daemon is not None
    daemon = lab.daemon
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        os.kill(daemon.pid, number)
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
