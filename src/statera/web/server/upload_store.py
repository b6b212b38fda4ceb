"""Uploaded files: each content is kept once, under its SHA-256, and never read here.

What a user calls a file is only ever shown; no path is made from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Index,
    Row,
    String,
    Table,
    delete,
    func,
    select,
)

from statera.web.server.database import alone, metadata
from statera.web.server.failure import Failure
from statera.web.server.settings import Limits
from statera.web.work import Upload

__all__ = ["Incoming", "StoredUpload", "UploadStore"]

_table = Table(
    "web_uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user", String(200), nullable=False),
    Column("name", String(400), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created", String(40), nullable=False),
)
Index("web_uploads_of_user", _table.c.user)
Index("web_uploads_of_content", _table.c.sha256)


@dataclass(frozen=True)
class StoredUpload:
    """What is told of an upload."""

    id: str
    name: str
    size: int
    sha256: str
    created: str


class Incoming:
    """A file that is being written, hashed on the way. Blocking: call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self.size = 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO = self.path.open("xb")

    def write(self, chunk: bytes) -> None:
        """Add a part."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def finish(self) -> str:
        """Make sure that it is on the disk, and return its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()

    def discard(self) -> None:
        """Leave nothing."""
        try:
            self._file.close()  # may have to write what the disk had no room for
        except OSError:
            pass
        finally:
            self.path.unlink(missing_ok=True)


class UploadStore:
    """Files of all users. Blocking: call it from a thread.

    Parameters
    ----------
    engine
    folder
        Data folder of the server.
    limits
    """

    def __init__(self, engine: Engine, folder: Path, limits: Limits) -> None:
        self._engine = engine
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._blobs = folder / "uploads"
        self._incoming = folder / "incoming"
        self._blobs.mkdir(exist_ok=True, mode=0o700)
        self._incoming.mkdir(exist_ok=True, mode=0o700)
        self._promised: dict[str, int] = {}
        self._sweep()

    def begin(self, user: str) -> Incoming:
        """Begin a file.

        Raises
        ------
        Failure
            With status 413 where the user has as many as allowed.
        """
        self._sweep()
        count, _ = self._used(user)
        if count >= self._limits.uploads:
            raise Failure(
                413, f"you have {count:,} uploads, and no more are kept",
                hint="Delete some that you no longer need.",
            )  # fmt: skip
        return Incoming(self._incoming)

    def promise(self, user: str, size: int) -> None:
        """Count bytes that are coming in toward what the user may keep.

        Raises
        ------
        Failure
            With status 413 where that is too much; then nothing was counted.
        """
        _, used = self._used(user) if size > 0 else (0, 0)
        with self._lock:
            coming = self._promised.get(user, 0) + size
            if size > 0 and used + coming > self._limits.user_bytes:
                raise Failure(
                    413,
                    f"your uploads together would exceed {self._limits.user_bytes:,} bytes",
                    hint="Delete some that you no longer need.",
                )
            if coming > 0:
                self._promised[user] = coming
            else:
                self._promised.pop(user, None)

    def keep(self, user: str, name: str, incoming: Incoming) -> StoredUpload:
        """Keep a file that is complete."""
        sha256 = incoming.finish()
        created = datetime.now(UTC).isoformat(timespec="seconds")
        found = StoredUpload(secrets.token_hex(16), name, incoming.size, sha256, created)
        blob = self._blob(sha256)
        with alone(self._engine, _table) as connection:
            connection.execute(_table.insert().values(user=user, **vars(found)))
            if blob.exists():
                incoming.path.unlink()
            else:
                blob.parent.mkdir(exist_ok=True, mode=0o700)
                incoming.path.replace(blob)
                _settle(blob.parent)
        return found

    def listed(self, user: str) -> list[StoredUpload]:
        """Return what a user has, newest first."""
        asked = select(_table).where(_table.c.user == user)
        asked = asked.order_by(_table.c.created.desc(), _table.c.id)
        with self._engine.connect() as connection:
            return [_stored(row) for row in connection.execute(asked)]

    def find(self, user: str, upload_id: str) -> StoredUpload | None:
        """Return an upload of a user; None for one of somebody else."""
        asked = select(_table).where(_table.c.id == upload_id, _table.c.user == user)
        with self._engine.connect() as connection:
            row = connection.execute(asked).first()
        return None if row is None else _stored(row)

    def delete(self, user: str, upload_id: str) -> StoredUpload | None:
        """Delete an upload, and its content unless another upload has the same."""
        found = self.find(user, upload_id)
        if found is None:
            return None
        with alone(self._engine, _table) as connection:  # nobody adds the same content meanwhile
            connection.execute(
                delete(_table).where(_table.c.id == upload_id, _table.c.user == user)
            )
            others = connection.execute(
                select(func.count()).where(_table.c.sha256 == found.sha256)
            ).scalar_one()
            if not others:
                self._blob(found.sha256).unlink(missing_ok=True)
        return found

    def uploads_of(self, user: str, ids: Iterable[str]) -> dict[str, Upload]:
        """Return the uploads of a user by id, for a worker to open; unknown ones are left out."""
        wanted = list(dict.fromkeys(ids))
        asked = select(_table).where(_table.c.user == user, _table.c.id.in_(wanted))
        found = {}
        with self._engine.connect() as connection:
            for row in connection.execute(asked):
                path = self._blob(row.sha256)
                found[row.id] = Upload(row.id, row.name, path, row.size, row.sha256)
        return found

    def _sweep(self) -> None:
        """Remove what a crash has left behind; what still comes in is written to all the time."""
        oldest = time.time() - 10 * self._limits.silence_seconds
        for path in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another thread may have been faster
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _used(self, user: str) -> tuple[int, int]:
        asked = select(func.count(), func.coalesce(func.sum(_table.c.size), 0))
        with self._engine.connect() as connection:
            count, size = connection.execute(asked.where(_table.c.user == user)).one()
        return int(count), int(size)

    def _blob(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / sha256


def _stored(row: Row[tuple[object, ...]]) -> StoredUpload:
    return StoredUpload(row.id, row.name, int(row.size), row.sha256, row.created)


def _settle(folder: Path) -> None:
    """Make sure that a renamed file is found there after a loss of power."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # folders cannot be opened on every system
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
