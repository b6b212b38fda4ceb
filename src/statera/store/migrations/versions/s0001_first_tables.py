"""Patients, requests, results and the audit trail, which the database itself keeps append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER audit_no_{what} BEFORE {what} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""

_FUNCTION = """
CREATE FUNCTION statera_audit_closed() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END
$$ LANGUAGE plpgsql
"""

_POSTGRESQL = """
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION statera_audit_closed()
"""


def upgrade() -> None:
    """Make the tables."""
    text, name, digest, time = sa.Text(), sa.String(200), sa.String(80), sa.String(40)
    op.create_table(
        "patients",
        sa.Column("id", name, primary_key=True),
        sa.Column("created", time, nullable=False),
    )
    op.create_table(
        "requests",
        sa.Column("hash", digest, primary_key=True),
        sa.Column("patient_id", name, sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("label", name, nullable=False),
        sa.Column("document", text, nullable=False),
        sa.Column("created", time, nullable=False),
    )
    op.create_table(
        "results",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("request_hash", digest, sa.ForeignKey("requests.hash"), nullable=False),
        sa.Column("hash", digest, nullable=False),
        sa.Column("document", text, nullable=False),
        sa.Column("manifest", text, nullable=False),
        sa.Column("created", time, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", time, nullable=False),
        sa.Column("actor", name, nullable=False),
        sa.Column("action", time, nullable=False),
        sa.Column("subject", name, nullable=False),
        sa.Column("content", digest, nullable=False),
        sa.Column("previous", digest, nullable=False),
        sa.Column("hash", digest, nullable=False),
    )
    op.create_index("requests_of_patient", "requests", ["patient_id"])
    op.create_index("results_of_request", "results", ["request_hash"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_POSTGRESQL)
    else:
        for what in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(what=what))
