"""Which server runs which job. Blocking: call it from threads.

A server that takes a job holds it for a while (a lease) and says again and again that it lives.
Every change names the server and the attempt, so that one that was believed dead changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from statera.web.server.job import Event, Job, job_of
from statera.web.server.job_store import add_events, clock
from statera.web.server.job_tables import files, jobs

__all__ = ["LEASE_SECONDS", "JobLeases"]

LEASE_SECONDS = 20.0
_LOSSES = 5
"""A job under which so many servers ended without a word is put aside."""


class JobLeases:
    """Takes jobs for one server, and writes down what becomes of them.

    Parameters
    ----------
    engine
    server
        Name of this server, unlike all others.
    """

    def __init__(self, engine: Engine, server: str) -> None:
        self._engine = engine
        self.server = server

    def take_back(self, dead: Sequence[str]) -> None:
        """Let go at once of what servers held that are known to have ended."""
        if dead:
            with self._engine.begin() as connection:
                held = and_(jobs.c.status == "running", jobs.c.server.in_(dead))
                connection.execute(update(jobs).where(held).values(lease=0.0))

    def holders(self) -> list[str]:
        """Return the names of servers that hold jobs."""
        asked = select(jobs.c.server).where(jobs.c.status == "running").distinct()
        with self._engine.connect() as connection:
            return [row.server for row in connection.execute(asked)]

    def take(self) -> Job | None:
        """Take the next job that waits, or that another server has lost; None if there is none."""
        for _ in range(10):  # others may take what was seen here: look again
            with self._engine.begin() as connection:
                now = clock(connection)
                seen = connection.execute(_next(now)).first()
                if seen is None:
                    return None
                job = self._take(connection, job_of(seen), now)
                if job is not None:
                    return job
        return None

    def _take(self, connection: Connection, seen: Job, now: float) -> Job | None:
        lost = seen.status == "running"
        as_seen = and_(
            jobs.c.id == seen.id,
            jobs.c.status == seen.status,
            jobs.c.attempt == seen.attempt,
            or_(jobs.c.status == "queued", jobs.c.lease < now),
        )
        losses = seen.losses + lost
        if seen.cancel or losses > _LOSSES:
            _put_aside(connection, as_seen, seen, now)
            return None
        changed = connection.execute(
            update(jobs)
            .where(as_seen)
            .values(
                status="running", attempt=seen.attempt + 1, losses=losses, server=self.server,
                lease=now + LEASE_SECONDS, started=seen.started or now, message="starting",
            )
        )  # fmt: skip
        if not changed.rowcount:
            return None
        words = "started" if not seen.attempt else f"goes on (attempt {seen.attempt + 1})"
        if lost:
            words = f"the server had ended; {words}"
        add_events(connection, seen.id, [Event(now, seen.fraction, words)])
        return job_of(connection.execute(select(jobs).where(jobs.c.id == seen.id)).one())

    def beat(self, job: Job) -> str:
        """Prolong the lease; return ``held``, ``cancel``, or ``lost`` to another server."""
        with self._engine.begin() as connection:
            until = clock(connection) + LEASE_SECONDS
            changed = connection.execute(update(jobs).where(self._mine(job)).values(lease=until))
            if not changed.rowcount:
                return "lost"
            wanted = connection.scalar(select(jobs.c.cancel).where(jobs.c.id == job.id))
            return "cancel" if wanted else "held"

    def tell(self, job: Job, told: list[Event], number: int) -> bool:
        """Append events, up to `number` of its journal; False if another server has the job."""
        with self._engine.begin() as connection:
            last = told[-1]
            changed = connection.execute(
                update(jobs)
                .where(self._mine(job))
                .values(fraction=last.fraction, message=last.message, told=number)
            )
            if changed.rowcount:
                add_events(connection, job.id, told)
            return bool(changed.rowcount)

    def keep_file(self, job: Job, name: str, media_type: str, size: int) -> None:
        """Note a file that the job keeps; one of the same name is replaced."""
        with self._engine.begin() as connection:
            mine = connection.execute(select(jobs.c.id).where(self._mine(job))).first()
            same = and_(files.c.job == job.id, files.c.name == name)
            fields = {"media_type": media_type, "size": size}
            if (
                mine is not None
                and not connection.execute(update(files).where(same).values(**fields)).rowcount
            ):
                connection.execute(insert(files).values(job=job.id, name=name, **fields))

    def end(self, job: Job, status: str, message: str, error: dict[str, Any] | None = None) -> None:
        """Write down how a job ended."""
        with self._engine.begin() as connection:
            now = clock(connection)
            fraction = 1.0 if status == "done" else job.fraction
            fields: dict[str, Any] = {"status": status, "ended": now, "message": message}
            if status == "done":
                fields["fraction"] = 1.0
            words = None if error is None else json.dumps(error, ensure_ascii=False)
            changed = connection.execute(
                update(jobs).where(self._mine(job)).values(**fields, error=words, server="")
            )
            if changed.rowcount:
                add_events(connection, job.id, [Event(now, fraction, message)])

    def give_back(self, job: Job, message: str, *, death: bool = False) -> None:
        """Put a job back in the queue; with `death` because its worker ended."""
        with self._engine.begin() as connection:
            now = clock(connection)
            changed = connection.execute(
                update(jobs)
                .where(self._mine(job))
                .values(
                    status="queued", server="", lease=0.0, message=message,
                    deaths=jobs.c.deaths + int(death),
                )
            )  # fmt: skip
            if changed.rowcount:
                add_events(connection, job.id, [Event(now, job.fraction, message)])

    def _mine(self, job: Job) -> ColumnElement[bool]:
        return and_(
            jobs.c.id == job.id,
            jobs.c.status == "running",
            jobs.c.server == self.server,
            jobs.c.attempt == job.attempt,
        )


def _next(now: float) -> Any:
    """Return the question for the next job: first of the users who have the fewest running."""
    other = jobs.alias("other")
    running = (
        select(func.count())
        .where(other.c.user == jobs.c.user, other.c.status == "running", other.c.lease >= now)
        .scalar_subquery()
    )
    lost = and_(jobs.c.status == "running", jobs.c.lease < now)
    free = or_(jobs.c.status == "queued", lost)
    return select(jobs).where(free).order_by(running, jobs.c.created, jobs.c.id).limit(1)


def _put_aside(connection: Connection, as_seen: ColumnElement[bool], seen: Job, now: float) -> None:
    status, message, error = "cancelled", "cancelled", None
    if not seen.cancel:
        status, message = "interrupted", "put aside: servers ended again and again while it ran"
        hint = "Resume it to try again; it may need more memory than there is."
        error = json.dumps({"what": message, "where": seen.task, "hint": hint, "kind": "lost"})
    changed = connection.execute(
        update(jobs)
        .where(as_seen)
        .values(status=status, ended=now, message=message, error=error, server="")
    )
    if changed.rowcount:
        add_events(connection, seen.id, [Event(now, seen.fraction, message)])
