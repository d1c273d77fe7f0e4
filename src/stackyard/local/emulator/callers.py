"""Whose account a request is made in: the one whose number the access key is, for any other key the usual one.

Owns that rule alone, for moto and for the services of ours beside it. Keys are checked by nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "HTTP_X_MOTO_ACCOUNT_ID"
"""What moto reads a request's account from; whoever sends it by himself is not believed."""

_NUMBER = re.compile(r"Credential=(\d{12})/")


def with_accounts(application: WSGIApplication, usual: str) -> WSGIApplication:
    """Have an application told each request's account; ``usual`` is that of all keys that are no account's number."""

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[HEADER] = find_account(environ, usual)
        return application(environ, start_response)

    return serve


def find_account(environ: Mapping[str, object], usual: str) -> str:
    """Return the account of who signed a request."""
    found = _NUMBER.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    return found[1] if found else usual
