"""The report of a plate: verdict first, no number without its status, nothing left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.unit.plate_report.plate_results import plate_settings, simulated_plate, strategy

from statera.assay.ic50 import Determination
from statera.cytometry.gates import RectangleGate
from statera.plate.compare import compare_curves
from statera.plate.problem import Problem, Severity
from statera.plate.result import PlateResult, Removal, WellStatus
from statera.plate.settings import (
    CompensationKind,
    CompensationSettings,
    FitSettings,
    Model,
    QualitySettings,
    ResponseScale,
)
from statera.plate_report import PlateReportOptions, build_plate_report
from statera.plate_report.gates_section import wells_drawn
from statera.plate_report.parts import digits
from statera.report import document_to_dict, render_html
from statera.report.check import inlines, problems
from statera.report.document import (
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Paragraph,
    Section,
    Table,
)


def section(document: Document, key: str) -> Section:
    return next(s for s in document.sections if s.key == key)


def tables(found: Section) -> list[Table]:
    return [b for b in found.blocks if isinstance(b, Table)]


def figures(document: Document) -> dict[str, Figure]:
    return {b.key: b for s in document.sections for b in s.blocks if isinstance(b, Figure)}


def text_of(part: str | Cell) -> str:
    if isinstance(part, str):
        return part
    return f"{part.text} {part.note}".strip()


def words(found: Section) -> str:
    parts = [text_of(p) for b in found.blocks for p in inlines(b)]
    titles = [b.title for b in found.blocks if isinstance(b, Callout)]
    return " ".join([*titles, *parts])


def column(table: Table, head: str) -> list[str]:
    return [text_of(row[table.columns.index(head)]) for row in table.rows]


def test_sections_in_order_and_no_broken_link(document: Document) -> None:
    assert problems(document) == ()
    assert [s.key for s in document.sections] == [
        "verdict",
        "ic50",
        "donors",
        "curves",
        "problems",
        "plate",
        "gates",
        "quality",
        "statistics",
        "miflowcyt",
    ]
    assert document.title == "pSTAT3 in PBMC, run 7"
    assert "Not a medical device" in document.notice
    assert {m.key for m in document.methods} == {
        "plate_ic50",
        "plate_window",
        "plate_median",
        "plate_donors",
        "plate_gates",
        "plate_quality",
    }
    assert {r.key for r in document.references} >= {"Bates_1988", "Sebaugh_2011", "Lee_2008"}
    assert "Moore_2012" in {r.key for r in document.references}, "one gate is on a logicle scale"


def test_the_verdict_counts_every_curve_once(document: Document, result: PlateResult) -> None:
    verdict = section(document, "verdict")
    first = verdict.blocks[0]
    assert isinstance(first, Paragraph)
    said = " ".join(text_of(p) for p in first.parts)
    counts = [int(n) for n in re.findall(r"(?:determined|only|refused) in (\d+)", said)]
    assert sum(counts) == len(result.curves) == 18
    assert verdict.data["by status"]["refused"] == 4
    assert verdict.data["wells"] == {"analysed": 69, "no file": 1, "unreadable": 1, "no events": 1}
    everything = words(verdict)
    assert "Refused: IL-15, CD11b, pSTAT3 (D1, D2 and D3)" in everything
    assert "the fold of stimulation" in everything
    assert "B05, C07 and D09" in everything


def test_every_ic50_has_its_status_and_refused_ones_have_a_reason(
    document: Document, result: PlateResult
) -> None:
    table = tables(section(document, "ic50"))[0]
    assert len(table.rows) == len(result.curves)
    statuses = column(table, "Status")
    assert set(statuses) == {"determined", "at least", "refused"}
    for row in table.rows:
        cells = dict(zip(table.columns, row, strict=True))
        shown, how = cells["IC50 (nM)"], text_of(cells["Status"])
        assert isinstance(shown, Cell)
        if how == "refused":
            numbers = (shown, cells["pIC50"], cells["Hill slope"])
            assert {text_of(c) for c in numbers} == {"–"}
            reason = text_of(cells["Remarks"])
            assert "below 1.5" in reason or reason.startswith("a flat line")
        elif how == "determined":
            assert shown.basis == "computed"
            assert re.fullmatch(r"[\d.]+ \([\d.]+ to [\d.]+\)", shown.text)
        else:
            assert shown.basis == "bound"
            assert shown.text.startswith("at least ")
            assert text_of(cells["pIC50"]).startswith("at most ")


def test_ic50s_are_those_of_the_analysis(document: Document, result: PlateResult) -> None:
    rows = tables(section(document, "ic50"))[0].rows
    by_name = {(c.cytokine + ", " + c.population, c.donor): c.ic50 for c in result.curves}
    for curve, donor, _status, shown, p, *_ in rows:
        ic50 = by_name[text_of(curve), text_of(donor)]
        if ic50.determination is Determination.DETERMINED:
            assert isinstance(shown, Cell)
            assert isinstance(p, Cell)
            assert shown.value == ic50.estimate
            assert p.value == pytest.approx(9.0 - np.log10(ic50.estimate))
    data = section(document, "ic50").data["curves"]
    assert sum(row["ic50_nM"] is not None for row in data) == sum(
        i.determination is Determination.DETERMINED for i in by_name.values()
    )


def test_the_page_says_on_which_scale_half_way_lies(result: PlateResult) -> None:
    settings = plate_settings(fit=FitSettings(scale=ResponseScale.ARCSINH, model=Model.THREE))
    document = build_plate_report(replace(result, settings=settings, shown=()))
    assert "half way between its limits on the arcsinh scale" in words(section(document, "ic50"))
    drawn = words(section(document, "curves"))
    assert "on the arcsinh scale" in drawn
    assert "held at the stimulated control" in drawn


def test_windows_of_the_controls(document: Document, result: PlateResult) -> None:
    table = tables(section(document, "ic50"))[1]
    folds = sorted(column(table, "Fold"))
    assert folds == sorted(f"{c.controls.fold:.2f}" for c in result.curves)
    assert set(column(table, "Wells")) == {"2 and 2"}
    assert any(z.startswith("−") for z in column(table, "Z′"))


def test_repeats_over_plates_give_the_minimum_significant_ratio(result: PlateResult) -> None:
    twice = [replace(c, plate=p) for p in ("1", "2") for c in result.curves[:1]]
    twice[1] = replace(twice[1], ic50=replace(twice[1].ic50, estimate=2 * twice[0].ic50.estimate))
    document = build_plate_report(replace(result, curves=tuple(twice), shown=()))
    table = tables(section(document, "ic50"))[2]
    spread = float(np.std([0.0, np.log10(2.0)], ddof=1))
    assert column(table, "Minimum significant ratio") == [f"{10 ** (2 * 2**0.5 * spread):.2f}"]
    assert "Eastwood_2006" in {r.key for r in document.references}
    assert problems(document) == ()


def test_ic50s_over_donors_have_their_status(document: Document) -> None:
    (table,) = tables(section(document, "donors"))
    assert column(table, "Status") == ["determined", "at least"]
    assert column(table, "Geometric mean") == [
        "27.0 (17.2 to 42.3) pooled in two stages: 26.4 (16.0 to 43.6)",
        "at least 9.20",
    ]
    assert column(table, "A new donor") == ["9.10 to 80.4", "–"]
    assert column(table, "Donors") == ["3 D1, D2, D3", "1 D1"]
    shown = table.rows[1][table.columns.index("Geometric mean")]
    assert isinstance(shown, Cell)
    assert shown.basis == "bound"


def test_the_mean_over_donors_is_a_row_of_the_chart(result: PlateResult) -> None:
    def height(some: PlateResult) -> float:
        svg = figures(build_plate_report(replace(some, shown=())))["ic50-chart"].svg
        found = re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg)
        assert found is not None
        return float(found[1])

    assert height(result) > height(replace(result, donors=()))
    assert height(replace(result, donors=())) == height(
        replace(result, donors=result.donors[1:])
    ), "one donor has no mean"


def test_curves_compared_give_no_ratio_where_shapes_differ(result: PlateResult) -> None:
    comparisons, _ = compare_curves(result.curves, result.settings.fit)
    document = build_plate_report(replace(result, comparisons=comparisons, shown=()))
    assert problems(document) == ()
    found = tables(section(document, "comparisons"))
    assert [t.caption.partition(" ")[0] for t in found] == ["Donors", "Cytokines", "Populations"]
    assert sum(len(t.rows) for t in found) == sum(len(c.ratios) for c in comparisons)
    for table in found:
        for row in table.rows:
            shown, shape, remark = row[2], row[3], text_of(row[5])
            assert isinstance(shown, Cell)
            if shown.text == "refused":
                assert text_of(shape).startswith("no, p")
                assert remark
            else:
                assert isinstance(shown.value, float)
                assert re.match(r"[\d.]+ \(", shown.text)
    said = {text_of(r[2]) for t in found for r in t.rows}
    assert len(said) > 3


def test_curves_are_drawn_by_stimulation_and_refused_ones_in_grey(document: Document) -> None:
    found = figures(document)
    grey = found["curve-IL-15-pSTAT3"]
    assert "#8a949e" in grey.svg
    assert "#8a949e" not in found["curve-IL-6-pSTAT3"].svg
    assert "CD11b D1: refused" in grey.alt
    points = grey.data["response (%)"]
    assert len(points) == len(grey.data["well"]) == len(grey.data["dose (nM)"])


def test_more_donors_than_markers_are_parted() -> None:
    many = simulated_plate(rows=16, donors=8, drawn=0)
    keys = [k for k in figures(build_plate_report(many)) if k.startswith("curve-IL-6")]
    assert keys == [
        "curve-IL-6-pSTAT3-D1-D2-D3-D4-D5-D6",
        "curve-IL-6-pSTAT3-D7-D8",
    ]


def test_the_plate_is_drawn_with_failed_wells(document: Document) -> None:
    found = figures(document)
    status = found["plate-content-and-status-of-the-wells"]
    assert "B05 (no file), C07 (unreadable), D09 (no events)" in status.alt
    medians = found["plate-median-pSTAT3-by-population"]
    assert len(medians.data["median"]) == 69 * 3
    assert medians.svg.count(">no value<") == 3
    events = found["plate-events-of-the-wells"].data
    assert len(events["kept"]) == 72
    assert sum(np.isnan(events["removed (%)"])) == 3


def test_gates_in_words(document: Document) -> None:
    gates = section(document, "gates")
    table = tables(gates)[0]
    said = dict(zip(column(table, "Gate"), column(table, "What it keeps"), strict=True))
    assert said == {
        "singlets": "FSC-H at or above 20000",
        "lymphocytes": "polygon of 4 corners in FSC-A and SSC-A",
        "live": "Live below 0.4500 (959.1)",
        "CD4": "CD3 at or above 0.5000 (828.1) and CD4 at or above 0.5000 (828.1)",
        "CD8": "ellipse in CD3 and CD4",
        "CD11b": "singlets and not CD4",
    }
    live = next(g for g in strategy().gates if g.name == "live")
    assert isinstance(live, RectangleGate)
    assert live.dimensions[0].scale is not None
    assert float(live.dimensions[0].scale(959.1)) == pytest.approx(0.45, abs=1e-4)
    assert column(table, "Scale")[2] == "logicle, compensated"
    assert "spillover matrix that each file carries" in words(gates)
    doubted = tables(gates)[1]
    assert column(doubted, "Confidence") == ["look at it", "sound"]
    assert column(doubted, "Gate") == ["CD4", "live"]


def test_wells_far_from_the_others_are_drawn_first(result: PlateResult) -> None:
    live = [s for s in result.shown if s.gate == "live"]
    options = PlateReportOptions(wells_per_gate=6, usual_wells=2)
    drawn = wells_drawn(live, options)
    assert drawn[0][0].well == "A06"
    assert [note for _, note in drawn] == ["far off", "", "", "", "usual", "usual"]
    middle = float(np.median([s.share for s in live]))
    off = [abs(s.share - middle) for s, _ in drawn]
    assert max(off[4:]) <= min(off[:4])
    few = wells_drawn(live[:3], options)
    assert len(few) == 3
    assert {note for _, note in few} == {""}


def test_all_wells_of_a_gate_are_in_its_numbers(document: Document, result: PlateResult) -> None:
    found = figures(document)["gate-2-live"]
    assert len(found.data["well"]) == sum(s.gate == "live" for s in result.shown) == 30
    assert "Far from the others: A06" in found.alt


def test_every_removal_is_counted(document: Document, result: PlateResult) -> None:
    by_rule, by_well, remarks = tables(section(document, "quality"))
    removed = sum(r.events for w in result.wells for r in w.removals)
    assert column(by_rule, "Events") == [str(removed), "0", str(removed)]
    assert sum(int(n) for n in column(by_well, "Left out")) == removed
    assert column(remarks, "From") == ["quality", "reading", "statistics"]
    few = sum(bool(r.flags) for r in result.rows)
    assert column(remarks, "Number")[2] == str(few)
    assert "numbers differ" in column(remarks, "Remark")[2]


def test_counted_but_kept_events_are_said_to_be_kept(result: PlateResult) -> None:
    wells = tuple(
        replace(w, n_kept=w.n_events, removals=(Removal("margin", 7, False, "7 at the range"),))
        if w.status is WellStatus.ANALYSED
        else w
        for w in result.wells
    )
    settings = plate_settings(quality=QualitySettings(remove=False))
    found = section(
        build_plate_report(replace(result, wells=wells, settings=settings, shown=())), "quality"
    )
    assert column(tables(found)[0], "Left out") == ["counted only", "–"]
    assert "counted, not left out" in words(found)


def test_statistics_are_folded_and_complete(document: Document, result: PlateResult) -> None:
    (table,) = tables(section(document, "statistics"))
    assert table.folded
    assert len(table.rows) == len(result.rows)
    page = render_html(document)
    assert f"Show the {len(result.rows)} rows of table" in page
    cut = build_plate_report(replace(result, shown=()), PlateReportOptions(statistics_rows=10))
    (short,) = tables(section(cut, "statistics"))
    assert len(short.rows) == 10
    assert f"{len(result.rows) - 10} more rows are in the CSV file only." in short.foot


def test_problems_say_what_to_do_the_worst_first(document: Document) -> None:
    (table,) = tables(section(document, "problems"))
    assert column(table, "Effect") == ["left out", "to be known"]
    assert column(table, "What to do") == ["Check the column 'file'.", "–"]


def test_miflowcyt_states_what_is_missing(document: Document) -> None:
    found = section(document, "miflowcyt")
    said: dict[str, Any] = {}
    for block in found.blocks:
        if isinstance(block, Definition):
            said |= dict(block.pairs)
    assert said["Purpose"] == "Inhibition of pSTAT3 by subset."
    assert said["Anticoagulant"] == "heparin", "items beyond those asked for are kept"
    assert said["Model"] == "Simulator 1 (files)."
    assert said["Date"] == "Acquired 01-JAN-2026 (files)."
    assert text_of(said["Keywords"]) == "not stated"
    assert "Keywords" in found.data["not stated"]
    assert "Purpose" not in found.data["not stated"]
    (files,) = tables(found)
    assert len(files.rows) == 69
    assert document.manifest["files of wells"]["number"] == 69
    assert "plate.toml" in document.manifest["inputs"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (CompensationKind.NONE, "None"),
        (CompensationKind.SINGLE_STAINS, "single stains"),
        (CompensationKind.FILE, "each file carries"),
        (CompensationKind.GATES, "beside the gates"),
    ],
)
def test_compensation_in_words(result: PlateResult, kind: CompensationKind, said: str) -> None:
    settings = plate_settings(compensation=CompensationSettings(kind))
    found = build_plate_report(
        replace(result, settings=settings, shown=(), curves=(), rows=(), donors=())
    )
    assert said in words(section(found, "gates"))
    assert said in words(section(found, "miflowcyt"))


def test_a_plate_without_curves_still_has_its_page(result: PlateResult) -> None:
    bare = replace(
        result, curves=(), rows=(), shown=(), donors=(), confidence=(), gates={},
        problems=(Problem("the plate", "there are no controls", "Add some.", Severity.ERROR),),
    )  # fmt: skip
    document = build_plate_report(bare)
    assert problems(document) == ()
    assert "No IC50" in words(section(document, "verdict"))
    assert "Nothing is reported here." in render_html(document)
    assert section(document, "ic50").blocks == ()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


def test_no_number_is_left_as_nan(document: Document) -> None:
    for said in _strings(document_to_dict(document)):
        assert not re.search(r"\b(nan|inf)\b", said), said


def test_names_from_files_cannot_inject_markup(result: PlateResult) -> None:
    evil = '<script>alert("x")</script>'
    settings = plate_settings(name=evil, about={"overview": {"purpose": evil}})
    rows = tuple(replace(r, population=evil if r.population == "CD4" else "B") for r in result.rows)
    shown = tuple(replace(s, gate=evil, x_name=evil) for s in result.shown[:1])
    page = render_html(
        build_plate_report(replace(result, settings=settings, rows=rows, shown=shown))
    )
    assert "<script" not in page


def test_a_page_of_384_wells_stays_small() -> None:
    big = simulated_plate(rows=32, donors=8, events=4000, drawn=96)
    page = render_html(build_plate_report(big))
    assert len(page.encode()) < 4_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.345, "12.3"), (0.0123456, "0.0123"), (1234.5, "1230"), (-0.5, "−0.500"), (0.0, "0"),
     (9.999, "10.0"), (1e-9, "1.00e-09"), (float("nan"), "–")],
)  # fmt: skip
def test_digits(value: float, text: str) -> None:
    assert digits(value) == text
