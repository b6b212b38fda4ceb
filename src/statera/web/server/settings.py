"""What an operator may set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Limits", "Settings"]


@dataclass(frozen=True)
class Limits:
    """How much one user may ask for.

    Attributes
    ----------
    request_bytes
        Largest body of a request that is not an upload.
    upload_bytes
        Largest single upload.
    user_bytes
        Uploads of one user together.
    jobs
        Queued and running jobs of one user.
    requests_per_minute
        Requests for computing of one user, with bursts of a sixth of it.
    """

    request_bytes: int = 2_000_000
    upload_bytes: int = 300_000_000
    user_bytes: int = 3_000_000_000
    jobs: int = 20
    requests_per_minute: int = 1_200


@dataclass(frozen=True)
class Settings:
    """How a server runs.

    Attributes
    ----------
    folder
        Where uploads, files of jobs and, by default, the database lie.
    database
        URL of SQLAlchemy; empty for SQLite in `folder`.
    host, port
        Where it listens. Without sign-in it must be a loopback address.
    workers
        Processes that answer requests at once.
    job_workers
        Processes that run jobs.
    limits
    """

    folder: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8321
    workers: int = 2
    job_workers: int = 1
    limits: Limits = field(default_factory=Limits)
