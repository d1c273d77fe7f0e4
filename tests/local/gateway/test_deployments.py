"""What a new deployment does to a gateway that serves one."""

from __future__ import annotations

import concurrent.futures

import httpx
import pytest
from gateway_lab import ECHO, ENVIRONMENT, HELD, VERSION, Lab, is_alive

from tests.waiting import until


def test_a_new_deployment_is_served_without_a_restart(lab: Lab) -> None:
    """New routes, changed and removed functions take effect; what did not change keeps its worker."""
    lab.service("kept", ECHO)
    lab.service("gone", ECHO)
    lab.service("changed", ENVIRONMENT)
    lab.start()
    kept, gone = lab.workers("kept"), lab.workers("gone")
    lab.service("new", VERSION.format(pause=0, version="here"))
    lab.service("changed", ENVIRONMENT, environment={"GREETING": "new"})
    for name in ("/gone", "/gone/{proxy+}"):
        del lab.paths[name]
    lab.functions = {key: each for key, each in lab.functions.items() if each["service"] != "gone"}
    lab.redeploy()
    assert lab.client.get("/new").text == "here"
    assert lab.event("/changed")["env"]["GREETING"] == "new"
    assert lab.client.get("/gone").status_code == 403
    assert lab.workers("kept") == kept
    until(lambda: not any(is_alive(pid) for pid in gone), "the removed service's worker is gone")


def test_a_deployment_of_nothing(lab: Lab) -> None:
    """The intended last removal leaves a gateway that knows no route, and the next deployment brings one."""
    lab.start()
    assert lab.client.get("/").json() == {"message": "Missing Authentication Token"}
    lab.service("echo", ECHO)
    lab.redeploy()
    assert lab.client.get("/echo").status_code == 200


def test_a_request_under_way_survives_a_deployment(lab: Lab) -> None:
    """It finishes on the worker it began on, with the answer of the code it began with."""
    gate = lab.root / "gate"
    lab.service("app", HELD.format(gate=str(gate), version="old"))
    lab.start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = pool.submit(httpx.get, f"{lab.url}/app", timeout=30)
        until(lambda: lab.workers("app", "busy"), "it is under way")
        lab.service("app", VERSION.format(pause=0, version="new"), version="2")
        lab.redeploy()
        assert lab.client.get("/app").text == "new"
        assert not under_way.done()
        gate.touch()
        assert (under_way.result().status_code, under_way.result().text) == (200, "old")


@pytest.mark.parametrize("text", ["not json", "{}", '{"id": 1}'])
def test_a_bad_deployment_changes_nothing(lab: Lab, text: str) -> None:
    """The old one goes on, and the terminal says what is wrong with the new one."""
    lab.service("echo", ECHO)
    lab.start()
    lab.file.write_text(text, encoding="utf-8")
    until(lambda: "the deployment before goes on" in lab.screen(), "the error is told")
    assert lab.client.get("/echo").status_code == 200
