"""The image of what App Runner, ECS and EKS run, of services as they are rendered, built by a real docker engine."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from stackyard.tools.tree import hash_package
from tests.images.engine import Container, answers, build, docker, find_machines, read_content, start
from tests.waiting import until

TMPFS = ("--tmpfs", "/tmp")
ARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:acme/dev/token-a1b2c3"


@pytest.fixture(scope="module")
def front(project: Path) -> Iterator[str]:
    with build(project, "front", "server") as tag:
        yield tag


@pytest.fixture(scope="module")
def shop(project: Path) -> Iterator[str]:
    with build(project, "shop", "server") as tag:
        yield tag


@pytest.fixture(scope="module")
def served(shop: str) -> Iterator[Container]:
    with start(shop, "shop.app:app", SERVICE_NAME="shop", SERVICE_PATH="/shop") as container:
        container.await_answer()
        yield container


def ended(image: str, *command: str, **environment: str) -> tuple[int, str]:
    """Run an image that does not start; return its exit status and the last line of its log."""
    with start(image, *command, options=TMPFS, **environment) as container:
        return container.await_end(), container.log().strip().splitlines()[-1]


def test_only_what_runs_is_inside(project: Path, front: str) -> None:
    """Just the files that its tag counts, and third-party packages, compiled; nobody may change them."""
    content = read_content(front)
    counted = [
        path.removeprefix(f"{folder}/")
        for folder in ("src/services/front", "src/servicekit")
        for path in hash_package(project, folder)
        if path != f"{folder}/pyproject.toml"
    ]
    assert content.own == sorted(counted)
    assert {"front/app.py", "servicekit/py.typed"} <= set(content.own)
    assert {"fastapi", "httptools", "uvicorn", "uvloop"} <= set(content.lib)
    assert not {"awslambdaric", "bin", "botocore", "httpx", "pip", "pytest", "uv"} & set(content.lib)
    assert content.python.startswith("3.14.")
    assert (content.user, content.top) == (10001, ["lib", "own", "shared"])
    assert (content.uncompiled, content.compilers, content.writable) == ([], [], [])


def test_app_runner_names_the_application_in_a_variable(front: str) -> None:
    """No command, no shell: uvicorn is the first process. /tmp may be a file system in memory."""
    variables = {"SERVICE_NAME": "front", "SERVICE_PATH": "/front", "UVICORN_APP": "front.app:app"}
    with start(front, options=TMPFS, **variables) as container:
        container.await_answer()
        url = container.url
        assert httpx.get(f"{url}/health").json() == {"status": "ok", "service": "front", "environment": "local"}
        answer = httpx.get(f"{url}/front/greet?name=Ann", headers={"x-stackyard-path": "/dev/front/greet"})
        assert (answer.status_code, answer.json()) == (200, {"message": "Hello, Ann!"})
        first = container.run("print(open('/proc/1/cmdline').read().split('\\0')[:3])")
        assert first == "['python', '-m', 'uvicorn']"
        assert container.run("import os; print(os.environ['PORT'])") == "8080"


def test_ecs_and_eks_name_it_in_the_command(served: Container) -> None:
    """The argument comes first, whatever variables say; the gateway's path is the service's own."""
    links = httpx.get(f"{served.url}/shop", headers={"x-stackyard-path": "/dev/shop"}).json()["links"]
    assert links["greet"] == "/dev/shop/greet"


def test_fargate_leaves_tmp_to_everyone(served: Container) -> None:
    """A volume takes the mode that the image declares for it; elsewhere nothing can be written."""
    assert served.run("import os; print(oct(os.stat('/tmp').st_mode), os.getuid())") == "0o41777 10001"
    refused = "try: open('/app/x', 'w')\nexcept OSError as error: print(error.errno)"
    assert served.run(refused) == "30"


def test_an_upload_spools_to_tmp(served: Container) -> None:
    """A form's file over 1 MiB does not stay in memory: on a read-only root it needs /tmp."""
    size = 3 * 1024 * 1024
    answer = httpx.post(f"{served.url}/shop/upload", files={"file": b"x" * size}, timeout=30)
    assert (answer.status_code, answer.json()) == (200, {"bytes": size})


def test_nobody_is_believed_who_says_who_he_is(served: Container) -> None:
    """Whoever reaches the port is the caller: App Runner's address is open to all, and gateways pass headers on."""
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    said = httpx.get(f"{served.url}/shop/caller", headers=headers).json()
    assert said["host"] != "203.0.113.9"
    assert said["scheme"] == "http"


def test_a_private_network_may_be_believed(shop: str) -> None:
    """Where only the load balancer gets in, service.yaml can have the address that the gateway added."""
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
    private = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
    with start(shop, "shop.app:app", FORWARDED_ALLOW_IPS=private) as container:
        container.await_answer()
        said = httpx.get(f"{container.url}/caller", headers=headers).json()
    assert said == {"host": "203.0.113.9", "scheme": "https"}


def test_a_request_under_way_is_finished_after_sigterm(shop: str) -> None:
    """The load balancer's new connections go elsewhere; what was begun gets its answer, and the status is 0."""
    boundary = b"--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nhello\r\n--x--\r\n"
    head = (
        f"POST /upload HTTP/1.1\r\nHost: shop\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(boundary)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with start(shop, "shop.app:app") as container:
        container.await_answer()
        address = httpx.URL(container.url)
        with socket.create_connection((address.host, address.port or 0), timeout=30) as connection:
            connection.sendall(head.encode())
            # Sent once the application asks for the body: the request is under way.
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")
            docker("kill", "--signal", "TERM", container.name)
            until(lambda: not answers(f"{address}/health"), "the end of its answers")
            connection.sendall(boundary)
            answer = b"".join(iter(lambda: connection.recv(1000), b""))
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"connection: close" in answer.lower()
        assert answer.endswith(b'{"bytes":5}')
        assert container.await_end() == 0


def test_a_wrong_setting_is_the_logs_last_line(front: str) -> None:
    """What is wrong with which variable, at the end, where consoles and `kubectl` show it; not its value."""
    status, line = ended(front, "front.app:app", CURRENCY="hunter2")
    assert status == 1
    assert line.startswith("servicekit.settings.SettingsError: CURRENCY: ")
    assert "hunter2" not in line


def test_an_application_that_is_not_there_is_named(front: str) -> None:
    """Nothing is served without one, and the log says what was looked for."""
    status, line = ended(front, "front.app:application")
    assert status == 3
    assert json.loads(line)["message"].endswith('Attribute "application" not found in module "front.app".')
    assert ended(front) == (2, "Error: Missing argument 'APP'.")


def test_secrets_are_read_where_the_extra_is(project: Path, front: str) -> None:
    """With `servicekit[secrets]` credentials are looked for; without it the log names the extra."""
    given = {"SERVICE_SECRETS": json.dumps({"TOKEN": ARN}), "AWS_EC2_METADATA_DISABLED": "true"}
    with build(project, "cart", "server") as cart:
        assert "botocore" in read_content(cart).lib
        status, line = ended(cart, "cart.app:app", **given)
    assert (status, line.partition(": ")[2]) == (
        1,
        "SERVICE_SECRETS: is set, and there are no AWS credentials to read the secrets with",
    )
    assert ended(front, "front.app:app", **given)[1].endswith("depend on servicekit[secrets]")


def test_arm64_needs_no_emulation(project: Path, front: str) -> None:
    """What ECS and EKS run on is built here, with arm64's libraries in it."""
    with contextlib.ExitStack() as stack:
        machines = [find_machines(front)]
        machines += [find_machines(stack.enter_context(build(project, "shop", "server", "linux/arm64")))]
    assert machines == [{"x86_64-linux-gnu.so"}, {"aarch64-linux-gnu.so"}]
