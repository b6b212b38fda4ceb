"""Sessions of people who signed in: kept in the database, told by a cookie."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Column, Engine, Float, String, Table, delete, select, update

from statera.web.server.database import metadata
from statera.web.server.settings import Settings
from statera.web.server.who import User

__all__ = ["KnownSession", "SessionStore"]

_table = Table(
    "web_sessions",
    metadata,
    Column("key", String(64), primary_key=True),  # hash of the cookie: a stolen table opens nothing
    Column("user", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("credential", String(80), nullable=False),
    Column("ends", Float, nullable=False),
    Column("idle_until", Float, nullable=False),
)
_KEPT = 10_000
_REMEMBER_SECONDS = 60.0  # how old the time of the last request in the database may be


@dataclass(frozen=True)
class KnownSession:
    """A session.

    Attributes
    ----------
    key
        Its name in the database.
    user
    credential
        Hash of the access token it began with; empty for OpenID Connect.
    ends, idle_until
        Unix times: the latest end, and the end unless it is used.
    """

    key: str
    user: User
    credential: str
    ends: float
    idle_until: float


class SessionStore:
    """Opens, finds and ends sessions. Blocking: call it from a thread.

    Parameters
    ----------
    engine
    settings
    clock
    """

    def __init__(
        self, engine: Engine, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, KnownSession] = {}

    def open(self, user: User, credential: str = "") -> str:
        """Begin a session, and return what the cookie holds."""
        cookie = secrets.token_urlsafe(32)
        now = self._clock()
        row = {
            "key": _key(cookie),
            "user": user.id,
            "name": user.name,
            "credential": credential,
            "ends": now + self._settings.session_seconds,
            "idle_until": now + self._settings.idle_seconds,
        }
        with self._engine.begin() as connection:
            over = (_table.c.ends < now) | (_table.c.idle_until < now)
            connection.execute(delete(_table).where(over))
            connection.execute(_table.insert().values(**row))
        return cookie

    def recall(self, cookie: str) -> KnownSession | None:
        """Return the session of a cookie from memory, where nothing has to be written for it."""
        now = self._clock()
        found = self._known.get(_key(cookie))
        if found is None or found.ends <= now or found.idle_until <= now:
            return None
        fresh = found.idle_until - now > self._settings.idle_seconds - _REMEMBER_SECONDS
        return found if fresh else None

    def find(self, cookie: str) -> KnownSession | None:
        """Return the session of a cookie unless it is over, and note that it is used."""
        key, now = _key(cookie), self._clock()
        with self._lock, self._engine.begin() as connection:
            row = connection.execute(select(_table).where(_table.c.key == key)).first()
            if row is None or row.ends <= now or row.idle_until <= now:
                self._known.pop(key, None)
                return None
            idle = now + self._settings.idle_seconds
            connection.execute(update(_table).where(_table.c.key == key).values(idle_until=idle))
            found = KnownSession(key, User(row.user, row.name), row.credential, row.ends, idle)
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = found
        return found

    def end(self, key: str) -> None:
        """End a session at once."""
        with self._lock, self._engine.begin() as connection:
            self._known.pop(key, None)
            connection.execute(delete(_table).where(_table.c.key == key))


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
