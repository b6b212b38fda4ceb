"""Who runs which job: leases, turns, and servers that were believed dead."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from statera.web import journal
from statera.web.server.database import open_database
from statera.web.server.failure import Failure
from statera.web.server.job import Event, Job
from statera.web.server.job_leases import JobLeases
from statera.web.server.job_run import JobRun
from statera.web.server.job_store import JobStore
from statera.web.server.job_tables import jobs
from statera.web.server.server_name import ended_servers, new_server_name

from .run_alone import run_alone
from .small_tasks import TASKS


@pytest.fixture
def engine(database: str, tmp_path: Path) -> Iterator[Engine]:
    """An open, empty database."""
    opened = open_database(database, tmp_path)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> JobStore:
    return JobStore(engine, 1000, 2000)


def expire(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(jobs).values(lease=0.0))


def take(leases: JobLeases) -> Job:
    job = leases.take()
    assert job is not None
    return job


def test_no_job_is_taken_twice(engine: Engine, store: JobStore) -> None:
    wanted = {store.create("ann", "steps", "{}", "{}") for _ in range(40)}

    def take_all(name: str) -> list[str]:
        leases, found = JobLeases(engine, name), []
        while (job := leases.take()) is not None:
            found.append(job.id)
            leases.end(job, "done", "done")
        return found

    with ThreadPoolExecutor(4) as threads:
        taken = [job for found in threads.map(take_all, "abcd") for job in found]
    assert sorted(taken) == sorted(wanted)


def test_users_take_turns(engine: Engine, store: JobStore) -> None:
    for user in ("ann", "ann", "ann", "bob"):
        store.create(user, "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    assert [take(leases).user for _ in range(4)] == ["ann", "bob", "ann", "ann"]


def test_what_was_told_is_written_down_once(
    engine: Engine, store: JobStore, tmp_path: Path
) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    first = take(leases)
    for number in range(1, 5):  # the server ends when it has written down two of four
        told = {"number": number, "time": 0.0, "fraction": None, "message": f"{number}"}
        journal.append(tmp_path, {**told, "data": {"iteration": number}})
    assert leases.tell(first, [Event(0.0, None, f"{n}", f'{{"n":{n}}}') for n in (1, 2)], 2)
    for _ in range(3):  # and the attempts after it end before they tell anything
        expire(engine)
        job = take(leases)
        run_alone(JobRun(leases, job, TASKS["steps"], tmp_path, 1.0)._recover())
    messages = [event["message"] for event in store.told_after(name, 0)]
    assert [message for message in messages if message.isdigit()] == ["1", "2", "3", "4"]


def test_a_lost_server_changes_nothing_any_more(engine: Engine, store: JobStore) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    first, second = JobLeases(engine, "a"), JobLeases(engine, "b")
    old = take(first)
    assert first.beat(old) == "held"
    assert second.take() is None
    expire(engine)
    new = take(second)
    assert (new.id, new.attempt, new.losses) == (name, 2, 1)
    assert first.beat(old) == "lost"
    assert not first.tell(old, [Event(0.0, 0.5, "from the dead")], 1)
    first.keep_file(old, "x.txt", "text/plain", 1)
    first.end(old, "failed", "from the dead")
    first.give_back(old, "from the dead")
    found = store.find("ann", name)
    assert (found.status, found.message) == ("running", "starting")
    assert store.files(name) == []
    assert all("dead" not in event["message"] for event in store.told_after(name, 0))


def test_a_job_under_which_servers_end_is_put_aside(engine: Engine, store: JobStore) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    for attempt in range(1, 7):
        assert take(leases).attempt == attempt
        expire(engine)
    assert leases.take() is None
    assert store.find("ann", name).status == "interrupted"
    store.resume("ann", name)
    assert take(leases).attempt == 7


def test_what_was_to_be_cancelled_is_not_begun_again(engine: Engine, store: JobStore) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    job = take(leases)
    store.cancel("ann", name)
    assert leases.beat(job) == "cancel"
    expire(engine)
    assert leases.take() is None
    assert store.find("ann", name).status == "cancelled"


def test_deaths_count_until_somebody_resumes(engine: Engine, store: JobStore) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    leases.give_back(take(leases), "tried again", death=True)
    job = take(leases)
    assert (job.deaths, job.attempt) == (1, 2)
    leases.end(job, "failed", "no", {"what": "no"})
    assert store.resume("ann", name).deaths == 0


def test_jobs_are_of_their_users_and_bounded(engine: Engine) -> None:
    store = JobStore(engine, 1, 2)
    name = store.create("ann", "steps", "{}", "{}")
    for act in (store.find, store.cancel, store.resume, store.delete):
        with pytest.raises(Failure, match="404"):
            act("bob", name)
    with pytest.raises(Failure, match="limit"):
        store.create("ann", "steps", "{}", "{}")
    store.create("bob", "steps", "{}", "{}")
    store.cancel("ann", name)
    store.create("ann", "steps", "{}", "{}")
    with pytest.raises(Failure, match="limit"):
        store.resume("ann", name)
    assert store.counts() == {"cancelled": 1, "queued": 2}


def test_old_jobs_are_deleted_with_what_they_told(engine: Engine, store: JobStore) -> None:
    name = store.create("ann", "steps", "{}", "{}")
    other = store.create("ann", "steps", "{}", "{}")
    leases = JobLeases(engine, "a")
    job = take(leases)
    leases.keep_file(job, "x.txt", "text/plain", 1)
    leases.keep_file(job, "x.txt", "text/plain", 2)
    assert [file["size"] for file in store.files(name)] == [2]
    leases.end(job, "done", "done")
    assert store.delete_older(3600) == []
    assert store.delete_older(-1) == [name]
    assert store.told_after(name, 0) == []
    assert [job.id for job in store.listed("ann")] == [other]


def test_a_server_knows_who_has_ended_beside_it() -> None:
    own = new_server_name()
    place, number, _ = own.split("/")
    assert place, "this system does not tell boots and spaces of processes apart"
    before = f"{place}/{number}/0000"  # its number is this process's now
    parent, elsewhere = f"{place}/1/0000", f"other-machine/{number}/0000"
    assert ended_servers([own, before, parent, elsewhere, "", "x/y"], own) == [before]
