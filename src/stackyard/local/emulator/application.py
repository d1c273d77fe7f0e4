"""moto's WSGI application, each service patched before it answers its first request, and what moto lacks beside it.

Imported only after the settings stand in the environment: moto reads them once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from stackyard.local.emulator.callers import with_accounts
from stackyard.local.emulator.jsonservice import JsonService
from stackyard.local.emulator.kubernetes import with_kubernetes
from stackyard.local.emulator.patches import patch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask
    from moto.backends import SERVICE_NAMES

_OURS = {"AppRunner": "apprunner", "CodeDeploy_20141006": "codedeploy"}
"""What the protocol calls a service -> the package that has its ``OFFER``."""


def patched_application(account: str, without: Collection[str]) -> WSGIApplication:
    """Return the application; a service is imported, and patched, when it is first spoken to.

    ``account`` is that of callers whose access key names none (`callers`).
    """

    def create(service: SERVICE_NAMES) -> Flask:
        patch(service, without=without)
        return create_backend_app(service)

    moto = DomainDispatcherApplication(create)
    ours = {target: _Later(module) for target, module in _OURS.items()}

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")[0]
        return (ours[target].get() if target in ours else moto)(environ, start_response)

    return with_accounts(with_kubernetes(answer), account)


class _Later:
    """A service of ours, imported and made by the first request that is for it, however many come at once."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._made: WSGIApplication | None = None
        self._one_at_a_time = Lock()

    def get(self) -> WSGIApplication:
        with self._one_at_a_time:
            if self._made is None:
                module = import_module(f"stackyard.local.emulator.{self._module}.application")
                self._made = JsonService(module.OFFER)
            return self._made
