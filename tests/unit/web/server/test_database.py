"""The database of the server."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from statera.errors import InputError
from statera.web.server import job_store  # noqa: F401  its tables register themselves
from statera.web.server.database import metadata, open_database


def test_it_opens_again_what_it_has_made(tmp_path: Path) -> None:
    for _ in range(2):
        open_database("", tmp_path).dispose()


def test_tables_of_another_version_are_refused_by_name(tmp_path: Path) -> None:
    engine = open_database("", tmp_path)
    table = metadata.tables["web_jobs"]
    column = [c.name for c in table.columns if not c.primary_key and not c.index][-1]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE web_jobs"))
        kept = ", ".join(f"{c.name} TEXT" for c in table.columns if c.name != column)
        connection.execute(text(f"CREATE TABLE web_jobs ({kept})"))
    engine.dispose()
    with pytest.raises(InputError, match=f"no column web_jobs.{column}, which"):
        open_database("", tmp_path)
