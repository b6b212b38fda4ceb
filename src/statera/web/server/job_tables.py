"""Tables of jobs, of what they told, and of the files they keep."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from statera.web.server.database import metadata

__all__ = ["events", "files", "jobs"]

jobs = Table(
    "web_jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("task", String(100), nullable=False),
    Column("request", Text, nullable=False),
    Column("uploads", Text, nullable=False),
    Column("status", String(12), nullable=False),
    Column("attempt", Integer, nullable=False),
    # workers that ended under it, and servers, since somebody last asked for it
    Column("deaths", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("fraction", Float),
    Column("message", Text, nullable=False),
    Column("error", Text),
    Column("created", Float, nullable=False),
    Column("started", Float),
    Column("ended", Float),
    # which server runs it, and until when that is believed without a sign of life
    Column("server", String(200), nullable=False),
    Column("lease", Float, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("last_event", Integer, nullable=False),
    # number of the last event of its journal that is written down here
    Column("told", Integer, nullable=False),
)
Index("web_jobs_of_user", jobs.c.user, jobs.c.created)
Index("web_jobs_by_status", jobs.c.status, jobs.c.created)

events = Table(
    "web_job_events",
    metadata,
    Column("job", String(32), ForeignKey("web_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("fraction", Float),
    Column("message", Text, nullable=False),
    Column("data", Text, nullable=False),
)

files = Table(
    "web_job_files",
    metadata,
    Column("job", String(32), ForeignKey("web_jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),
)
