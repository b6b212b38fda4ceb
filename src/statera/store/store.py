"""Keep requests and their results. A document and its entry in the audit trail come together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, delete, event, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from statera.errors import InputError, UnknownNameError, UsageError
from statera.manifest import content_hash
from statera.store import audit as trail
from statera.store.tables import patients, requests, results

__all__ = ["Store", "StoredRequest", "StoredResult", "canonical", "open_store"]

LARGEST = 20_000_000
"""Characters of one document."""


@dataclass(frozen=True)
class StoredRequest:
    """A request as it was stored.

    Attributes
    ----------
    hash
        Of its canonical text: equal requests are one.
    patient_id, label, created
        Whose it is, its own name, and when it first came.
    document
    """

    hash: str
    patient_id: str
    label: str
    created: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class StoredResult:
    """A result as it was stored; a request may have several, by different versions.

    Attributes
    ----------
    id
        Number in the store.
    request_hash
    hash
        Of the document without its manifest, which holds the time of the run.
    created
    document, manifest
    """

    id: int
    request_hash: str
    hash: str
    created: str
    document: Mapping[str, Any]
    manifest: Mapping[str, Any]


def canonical(document: Mapping[str, Any]) -> str:
    """Return the one text of a document: keys sorted, no spaces, finite numbers only.

    Raises
    ------
    InputError
        If it holds what JSON cannot, or is too large.
    """
    try:
        found = json.dumps(
            document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"the document cannot be stored: {error}", where="document") from error
    if len(found) > LARGEST:
        raise InputError(
            f"the document has {len(found)} characters, and at most {LARGEST} are stored",
            where="document",
            hint="Ask for fewer times or candidates.",
        )
    return found


def open_store(url: str = "sqlite:///statera.db") -> Store:
    """Open a store, making or updating its tables.

    Parameters
    ----------
    url
        ``sqlite:///FILE``, or ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE``.

    Raises
    ------
    UsageError
        If the URL is not one of a known database.
    InputError
        If the database does not answer, or is of a newer version of this program.
    """
    try:
        address = make_url(url)
        if address.drivername == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
        if address.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(address.drivername)
        engine = create_engine(address)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise UsageError(
            f"'{url}' is not the address of a database that is known",
            where="store",
            hint="Write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE.",
        ) from error
    if address.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
        event.listen(engine, "begin", _sqlite_begin)
    store = Store(engine)
    try:
        store.migrate()
    except InputError:
        store.close()
        raise
    except SQLAlchemyError as error:
        store.close()
        raise _unusable(address.render_as_string(hide_password=True), error) from error
    return store


def _sqlite_settings(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by `_sqlite_begin` alone
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA busy_timeout=10000")


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _unusable(url: str, error: Exception) -> InputError:
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return InputError(
        f"the database at {url} cannot be used: {said[0] if said else type(error).__name__}",
        where="store",
        hint="Check that it runs, that the address is right and that you may write there.",
    )


class Store:
    """A database of requests and results; `open_store` makes one.

    Parameters
    ----------
    engine
        Of a database whose tables are up to date.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that no other writer shares: the audit trail is a chain."""
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
            yield connection

    def migrate(self) -> None:
        """Bring the tables up to date, all steps or none.

        Raises
        ------
        InputError
            If the database was written by a newer version.
        """
        config = Config()
        config.set_main_option("script_location", str(files("statera.store") / "migrations"))
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # several programs may start at once
                connection.execute(text("SELECT pg_advisory_xact_lock(7282537)"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise InputError(
                    "the database was made by a newer version of this program",
                    where="store",
                    hint="Update Statera, or open another database.",
                ) from error

    def save(
        self,
        request: Mapping[str, Any],
        result: Mapping[str, Any] | None = None,
        *,
        manifest: Mapping[str, Any] | None = None,
        actor: str = "",
    ) -> tuple[str, int | None]:
        """Store a request and, where there is one, its result; both or neither.

        Parameters
        ----------
        request
            With ``patient.id``; laid out as in ``docs/requests.md``.
        result
            Without its manifest.
        manifest
            How the result was made.
        actor
            Who asks, for the audit trail.

        Returns
        -------
        tuple of str and int or None
            Hash of the request and number of the result.
        """
        patient = (request.get("patient") or {}).get("id")
        if not isinstance(patient, str) or not patient or len(patient) > 200:
            raise InputError(
                "the request names no patient by a text of at most 200 characters",
                where="patient.id",
                hint='Write [patient] id = "...".',
            )
        document = canonical(request)
        answer = None if result is None else canonical(result)
        made = canonical(manifest or {})
        key = content_hash(document)
        with self._writing() as connection:
            known = connection.execute(select(patients.c.id).where(patients.c.id == patient))
            if known.first() is None:
                connection.execute(patients.insert().values(id=patient, created=trail.now()))
                trail.append(connection, actor, "store patient", patient, content_hash(patient))
            there = connection.execute(select(requests.c.hash).where(requests.c.hash == key))
            if there.first() is None:
                connection.execute(
                    requests.insert().values(
                        hash=key,
                        patient_id=patient,
                        label=str(request.get("id", "request"))[:200],
                        document=document,
                        created=trail.now(),
                    )
                )
                trail.append(connection, actor, "store request", patient, key)
            number = None
            if answer is not None:
                digest = content_hash(answer)
                number = connection.execute(
                    results.insert()
                    .values(
                        request_hash=key,
                        hash=digest,
                        document=answer,
                        manifest=made,
                        created=trail.now(),
                    )
                    .returning(results.c.id)
                ).scalar_one()
                trail.append(connection, actor, "store result", patient, digest)
        return key, number

    def patients(self) -> tuple[str, ...]:
        """Return the identifiers of all patients, in order."""
        with self._engine.connect() as connection:
            return tuple(
                connection.execute(select(patients.c.id).order_by(patients.c.id)).scalars()
            )

    def requests(self, patient: str | None = None) -> tuple[StoredRequest, ...]:
        """Return the requests, of one patient where given, oldest first."""
        query = select(requests).order_by(requests.c.created, requests.c.hash)
        if patient is not None:
            query = query.where(requests.c.patient_id == patient)
        with self._engine.connect() as connection:
            return tuple(_request(row) for row in connection.execute(query))

    def request(self, key: str) -> StoredRequest:
        """Return a request by its hash, or by the first characters of it.

        Raises
        ------
        UnknownNameError
            If there is none.
        UsageError
            If there are several.
        """
        wanted = key.removeprefix("sha256:")
        with self._engine.connect() as connection:
            query = select(requests).where(requests.c.hash.startswith(f"sha256:{wanted}"))
            found = connection.execute(query).all()
            if not found:
                known = connection.execute(select(requests.c.hash)).scalars()
                names = [k.removeprefix("sha256:")[:12] for k in known]
                raise UnknownNameError("request", wanted, names)
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} requests begin with '{wanted}'",
                where="request",
                hint="Give more characters of the hash.",
            )
        return _request(found[0])

    def results(self, key: str) -> tuple[StoredResult, ...]:
        """Return the results of a request, oldest first."""
        full = self.request(key).hash
        query = select(results).where(results.c.request_hash == full).order_by(results.c.id)
        with self._engine.connect() as connection:
            return tuple(
                StoredResult(
                    row.id,
                    row.request_hash,
                    row.hash,
                    row.created,
                    json.loads(row.document),
                    json.loads(row.manifest),
                )
                for row in connection.execute(query)
            )

    def erase(self, patient: str, *, actor: str = "") -> int:
        """Delete a patient with all requests and results; the trail keeps hashes and says so.

        Returns
        -------
        int
            Number of requests deleted.

        Raises
        ------
        UnknownNameError
            If there is no such patient.
        """
        with self._writing() as connection:
            mine = select(requests.c.hash).where(requests.c.patient_id == patient)
            count = connection.execute(
                select(func.count()).select_from(requests).where(requests.c.patient_id == patient)
            ).scalar_one()
            connection.execute(delete(results).where(results.c.request_hash.in_(mine)))
            connection.execute(delete(requests).where(requests.c.patient_id == patient))
            gone = connection.execute(delete(patients).where(patients.c.id == patient))
            if gone.rowcount == 0:
                known = connection.execute(select(patients.c.id)).scalars().all()
                raise UnknownNameError("patient", patient, known)
            trail.append(connection, actor, "erase patient", patient, content_hash(patient))
        return int(count)

    def record(self, action: str, subject: str, content: str, *, actor: str = "") -> None:
        """Add an entry of the caller's own to the audit trail."""
        with self._writing() as connection:
            trail.append(connection, actor, action, subject, content)

    def audit_trail(self) -> tuple[trail.AuditEntry, ...]:
        """Return all entries of the audit trail in order."""
        with self._engine.connect() as connection:
            return trail.entries(connection)

    def check(self) -> tuple[trail.AuditProblem, ...]:
        """Return what does not hold: changed entries, changed or missing documents."""
        with self._engine.connect() as connection:
            entries = trail.entries(connection)
            found = list(trail.problems(entries))
            erased = {e.subject: e.number for e in entries if e.action == "erase patient"}
            kept = dict(connection.execute(select(requests.c.hash, requests.c.document)).all())
            kept_results = connection.execute(select(results.c.hash, results.c.document)).all()
        for key, document in [*kept.items(), *kept_results]:
            if content_hash(document) != key:
                found.append(trail.AuditProblem(0, f"the document {key[7:19]} was changed"))
        there = {*kept, *(row[0] for row in kept_results)}
        for entry in entries:
            if entry.action not in ("store request", "store result"):
                continue
            if entry.content not in there and erased.get(entry.subject, 0) < entry.number:
                found.append(
                    trail.AuditProblem(
                        entry.number, f"the document {entry.content[7:19]} is missing"
                    )
                )
        return tuple(found)


def _request(row: Any) -> StoredRequest:
    return StoredRequest(row.hash, row.patient_id, row.label, row.created, json.loads(row.document))
