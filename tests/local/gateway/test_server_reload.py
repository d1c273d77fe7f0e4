"""Services behind HTTP when their code or their deployment changes: nothing dropped, nothing hidden."""

from __future__ import annotations

import concurrent.futures

import httpx
import pytest
from applications import FUNCTION, HEALTH, LIFESPAN, load, version
from gateway_lab import Lab, is_alive

from tests.waiting import until


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
    gate = lab.root / "gate"
    module = lab.server("web", version("old", gate))
    lab.start()
    (old,) = lab.processes("web")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        module.write_text(version("new"), encoding="utf-8")
        until(lambda: lab.client.get("/web/x").text.startswith("new"), "the new code answers")
        assert not under_way.done()
        gate.touch()
        assert under_way.result().text == f"old {old} 0"
    until(lambda: not is_alive(old), "the old process has ended")


def test_a_crowd_survives_a_reload(lab: Lab) -> None:
    """More requests at once than connections are kept: none is lost between the old process and the new one."""
    module = lab.server("web", version("old", 0.5))
    lab.start()
    many = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=None))
    with many as client, concurrent.futures.ThreadPoolExecutor(150) as pool:
        crowd = [pool.submit(client.get, f"{lab.url}/web/slow") for _ in range(150)]
        until(lambda: lab.told("web")["processes"][0]["under_way"] > 50, "many are under way")
        module.write_text(version("new"), encoding="utf-8")
        until(lambda: lab.client.get("/web/x").text.startswith("new"), "the new code answers")
        assert {each.result().status_code for each in crowd} == {200}


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
    gate = lab.root / "gate"
    module = lab.server("web", version("old", gate))
    lab.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/web/slow", timeout=30)
        until(lambda: lab.told("web")["processes"][0]["under_way"] == 1, "it is under way")
        module.write_text("raise SystemExit(1)\n", encoding="utf-8")
        until(lambda: lab.client.get("/web/x").status_code == 504, "the broken code is noticed")
        gate.touch()
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
