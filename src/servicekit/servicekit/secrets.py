"""Secrets that the platform does not inject itself, read once when a process starts.

``SERVICE_SECRETS`` is a JSON object of variable names and ARNs of Secrets Manager; each value becomes an environment
variable. Owns that reading and its error texts, which never hold a value. Where the variable is not set (App Runner and
ECS inject secrets themselves) nothing of AWS's is imported: botocore takes half as long to import as FastAPI.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

from servicekit.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

SECRETS_VARIABLE = "SERVICE_SECRETS"

_ARN = re.compile(r"arn:(aws[a-z-]*):secretsmanager:([a-z0-9-]+):\d{12}:secret:[A-Za-z0-9/_+=.@-]+")
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}
_SECONDS = 2.0  # for each try; Lambda ends a start after 10 s
_TRIES = 3
_PAUSE_SECONDS = 0.2
_AGAIN = {429, 500, 502, 503, 504}
_AT_ONCE = 8


def load_secrets(environ: MutableMapping[str, str] | None = None) -> None:
    """Set a variable for each secret that SERVICE_SECRETS names; variables that are set already stay as they are.

    `Settings.from_environ`, and so `create_app` and `adopt`, calls it. Call it yourself before importing code that
    reads the environment while it is imported. Credentials are found as botocore finds them; AWS_ENDPOINT_URL and
    AWS_ENDPOINT_URL_SECRETS_MANAGER are respected. Raises SettingsError, which names variable and secret, when one
    cannot be read.
    """
    environ = os.environ if environ is None else environ
    text = environ.get(SECRETS_VARIABLE)
    if not text:
        return
    missing = {name: arn for name, arn in _parse(text).items() if not environ.get(name)}
    if not missing:
        return
    read = _reader(environ)

    def value_of(arn: str) -> str | _UnreadableError:
        try:
            return read(arn)
        except _UnreadableError as error:
            return error

    arns = list(dict.fromkeys(missing.values()))
    if len(arns) == 1:
        values = {arns[0]: value_of(arns[0])}
    else:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  one secret needs no threads

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            values = dict(zip(arns, pool.map(value_of, arns), strict=True))
    problems = [f"{n}: the secret {a} {values[a]}" for n, a in missing.items() if isinstance(values[a], Exception)]
    if problems:
        raise SettingsError("; ".join(problems))
    environ.update({name: str(values[arn]) for name, arn in missing.items()})


class _UnreadableError(Exception):
    """Why a secret could not be read, in words that follow its name."""


def _parse(text: str) -> dict[str, str]:
    try:
        secrets: object = json.loads(text)
    except ValueError:
        raise SettingsError(f"{SECRETS_VARIABLE}: is not JSON") from None
    if not isinstance(secrets, dict):
        raise SettingsError(f"{SECRETS_VARIABLE}: must be a JSON object of variable names and secret ARNs")
    found: dict[str, str] = {}
    for name, arn in secrets.items():  # pyright: ignore[reportUnknownVariableType]  # JSON, looked at right here
        if not isinstance(name, str) or not isinstance(arn, str) or not _ARN.fullmatch(arn):
            raise SettingsError(f"{SECRETS_VARIABLE}: {name}: must be the ARN of a secret")
        found[name] = arn
    return found


def _reader(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Return what reads one secret by its ARN."""
    try:
        # Not boto3, nor botocore's own client: loading the service's model takes longer than the call.
        from botocore import auth, awsrequest, exceptions, httpsession, session  # noqa: PLC0415  (see the docstring)
    except ImportError:
        message = f"{SECRETS_VARIABLE}: is set, and botocore is not installed; depend on servicekit[secrets]"
        raise SettingsError(message) from None
    endpoint = environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or environ.get("AWS_ENDPOINT_URL")
    aws: Any = session.Session
    try:
        found = aws().get_credentials()
        credentials = found.get_frozen_credentials() if found else None
    except exceptions.BotoCoreError as error:
        raise SettingsError(f"{SECRETS_VARIABLE}: AWS credentials could not be had: {error}") from None
    if credentials is None:
        raise SettingsError(f"{SECRETS_VARIABLE}: is set, and there are no AWS credentials to read the secrets with")
    connection: Any = httpsession.URLLib3Session(timeout=_SECONDS)

    def send(arn: str) -> Any:
        _, partition, _, region, _ = arn.split(":", 4)
        url = endpoint or f"https://secretsmanager.{region}.{_SUFFIXES.get(partition, 'amazonaws.com')}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}
        request = awsrequest.AWSRequest("POST", url.rstrip("/") + "/", headers, json.dumps({"SecretId": arn}).encode())
        signer: Any = auth.SigV4Auth(credentials, "secretsmanager", region)
        signer.add_auth(request)
        return connection.send(request.prepare())

    def read(arn: str, tries: int = _TRIES) -> str:
        try:
            answer = send(arn)
        except exceptions.BotoCoreError as error:
            if tries == 1:
                raise _UnreadableError(f"could not be asked for: {type(error).__name__}") from None
        else:
            if answer.status_code == 200 or tries == 1 or not _is_passing(answer):
                return _value(answer)
        time.sleep(_PAUSE_SECONDS)
        return read(arn, tries - 1)

    return read


def _is_passing(answer: Any) -> bool:
    return answer.status_code in _AGAIN or "Throttling" in _reason(answer)


def _value(answer: Any) -> str:
    if answer.status_code != 200:
        raise _UnreadableError(f"could not be read: {_reason(answer)}")
    try:
        value: object = json.loads(answer.text).get("SecretString")
    except (ValueError, AttributeError):
        raise _UnreadableError("was answered with something that is no secret") from None
    if not isinstance(value, str):
        raise _UnreadableError("holds bytes; a variable needs text")
    return value


def _reason(answer: Any) -> str:
    """Return AWS's error code and message: neither holds a value."""
    try:
        problem: Any = json.loads(answer.text)
        code = str(problem["__type"]).rpartition("#")[2]
        message = problem.get("message") or problem.get("Message") or ""
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
    return f"{code}: {message}" if message else code
