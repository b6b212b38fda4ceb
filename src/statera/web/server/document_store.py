"""Documents: what a page saves for its user where an address must not hold it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Engine,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from statera.web.server.database import metadata
from statera.web.server.failure import Failure
from statera.web.server.settings import Limits

__all__ = ["DocumentStore", "StoredDocument"]

_table = Table(
    "web_documents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", String(40), nullable=False),
    Column("changed", String(40), nullable=False),
)
Index("web_documents_of_user", _table.c.user, _table.c.kind)


@dataclass(frozen=True)
class StoredDocument:
    """A document.

    Attributes
    ----------
    id, kind
    version
        From 1; one more at each change.
    body
        JSON; empty in lists.
    created, changed
        UTC.
    """

    id: str
    kind: str
    version: int
    body: str
    created: str
    changed: str


class DocumentStore:
    """Documents of all users. Blocking: call it from a thread.

    Parameters
    ----------
    engine
    limits
    """

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine = engine
        self._limits = limits

    def create(self, user: str, kind: str, body: str) -> StoredDocument:
        """Keep a new document.

        Raises
        ------
        Failure
            With status 413 where the user has as many as allowed.
        """
        now = _now()
        found = StoredDocument(secrets.token_hex(16), kind, 1, body, now, now)
        with self._engine.begin() as connection:
            count = connection.execute(
                select(func.count()).where(_table.c.user == user)
            ).scalar_one()
            if count >= self._limits.documents:
                raise Failure(
                    413,
                    f"you have {count:,} saved documents, and no more are kept",
                    hint="Delete some that you no longer need.",
                )
            connection.execute(_table.insert().values(user=user, **vars(found)))
        return found

    def find(self, user: str, document_id: str) -> StoredDocument | None:
        """Return a document of a user; None for one of somebody else."""
        asked = select(_table).where(_table.c.id == document_id, _table.c.user == user)
        with self._engine.connect() as connection:
            row = connection.execute(asked).first()
        return None if row is None else _stored(row, row.body)

    def listed(self, user: str, kind: str) -> list[StoredDocument]:
        """Return the documents of a kind (empty for all) without their bodies, newest first."""
        asked = select(*(c for c in _table.c if c.name != "body")).where(_table.c.user == user)
        if kind:
            asked = asked.where(_table.c.kind == kind)
        asked = asked.order_by(_table.c.changed.desc(), _table.c.id)
        with self._engine.connect() as connection:
            return [_stored(row, "") for row in connection.execute(asked)]

    def change(
        self, user: str, document_id: str, kind: str, body: str, version: int | None
    ) -> StoredDocument | None:
        """Replace the body of a document.

        Parameters
        ----------
        user, document_id, kind, body
        version
            The one that was read; None to replace whatever there is.

        Raises
        ------
        Failure
            With status 412 where somebody changed it since, and 409 for another kind.
        """
        own = (_table.c.id == document_id, _table.c.user == user)
        with self._engine.begin() as connection:
            row = connection.execute(select(_table).where(*own)).first()
            if row is None:
                return None
            if kind not in ("", row.kind):
                raise Failure(409, f"the document is of the kind '{row.kind}'", "kind")
            changed = {"version": row.version + 1, "body": body, "changed": _now()}
            same = (*own, _table.c.version == row.version)
            if version not in (None, row.version) or not (
                connection.execute(update(_table).where(*same).values(**changed)).rowcount
            ):
                raise Failure(
                    412,
                    "the document was changed elsewhere since it was read",
                    "If-Match",
                    "Read it again; another tab may have it open.",
                )
        return StoredDocument(
            row.id, row.kind, row.version + 1, body, row.created, changed["changed"]
        )

    def delete(self, user: str, document_id: str) -> bool:
        """Delete a document; False where the user has none of that id."""
        with self._engine.begin() as connection:
            done = connection.execute(
                delete(_table).where(_table.c.id == document_id, _table.c.user == user)
            )
        return bool(done.rowcount)


def _stored(row: Row[tuple[object, ...]], body: str) -> StoredDocument:
    return StoredDocument(row.id, row.kind, int(row.version), body, row.created, row.changed)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
