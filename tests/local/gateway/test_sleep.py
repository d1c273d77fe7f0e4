"""Functions that nobody asks: which of them give up their last process, and how they get it back."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from gateway_lab import DEADLINE, ECHO, REGION, Lab, arn, is_alive

from stackyard.local.gateway.deployment import FunctionDefinition
from stackyard.local.gateway.environment import Surroundings
from stackyard.local.gateway.functions import REST_LIMIT, Function, find_sleepers
from stackyard.local.gateway.journal import Journal
from stackyard.local.gateway.runtime import Attention, Invocation


def test_only_who_rested_long_and_longest_gives_up_its_process() -> None:
    """A few keep theirs for ever, those asked last; of the others none ends before its time."""
    resting = {f"f{number}": float(number) for number in range(20)}
    assert find_sleepers(resting, REST_LIMIT + 100, 16) == ["f0", "f1", "f2", "f3"]
    assert find_sleepers(resting, REST_LIMIT + 1.5, 16) == ["f0", "f1"]
    assert find_sleepers(resting, REST_LIMIT, 16) == []
    assert find_sleepers(resting, REST_LIMIT * 9, 20) == []


class Answer:
    """Who waits for a function's answer."""

    def __init__(self) -> None:
        self.payload: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def succeed(self, payload: bytes) -> None:
        self.payload.set_result(payload)

    def fail(self, reason: str) -> None:
        self.payload.set_exception(RuntimeError(reason))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


async def sleep_and_wake(function: Function) -> None:
    function.start_ahead()
    await until(lambda: function.resting_since is not None)
    [worker] = cast("list[dict[str, int]]", function.describe()["workers"])
    pid = worker["pid"]
    assert is_alive(pid)
    function.sleep()
    await until(lambda: not function.busy)
    assert not is_alive(pid)
    assert function.describe()["state"] == "asleep"
    assert function.resting_since is None

    answer = Answer()
    function.invoke(Invocation("1", b'{"asked": true}', "", answer))
    said = json.loads(await asyncio.wait_for(answer.payload, DEADLINE))
    assert json.loads(said["body"]) == {"asked": True}
    await function.close()


def test_a_function_that_sleeps_wakes_for_the_next_request(tmp_path: Path) -> None:
    """Its process ends, which is no failure, and the next request starts one."""
    lab = Lab(tmp_path)
    lab.service("echo", ECHO)
    definition = FunctionDefinition.model_validate_json(json.dumps(lab.functions[arn("echo")]))
    surroundings = Surroundings(tmp_path, REGION, None, "http://127.0.0.1:1", Journal(None, sys.stderr), Attention())

    async def run() -> None:
        await sleep_and_wake(Function(arn("echo"), definition, surroundings))

    asyncio.run(run())
