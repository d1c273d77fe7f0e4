"""A job, and its address, which is all of it that is kept.

Lambda freezes a process between requests and ends it when it likes: what a request leaves behind in memory or in a
thread may never be seen again. So a job is written into its own id. Owns that form; knows nothing of HTTP or of how a
job is done.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

_LONGEST = 4096  # characters; API Gateway takes 10,240 bytes of request line and headers


class Job(BaseModel):
    """Greet each of these."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)], ...],
        Field(min_length=1, max_length=5, examples=[["Ann", "Ben"]]),
    ]


def job_id(job: Job) -> str:
    """Return a job's id: letters, digits, - and _; the same job has the same one."""
    return base64.urlsafe_b64encode(job.model_dump_json().encode()).decode().rstrip("=")


def read_job(job_id: str) -> Job | None:
    """Return the job that an id stands for, checked as if it were just posted; None for what is no id of ours."""
    if len(job_id) > _LONGEST:
        return None
    try:
        text = base64.b64decode(job_id + "=" * (-len(job_id) % 4), altchars=b"-_", validate=True)
        return Job.model_validate_json(text)
    except (binascii.Error, ValidationError, ValueError):
        return None
