"""moto's WSGI application, each service patched before it answers its first request.

Imported only after the settings stand in the environment: moto reads them once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from stackyard.local.emulator.kubernetes import with_kubernetes
from stackyard.local.emulator.patches import patch

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask
    from moto.backends import SERVICE_NAMES


def patched_application(without: Collection[str]) -> WSGIApplication:
    """Return the application; a service is imported, and patched, when it is first spoken to."""

    def create(service: SERVICE_NAMES) -> Flask:
        patch(service, without=without)
        return create_backend_app(service)

    return with_kubernetes(DomainDispatcherApplication(create))
