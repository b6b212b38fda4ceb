"""The synthesis on the section on safety: which rows, what is computed, what is said."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from statera.library import load_drug
from statera.monograph.context import Context
from statera.monograph.options import MonographOptions
from statera.monograph.sections import safety
from statera.monograph.sections.safety_pooling import study_rows, syntheses
from statera.report.document import Callout, Figure, Table


@lru_cache(maxsize=1)
def pooled():
    return {s.outcome: s for s in syntheses(study_rows())}


@lru_cache(maxsize=2)
def section(name="baricitinib"):
    return safety.section(Context(load_drug(name), MonographOptions(), ()))


def reasons(outcome):
    return {(r.study, r.drug): r.reason for r in pooled()[outcome].rows if r.reason}


def test_one_row_a_study_and_group_of_people():
    assert [r.name for r in pooled()["malignancy"].pooled] == [
        "STAR-RA RWE, tofacitinib",
        "ORAL Surveillance, tofacitinib",
        "Huss ARTIS, JAK inhibitors",
        "Song Korea (IPTW), JAK inhibitors",
    ]
    assert "contained in the row of all" in reasons("malignancy")["Huss ARTIS", "baricitinib"]
    assert "another analysis" in reasons("malignancy")["Song Korea (crude)", "JAK inhibitors"]
    assert "a part of the people" in reasons("mace")["RABBIT CV-risk", "baricitinib"]
    machado = reasons("serious_infection")["Machado US", "tofacitinib"]
    assert "non-TNF biologic" in machado


def test_an_interval_that_is_not_symmetric_gives_no_standard_error():
    row = next(r for r in study_rows() if not r.reason)
    odd = replace(row.estimate, value=2.5, low=0.37, high=6.18, inverted_from=None)
    assert not odd.has_usable_se
    assert all(r.estimate.has_usable_se for s in pooled().values() for r in s.pooled)


def test_venous_thromboembolism_by_hand():
    # three ratios as printed; REML solved on a grid, independent of the package's root finder
    y = np.log([1.51, 1.73, 1.1])
    v = (np.log([2.08 / 1.1, 2.42 / 1.24, 1.6 / 0.7]) / (2 * 1.959963984540054)) ** 2
    grid = np.linspace(0.0, 0.1, 200_001)
    w = 1.0 / (v + grid[:, None])
    mean = (w * y).sum(1) / w.sum(1)
    restricted = (
        -0.5 * np.log(v + grid[:, None]).sum(1)
        - 0.5 * np.log(w.sum(1))
        - 0.5 * (w * (y - mean[:, None]) ** 2).sum(1)
    )
    best = int(np.argmax(restricted))
    found = pooled()["vte"]
    assert found.wald.tau2 == pytest.approx(grid[best], abs=1e-6)
    assert found.wald.estimate == pytest.approx(mean[best], abs=1e-5)
    assert found.wald.se[0] == pytest.approx(w[best].sum() ** -0.5, rel=1e-4)
    scale = (w[best] * (y - mean[best]) ** 2).sum() / 2
    half = 4.302652729911275 * math.sqrt(scale / w[best].sum())
    assert found.hartung_knapp.ci_high[0] == pytest.approx(mean[best] + half, abs=1e-4)


def test_no_database_stands_twice_in_the_analysis_apart():
    for s in pooled().values():
        every = [d for r in s.apart_rows for d in r.databases]
        assert len(every) == len(set(every))
    assert [r.study for r in pooled()["vte"].apart_rows] == ["Molander ARTIS", "Hoisnard"]


def test_the_page_says_that_this_is_not_the_published_pool_and_why():
    callout = next(
        b for b in section().blocks
        if isinstance(b, Callout) and b.title == "Not the published pool"
    )  # fmt: skip
    text = "".join(str(p) for p in callout.parts)
    for words in ("Most studies of that pool are missing", "French claims (SNDS)",
                  "must not be cited", "randomised trial", "HRw", "not symmetric"):  # fmt: skip
        assert words in text
    table = next(
        b for b in section().blocks if isinstance(b, Table) and "pool that it is not" in b.caption
    )
    vte = next(r for r in table.rows if r[0] == "VTE")
    assert vte[2].text == "1.46 (1.16 to 1.84)"
    assert vte[3].text == "1.46 (0.85 to 2.50)"
    assert vte[7].basis == "claim"
    figure = next(
        b for b in section().blocks if isinstance(b, Figure) and b.key == "safety-synthesis"
    )
    assert figure.data["k"] == [s.wald.k for s in pooled().values()]


def test_every_row_has_its_source_and_use():
    table = next(
        b for b in section().blocks if isinstance(b, Table) and b.caption.startswith("Rows of the")
    )
    assert len(table.rows) == sum(len(s.rows) for s in pooled().values())
    assert all(r[3].sources and r[5] for r in table.rows)
    data = section().data["own_synthesis"]
    assert all(not d["is_published_pool"] for d in data)
    assert sum(len(d["rows"]) + len(d["left_out"]) for d in data) == len(table.rows)
