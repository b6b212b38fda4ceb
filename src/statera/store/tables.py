"""Tables of the store. Documents are canonical JSON, named by the SHA-256 of their text.

Times are texts in UTC (ISO 8601), so that both databases keep and order them alike.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

__all__ = ["audit", "metadata", "patients", "requests", "results"]

metadata = MetaData()

patients = Table(
    "patients",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("created", String(40), nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("hash", String(80), primary_key=True),
    Column("patient_id", String(200), ForeignKey("patients.id"), nullable=False),
    Column("label", String(200), nullable=False),
    Column("document", Text, nullable=False),
    Column("created", String(40), nullable=False),
)

results = Table(
    "results",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request_hash", String(80), ForeignKey("requests.hash"), nullable=False),
    Column("hash", String(80), nullable=False),
    Column("document", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("created", String(40), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(40), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("content", String(80), nullable=False),
    Column("previous", String(80), nullable=False),
    Column("hash", String(80), nullable=False),
)

Index("requests_of_patient", requests.c.patient_id)
Index("results_of_request", results.c.request_hash)
