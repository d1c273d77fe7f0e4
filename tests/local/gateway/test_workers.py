"""Workers: the environment they get, how many there are, how they reload, crash and end."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest
from gateway_lab import ECHO, ENVIRONMENT, HELD, VERSION, Lab, is_alive

from stackyard.tools.process import SystemRunner
from tests.waiting import until

MEETING = """
import json
import os
import time
from pathlib import Path

HERE = Path(os.environ["MEETING"])

def handler(event, context):
    (HERE / str(os.getpid())).touch()
    end = time.monotonic() + 20
    while len(list(HERE.iterdir())) < int(os.environ["WANTED"]) and time.monotonic() < end:
        time.sleep(0.01)
    return {"statusCode": 200, "body": str(os.getpid())}
"""

FASTAPI = """
from fastapi import FastAPI
from mangum import Mangum

app = FastAPI()


@app.get("/items/{number}")
async def item(number: int, tag: str = "none") -> dict[str, object]:
    return {"number": number, "tag": tag}


handler = Mangum(app, lifespan="off")
"""


def ask(url: str) -> httpx.Response:
    """Ask once, on a connection of its own."""
    return httpx.get(url, timeout=30)


def test_fastapi_under_mangum(lab: Lab) -> None:
    """The stack that services really use, with the stage in the address and without."""
    lab.service("api", FASTAPI, path="/")
    lab.start()
    for prefix in ("", "/local"):
        got = lab.client.get(f"{prefix}/items/7?tag=a%20b")
        assert (got.status_code, got.json()) == (200, {"number": 7, "tag": "a b"})
    assert lab.client.get("/items/x").status_code == 422
    assert lab.client.get("/openapi.json").json()["paths"].keys() == {"/items/{number}"}


def test_without_uvloop(lab: Lab) -> None:
    """Where there is no uvloop the gateway runs on asyncio's own loop, and reloads and ends as well."""
    hide = (
        "import sys; sys.modules['uvloop'] = None; from stackyard.local.gateway.__main__ import main; sys.exit(main())"
    )
    lab.program = ("-c", hide)
    module = lab.service("app", VERSION.format(pause=0, version="one"))
    lab.start()
    assert lab.client.get("/app").text == "one"
    module.write_text(VERSION.format(pause=0, version="two"), encoding="utf-8")
    until(lambda: lab.client.get("/app").text == "two", "the new code answers")
    pids = lab.workers("app")
    assert lab.daemon is not None
    lab.daemon.stop()
    assert lab.daemon.poll() == 0
    assert not any(is_alive(pid) for pid in pids)


def test_environment_is_lambdas_and_not_the_developers(lab: Lab) -> None:
    """AWS, "Defined runtime environment variables": those, the function's own, and what a process needs to start."""
    lab.environment = {"MY_PRIVATE_TOKEN": "leaked", "AWS_PROFILE": "leaked", "PYTHONSTARTUP": "leaked"}
    lab.service("env", ENVIRONMENT, environment={"GREETING": "grüße", "AWS_REGION": "overridden"}, version="7")
    lab.extra = {"aws": {"endpoint_url": "http://127.0.0.1:4566", "access_key_id": "a", "secret_access_key": "b"}}
    lab.start()
    facts = lab.event("/env")
    environment = facts["env"]
    assert "leaked" not in environment.values()
    stream = environment.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    assert stream.count("/") == 3
    assert "[7]" in stream
    runtime = environment.pop("AWS_LAMBDA_RUNTIME_API")
    assert runtime.startswith("127.0.0.1:")
    assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
    for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "LC_CTYPE"):
        environment.pop(name, None)
    folder = str(lab.root / "services" / "env")
    assert environment == {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "acme-local-env",
        "AWS_LAMBDA_FUNCTION_VERSION": "7",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/acme-local-env",
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "b",
        "GREETING": "grüße",
        "LAMBDA_TASK_ROOT": folder,
        "SERVICE_URL_BASE": f"{lab.url}/local",
        "LANG": "en_US.UTF-8",
        "PYTHONPATH": folder,
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
    assert facts["cwd"] == folder
    context = facts["context"]
    assert (context["function_name"], context["function_version"], context["memory"]) == ("acme-local-env", "7", "512")
    assert context["arn"].endswith(":function:acme-local-env:live")
    assert 20_000 < context["left"] <= 29_000


def test_what_a_service_prints_is_passed_on(lab: Lab) -> None:
    """On the terminal under the service's name, and in the log as JSON."""
    lab.service("env", ENVIRONMENT)
    lab.start()
    lab.event("/env")
    until(lambda: "env | grüße from the service ✓" in lab.screen(), "the line is on the screen")
    lines = until(lambda: lab.records("log"), "the line is in the log")
    assert {"service": "env", "line": "grüße from the service ✓"}.items() <= lines[0].items()


def test_concurrent_requests_get_workers_of_their_own(lab: Lab, tmp_path: Path) -> None:
    """AWS, "Understanding Lambda function scaling": four requests at once run in four environments, which stay warm."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    lab.service("meeting", MEETING, environment={"MEETING": str(meeting), "WANTED": "4"})
    lab.start()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = list(pool.map(ask, [f"{lab.url}/meeting"] * 4))
    pids = {each.text for each in got}
    assert len(pids) == 4
    assert lab.described("meeting")["cold_starts"] == 4
    assert lab.client.get("/meeting").text in pids
    assert lab.described("meeting")["cold_starts"] == 4


def test_one_after_another_needs_one_worker(lab: Lab) -> None:
    """A closed loop never starts a second worker, though each request comes right after the answer before it."""
    lab.service("echo", ECHO)
    lab.start()
    for _ in range(200):
        assert lab.client.get("/echo").status_code == 200
    assert lab.described("echo")["cold_starts"] == 1


def test_more_requests_than_workers_wait(lab: Lab) -> None:
    """Without reserved concurrency ten workers serve thirty requests, and all are answered."""
    lab.service("slow", VERSION.format(pause=0.05, version="1"))
    lab.start()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        got = list(pool.map(ask, [f"{lab.url}/slow"] * 30))
    assert {each.status_code for each in got} == {200}
    assert len(lab.workers("slow")) <= 10


def test_reload_under_load_drops_nothing(lab: Lab) -> None:
    """Saving a file brings the new code while requests go on, and each of them is answered."""
    module = lab.service("app", VERSION.format(pause=0.01, version="v0"))
    lab.start()
    seen: list[tuple[int, str]] = []
    errors: list[Exception] = []
    stop = threading.Event()

    def load() -> None:
        with httpx.Client(timeout=30) as client:
            while not stop.is_set():
                try:
                    got = client.get(f"{lab.url}/app")
                    seen.append((got.status_code, got.text))
                except httpx.HTTPError as error:
                    errors.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 4):
        module.write_text(VERSION.format(pause=0.01, version=f"v{number}"), encoding="utf-8")
        until(lambda wanted=(200, f"v{number}"): wanted in seen, f"version {number} answers")
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert {status for status, _ in seen} == {200}


def test_broken_code_is_shown_and_the_next_save_mends_it(lab: Lab) -> None:
    """A syntax error is 502 with its place on the terminal; the gateway lives, and good code is served again."""
    module = lab.service("app", VERSION.format(pause=0, version="good"))
    lab.start()
    module.write_text("def handler(:\n", encoding="utf-8")
    until(lambda: lab.client.get("/app").status_code == 502, "the broken code is noticed")
    until(lambda: "Syntax error in module 'app'" in lab.screen(), "the error is shown")
    assert "def handler(:" in lab.screen()
    assert lab.described("app")["state"] == "broken"
    module.write_text(VERSION.format(pause=0, version="mended"), encoding="utf-8")
    until(lambda: lab.client.get("/app").text == "mended", "the mended code answers")


def test_an_import_error_is_shown_with_its_traceback(lab: Lab) -> None:
    """What a module does while it is imported fails with all its frames."""
    lab.service("app", "import nowhere.to_be_found\n")
    lab.service("worse", "def go():\n    raise RuntimeError('at import')\n\ngo()\n")
    lab.start(warm=False)
    assert lab.client.get("/app").status_code == 502
    assert lab.client.get("/worse").status_code == 502
    until(lambda: "No module named 'nowhere'" in lab.screen(), "the missing module is named")
    until(lambda: "raise RuntimeError('at import')" in lab.screen(), "the frame is shown")


def test_a_crash_loop_does_not_spin(lab: Lab) -> None:
    """A service that never starts is tried again ever more seldom, and its clients do not wait for that."""
    lab.service("app", "raise SystemExit(1)\n")
    lab.start(warm=False)
    for _ in range(200):
        assert lab.client.get("/app").status_code == 502
    assert lab.described("app")["cold_starts"] < 20


def test_a_route_that_cannot_be_served_is_refused_at_once(lab: Lab) -> None:
    """Exit code 2 and the place in the document, not a surprise at the first request."""
    lab.service("echo", ECHO)
    lab.paths["/odd"] = {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}
    lab.deploy()
    done = SystemRunner().run(lab.argv(), timeout=30)
    assert done.code == 2
    assert "paths./odd.get" in done.stderr


def test_a_port_in_use_is_exit_code_3(lab: Lab) -> None:
    """One clear error with a command to type, no traceback, nothing left behind."""
    lab.service("echo", ECHO)
    lab.deploy()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = SystemRunner().run(lab.argv(port), timeout=30)
    assert done.code == 3
    assert f"port {port}" in done.stderr
    assert "inv up --port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (lab.root / "ready.json").exists()


def test_status_tells_what_runs(lab: Lab) -> None:
    """The tools read deployment, routes, workers and versions from one place."""
    lab.service("echo", ECHO)
    lab.start()
    lab.event("/echo")
    status = lab.status()
    assert (status["deployment"], status["project"], status["stage"]) == ("1", "acme", "local")
    assert status["routes"] == ["/echo", "/echo/{proxy+}"]
    assert status["url"] == lab.url
    until(lambda: lab.workers("echo", "idle"), "the worker is idle")
    service = lab.described("echo")
    assert service["invocations"] == 1
    assert service["workers"][0]["invocations"] == 1
    assert is_alive(service["workers"][0]["pid"])
    assert {"python", "awslambdaric", "httptools"} <= status["versions"].keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_gateway_ends_with_all_its_workers(lab: Lab, number: signal.Signals) -> None:
    """Asked to end, it answers what is under way, ends its workers, takes the ready file away and exits with 0."""
    gate = lab.root / "gate"
    lab.service("app", HELD.format(gate=str(gate), version="done"))
    lab.service("echo", ECHO)
    lab.start()
    pids = lab.workers("app") + lab.workers("echo")
    assert lab.daemon is not None
    daemon = lab.daemon
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/app", timeout=30)
        until(lambda: lab.workers("app", "busy"), "it is under way")
        os.kill(daemon.pid, number)
        until(lambda: not lab.listens(), "nobody new is let in")
        gate.touch()
        assert under_way.result().text == "done"
    until(lambda: daemon.poll() is not None, "the gateway has ended")
    assert daemon.poll() == 0
    assert not any(is_alive(pid) for pid in pids)
    assert not (lab.root / "ready.json").exists()


def test_a_killed_gateway_leaves_no_workers(lab: Lab) -> None:
    """After SIGKILL idle and busy workers alike end by themselves."""
    lab.service("app", VERSION.format(pause=300, version="never"))
    lab.service("echo", ECHO)
    lab.start()
    pids = lab.workers("app") + lab.workers("echo")
    assert lab.daemon is not None
    with socket.create_connection(("127.0.0.1", lab.port)) as client:
        client.sendall(b"GET /app HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: lab.workers("app", "busy"), "one of them is busy")
        os.kill(lab.daemon.pid, signal.SIGKILL)
        until(lambda: not any(is_alive(pid) for pid in pids), "the workers are gone")


def test_what_a_service_started_ends_with_its_worker(lab: Lab) -> None:
    """A crash that leaves a child holding its output does not leave the client waiting."""
    source = """
import os
import subprocess
import sys

def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid)
    sys.stdout.flush()
    os._exit(1)
"""
    lab.service("app", source)
    lab.start()
    assert lab.client.get("/app").status_code == 502
    line = until(lambda: [r["line"] for r in lab.records("log") if r["line"].startswith("child ")], "the pid is told")
    until(lambda: not is_alive(int(line[0].split()[1])), "the child is gone")


def test_the_log_is_json_lines(lab: Lab) -> None:
    """Every line stands for itself."""
    lab.service("echo", ECHO)
    lab.start()
    lab.event("/echo")
    until(lambda: lab.records("access"), "the log has the request")
    for line in (lab.root / "gateway.jsonl").read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["kind"] in {"access", "log", "note"}
