"""Secrets become environment variables before anything reads them, and no message ever holds one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest

from servicekit import Settings, SettingsError, load_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:acme/dev/database-url-AbCdEf"
OTHER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:acme/dev/token-GhIjKl"
VALUE = "postgres://db?password=hunter2"


class SecretsManager:
    """What GetSecretValue answers, by ARN, one after the other; the last answer stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, arn: str, headers: dict[str, str]) -> tuple[int, Any]:
        self.asked.append((arn, headers))
        answers = self.answers[arn]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _handler(manager: SecretsManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = manager.answer(asked["SecretId"], headers)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            """Say nothing."""

    return Handler


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    """A Secrets Manager to which this process's environment leads, with two secrets."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    with SecretsManager() as running:
        running.answers = {ARN: [(200, {"SecretString": VALUE})], OTHER: [(200, {"SecretString": "t0ken"})]}
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url + "/")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-role")
        yield running


@pytest.fixture
def load(manager: SecretsManager) -> Callable[..., dict[str, str]]:
    """Return a function that loads secrets into an environment and returns what it has then."""

    def call(secrets: object, **variables: str) -> dict[str, str]:
        text = secrets if isinstance(secrets, str) else json.dumps(secrets)
        environ = {"AWS_ENDPOINT_URL": manager.url, "SERVICE_SECRETS": text, **variables}
        load_secrets(environ)
        return environ

    return call


def test_each_secret_becomes_its_variable(load: Callable[..., dict[str, str]], manager: SecretsManager) -> None:
    """One call a secret, signed for Secrets Manager in the secret's own region with the role's credentials."""
    found = load({"DATABASE_URL": ARN, "TOKEN": OTHER, "TOKEN_AGAIN": OTHER})
    assert (found["DATABASE_URL"], found["TOKEN"], found["TOKEN_AGAIN"]) == (VALUE, "t0ken", "t0ken")
    assert sorted(arn for arn, _ in manager.asked) == sorted([ARN, OTHER])
    for arn, headers in manager.asked:
        assert headers["x-amz-target"] == "secretsmanager.GetSecretValue"
        assert headers["x-amz-security-token"] == "of-the-role"
        assert f"/{arn.split(':')[3]}/secretsmanager/aws4_request" in headers["authorization"]


def test_what_is_set_stays(load: Callable[..., dict[str, str]], manager: SecretsManager) -> None:
    """A variable that has a value wins, and its secret is not even asked for; an empty one counts as not set."""
    assert load({"DATABASE_URL": ARN}, DATABASE_URL="mine")["DATABASE_URL"] == "mine"
    assert manager.asked == []
    assert load({"DATABASE_URL": ARN}, DATABASE_URL="")["DATABASE_URL"] == VALUE


def test_a_service_address_of_its_own(manager: SecretsManager) -> None:
    """AWS_ENDPOINT_URL_SECRETS_MANAGER wins over AWS_ENDPOINT_URL, as in AWS's own clients."""
    environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": manager.url,
        "SERVICE_SECRETS": json.dumps({"TOKEN": OTHER}),
    }
    load_secrets(environ)
    assert environ["TOKEN"] == "t0ken"


def test_what_passes_is_tried_again(load: Callable[..., dict[str, str]], manager: SecretsManager) -> None:
    """Throttling and a failing server are given another try; a refusal is not."""
    throttled = (400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
    manager.answers[ARN] = [throttled, (503, b""), (200, {"SecretString": VALUE})]
    assert load({"DATABASE_URL": ARN})["DATABASE_URL"] == VALUE
    manager.asked.clear()
    manager.answers[ARN] = [(400, {"__type": "AccessDeniedException", "Message": "no"})]
    with pytest.raises(SettingsError):
        load({"DATABASE_URL": ARN})
    assert len(manager.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            400,
            {"__type": "x#ResourceNotFoundException", "message": "it is gone"},
            "ResourceNotFoundException: it is gone",
        ),
        (400, {"__type": "AccessDeniedException"}, "could not be read: AccessDeniedException"),
        (403, b"<html>hunter2", "could not be read: HTTP 403"),
        (200, {"SecretBinary": "aHVudGVyMg=="}, "holds bytes; a variable needs text"),
        (200, b"hunter2", "was answered with something that is no secret"),
    ],
)
def test_an_unreadable_secret_is_named(
    load: Callable[..., dict[str, str]], manager: SecretsManager, status: int, body: object, reason: str
) -> None:
    """The error names variable, secret and reason; nothing is set; no value is in it."""
    manager.answers[ARN] = [(status, body)]
    with pytest.raises(SettingsError) as caught:
        load({"TOKEN": OTHER, "DATABASE_URL": ARN})
    assert str(caught.value).startswith(f"DATABASE_URL: the secret {ARN} ")
    assert reason in str(caught.value)
    assert "TOKEN" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ("{", "SERVICE_SECRETS: is not JSON"),
        ("[]", "SERVICE_SECRETS: must be a JSON object"),
        ({"TOKEN": "acme/dev/token"}, "SERVICE_SECRETS: TOKEN: must be the ARN of a secret"),
        ({"TOKEN": 1}, "SERVICE_SECRETS: TOKEN: must be the ARN of a secret"),
        ({"TOKEN": ARN.replace("aws", "aws.evil.example/")}, "SERVICE_SECRETS: TOKEN: must be the ARN of a secret"),
    ],
)
def test_a_wrong_variable_is_named(load: Callable[..., dict[str, str]], secrets: object, message: str) -> None:
    """What cannot be is refused before anything is asked."""
    with pytest.raises(SettingsError, match=message):
        load(secrets)


def test_an_unreachable_manager(load: Callable[..., dict[str, str]]) -> None:
    """It is given up after a few tries, by name."""
    with pytest.raises(SettingsError, match=f"^TOKEN: the secret {OTHER} could not be asked for: Endpoint"):
        load({"TOKEN": OTHER}, AWS_ENDPOINT_URL="http://127.0.0.1:9")


def test_no_credentials(load: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any the error says so."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with pytest.raises(SettingsError, match="SERVICE_SECRETS: is set, and there are no AWS credentials"):
        load({"TOKEN": OTHER})


class _Own(Settings):
    database_url: str


def test_settings_have_them(manager: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """`Settings.from_environ` reads the secrets first; an environment that is given to it is left alone."""
    monkeypatch.setenv("SERVICE_SECRETS", json.dumps({"DATABASE_URL": ARN}))
    monkeypatch.setenv("DATABASE_URL", "")
    assert _Own.from_environ().database_url == VALUE
    with pytest.raises(SettingsError, match="DATABASE_URL: is not set"):
        _Own.from_environ({"SERVICE_SECRETS": json.dumps({"DATABASE_URL": ARN})})
    assert len(manager.asked) == 1


@pytest.mark.parametrize("set_", [True, False])
def test_nothing_of_awss_is_imported_without_need(manager: SecretsManager, set_: bool) -> None:
    """Botocore is imported when the variable is set, and only then."""
    program = (
        "import sys\nfrom servicekit import adopt, create_app, load_secrets\nload_secrets()\ncreate_app()\n"
        "print(*sys.modules)"
    )
    env = {**os.environ, **({"SERVICE_SECRETS": json.dumps({"TOKEN": OTHER})} if set_ else {})}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert ({"botocore", "urllib3"} <= loaded) is set_
    assert not {"boto3", "botocore.client"} & loaded or set_
