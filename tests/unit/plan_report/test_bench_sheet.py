"""The bench sheet as a page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statera.assay.plan_options import CytokineStock, PlanOptions, PlateFormat, PlateOptions
from statera.assay.plan_read import options_from_protocol
from statera.assay.protocol import load_protocol
from statera.plan.build import plan_bench
from statera.plan_report import bench_sheet
from statera.report import render_html
from statera.report.check import problems
from statera.report.document import Callout, Document, Table

PROTOCOL = load_protocol("pstat3")
BASE = options_from_protocol(PROTOCOL)
QUICK = replace(BASE.precision, doses=(9,), replicates=(2,), donors=(3, 8), experiments=20)


def sheet(options: PlanOptions) -> Document:
    return bench_sheet(plan_bench(PROTOCOL, options), {"statera": "test"})


@pytest.fixture(scope="module")
def page() -> Document:
    return sheet(replace(BASE, precision=QUICK))


def table(page: Document, start: str) -> Table:
    return next(
        b
        for s in page.sections
        for b in s.blocks
        if isinstance(b, Table) and b.caption.startswith(start)
    )


def texts(found: Table) -> list[list[str]]:
    return [[c if isinstance(c, str) else c.text for c in row] for row in found.rows]


def test_the_page_is_sound(page: Document) -> None:
    assert problems(page) == ()
    html = render_html(page)
    assert html.count("<svg") == 3
    assert "NOT RETRIEVED" in html


def test_what_is_assumed_says_so(page: Document) -> None:
    origin = {row[0]: row[2] for row in texts(table(page, "What the plan rests on"))}
    assert origin["Doses in the well"] == "assumed here"
    assert origin["Stock"] == "stated by the protocol's source"
    simulated = texts(table(page, "What the simulation assumes"))
    assert {row[2] for row in simulated} == {"assumed here"}


def test_gaps_have_a_line_to_write_on(page: Document) -> None:
    rows = texts(table(page, "Not stated"))
    assert {"Time of stimulation", "cells per well"} <= {row[0] for row in rows}
    assert all(set(row[2]) == {"_"} for row in rows)
    controls = {row[0]: row[2] for row in texts(table(page, "Controls of the protocol"))}
    assert controls["Unstimulated, highest drug concentration"] == "no well"
    assert controls["Single stains"] == "4 wells"


def test_every_sample_gets_a_tube(page: Document) -> None:
    wells = 0
    for number in (1, 2, 3):
        rows = texts(table(page, f"Plate {number}: wells of each tube"))
        wells += sum(int(row[2]) for row in rows)
    assert wells == 6 * 27 + 5


def test_cytokine_stocks_are_asked_for_or_diluted(page: Document) -> None:
    notes = [b.title for s in page.sections for b in s.blocks if isinstance(b, Callout)]
    assert "IL-6: not stated: concentration of the IL-6 stock" in notes
    stocks = tuple(CytokineStock(n, 100.0, 100.0) for n in ("IL-6", "IL-15"))
    full = sheet(replace(BASE, cytokines=stocks, precision=QUICK))
    rows = texts(table(full, "Cytokines in medium"))
    assert [row[0] for row in rows] == ["IL-6 working", "IL-15 working"]
    assert rows[0][6] == "1000 ng/mL"


def test_the_planned_design_is_marked(page: Document) -> None:
    found = table(page, "Precision of the IC50 by design")
    assert "Mean of 3 donors (this plan)" in found.columns
    assert texts(found)[0][0] == "9 x 2 (this plan)"


def test_small_wells_are_named_by_tube() -> None:
    plate = PlateOptions(PlateFormat.WELLS_384, cells_ul=40, drug_ul=5, cytokine_ul=5)
    page = bench_sheet(
        plan_bench(PROTOCOL, replace(BASE, plate=plate), precision=False), {"statera": "test"}
    )
    assert problems(page) == ()
    assert ">W3</text>" in render_html(page)
    assert all(s.key != "precision" for s in page.sections)
