"""Potencies fitted from a plate on the page: marked, with their spread, and nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from statera.engagement import (
    PotencyFile,
    PotencyProvenance,
    PotencyRecord,
    PotencyStatus,
    RefusedPotency,
    Spread,
    at_quantile,
    summarise,
    write_potency_toml,
)
from statera.errors import InputError
from statera.manifest import content_hash
from statera.monograph.context import Context, make_context
from statera.monograph.made import made_with
from statera.monograph.options import MonographOptions
from statera.monograph.sections import engagement
from statera.monograph.sections.engagement_courses import course
from statera.monograph.sections.engagement_plate import persons
from statera.monograph.sections.engagement_potencies import load_potencies
from statera.report.check import inlines, svg_problems
from statera.report.document import Callout, Cell, Figure, Table
from statera.report.json import plain

HASH = content_hash("simulated")
MADE = PotencyProvenance(
    "0.1", "2026-11-26T07:00:00Z", HASH, HASH, "automatic", "median", "4pl", {"A01.fcs": HASH}
)
POINT = PotencyRecord(
    "baricitinib", "IL-6", "pSTAT3", "CD4", 60.0, 1.2, matrix="cell", low=45.0, high=80.0,
    ln_se=0.12, ln_sd_between=0.3, donors=6, source="simulated", flags=("few doses",),
)  # fmt: skip
ONE_DONOR = replace(POINT, cells="CD8", ln_sd_between=None, donors=1)
LEAST = PotencyRecord(
    "baricitinib", "IL-15", "pSTAT3", "CD8", 900.0, 1.0, PotencyStatus.AT_LEAST,
    matrix="cell", low=900.0, donors=6,
)  # fmt: skip
REFUSED = RefusedPotency("IL-15", "CD11b", "pSTAT3", "D2", "refused: no stimulation")
FILE = PotencyFile("simulated", (POINT, ONE_DONOR, LEAST), (REFUSED,), MADE)


@lru_cache(maxsize=1)
def simulated() -> Context:
    return make_context("baricitinib", MonographOptions(n=40, workers=1))


@pytest.fixture
def given(tmp_path: Path) -> Context:
    return with_file(FILE, tmp_path)


def with_file(file: PotencyFile, folder: Path) -> Context:
    path = folder / "potency.toml"
    write_potency_toml(file, path)
    options = MonographOptions(n=40, workers=1, potency_table=path)
    return replace(simulated(), options=options)


def tables(context: Context, caption: str) -> list[Table]:
    blocks = engagement.section(context).blocks
    return [b for b in blocks if isinstance(b, Table) and caption in b.caption]


def text(part: object) -> str:
    return part.text if isinstance(part, Cell) else str(part)


def test_fitted_potencies_stand_with_their_interval_status_and_donors(given: Context) -> None:
    (table,) = tables(given, "as fitted")
    point, single, least = ([text(c) for c in row] for row in table.rows)
    assert point == [
        *("IL-6, pSTAT3, CD4", "60.0", "45.0 to 80.0", "95 %", "1.20", "6", "1.35", "determined")
    ]
    assert single[5:7] == ["1", "not known"]
    assert least[1:3] == ["≥ 900", "from 900"]
    assert least[-1] == "known as a bound"
    (potencies,) = tables(given, "the concentration each is compared with")
    mine = [row for row in potencies.rows if "(your plate)" in text(row[0])]
    assert [text(row[0]) for row in mine] == [
        f"{name} (your plate)"
        for name in ("IL-6, pSTAT3, CD4", "IL-6, pSTAT3, CD8", "IL-15, pSTAT3, CD8")
    ]
    assert text(mine[0][-1]) == "few doses"
    assert text(mine[0][4]) == "Cell assay: unbound"


def test_refused_curves_are_named(given: Context) -> None:
    (table,) = tables(given, "gave no potency")
    assert [text(c) for c in table.rows[0]] == [
        "IL-15", "CD11b", "pSTAT3", "D2", "refused: no stimulation"
    ]  # fmt: skip


def test_a_plate_without_any_potency_still_shows_what_was_refused(tmp_path: Path) -> None:
    context = with_file(replace(FILE, potencies=()), tmp_path)
    assert tables(context, "gave no potency")
    assert not tables(context, "as fitted")


def test_the_spread_is_exact_and_its_parts_are_kept_apart(given: Context) -> None:
    rows = engagement.section(given).data["plate"]["average_inhibition"]
    assert {r["potency"] for r in rows} == {
        "IL-6, pSTAT3, CD4 (your plate)", "IL-6, pSTAT3, CD8 (your plate)"
    }  # fmt: skip
    found = next(r for r in rows if "CD4" in r["potency"] and r["dose_mg"] == 4.0)
    entry = next(e for e in load_potencies(given).entries if e.potency.cells == "CD4")
    assert given.highest is not None
    at = course(given, entry, given.highest)
    for key, potencies in (
        ("mean", [replace(at.potency, value=v) for v in (80.0, 45.0)]),
        ("donors_90", [at_quantile(at.potency, p, Spread.BETWEEN) for p in (0.95, 0.05)]),
    ):
        ends = [100 * summarise(at.times, at.typical, p).average.low for p in potencies]
        assert [found[key]["low"], found[key]["high"]] == pytest.approx(ends)
    assert found["persons_90"]["low"] < found["donors_90"]["low"] < found["mean"]["low"]
    single = next(r for r in rows if "CD8" in r["potency"])
    assert single["donors_90"] is None


def test_persons_have_ic50s_of_the_fitted_distribution(given: Context) -> None:
    entry = next(e for e in load_potencies(given).entries if e.potency.cells == "CD4")
    assert given.highest is not None
    at = course(given, entry, given.highest)
    own = persons(at, 1)
    assert own is not None
    peak = at.population.argmax(axis=1)[:, None]
    ratio = np.log(np.take_along_axis(at.population, peak, 1) / np.take_along_axis(own, peak, 1))
    assert float(ratio.mean()) == pytest.approx(0.0, abs=1e-12)
    assert float(ratio.std()) == pytest.approx(np.hypot(0.12, 0.3), rel=0.05)
    plain_entry = next(e for e in load_potencies(given).entries if not e.is_users)
    assert persons(course(given, plain_entry, given.highest), 1) is None


def test_the_page_is_complete(given: Context) -> None:
    section = engagement.section(given)
    cells = [c for b in section.blocks for c in inlines(b) if isinstance(c, Cell)]
    assert {c.method for c in cells if c.method} <= {m.key for m in engagement.METHODS} | {
        "typical"
    }
    figures = [b for b in section.blocks if isinstance(b, Figure)]
    assert all(not svg_problems(b.svg) for b in figures)
    assert "interval of the mean IC50" in text(figures[0].caption[0])
    json.dumps(plain(section.data), allow_nan=False)


def test_the_manifest_names_the_file_and_its_making(given: Context) -> None:
    made = made_with(given)
    path = given.options.potency_table
    assert path is not None
    assert made["inputs"]["potency.toml"] == content_hash(path.read_text())
    assert made["potencies_from"]["settings"] == HASH
    assert made["potencies_from"]["n_files"] == 1
    assert "potencies_from" not in made_with(simulated())


def test_potencies_of_another_drug_are_left_out_and_counted(tmp_path: Path) -> None:
    other = tuple(replace(r, drug="tofacitinib") for r in FILE.potencies)
    context = with_file(replace(FILE, potencies=other), tmp_path)
    section = engagement.section(context)
    assert not any("your plate" in r["potency"] for r in section.data["results"])
    callouts = [b for b in section.blocks if isinstance(b, Callout)]
    (found,) = [c for c in callouts if c.title == "Your potency plate"]
    assert "3 rows of your plate name another drug" in text(found.parts[0])


def test_mistakes_are_placed(given: Context) -> None:
    path = given.options.potency_table
    assert path is not None
    path.write_text(path.read_text().replace("hill = 1.2", "hill = -1.2", 1))
    with pytest.raises(InputError, match=r"'hill' is -1\.2") as error:
        engagement.section(given)
    assert str(error.value.where).startswith(f"{path}:")
