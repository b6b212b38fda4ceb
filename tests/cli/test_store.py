"""``statera store``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner, Result

from statera.cli.main import app
from statera.store import open_store


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with one request and one result."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    store.save({"id": "visit", "patient": {"id": "P1"}}, {"auc": 412.5}, actor="tester")
    store.close()
    return url


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["store", *arguments])


def test_list_and_show(address: str) -> None:
    rows = [line.split("\t") for line in invoke("list", "--store", address).stdout.splitlines()]
    assert rows[0] == ["hash", "patient", "request", "created", "results"]
    assert (rows[1][1], rows[1][2], rows[1][4]) == ("P1", "visit", "1")
    shown = json.loads(invoke("show", rows[1][0], "--store", address, "--json").stdout)
    assert shown["result"]["results"][0]["document"] == {"auc": 412.5}


def test_check_says_what_was_changed(address: str) -> None:
    assert "holds together: 3 entries" in invoke("check", "--store", address).stderr
    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("UPDATE results SET document = '{}'"))
    engine.dispose()
    result = invoke("check", "--store", address)
    assert result.exit_code == 3
    assert "was changed" in result.stderr


def test_erase_asks_to_be_meant(address: str) -> None:
    assert invoke("erase", "P1", "--store", address).exit_code == 2
    assert "1 requests" in invoke("erase", "P1", "--yes", "--store", address).stderr
    trail = invoke("audit", "--store", address).stdout.splitlines()
    assert trail[-1].split("\t")[3] == "erase patient"


def test_an_unknown_request_names_the_known_ones(address: str) -> None:
    result = invoke("show", "zzz", "--store", address)
    assert result.exit_code == 3
    assert "no request is called 'zzz'" in result.stderr


def test_an_address_that_is_none(address: str) -> None:
    result = invoke("list", "--store", address.replace("sqlite", "nonsense"))
    assert result.exit_code == 2
    assert "where: store" in result.stderr
