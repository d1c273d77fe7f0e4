"""Serve moto's WSGI application on the loopback interface, ready to be told from its first answer.

Owns the socket, moto's settings and the end of the process. What the emulated services do is moto's and `patches`'.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from stackyard.errors import ConfigError, MissingError
from stackyard.tools.process import watch_lifeline

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer

HOST = "127.0.0.1"

_SETTINGS = {
    # AmazonAPIGatewayPushToCloudWatchLogs and its like must exist to be attached.
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ACM_VALIDATION_WAIT": "1",
    # A function's image is looked up in the emulated ECR, so that a digest that was never pushed fails here too.
    "MOTO_LAMBDA_STUB_ECR": "false",
    # No page that a browser shows may read the emulator's answers.
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
}


def serve(
    port: int, ready: Path, *, account: str, region: str, without: Collection[str] = (), calls: Path | None = None
) -> None:
    """Answer as AWS on 127.0.0.1 until SIGTERM, SIGINT or the parent's end.

    Raises ConfigError when the account id is not 12 digits and MissingError when the port is taken. Ends the process
    with the same exit code when ``ready`` cannot be written.

    Args:
        port: TCP port; 0 takes a free one.
        ready: File that gets ``{"pid", "port", "url"}`` once a request was really answered.
        account: The account id that callers are taken to be in whose access key is none itself.
        region: The region of calls that the emulator makes to itself.
        without: Names of patches to leave out, to see what moto does by itself.
        calls: File that gets a line for each call (`recording`).

    """
    if not (account.isdecimal() and len(account) == 12):
        raise ConfigError(f"account {account!r}", "an AWS account id is 12 digits")
    listener = _listen(port)
    with listener:
        port = listener.getsockname()[1]
        server = _server(listener, account, region, without, calls)
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGINT, _end)
        main_thread = threading.get_ident()
        watch_lifeline(lambda: signal.pthread_kill(main_thread, signal.SIGTERM))
        announce = threading.Thread(target=_announce, args=(port, account, ready), name="announce", daemon=True)
        announce.start()
        server.run()


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # SO_REUSEADDR lets two sockets bind the same port as long as neither listens: only this settles whose it is.
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            why = "another program listens there" if error.errno == errno.EADDRINUSE else "it may not be opened"
            raise MissingError(f"port {port} on {HOST}", why, fix="Name another port, or 0 for any.") from error
        raise
    return listener


def _server(
    listener: socket.socket, account: str, region: str, without: Collection[str], calls: Path | None
) -> BaseWSGIServer:
    os.environ.update(_SETTINGS)
    os.environ["MOTO_PORT"] = str(listener.getsockname()[1])
    # It would be every caller's, whatever `callers` says.
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    os.environ["AWS_DEFAULT_REGION"] = region
    # moto reads its settings once, and a port that is taken should be told before a quarter of a second of imports.
    from stackyard.local.emulator.application import patched_application  # noqa: PLC0415  (see above)
    from stackyard.local.emulator.web import web_server  # noqa: PLC0415  (see above)

    application = patched_application(account, without)
    if calls is not None:
        from stackyard.local.emulator.recording import recorded  # noqa: PLC0415  (only who asks for it pays for it)

        application = recorded(application, calls)
    return web_server(application, listener)


def _announce(port: int, account: str, ready: Path) -> None:
    """Ask who we are, as every caller does first, and write the ready file when the answer is right."""
    try:
        answer = _caller_identity(port)
        if f"<Account>{account}</Account>" not in answer:
            raise MissingError("the emulator", f"does not answer for account {account}: {answer[:300]}")
        facts = {"pid": os.getpid(), "port": port, "url": f"http://{HOST}:{port}"}
        draft = ready.with_name(f".{ready.name}.{os.getpid()}")
        draft.write_text(json.dumps(facts) + "\n", encoding="utf-8")
        draft.replace(ready)
    except (OSError, http.client.HTTPException, MissingError) as error:
        print(f"error: {ready}: {error}", flush=True)  # noqa: T201  (its output is a log, not a screen)
        os._exit(MissingError.exit_code)


def _caller_identity(port: int) -> str:
    scope = "Credential=local/20260101/us-east-1/sts/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()
