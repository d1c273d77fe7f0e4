"""Clients of AWS are made without asking anybody, one of each however many threads want it."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from stackyard.project import find_target
from stackyard.tools.aws import EMULATED_KEY, Aws
from stackyard.tools.clusters import cluster_token
from stackyard.tools.ekstoken import PREFIX
from tests.unit.folder import Folder


@pytest.fixture
def emulated(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The laptop's, beside settings of a user's own that must not matter."""
    for name, value in (("AWS_PROFILE", "work"), ("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "theirs")):
        monkeypatch.setenv(name, value)
    return Aws(find_target(folder.read_project(), "local"), "http://127.0.0.1:1")


def test_threads_share_a_client(emulated: Aws) -> None:
    """Making one is not safe among threads, and not cheap."""
    with ThreadPoolExecutor(8) as pool:
        clients = list(pool.map(emulated.client, ["lambda"] * 8))
    assert len({id(client) for client in clients}) == 1
    assert emulated.client("ecs") is not clients[0]


def test_the_laptops_clients_know_its_keys_address_and_region_alone(emulated: Aws) -> None:
    """What a token for its cluster is signed with says so."""
    client = emulated.client("sts")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:1", emulated.target.region)
    token = cluster_token(emulated, "acme-local")
    encoded = token.removeprefix(PREFIX)
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    [credential] = parse_qs(url.query)["X-Amz-Credential"]
    assert url.netloc == "127.0.0.1:1"
    assert credential.startswith(f"{EMULATED_KEY}/")
    assert credential.endswith(f"/{emulated.target.region}/sts/aws4_request")
