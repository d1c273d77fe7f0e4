"""An image's tag changes with everything that goes into the image, and with nothing else."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stackyard.commands.observe import wanted_images
from stackyard.commands.session import Session
from stackyard.errors import ConfigError, MissingError
from stackyard.images import Image, locked_share, manifest_digest, plan_images, render_manifest
from stackyard.kinds import KINDS, awslambda
from stackyard.kinds.kind import Kind
from stackyard.testing import Printed, ScriptedRunner
from stackyard.tools.tree import hash_files, read_lock
from tests.unit.folder import Folder

LOCK = """\
[[package]]
name = "web"
version = "0.1.0"
source = { editable = "src/services/web" }
dependencies = [{ name = "fastapi" }, { name = "uvicorn", extra = ["standard"] }, { name = "servicekit" }]

[package.optional-dependencies]
debug = [{ name = "debugger" }]

[package.dev-dependencies]
test = [{ name = "pytest" }]

[[package]]
name = "worker"
version = "0.1.0"
source = { editable = "src/services/worker" }
dependencies = [{ name = "fastapi", extra = ["all"] }]

[[package]]
name = "servicekit"
version = "0.1.0"
source = { editable = "src/servicekit" }
dependencies = [{ name = "mangum", marker = "sys_platform != 'win32'" }]

[[package]]
name = "fastapi"
version = "1.0"
sdist = { hash = "sha256:f0" }
wheels = [{ hash = "sha256:f2" }, { hash = "sha256:f1" }]
dependencies = [{ name = "starlette" }]

[package.optional-dependencies]
all = [{ name = "jinja" }]

[[package]]
name = "starlette"
version = "2.0"
wheels = [{ hash = "sha256:s" }]
dependencies = [{ name = "fastapi" }]

[[package]]
name = "uvicorn"
version = "3.0"
wheels = [{ hash = "sha256:u" }]

[package.optional-dependencies]
standard = [{ name = "httptools" }]

[[package]]
name = "httptools"
version = "4.0"
wheels = [{ hash = "sha256:h" }]

[[package]]
name = "mangum"
version = "5.0"
wheels = [{ hash = "sha256:m5" }]

[[package]]
name = "mangum"
version = "6.0"
wheels = [{ hash = "sha256:m6" }]

[[package]]
name = "jinja"
version = "7.0"
wheels = [{ hash = "sha256:j" }]

[[package]]
name = "pytest"
version = "8.0"
wheels = [{ hash = "sha256:p" }]

[[package]]
name = "debugger"
version = "9.0"
wheels = [{ hash = "sha256:d" }]
"""


@pytest.fixture
def places(folder: Folder) -> Folder:
    """A project of two services with all that goes into an image."""
    folder.service("web")
    folder.service("worker")
    folder.write("src/services/web/tests/test_web.py", "")
    folder.write("src/servicekit/servicekit/app.py", "x = 1\n")
    folder.write("Dockerfile", "FROM scratch\n")
    folder.write("uv.lock", LOCK)
    return folder


def tags(folder: Folder) -> dict[str, str]:
    session = Session.begin(folder.root, "local", Printed.__new__(Printed).screen) if False else None
    assert session is None
    return {}


def lock() -> dict[str, Any]:
    return tomllib.loads(LOCK)


def test_a_package_draws_in_what_it_needs_and_the_extras_that_are_asked_for() -> None:
    """Every version that a marker may choose, with sorted hashes; no tests' packages, no extras of others."""
    assert locked_share(lock(), "web") == [
        "fastapi==1.0 sha256:f0 sha256:f1 sha256:f2",
        "httptools==4.0 sha256:h",
        "mangum==5.0 sha256:m5",
        "mangum==6.0 sha256:m6",
        "starlette==2.0 sha256:s",
        "uvicorn==3.0 sha256:u",
    ]
    assert "jinja==7.0 sha256:j" in locked_share(lock(), "worker")


def test_the_order_in_the_lock_does_not_matter() -> None:
    """uv sorts, but who merges lock files may not."""
    turned = lock()
    turned["package"].reverse()
    assert locked_share(turned, "web") == locked_share(lock(), "web")


def test_a_service_that_the_lock_does_not_know_is_refused() -> None:
    """A tag without any pins would say that nothing changed when all of them did."""
    with pytest.raises(MissingError, match="it has no package shop") as caught:
        locked_share(lock(), "shop")
    assert caught.value.command == "uv lock"
