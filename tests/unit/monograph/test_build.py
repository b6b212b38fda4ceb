"""The whole document: complete, linked, and the same every time."""

from __future__ import annotations

import pytest

from statera.errors import UnknownNameError, UsageError
from statera.library import drugs
from statera.monograph import MonographOptions, build
from statera.monograph.build import NOTICE
from statera.report import document_to_dict, render_html
from statera.report.check import inlines, problems
from statera.report.document import Cell

FEW = MonographOptions(n=50, workers=1)
ORDER = [
    "identity",
    "mechanism",
    "pharmacokinetics",
    "engagement",
    "dosing",
    "efficacy",
    "biomarkers",
    "protocol",
    "safety",
    "monitoring",
    "audit",
]


@pytest.mark.parametrize("name", drugs())
def test_every_drug_gives_the_same_sections_without_faults(name: str) -> None:
    document = build(name, FEW)
    assert [s.key for s in document.sections] == ORDER
    assert problems(document) == ()
    assert document.notice == NOTICE
    cells = [
        p for s in document.sections for b in s.blocks for p in inlines(b) if isinstance(p, Cell)
    ]
    for cell in cells:
        if cell.basis == "computed":
            assert cell.method or cell.sources, cell
        if cell.basis == "fact":
            assert cell.sources or cell.method, cell
    cited = {source for cell in cells for source in cell.sources}
    assert {r.key for r in document.references} == cited


def test_the_same_options_give_the_same_page_whatever_the_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one = render_html(build("baricitinib", FEW))
    two = render_html(build("Olumiant", MonographOptions(n=50, workers=3)))
    assert one == two


def test_the_data_hold_what_the_page_shows() -> None:
    data = document_to_dict(build("baricitinib", FEW))
    assert [s["key"] for s in data["sections"]] == ORDER
    assert data["manifest"]["seed"] == 1
    assert data["manifest"]["inputs"]


def test_progress_is_told_in_order() -> None:
    told: list[tuple[str, float | None]] = []
    build("ruxolitinib", FEW, lambda stage, fraction: told.append((stage, fraction)))
    fractions = [fraction for _, fraction in told if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] == 1.0
    assert len(told) == len(ORDER) + 2


def test_an_unknown_drug_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        build("baricitinb", FEW)
    assert "baricitinib" in caught.value.nearest


@pytest.mark.parametrize(
    "wrong", [{"n": 5}, {"workers": -1}, {"concentration_nM": 0.0}, {"concentration_nM": -3.0}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        MonographOptions(**wrong)  # type: ignore[arg-type]


def test_the_concentration_colours_the_mechanism() -> None:
    low = build("baricitinib", MonographOptions(n=50, concentration_nM=1.0))
    high = build("baricitinib", MonographOptions(n=50, concentration_nM=1000.0))
    assert low.manifest["concentration_nM"] == 1.0
    svg = [
        next(b.svg for b in d.sections[1].blocks if type(b).__name__ == "Figure")
        for d in (low, high)
    ]
    assert svg[0] != svg[1]
