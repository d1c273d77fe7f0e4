"""Two services that write down what reaches them, one behind each kind of integration.

What they saw is the judge of smuggling: a client learns from its answers only what the gateway believes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SEEN = "SEEN"
"""The variable that names the file that both append to, one JSON line a request."""

FUNCTION = """
import base64
import hashlib
import json
import os


def handler(event, context):
    body = base64.b64decode(event["body"] or "")
    pairs = [[name, value] for name, values in event["multiValueHeaders"].items() for value in values]
    told = {"service": "near", "verb": event["httpMethod"], "target": event["path"], "headers": pairs,
            "size": len(body), "digest": hashlib.sha256(body).hexdigest(), "fault": ""}
    with open(os.environ["SEEN"], "ab", buffering=0) as file:
        file.write(json.dumps(told).encode() + b"\\n")
    return {"statusCode": 200, "body": json.dumps(told)}
"""

SERVER = r"""
import hashlib
import json
import os
import socket
import sys
import threading


def note(told):
    with open(os.environ["SEEN"], "ab", buffering=0) as file:
        file.write(json.dumps(told).encode() + b"\n")


def read(client, data, enough):
    while not enough(data):
        piece = client.recv(65536)
        if not piece:
            return None
        data += piece
    return data


def serve(client):
    with client:
        data = b""
        while (data := read(client, data, lambda held: b"\r\n\r\n" in held)) is not None:
            head, _, data = data.partition(b"\r\n\r\n")
            first, *lines = head.split(b"\r\n")
            pairs = [[part.decode("latin-1") for part in line.split(b": ", 1)] for line in lines]
            lengths = [value for name, value in pairs if name.lower() == "content-length"]
            fault = ""
            if first.count(b" ") != 2 or not first.endswith(b" HTTP/1.1"):
                fault = f"request line {first!r}"
            elif any(len(pair) != 2 for pair in pairs) or b"\r" in head.replace(b"\r\n", b"") or b"\0" in head:
                fault = f"head {head!r}"
            elif len(lengths) > 1 or not all(each.isdecimal() for each in lengths):
                fault = f"lengths {lengths}"
            elif any(name.lower() == "transfer-encoding" for name, _ in pairs):
                fault = "transfer-encoding"
            elif [name.lower() for name, _ in pairs].count("host") != 1:
                fault = "host"
            size = int(lengths[0]) if lengths and not fault else 0
            data = read(client, data, lambda held: len(held) >= size)
            if data is None:
                return
            body, data = data[:size], data[size:]
            verb, target = first.decode("latin-1").split(" ")[:2] if not fault else ("", "")
            if target == "/health":
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                continue
            if data:
                fault = f"more than was said: {data[:40]!r}"
            told = {"service": "afar", "verb": verb, "target": target, "headers": pairs, "size": size,
                    "digest": hashlib.sha256(body).hexdigest(), "fault": fault}
            note(told)
            said = b"" if verb == "HEAD" else json.dumps(told).encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)
            client.sendall(head + said)


listener = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as a service saw it; ``fault`` says what no gateway may ever send."""

    service: str
    verb: str
    target: str
    headers: tuple[tuple[str, str], ...]
    size: int
    digest: str
    fault: str

    def values(self, name: str) -> list[str]:
        """Return the values of a header, ``name`` in lower case."""
        return [value for each, value in self.headers if each.lower() == name]


class Record:
    """What the services saw since it was last asked."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def take(self) -> list[Seen]:
        """Return what is new, in the order in which it arrived."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        return [_seen(line) for line in new.splitlines()]


def _seen(line: bytes) -> Seen:
    told = json.loads(line)
    headers = tuple((name, value) for name, value in told.pop("headers"))
    return Seen(headers=headers, **told)
