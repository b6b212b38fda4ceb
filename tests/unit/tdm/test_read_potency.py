"""The potency of a target: read from a file beside the request, or stated in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statera.engagement import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
    write_potency_toml,
)
from statera.errors import InputError
from statera.manifest import content_hash
from statera.tdm.read_request import read_request, read_tree, request_from
from statera.tdm.target_potency import Drawn

HASH = content_hash("simulated")
POINT = PotencyRecord(
    "baricitinib", "IL-6", "pSTAT3", "CD4", 52.3, 1.17, matrix="cell", low=40.0, high=70.0,
    ln_se=0.12, ln_sd_between=0.3, donors=6, source="simulated",
)  # fmt: skip
LEAST = PotencyRecord(
    "baricitinib", "IL-15", "pSTAT3", "CD4", 900.0, 1.0, PotencyStatus.AT_LEAST, low=900.0
)
FILE = PotencyFile(
    "simulated",
    (POINT, replace(POINT, cells="CD8", value=61.0), LEAST),
    (RefusedPotency("IL-15", "CD11b", "pSTAT3", "D2", "refused: no stimulation"),),
    PotencyProvenance("0.1", "2026-11-26T07:00:00Z", HASH, HASH),
)
REQUEST = """schema = "statera.request/1"
models = ["baricitinib/Decker_2024"]
[patient]
id = "P1"
[question]
strengths = [2, 4]
[[question.targets]]
metric = "average_inhibition"
low = 0.3
potency = { %s }
"""
NAMED = 'file = "results/potency.toml", stimulus = "IL-6", cells = "CD4"'


def write(folder: Path, potency: str = NAMED) -> Path:
    (folder / "results").mkdir(exist_ok=True)
    write_potency_toml(FILE, folder / "results" / "potency.toml")
    (folder / "table.csv").write_text("cytokine,readout,value,unit\nIL-6,pSTAT3,40,nM\n")
    path = folder / "request.toml"
    path.write_text(REQUEST % potency)
    return path


def test_a_file_is_found_from_the_folder_of_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path)
    monkeypatch.chdir("/")
    (target,) = read_request(path).question.targets
    found = target.potency
    assert found is not None
    assert (found.potency.value, found.potency.hill) == (52.3, 1.17)
    assert found.drawn is Drawn.PERSON
    assert found.file == "potency.toml"
    text = (tmp_path / "results" / "potency.toml").read_text()
    assert found.content_hash == content_hash(text)


def test_json_too(tmp_path: Path) -> None:
    path = write(tmp_path)
    other = tmp_path / "request.json"
    target = {"metric": "average_inhibition", "low": 0.3, "potency": {
        "file": "results/potency.toml", "stimulus": "il-6", "cells": "cd4"}}  # fmt: skip
    other.write_text(
        json.dumps({
            "schema": "statera.request/1", "models": ["baricitinib/Decker_2024"],
            "patient": {"id": "P1"}, "question": {"strengths": [2, 4], "targets": [target]},
        })
    )  # fmt: skip
    assert read_request(other) == read_request(path)


def test_a_kept_request_needs_no_other_file(tmp_path: Path) -> None:
    """What is drawn and shown is the same; the interval of the mean is not used by a forecast."""
    path = write(tmp_path, f'{NAMED}, drawn = "mean"')
    tree = read_tree(path)
    (tmp_path / "results" / "potency.toml").unlink()
    stated = tree["question"]["targets"][0]["potency"]
    assert "file" not in stated
    assert stated["from_file"] == "potency.toml"
    found = request_from(json.loads(json.dumps(tree))).question.targets[0].potency
    assert found is not None
    p, known = found.potency, found.potency.uncertainty
    assert (p.name, p.drug, p.value, p.unit, p.hill, p.matrix) == (
        "IL-6, pSTAT3, CD4", "baricitinib", 52.3, "nM", 1.17, "cell"
    )  # fmt: skip
    assert known is not None
    assert (known.ln_se, known.ln_sd_between, known.donors) == (0.12, 0.3, 6)
    assert found.drawn is Drawn.MEAN
    assert found.content_hash.startswith("sha256:")


def test_a_table_has_no_spread(tmp_path: Path) -> None:
    path = write(tmp_path, 'file = "table.csv", stimulus = "IL-6", drug = ""')
    found = read_request(path).question.targets[0].potency
    assert found is not None
    assert found.potency.uncertainty is None
    assert found.potency.hill_assumed
    again = request_from(read_tree(path)).question.targets[0].potency
    assert again == found


@pytest.mark.parametrize(
    ("potency", "said"),
    [
        ('file = "results/potency.toml", stimulus = "IL-2"', "no potency of the file is of IL-2"),
        ('file = "results/potency.toml", stimulus = "IL-6"', "2 potencies of the file are of IL-6"),
        (
            'file = "results/potency.toml", stimulus = "IL-15", cells = "CD4"',
            "known only as >= 900 nM: no probability",
        ),
        (
            'file = "results/potency.toml", stimulus = "IL-15", cells = "CD11b"',
            "gave no potency (refused: no stimulation)",
        ),
        (f'{NAMED}, drawn = "all"', "'drawn' is 'all'"),
        (f"{NAMED}, celsl = 3", "'celsl' is not a known key"),
        ('stimulus = "IL-6"', "neither a 'file' nor a 'value'"),
        ('drug = "baricitinib", value = -50', "a potency of -50 is not plausible"),
        ('drug = "baricitinib", value = 50, hill = 90', "Hill coefficient of 90"),
        ('drug = "baricitinib", value = 50, ln_se = -1', "'ln_se' is -1"),
        ('drug = "baricitinib", value = 50, unit = "mg"', "'mg' is not a concentration"),
        ('drug = "baricitinib", value = 50, matrix = "soup"', "'soup' is not a matrix"),
        ('drug = "baricitinib", value = 50, donors = 1.5', "'donors' is 1.5"),
    ],
)
def test_mistakes_stand_at_the_potency(tmp_path: Path, potency: str, said: str) -> None:
    path = write(tmp_path, potency)
    with pytest.raises(InputError) as error:
        read_request(path)
    assert said in error.value.what
    assert str(error.value.where).startswith(f"{path}:10:")


def test_mistakes_in_the_file_itself_stand_there(tmp_path: Path) -> None:
    path = write(tmp_path)
    file = tmp_path / "results" / "potency.toml"
    file.write_text(file.read_text().replace("hill = 1.17", "hill = 0", 1))
    with pytest.raises(InputError, match="'hill' is 0") as error:
        read_request(path)
    assert str(error.value.where).startswith(str(file))


def test_a_request_that_is_no_file_reads_none(tmp_path: Path) -> None:
    write(tmp_path)
    tree: dict[str, Any] = {
        "schema": "statera.request/1", "models": ["baricitinib/Decker_2024"],
        "patient": {"id": "P1"},
        "question": {"targets": [{"metric": "average_inhibition", "low": 0.3, "potency": {
            "file": "results/potency.toml", "stimulus": "IL-6", "cells": "CD4"}}]},
    }  # fmt: skip
    with pytest.raises(InputError, match="cannot name one"):
        request_from(tree)
    assert request_from(tree, folder=tmp_path).question.targets[0].potency is not None
