"""Patients, requests and results kept in SQLite or PostgreSQL, with an append-only audit trail."""

from statera.store.audit import AuditEntry, AuditProblem
from statera.store.rerun import Rerun, rerun
from statera.store.store import Store, StoredRequest, StoredResult, open_store

__all__ = [
    "AuditEntry",
    "AuditProblem",
    "Rerun",
    "Store",
    "StoredRequest",
    "StoredResult",
    "open_store",
    "rerun",
]
