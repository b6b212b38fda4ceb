from __future__ import annotations

import hashlib
import json
import platform
import re
import socket
from pathlib import Path

import pytest

import statera
from statera.errors import InputError
from statera.manifest import VERSION, content_hash, manifest


def test_the_version_is_written_once() -> None:
    assert statera.__version__ == VERSION


def test_a_content_hash_is_that_of_the_bytes() -> None:
    assert content_hash("a µ") == content_hash("a µ".encode())
    assert content_hash(b"abc") == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"


def test_what_it_holds() -> None:
    made = manifest({"potency.csv": "a,b"}, seed=7, command="monograph")
    assert made["statera"] == VERSION
    assert made["seed"] == 7
    assert made["command"] == "monograph"
    assert made["inputs"] == {"potency.csv": content_hash("a,b")}
    assert {"numpy", "numba", "scipy"} <= set(made["packages"])
    assert re.fullmatch(r"3\.\d+\.\d+\S*", made["python"])
    json.dumps(made)


def test_a_hash_given_is_kept() -> None:
    given = content_hash("text")
    assert manifest({"model": given})["inputs"] == {"model": given}


@pytest.mark.parametrize(
    "name", ["/home/ada/table.csv", "C:\\Users\\ada\\table.csv", "../table.csv"]
)
def test_folders_are_dropped_from_names(name: str) -> None:
    assert list(manifest({name: ""})["inputs"]) == ["table.csv"]


def test_it_names_no_person_machine_or_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    # Names that cannot stand in the text by chance.
    monkeypatch.setattr(platform, "node", lambda: "lovelace-machine")
    monkeypatch.setattr(socket, "gethostname", lambda: "lovelace-machine")
    for variable in ("USER", "LOGNAME", "USERNAME", "HOME", "HOSTNAME"):
        monkeypatch.setenv(variable, "/home/ada-lovelace")
    text = json.dumps(manifest({str(Path.cwd() / "x.csv"): "1"}, seed=1))
    assert "lovelace" not in text
    assert str(Path.cwd()) not in text


def test_the_time_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert manifest()["created"] == "1970-01-02T00:00:00Z"
    assert manifest() == manifest()


def test_the_time_is_now_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", manifest()["created"])


@pytest.mark.parametrize("text", ["", "yesterday", "1.5", "9" * 30])
def test_a_time_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(InputError, match="SOURCE_DATE_EPOCH"):
        manifest()
