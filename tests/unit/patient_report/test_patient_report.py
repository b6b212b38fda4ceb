"""The page of one patient, from a forecast that this program computed once for the purpose."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import typst

from statera.errors import InputError
from statera.patient_report import patient_report
from statera.patient_report.words import Clock, dose_text, percent, range_text
from statera.report import render_html
from statera.report.check import problems
from statera.report.document import Callout, Document, Figure, Table
from statera.report.pdf import render_pdf
from statera.report.typst import render_typst

STORED = json.loads((Path(__file__).parent / "forecast.json").read_text(encoding="utf-8"))


@pytest.fixture
def result() -> dict[str, Any]:
    return copy.deepcopy(STORED)


def blocks(document: Document, key: str) -> list[Any]:
    return [b for s in document.sections if s.key == key for b in s.blocks]


def test_the_page_holds_what_a_reader_needs(result: dict[str, Any]) -> None:
    document = patient_report(result, {"version": "1"})
    assert problems(document) == ()
    keys = [section.key for section in document.sections]
    assert keys == ["advice", "course", "sampling", "questions", "samples", "warnings", "model"]
    page = render_html(document)
    assert result["advice"]["sentence"] in page
    assert "Not a medical device" in page
    for candidate in result["advice"]["candidates"][:6]:
        assert f"{candidate['amount']:g} mg" in page


def test_the_figure_holds_all_bands_and_samples(result: dict[str, Any]) -> None:
    (figure,) = blocks(patient_report(result, {}), "course")
    assert isinstance(figure, Figure)
    assert "2 samples and 10 doses" in figure.alt
    for band in result["course"]["bands"]:
        assert figure.data[f"{band['label']}, median"] == band["p50"]


def test_the_five_questions_are_answered(result: dict[str, Any]) -> None:
    (table,) = blocks(patient_report(result, {}), "questions")
    assert isinstance(table, Table)
    assert len(table.rows) == 5
    answers = [getattr(row[1], "text", row[1]) for row in table.rows]
    assert answers == [
        "samples narrow it",
        "simulated, not observed",
        "not established",
        "a candidate reaches it",
        "no evidence found",
    ]


def test_a_forecast_without_target_doses_or_samples_says_so(result: dict[str, Any]) -> None:
    result |= {"advice": None, "sampling": None, "course": None, "targets": [], "samples": []}
    result["remarks"] = []
    document = patient_report(result, {})
    assert problems(document) == ()
    (note,) = blocks(document, "advice")
    assert isinstance(note, Callout)
    assert "advises no dose" in note.parts[0]
    (missing,) = blocks(document, "course")
    assert isinstance(missing, Callout)
    assert [s.key for s in document.sections if s.key == "warnings"] == []
    assert "cannot be said" in render_html(document)


def test_no_candidate_is_a_warning(result: dict[str, Any]) -> None:
    result["advice"] |= {"reached": False, "chosen_rank": None}
    (callout, *_) = blocks(patient_report(result, {}), "advice")
    assert callout.kind == "warning"
    assert callout.title == "No candidate reaches the target"


def test_one_page_of_paper_the_same_bytes(result: dict[str, Any]) -> None:
    document = patient_report(result, {})
    pdf = render_pdf(document, compact=True)
    assert pdf == render_pdf(document, compact=True)
    pages = typst.compile(
        render_typst(document, compact=True).encode(), format="svg", ignore_system_fonts=True
    )
    assert not isinstance(pages, list)  # several pages come as a list


def test_hostile_names_stay_text(result: dict[str, Any]) -> None:
    result["request"]["patient"] = '<script>alert("x")</script>'
    result["samples"][0]["assay"] = "#eval(1) $x$"
    document = patient_report(result, {})
    assert "<script>" not in render_html(document)
    assert render_pdf(document).startswith(b"%PDF-")


def test_other_data_are_refused() -> None:
    with pytest.raises(InputError, match=r"schema 'statera\.fit/1'"):
        patient_report({"schema": "statera.fit/1"}, {})


def test_words() -> None:
    assert percent(0.999) == "over 99 %"
    assert percent(0.001) == "under 1 %"
    assert percent(0.5) == "50 %"
    assert range_text(None, 5.0, "ng/mL") == "at most 5 ng/mL"
    assert range_text(3.0, None, "ng*h/mL") == "at least 3 ng·h/mL"
    assert dose_text(3.0, 24.0, [{"strength": 2.0, "parts": 2, "count": 3}]) == (
        "3 mg once daily (3 × half of 2 mg)"
    )
    assert dose_text(2.0, 48.0) == "2 mg every 48 h"
    assert Clock(None).say(3.5) == "3.5 h"
    assert Clock("2026-03-01T08:00:00").say(26.0) == "2026-03-02 10:00"


def test_targets_of_inhibition_are_told_apart(result: dict[str, Any]) -> None:
    for k, cells in enumerate(("CD4", "CD8")):
        target = {
            "metric": "average_inhibition", "low": 20.0, "high": None, "unit": "%",
            "threshold": None, "analyte": "", "basis": "", "grade": "user",
            "potency": {
                "name": f"IL-6, pSTAT3, {cells}", "value": 52.3, "unit": "nM", "hill": 1.17,
                "from_file": "potency.toml",
            },
        }  # fmt: skip
        result["targets"][k:] = [target]
    for candidate in result["advice"]["candidates"]:
        one = {**candidate["expected"][0], "metric": "average_inhibition", "unit": ""}
        candidate["expected"] = [one, one]
    targets, candidates = (b for b in blocks(patient_report(result, {}), "advice")[1:3])
    assert [row[0].text for row in targets.rows] == [
        "average inhibition: IL-6, pSTAT3, CD4", "average inhibition: IL-6, pSTAT3, CD8"
    ]  # fmt: skip
    assert targets.rows[0][0].note == "IC50 52.3 nM, Hill 1.17, potency.toml"
    assert candidates.columns[2:4] == (
        "average inhibition: IL-6, pSTAT3, CD4", "average inhibition: IL-6, pSTAT3, CD8"
    )  # fmt: skip
