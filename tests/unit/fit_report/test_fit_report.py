"""The report of a fit: complete, linked, and honest about what it leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statera.errors import UsageError
from statera.estimate import FitResult
from statera.estimate.bins import Binning
from statera.estimate.saem import SaemOptions, fit_saem
from statera.estimate.vpc import VpcOptions
from statera.fit_report import FitReportOptions, fit_report
from statera.report import document_to_dict, render_html
from statera.report.check import problems
from statera.report.document import Callout, Document, Figure, Paragraph, Section, Table

OPTIONS = FitReportOptions(
    pages=1,
    vpc=(
        VpcOptions(n=60, seed=3, binning=Binning("counts", 3)),
        VpcOptions(prediction_corrected=True, stratify="SEX"),
    ),
)


@pytest.fixture(scope="module")
def document(decay_fit: FitResult) -> Document:
    return fit_report(decay_fit, options=OPTIONS)


def section(document: Document, key: str) -> Section:
    return next(s for s in document.sections if s.key == key)


def figures(document: Document) -> dict[str, Figure]:
    return {b.key: b for s in document.sections for b in s.blocks if isinstance(b, Figure)}


def test_sections_and_links(document: Document) -> None:
    assert problems(document) == ()
    assert [s.key for s in document.sections][2:8] == [
        "observations",
        "goodness-of-fit",
        "individual-fits",
        "random-effects",
        "predictive-checks",
        "influence",
    ]
    assert "Not a medical device" in document.notice
    keys = {m.key for m in document.methods}
    assert keys >= {
        f"diagnostic_{name}"
        for name in ("residuals", "npde", "vpc", "npc", "influence", "effects", "counts")
    }
    assert {r.key for r in document.references} >= {"Hooker_2007", "Bergstrand_2011"}
    assert document.manifest["seed"] == 3


def test_figures(document: Document, decay_fit: FitResult) -> None:
    found = figures(document)
    assert list(found) == [
        "gof-C",
        "fits-C-1",
        "effects",
        "effects-covariates",
        "vpc-1",
        "vpc-2",
        "npc",
        "influence-subjects",
        "search",
    ]
    assert all(len(f.alt) > 40 for f in found.values())
    assert len(found["gof-C"].data["CWRES"]) == 144
    assert found["vpc-2"].title == "Prediction-corrected visual predictive check by SEX"
    assert set(found["vpc-2"].data["STRATUM"]) == {"SEX = 0", "SEX = 1"}
    assert found["search"].data["OFV"][-1] == pytest.approx(decay_fit.iterations[-1].objective)


def test_numbers(document: Document) -> None:
    observations = section(document, "observations").blocks[0]
    assert isinstance(observations, Table)
    counts = [getattr(cell, "value", None) for cell in observations.rows[0]]
    assert counts[1:5] == [24, 144, 0, 6.0]
    residuals = section(document, "goodness-of-fit").blocks[-1]
    assert isinstance(residuals, Table)
    assert [row[0] for row in residuals.rows] == ["C, CWRES", "C, IWRES", "C, NPDE", "C, NPD"]


def test_what_is_left_out_is_said(document: Document) -> None:
    fits = section(document, "individual-fits").blocks
    assert isinstance(fits[-1], Paragraph)
    assert fits[-1].parts == ("The first 16 of 24 subjects are shown for C.",)


def test_coverage_is_listed(document: Document) -> None:
    tables = [b for b in section(document, "predictive-checks").blocks if isinstance(b, Table)]
    assert tables[0].caption == "Coverage of prediction intervals, C (144 observations)"
    assert [row[0] for row in tables[0].rows][-1] == "95 %"
    assert figures(document)["npc"].data["INTERVAL"][:2] == [0.0, 0.0]


def test_saem_shows_its_course(decay_fit: FitResult) -> None:
    result = fit_saem(decay_fit.problem, SaemOptions(burn_in=(60, 60), smoothing=20))
    options = FitReportOptions(pages=0, vpc=(VpcOptions(n=60),), npc=None, influence=False)
    document = fit_report(result, options=options)
    assert problems(document) == ()
    traces = figures(document)["saem-traces"]
    assert "end of the burn-in at iteration 60" in traces.alt
    assert len(traces.data["iteration"]) == 80
    drifts, moves = (b for b in section(document, "saem").blocks if isinstance(b, Table))
    assert [row[0] for row in drifts.rows] == list(result.problem.free_names)
    assert {row[0] for row in moves.rows} >= {"at modes", "component walk", "block walk"}
    assert "npc" not in figures(document)
    page = render_html(document)
    assert "nan" not in page.lower().split("course of saem")[1].split("<h2")[0]


def test_page_and_data(document: Document) -> None:
    page = render_html(document)
    assert page.count("<svg") == 9
    assert "NaN" not in json.dumps(document_to_dict(document))


def test_censored_values_are_mentioned(censored_fit: FitResult) -> None:
    options = FitReportOptions(vpc=(VpcOptions(n=60),), pages=0, influence=False)
    document = fit_report(censored_fit, options=options)
    assert problems(document) == ()
    notes = [b for b in section(document, "observations").blocks if isinstance(b, Callout)]
    assert any("censored" in str(n.parts[0]) for n in notes)
    assert "individual-fits" not in {s.key for s in document.sections}
    assert "influence-subjects" not in figures(document)


def test_two_outputs_with_occasions(two_fit: FitResult) -> None:
    document = fit_report(two_fit, options=FitReportOptions(vpc=(VpcOptions(n=60, x="tad"),)))
    assert problems(document) == ()
    keys = set(figures(document))
    assert {"gof-C", "gof-E", "fits-C-1", "fits-E-1", "vpc-1"} <= keys
    assert set(figures(document)["vpc-1"].data["OUTPUT"]) == {"C", "E"}


def test_outcomes_have_checks_and_no_residuals(answer_fit: FitResult) -> None:
    stages: list[tuple[str, float]] = []

    def note(stage: str, fraction: float) -> None:
        stages.append((stage, fraction))

    options = FitReportOptions(vpc=(VpcOptions(n=60),))
    document = fit_report(answer_fit, options=options, progress=note)
    assert problems(document) == ()
    keys = {s.key for s in document.sections}
    assert "predictive-checks" in keys
    assert "goodness-of-fit" not in keys
    assert [f for _, f in stages] == sorted(f for _, f in stages)


def test_options() -> None:
    with pytest.raises(UsageError, match="cannot be negative"):
        FitReportOptions(pages=-1)
    none: Any = FitReportOptions(vpc=())
    assert none.npde.n == 500
