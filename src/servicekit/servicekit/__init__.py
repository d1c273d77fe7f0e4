"""What every service needs and nobody should write twice, cheap to import: it is every cold start.

Owns health, errors, request ids, logs, paths and the way into Lambda. Knows nothing of what a service is for, nor of
how it is deployed.
"""

import gc

_collecting = gc.isenabled()
# Importing FastAPI allocates much and frees nothing: collecting on the way is 5 % of a cold start.
gc.disable()
try:
    from servicekit.adoption import Adopted, adopt
    from servicekit.application import create_app
    from servicekit.aws import handler
    from servicekit.client import service_client
    from servicekit.context import RequestContext, current_request
    from servicekit.secrets import load_secrets
    from servicekit.settings import Settings, SettingsError
finally:
    if _collecting:
        gc.enable()

__all__ = [
    "Adopted",
    "RequestContext",
    "Settings",
    "SettingsError",
    "adopt",
    "create_app",
    "current_request",
    "handler",
    "load_secrets",
    "service_client",
]
