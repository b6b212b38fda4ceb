"""Jobs in the database, as users see and change them. Blocking: call it from threads."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from statera.web.server.failure import Failure
from statera.web.server.job import OVER, Event, Job, job_of, moment
from statera.web.server.job_tables import events, files, jobs

__all__ = ["JobStore", "add_events", "clock"]

_PAGE = 2000
"""Events told at once; who polls gets the rest with the next question."""


class JobStore:
    """Makes, shows, cancels, resumes and deletes the jobs of users.

    Parameters
    ----------
    engine
    most_active, most_kept
        Jobs of one user that may wait or run, and that may be kept.
    """

    def __init__(self, engine: Engine, most_active: int, most_kept: int) -> None:
        self._engine = engine
        self._most_active = most_active
        self._most_kept = most_kept

    def create(self, user: str, task: str, request: str, uploads: str) -> str:
        """Queue a job and return its id.

        Raises
        ------
        Failure
            429 if the user has too many.
        """
        with self._engine.begin() as connection:
            self._check_room(connection, user)
            job = secrets.token_hex(16)
            fields: dict[str, Any] = dict.fromkeys(("attempt", "deaths", "losses"), 0)
            fields |= {"id": job, "user": user, "task": task, "request": request}
            fields |= {"uploads": uploads, "status": "queued", "message": "waiting"}
            fields |= {"created": clock(connection), "server": "", "lease": 0.0}
            fields |= {"cancel": False, "last_event": 0, "told": 0}
            connection.execute(insert(jobs).values(**fields))
        return job

    def _check_room(self, connection: Connection, user: str) -> None:
        mine = select(func.count()).select_from(jobs).where(jobs.c.user == user)
        active = connection.scalar(mine.where(jobs.c.status.not_in(OVER))) or 0
        if active >= self._most_active:
            what = f"{active} of your jobs wait or run, and that is the limit"
            raise Failure(429, what, hint="Wait for one to end, or cancel one.", retry_after=10)
        if (connection.scalar(mine) or 0) >= self._most_kept:
            what = f"{self._most_kept} of your jobs are kept, and that is the limit"
            raise Failure(429, what, hint="Delete some that you no longer need.", retry_after=60)

    def listed(self, user: str) -> list[Job]:
        """Return the jobs of a user, newest first."""
        asked = _light().where(jobs.c.user == user).order_by(jobs.c.created.desc())
        with self._engine.connect() as connection:
            return [job_of(row) for row in connection.execute(asked)]

    def find(self, user: str, job: str) -> Job:
        """Return a job, without its request.

        Raises
        ------
        Failure
            404 if this user has none of that id.
        """
        with self._engine.connect() as connection:
            return self._find(connection, user, job)

    @staticmethod
    def _find(connection: Connection, user: str, job: str) -> Job:
        asked = _light().where(jobs.c.id == job, jobs.c.user == user)
        row = connection.execute(asked).first()
        if row is None:
            raise _no_such_job()
        return job_of(row)

    def request(self, user: str, job: str) -> str:
        """Return what was asked, as JSON.

        Raises
        ------
        Failure
            404 if this user has none of that id.
        """
        asked = select(jobs.c.request).where(jobs.c.id == job, jobs.c.user == user)
        with self._engine.connect() as connection:
            found = connection.scalar(asked)
        if found is None:
            raise _no_such_job()
        return str(found)

    def told_after(self, job: str, seq: int) -> list[dict[str, Any]]:
        """Return what a job told after the event `seq`."""
        asked = select(events).where(and_(events.c.job == job, events.c.seq > seq))
        asked = asked.order_by(events.c.seq).limit(_PAGE)
        with self._engine.connect() as connection:
            return [
                {
                    "seq": row.seq,
                    "time": moment(row.time),
                    "fraction": row.fraction,
                    "message": row.message,
                    "data": json.loads(row.data),
                }
                for row in connection.execute(asked)
            ]

    def files(self, job: str) -> list[dict[str, Any]]:
        """Return name, media type and size of the files a job keeps."""
        asked = select(files.c.name, files.c.media_type, files.c.size)
        asked = asked.where(files.c.job == job).order_by(files.c.name)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(asked)]

    def cancel(self, user: str, job: str) -> Job:
        """Let a job stop: at once if it waits, else when its worker heeds it.

        Raises
        ------
        Failure
            404, or 409 if it is over.
        """
        with self._engine.begin() as connection:
            now = clock(connection)
            mine = and_(jobs.c.id == job, jobs.c.user == user)
            waiting = update(jobs).where(mine, jobs.c.status == "queued")
            stopped = waiting.values(status="cancelled", ended=now, message="cancelled")
            if not connection.execute(stopped).rowcount:
                running = update(jobs).where(mine, jobs.c.status == "running")
                if not connection.execute(running.values(cancel=True)).rowcount:
                    found = self._find(connection, user, job)
                    raise Failure(409, f"the job is {found.status} already", "job")
            return self._find(connection, user, job)

    def resume(self, user: str, job: str) -> Job:
        """Let a job that was cancelled, failed or interrupted go on.

        Raises
        ------
        Failure
            404; 409 if it is in another state; 429 if the user has too many.
        """
        with self._engine.begin() as connection:
            found = self._find(connection, user, job)
            self._check_room_to_go_on(connection, user)
            changed = connection.execute(
                update(jobs)
                .where(jobs.c.id == job, jobs.c.status.in_(("cancelled", "failed", "interrupted")))
                .values(
                    status="queued", cancel=False, deaths=0, losses=0, error=None, ended=None,
                    message="waiting to go on",
                )
            )  # fmt: skip
            if not changed.rowcount:
                raise Failure(409, f"the job is {found.status}: there is nothing to resume", "job")
            return self._find(connection, user, job)

    def _check_room_to_go_on(self, connection: Connection, user: str) -> None:
        mine = select(func.count()).where(jobs.c.user == user, jobs.c.status.not_in(OVER))
        if (connection.scalar(mine) or 0) >= self._most_active:
            what = f"{self._most_active} of your jobs wait or run, and that is the limit"
            raise Failure(429, what, hint="Wait for one to end, or cancel one.", retry_after=10)

    def delete(self, user: str, job: str) -> None:
        """Forget a job that is over; its folder is the business of the caller.

        Raises
        ------
        Failure
            404, or 409 while it waits or runs.
        """
        with self._engine.begin() as connection:
            found = self._find(connection, user, job)
            gone = connection.execute(delete(jobs).where(jobs.c.id == job, jobs.c.status.in_(OVER)))
            if not gone.rowcount:
                raise Failure(409, f"the job is {found.status}", "job", "Cancel it first.")

    def delete_older(self, seconds: float) -> list[str]:
        """Forget all jobs that were over `seconds` ago, and return their ids."""
        with self._engine.begin() as connection:
            old = and_(jobs.c.status.in_(OVER), jobs.c.ended < clock(connection) - seconds)
            found = [row.id for row in connection.execute(select(jobs.c.id).where(old))]
            connection.execute(delete(jobs).where(jobs.c.id.in_(found)))
        return found

    def counts(self) -> dict[str, int]:
        """Return how many jobs are in each state."""
        asked = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(asked)}


def _light() -> Select[Any]:
    """Select jobs without their requests, which may be long and which nobody needs in a list."""
    long = ("request", "uploads")
    return select(
        *(column for column in jobs.c if column.name not in long),
        *(literal("").label(name) for name in long),
    )


def _no_such_job() -> Failure:
    return Failure(404, "there is no such job", "job", "It may have been deleted.")


def add_events(connection: Connection, job: str, told: list[Event]) -> None:
    """Append events to a job inside a transaction that has changed its row (and so holds it)."""
    last = connection.scalar(select(jobs.c.last_event).where(jobs.c.id == job)) or 0
    rows = [{"job": job, "seq": last + place, **vars(event)} for place, event in enumerate(told, 1)]
    if rows:
        connection.execute(insert(events), rows)
        connection.execute(update(jobs).where(jobs.c.id == job).values(last_event=last + len(rows)))


def clock(connection: Connection) -> float:
    """Return the time that all servers on a database share, in seconds since 1970."""
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0.0)
