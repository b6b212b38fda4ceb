"""Potency files: what is written is read again, and every mistake has its place."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from statera.engagement import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
    potency_toml,
    read_potencies,
    read_potency_toml,
    write_potency_toml,
)
from statera.errors import InputError
from statera.manifest import content_hash
from statera.sources.fact import Relation

HASH = content_hash("simulated")
MADE = PotencyProvenance(
    "0.1", "2026-11-26T07:00:00Z", HASH, HASH, "automatic", "median", "4pl, linear",
    {"A01.fcs": HASH, 'odd "name" \\ é.fcs': HASH},
)  # fmt: skip
POINT = PotencyRecord(
    "examplinib", "IL-6", "pSTAT3", "CD4", 41.25, 1.1, assay="PBMC", matrix="cell",
    low=30.1, high=56.3, ln_se=0.1 + 0.2, ln_sd_between=1e-5, donors=6,
    flags=("few doses above the upper bend", 'says "so"'), source="simulated plate",
)  # fmt: skip
LEAST = PotencyRecord(
    "examplinib", "IL-15", "pSTAT5", "CD8", 900.0, 0.8, PotencyStatus.AT_LEAST, low=900.0
)
MOST = PotencyRecord(
    "examplinib", "IL-2", "pSTAT5", "CD8", 0.4, 1.0, PotencyStatus.AT_MOST, high=0.4, level=0.9
)
FILE = PotencyFile(
    "simulated",
    (POINT, LEAST, MOST),
    (RefusedPotency("IL-15", "CD11b", "pSTAT3", "D2", "refused: the stimulation\tis too weak"),),
    MADE,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "potency.toml"
    write_potency_toml(FILE, path)
    found = read_potency_toml(path)
    assert found == FILE
    assert found.content_hash == content_hash(path.read_text())
    assert potency_toml(found) == path.read_text()


def test_numbers_of_numpy_are_written_too(tmp_path: Path) -> None:
    path = tmp_path / "potency.toml"
    of_numpy = replace(
        POINT, value=np.float64(41.25), ln_se=np.float64(0.3), donors=np.int64(6)
    )  # fmt: skip
    write_potency_toml(replace(FILE, potencies=(of_numpy,)), path)
    assert "donors = 6\n" in path.read_text()
    assert read_potency_toml(path).potencies[0] == of_numpy


def test_every_control_character_survives(tmp_path: Path) -> None:
    note = "".join(chr(i) for i in range(1, 0x100)) + "\U0001f600"
    path = tmp_path / "potency.toml"
    write_potency_toml(replace(FILE, potencies=(replace(POINT, note=note),)), path)
    assert read_potency_toml(path).potencies[0].note == note


def test_a_plate_whose_curves_were_all_refused_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "potency.toml"
    write_potency_toml(replace(FILE, potencies=()), path)
    assert read_potency_toml(path).refused == FILE.refused
    assert read_potencies(path).potencies == ()


def test_as_potencies() -> None:
    point, least, most = (r.potency() for r in FILE.potencies)
    assert (point.value, point.hill, point.hill_assumed) == (41.25, 1.1, False)
    assert point.name == "IL-6, pSTAT3, CD4"
    assert point.uncertainty is not None
    assert (point.uncertainty.low, point.uncertainty.donors) == (30.1, 6)
    assert (least.relation, least.ic50.low) == (Relation.AT_LEAST, 900.0)
    assert math.isinf(least.ic50.high)
    assert (most.ic50.low, most.ic50.high) == (0.0, 0.4)


def text(tmp_path: Path, old: str, new: str) -> Path:
    whole = potency_toml(FILE)
    assert old in whole
    path = tmp_path / "potency.toml"
    path.write_text(whole.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        ("value = 41.25", "value = -1", "'value' is -1 nM", "value"),
        ("value = 41.25", "value = true", "'value' is true or false", "value"),
        ("value = 41.25", "# none", "'value' is missing", "[[potency]]"),
        ("value = 41.25", "value = 99.0", "outside its interval", "value"),
        ("hill = 1.1", "hill = 40", "'hill' is 40", "hill"),
        ("hill = 1.1", "# none", "'hill' is missing", "[[potency]]"),
        ('unit = "nM"', 'unit = "ng/mL"', "'unit' is 'ng/mL'", "unit"),
        ('unit = "nM"', 'unit = "furlong"', "'unit' is 'furlong'", "unit"),
        ('status = "determined"', 'status = "maybe"', "'status' is 'maybe'", "status"),
        ('relation = "="', 'relation = ">="', "does not fit the status", "relation"),
        ('relation = "="', 'relation = "about"', "'relation' is 'about'", "relation"),
        ('matrix = "cell"', 'matrix = "soup"', "'soup' is not a matrix", "matrix"),
        ("low = 30.1", "low = 60.0", "upside down", "low"),
        ("donors = 6", "donors = 0", "'donors' is 0", "donors"),
        ("donors = 6", "donors = 1.5", "'donors' is 1.5", "donors"),
        ("level = 0.95", "level = 95", "'level' is 95", "level"),
        ("ln_sd_between = 1e-05", "ln_sd_between = -1", "'ln_sd_between' is -1", "ln_sd_between"),
        ("ln_sd_between = 1e-05", "ln_sd = 0.1", "'ln_sd' is not a known key", "ln_sd"),
        (f'settings = "{HASH}"', 'settings = "abc"', "is no content hash", "settings"),
        (f'"A01.fcs" = "{HASH}"', '"A01.fcs" = 3', "'A01.fcs' is a number", '"A01.fcs"'),
        ('reason = "', 'cause = "', "'reason' is missing", "[[refused]]"),
        ("low = 900.0", "high = 950.0", "has no upper end", "high"),
    ],
)  # fmt: skip
def test_mistakes_are_placed(tmp_path: Path, old: str, new: str, said: str, line: str) -> None:
    path = text(tmp_path, old, new)
    with pytest.raises(InputError) as error:
        read_potency_toml(path)
    assert said in error.value.what
    rows = path.read_text().splitlines()
    where = error.value.where
    assert not isinstance(where, str)
    assert where is not None
    assert where.file == str(path)
    assert where.line is not None
    assert rows[where.line - 1].startswith(line)
    assert where.column == 1


def test_a_potency_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "potency.toml"
    path.write_text(potency_toml(replace(FILE, potencies=(POINT, POINT))))
    with pytest.raises(InputError, match="stands at line"):
        read_potency_toml(path)


def test_other_molar_units(tmp_path: Path) -> None:
    path = tmp_path / "potency.toml"
    row = potency_toml(replace(FILE, potencies=(replace(POINT, low=None, high=None),)))
    path.write_text(row.replace('unit = "nM"', 'unit = "uM"'))
    assert read_potency_toml(path).potencies[0].value == pytest.approx(41250.0)


def test_a_record_that_cannot_be_is_not_made() -> None:
    with pytest.raises(InputError, match="'hill' is 30"):
        replace(POINT, hill=30.0)
    with pytest.raises(InputError, match="'value' is nan"):
        replace(POINT, value=math.nan)
    with pytest.raises(InputError, match="has no lower end"):
        replace(MOST, low=0.1)


def test_ending_or_schema_decide(tmp_path: Path) -> None:
    for name in ("potency.toml", "potency", "potency.csv"):
        write_potency_toml(FILE, tmp_path / name)
        assert read_potencies(tmp_path / name).plate == FILE
    table = tmp_path / "mine.dat"
    table.write_text("cytokine,value,unit\nIL-6,5,nM\n")
    found = read_potencies(table, "examplinib")
    assert found.plate is None
    assert found.refused == ()
    assert found.potencies[0].drug == "examplinib"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("what.dat", "neither one nor the other"),
        ("what.toml", "name = 'x'"),
        ("what.toml", "schema = 'statera.facts/1'"),
    ],
)
def test_what_is_neither_names_both(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError) as error:
        read_potencies(path)
    assert ".csv" in error.value.hint
    assert "statera.potency/1" in error.value.hint


def test_files_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_potencies(tmp_path / "absent.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_potencies(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="cannot be written"):
        write_potency_toml(FILE, tmp_path / "nowhere" / "potency.toml")
    large = tmp_path / "large.toml"
    large.write_text("#" * 2_000_001)
    with pytest.raises(InputError, match="larger than 2 MB"):
        read_potencies(large)
