"""A database as the first version of the web app made it, with something of everything in it.

Written down once, from what that version sent; it is not changed when the tables change.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine

from statera.manifest import content_hash

TABLES = """
CREATE TABLE web_sessions (
    key VARCHAR(64) NOT NULL, "user" VARCHAR(200) NOT NULL, name VARCHAR(200) NOT NULL,
    credential VARCHAR(80) NOT NULL, ends FLOAT NOT NULL, idle_until FLOAT NOT NULL,
    PRIMARY KEY (key)
);
CREATE TABLE web_audit (
    number INTEGER NOT NULL, time VARCHAR(40) NOT NULL, "user" VARCHAR(200) NOT NULL,
    action VARCHAR(40) NOT NULL, subject VARCHAR(200) NOT NULL, content VARCHAR(80) NOT NULL,
    previous VARCHAR(80) NOT NULL, hash VARCHAR(80) NOT NULL, PRIMARY KEY (number)
);
CREATE TABLE web_uploads (
    id VARCHAR(32) NOT NULL, "user" VARCHAR(200) NOT NULL, name VARCHAR(400) NOT NULL,
    size BIGINT NOT NULL, sha256 VARCHAR(64) NOT NULL, created VARCHAR(40) NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX web_uploads_of_user ON web_uploads ("user");
CREATE TABLE web_documents (
    id VARCHAR(32) NOT NULL, "user" VARCHAR(200) NOT NULL, kind VARCHAR(40) NOT NULL,
    version INTEGER NOT NULL, body TEXT NOT NULL, created VARCHAR(40) NOT NULL,
    changed VARCHAR(40) NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX web_documents_of_user ON web_documents ("user", kind);
CREATE TABLE web_jobs (
    id VARCHAR(32) NOT NULL, "user" VARCHAR(200) NOT NULL, task VARCHAR(100) NOT NULL,
    request TEXT NOT NULL, uploads TEXT NOT NULL, status VARCHAR(12) NOT NULL,
    attempt INTEGER NOT NULL, deaths INTEGER NOT NULL, losses INTEGER NOT NULL, fraction FLOAT,
    message TEXT NOT NULL, error TEXT, created FLOAT NOT NULL, started FLOAT, ended FLOAT,
    server VARCHAR(200) NOT NULL, lease FLOAT NOT NULL, cancel BOOLEAN NOT NULL,
    last_event INTEGER NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX web_jobs_of_user ON web_jobs ("user", created);
CREATE INDEX web_jobs_by_status ON web_jobs (status, created);
CREATE TABLE web_job_events (
    job VARCHAR(32) NOT NULL, seq INTEGER NOT NULL, time FLOAT NOT NULL, fraction FLOAT,
    message TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (job, seq),
    FOREIGN KEY(job) REFERENCES web_jobs (id) ON DELETE CASCADE
);
CREATE TABLE web_job_files (
    job VARCHAR(32) NOT NULL, name VARCHAR(100) NOT NULL, media_type VARCHAR(100) NOT NULL,
    size BIGINT NOT NULL, PRIMARY KEY (job, name),
    FOREIGN KEY(job) REFERENCES web_jobs (id) ON DELETE CASCADE
)
"""
JOB, UPLOAD, DOCUMENT = "a" * 32, "b" * 32, "c" * 32
USER = "local"
SHA256 = "d" * 64
ENTRY = (
    '{"action": "upload", "content": "", "number": 1, "previous": "%s", "subject": "%s", '
    '"time": "2026-01-02T03:04:05.000006+00:00", "user": "local"}'
)


def make_first_version(engine: Engine) -> None:
    """Make the tables, and put a row into each."""
    with engine.begin() as connection:
        for statement in (*TABLES.split(";"), *_rows()):
            connection.exec_driver_sql(statement)


def _rows() -> Iterator[str]:
    first = content_hash("")
    seal = content_hash(ENTRY % (first, UPLOAD))
    time = "2026-01-02T03:04:05+00:00"
    yield f"INSERT INTO web_sessions VALUES ('{'e' * 64}', '{USER}', 'local', '', 4e9, 4e9)"
    yield (
        "INSERT INTO web_audit VALUES (1, '2026-01-02T03:04:05.000006+00:00', 'local', 'upload', "
        f"'{UPLOAD}', '', '{first}', '{seal}')"
    )
    yield (
        f"INSERT INTO web_uploads VALUES ('{UPLOAD}', '{USER}', 'a.csv', 3, '{SHA256}', '{time}')"
    )
    yield (
        f"INSERT INTO web_documents VALUES ('{DOCUMENT}', '{USER}', 'case', 4, '[1]', '{time}', "
        f"'{time}')"
    )
    yield (
        f"INSERT INTO web_jobs VALUES ('{JOB}', '{USER}', 'steps', '{{\"steps\":3}}', '{{}}', "
        "'queued', 1, 0, 0, 0.5, 'half', NULL, 1e9, 1e9, NULL, '', 0, false, 1)"
    )
    yield f"INSERT INTO web_job_events VALUES ('{JOB}', 1, 1e9, 0.5, 'half', '{{}}')"
    yield f"INSERT INTO web_job_files VALUES ('{JOB}', 'a.txt', 'text/plain', 2)"
