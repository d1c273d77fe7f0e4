"""What happens between the apply and the verification: what Terraform cannot wait for, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackyard.commands.cluster import roll_out as roll_out_in_cluster
from stackyard.commands.session import Session


def roll_out(session: Session, outputs: Mapping[str, Any]) -> None:
    """Bring every service to its new image, and wait until it runs.

    Raises ToolError with the reason and the service's last lines for a rollout that fails.
    """
    if outputs.get("eks"):
        with session.screen.stage("roll out"):
            roll_out_in_cluster(session, outputs)
