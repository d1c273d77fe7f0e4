"""Which alarms a rollout watches: a service's own have a word in its file and a name in AWS.

The alarms themselves are Terraform's (infra/modules/monitoring).
"""

from __future__ import annotations

from dataclasses import replace

from stackyard.manifest import ROLLOUT_ALARMS
from stackyard.project import Target
from stackyard.services import Entry


def name_alarms(entry: Entry, target: Target) -> Entry:
    """Return the entry with its rollout's alarms by their names in AWS.

    Where the environment has no alarms, a service's own are left out: infra/app does the same.
    """
    names = [
        f"{target.resource_name(entry.name)}-{alarm}" if alarm in ROLLOUT_ALARMS else alarm
        for alarm in entry.service.rollout.alarms
        if alarm not in ROLLOUT_ALARMS or target.alarmed
    ]
    rollout = entry.service.rollout.model_copy(update={"alarms": names})
    return replace(entry, service=entry.service.model_copy(update={"rollout": rollout}))
