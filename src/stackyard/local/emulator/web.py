"""waitress, set up so that AWS's clients get on with it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from waitress.server import BaseWSGIServer


class _Parser(HTTPRequestParser):
    """Asks nobody to go on with a body of no bytes.

    boto3 sends ``Expect: 100-continue`` with empty objects too. waitress then waits for a body that is complete
    already, and the call hangs until it times out. RFC 9110, 10.1.1: a server may leave the 100 out when no body is
    coming.
    """

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.content_length == 0 and not self.chunked:
            self.expect_continue = False


class _Channel(HTTPChannel):
    parser_class = _Parser


def web_server(application: WSGIApplication, listener: socket.socket) -> BaseWSGIServer:
    """Return the server for a socket that listens; ``run()`` serves until SystemExit."""
    # The answers must leave in one write each (send_bytes): with headers and body in two, the AWS provider's client
    # now and then drops the connection after a create succeeded, retries, and meets "already exists".
    server = create_server(
        application,
        sockets=[listener],
        threads=32,
        connection_limit=500,
        channel_timeout=3600,
        cleanup_interval=3600,
        send_bytes=65536,
        ident=None,
    )
    one = cast("BaseWSGIServer", server)  # of many sockets waitress would make another kind
    one.channel_class = _Channel
    return one
