"""What the server has to know about a task, without importing what computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["Request", "Task", "UploadId"]

UploadId = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32}|sample-[a-z0-9-]{1,60})$")]
"""An uploaded file, or one of the samples that come with the program."""


class Request(BaseModel):
    """Base of all requests: unknown keys are refused, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Task:
    """One thing that can be computed.

    Attributes
    ----------
    name
        Part of its address: ``/api/v1/tasks/NAME`` and ``/api/v1/jobs/NAME``.
    request
        The model of its request.
    run
        Where it is computed: ``"statera.web.tasks.simulate:run"``.
    summary
        One sentence for the description of the interface.
    job
        True: too long to wait for; it can be asked as a job only.
    cacheable
        Equal requests have equal answers and hold nothing private: answers may be kept in memory
        and given to anybody.
    seconds, memory_mb
        Limits of one run; a worker that exceeds them is ended, and the answer says so.
    """

    name: str
    request: type[Request]
    run: str
    summary: str
    job: bool = False
    cacheable: bool = False
    seconds: float = 30.0
    memory_mb: int = 4096
