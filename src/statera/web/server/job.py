"""A job as it is kept and told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

__all__ = ["OVER", "Event", "Job", "job_of", "moment", "told"]

OVER = ("done", "failed", "cancelled", "interrupted")
"""States in which nothing more happens by itself."""


@dataclass(frozen=True)
class Event:
    """What a job told.

    Attributes
    ----------
    time
        Seconds since 1970.
    fraction
        0 to 1; None where it is unknown.
    message
    data
        JSON.
    """

    time: float
    fraction: float | None
    message: str
    data: str = "{}"


@dataclass(frozen=True)
class Job:
    """A job, without what it told.

    Attributes
    ----------
    id, user, task
    request, uploads
        JSON: what was asked, and what a worker has to know of the uploads it names.
    status
        ``queued``, ``running``, or one of :data:`OVER`.
    attempt
        How often it was begun.
    deaths, losses
        Workers and servers that ended under it since somebody last asked for it.
    fraction, message
        Of the last event.
    error
        JSON of a failure.
    created, started, ended
        Seconds since 1970.
    cancel
        Whether somebody wants it to stop.
    told
        The number of the last event of its journal that is in the database.
    """

    id: str
    user: str
    task: str
    request: str
    uploads: str
    status: str
    attempt: int
    deaths: int
    losses: int
    fraction: float | None
    message: str
    error: str | None
    created: float
    started: float | None
    ended: float | None
    cancel: bool
    told: int


def job_of(row: Row[Any]) -> Job:
    """Return a row of the table as a job."""
    return Job(**{name: getattr(row, name) for name in Job.__dataclass_fields__})


def told(job: Job) -> dict[str, Any]:
    """Return what the interface tells of a job."""
    return {
        "id": job.id,
        "task": job.task,
        "status": job.status,
        "attempt": job.attempt,
        "fraction": job.fraction,
        "message": job.message,
        "created": moment(job.created),
        "started": moment(job.started),
        "ended": moment(job.ended),
        "error": json.loads(job.error) if job.error else None,
    }


def moment(seconds: float | None) -> str | None:
    """Return a time as text, in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
