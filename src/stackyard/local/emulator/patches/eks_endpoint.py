"""A cluster's endpoint must lead somewhere: to the Kubernetes API that this process serves.

moto makes an address up. Nothing upstream is at fault here; moto ends where AWS does, at the cluster's door.
"""

from __future__ import annotations

import os
from typing import Any

from moto.eks.models import Cluster

from stackyard.local.emulator.kubernetes import endpoint_path


def apply() -> None:
    """Wrap ``Cluster.__init__``."""
    original = Cluster.__init__

    def init(self: Cluster, *positional: Any, **named: Any) -> None:  # passed on as it comes
        original(self, *positional, **named)
        self.endpoint = f"http://127.0.0.1:{os.environ['MOTO_PORT']}{endpoint_path(self.arn)}"

    Cluster.__init__ = init
