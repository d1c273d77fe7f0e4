"""What tasks print for programs (`--json`), as types. Know nothing of how it comes about.

`python -m stackyard.schemas` writes each as a JSON Schema to docs/reference/json, with the words below its keys.
"""

from __future__ import annotations

from typing import Any

from stackyard.documents import deploys, github, kept, services, template, watching

DOCUMENTS: dict[str, Any] = {
    "add-service": services.Added,
    "api-key": services.ApiKey,
    "backup": kept.BackedUp,
    "bootstrap": deploys.Bootstrapped,
    "cost": services.Cost,
    "deploy": deploys.Deployed,
    "destroy": deploys.Destroyed,
    "diff": deploys.Diff,
    "docker-push": list[deploys.PushedImage],
    "doctor": list[services.CheckResult],
    "drift": deploys.Drift,
    "github-facts": github.Facts,
    "github-report": github.Reported,
    "github-role": github.Role,
    "github-setup": list[github.Setting],
    "init": template.Initialised,
    "lock": template.Locked,
    "logs": watching.LogLine,
    "mend": list[kept.Finding],
    "plan": deploys.Plan,
    "prices": services.Prices,
    "promote": deploys.Deployed,
    "releases": deploys.Releases,
    "remove-service": services.Removed,
    "restore": kept.Restored,
    "rollback": deploys.Deployed,
    "services": list[services.Service],
    "state-history": kept.StateHistory,
    "state-restore": kept.RestoredState,
    "status": watching.Status,
    "trace": watching.Trace,
    "unlock": services.Unlocked,
    "upgrade": template.Upgraded,
}
"""A type by task. `inv logs` prints one on each line."""

LINES = frozenset({"logs"})
"""Tasks that print one document a line."""
