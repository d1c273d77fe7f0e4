"""AWS's own client library, towards an embedded AWS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import boto3

REGION = "eu-west-1"


def make_client(url: str, service: str, key: str = "local") -> Any:  # boto3 makes its clients at run time
    """Return boto3's client of a service at an embedded AWS, in the account whose number ``key`` is."""
    make = cast("Callable[..., Any]", boto3.client)
    keys = {"aws_access_key_id": key, "aws_secret_access_key": "local"}
    return make(service, endpoint_url=url, region_name=REGION, **keys)
