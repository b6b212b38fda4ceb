"""Servers without sign-in and with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .serving import NO_POSTGRESQL, POSTGRESQL, empty_database, serving, write_tokens

TOKENS = {"anna": "token-of-anna", "ben": "token-of-ben"}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of an empty database, of every kind that is at hand."""
    if request.param == "postgresql" and not POSTGRESQL:
        pytest.skip(NO_POSTGRESQL)
    with empty_database(request.param) as address:
        yield address


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Any]:
    """A client of a server without sign-in."""
    with serving(tmp_path / "data") as client:
        yield client


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Any]:
    """A client of a server with access tokens, not signed in."""
    tokens = write_tokens(tmp_path / "tokens", TOKENS)
    with serving(tmp_path / "data", token_file=tokens) as client:
        yield client
