"""Whole plates, good and spoilt: what cannot be analysed is named, and the rest is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from statera.assay.ic50 import Determination
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.write_fcs import write_fcs
from statera.errors import InputError
from statera.plate.analyse import analyse_plate
from statera.plate.result import PlateResult, WellStatus
from statera.plate.simulated_plate import SimulatedPlate


@pytest.fixture(scope="module")
def result(plate: SimulatedPlate) -> PlateResult:
    return analyse_plate(plate.settings)


def rewrite(path: Path, names: dict[str, str] | None = None, keep: int | None = None) -> None:
    """Write a file anew with other names of channels, or fewer events."""
    file = read_fcs(path)
    renamed = [(names or {}).get(name, name) for name in file.names]
    labels = ["" if names and c.name in names else c.label for c in file.channels]
    write_fcs(path, file.events[:, :keep], renamed, labels=labels)


def said(result: PlateResult) -> str:
    return "\n".join(f"{p.where}: {p.sentence} {p.hint}" for p in result.problems)


def test_ic50s_lie_in_their_intervals(plate: SimulatedPlate, result: PlateResult) -> None:
    held = []
    for curve in result.curves:
        truth = plate.ic50.get((curve.donor, curve.cytokine, curve.population))
        if truth is not None:
            assert curve.ic50.determination is Determination.DETERMINED, curve.name
            assert curve.ic50.profile is not None
            low, high = curve.ic50.profile
            held.append(low <= truth <= high)
            assert curve.ic50.estimate == pytest.approx(truth, rel=0.3)
    assert len(held) == 10
    assert sum(held) >= 8  # 95 % intervals: fewer has a chance of 1 in 100


def test_cells_that_do_not_respond_are_refused(result: PlateResult) -> None:
    refused = [c for c in result.curves if (c.cytokine, c.population) == ("IL-15", "CD11b")]
    assert len(refused) == 2
    for curve in refused:
        assert curve.ic50.determination is Determination.REFUSED
        assert np.isnan(curve.ic50.estimate)
        assert "refused" in curve.ic50.sentence


def test_populations_are_those_that_were_simulated(
    plate: SimulatedPlate, result: PlateResult
) -> None:
    for row in result.rows:
        true = int((plate.labels[row.well.well] == row.population).sum())
        assert row.count == pytest.approx(true, rel=0.06)


def test_shares_and_inhibition_agree_with_their_definitions(result: PlateResult) -> None:
    rows = [r for r in result.rows if r.well.donor == "D1" and r.well.cytokine == "IL-6"]
    some = [r for r in rows if r.population == "CD4"]
    low = np.mean([r.median for r in some if r.well.condition == "unstimulated"])
    high = np.mean([r.median for r in some if r.well.condition == "stimulated"])
    for row in some:
        expected = 100 * (1 - (row.median - low) / (high - low))
        assert row.inhibition == pytest.approx(expected, abs=1e-9)
        assert row.fold == pytest.approx(row.median / low)
        assert 0 < row.of_all <= row.of_parent <= 1


def test_every_event_is_counted(result: PlateResult) -> None:
    for well in result.wells:
        removed = well.n_events - well.n_kept
        assert removed <= sum(r.events for r in well.removals if r.removed)
        assert well.content_hash.startswith("sha256:")


def test_results_do_not_depend_on_the_number_of_threads(
    plate: SimulatedPlate, result: PlateResult
) -> None:
    again = analyse_plate(plate.settings, workers=1)
    assert [r.median for r in again.rows] == [r.median for r in result.rows]
    assert [c.ic50.estimate for c in again.curves][:4] == [c.ic50.estimate for c in result.curves][
        :4
    ]


def test_a_missing_file_is_named_and_the_rest_is_analysed(small: SimulatedPlate) -> None:
    (small.settings.parent / "fcs" / "A09.fcs").unlink()
    found = analyse_plate(small.settings)
    assert "well A09: the file A09.fcs is not in the folder" in said(found)
    assert {w.well.well for w in found.wells if w.status is WellStatus.NO_FILE} == {"A09"}
    assert len(found.curves) == 3


def test_a_truncated_file_is_named_and_the_rest_is_analysed(small: SimulatedPlate) -> None:
    path = small.settings.parent / "fcs" / "A08.fcs"
    path.write_bytes(path.read_bytes()[:5000])
    found = analyse_plate(small.settings)
    (bad,) = [w for w in found.wells if w.status is WellStatus.UNREADABLE]
    assert bad.well.well == "A08"
    assert "well A08: unreadable" in said(found)
    assert len(found.curves) == 3


def test_renamed_channels_are_named_with_what_is_there(small: SimulatedPlate) -> None:
    rewrite(small.settings.parent / "fcs" / "A10.fcs", {"APC-A": "Alexa 647-A"})
    found = analyse_plate(small.settings)
    assert "well A10: not analysed: no APC-A (readout pSTAT3)" in said(found)
    assert "Alexa 647-A" in said(found)
    (bad,) = [w for w in found.wells if w.status is WellStatus.NOT_GATED]
    assert bad.well.well == "A10"


def test_a_mixed_panel_is_named_and_analysed(small: SimulatedPlate) -> None:
    path = small.settings.parent / "fcs" / "A11.fcs"
    file = read_fcs(path)
    more = np.vstack([file.events, file.events[:1]])
    labels = [*(c.label for c in file.channels), "CD45"]
    write_fcs(path, more, [*file.names, "BV785-A"], labels=labels)
    found = analyse_plate(small.settings)
    assert "well A11: the panel differs from that of most wells: has BV785-A (CD45)" in said(found)
    assert any(r.well.well == "A11" for r in found.rows)


def test_a_well_without_events_is_named(small: SimulatedPlate) -> None:
    rewrite(small.settings.parent / "fcs" / "A12.fcs", keep=0)
    found = analyse_plate(small.settings)
    assert "A12" in said(found)
    assert "no events" in said(found)
    assert len(found.curves) == 3


def test_missing_controls_leave_statistics_and_say_why_there_is_no_curve(
    small: SimulatedPlate,
) -> None:
    path = small.settings.parent / "platemap.csv"
    kept = [line for line in path.read_text().splitlines() if ",unstimulated," not in line]
    path.write_text("\n".join(kept) + "\n")
    found = analyse_plate(small.settings)
    assert found.curves == ()
    assert "there is no unstimulated control with events" in said(found)
    assert len(found.rows) == 3 * (len(kept) - 1)


def test_inverted_controls_are_refused(small: SimulatedPlate) -> None:
    path = small.settings.parent / "platemap.csv"
    text = path.read_text().replace(",unstimulated,", ",x,").replace(",stimulated,", ",unstim,")
    path.write_text(text.replace(",x,", ",stim,"))
    found = analyse_plate(small.settings)
    assert {c.ic50.determination for c in found.curves} == {Determination.REFUSED}
    assert "does not raise the signal" in found.curves[0].ic50.sentence


def test_a_population_without_events_is_named(small: SimulatedPlate) -> None:
    text = small.settings.read_text().replace(
        'CD8 = "CD3+ CD8+ CD4-"', 'CD8 = "CD3+ CD8+ CD4-"\nodd = "CD3+ CD4+ CD8+ CD11b+"'
    )
    small.settings.write_text(text)
    found = analyse_plate(small.settings)
    rows = [r for r in found.rows if r.population == "odd"]
    assert all(r.count < 50 for r in rows)
    assert all(r.flags for r in rows)
    assert {c.population for c in found.curves} >= {"CD4", "CD8", "CD11b"}


def test_no_file_at_all_is_an_error(small: SimulatedPlate) -> None:
    for path in (small.settings.parent / "fcs").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="no well of the plate map has both a file"):
        analyse_plate(small.settings)


def test_unstimulated_wells_without_a_cytokine_serve_all(small: SimulatedPlate) -> None:
    before = analyse_plate(small.settings)
    path = small.settings.parent / "platemap.csv"
    path.write_text(path.read_text().replace("D1,IL-6,unstimulated", "D1,none,unstimulated"))
    found = analyse_plate(small.settings)
    assert [c.ic50.estimate for c in found.curves] == [c.ic50.estimate for c in before.curves]
    assert [r.inhibition for r in found.rows] == [r.inhibition for r in before.rows]


def test_percent_positive_is_above_the_fmo_where_there_is_one(small: SimulatedPlate) -> None:
    folder = small.settings.parent / "fcs"
    file = read_fcs(folder / "A01.fcs")
    events = file.events.copy()
    rng = np.random.default_rng(2)
    events[file.index("APC-A")] = rng.normal(30.0, 15.0, file.n_events)  # without the stain
    labels = [c.label for c in file.channels]
    write_fcs(folder / "F01.fcs", events, file.names, labels=labels)
    path = small.settings.parent / "platemap.csv"
    without = analyse_plate(small.settings)
    path.write_text(path.read_text() + "F01,F01.fcs,D1,,fmo,0\n")
    found = analyse_plate(small.settings)
    by_condition = {
        condition: np.nanmean(
            [r.percent_positive for r in found.rows if r.well.condition == condition]
        )
        for condition in ("unstimulated", "stimulated")
    }
    assert by_condition["unstimulated"] > 90.0  # all cells are above background
    assert by_condition["stimulated"] > 99.0
    # against unstimulated wells, 1 % of these lie above by definition of the percentile
    stimulated = [r for r in without.rows if r.well.condition == "stimulated"]
    assert all(30.0 < r.percent_positive <= 100.0 for r in stimulated)
    unstimulated = [r for r in without.rows if r.well.condition == "unstimulated"]
    assert all(np.isnan(r.percent_positive) for r in unstimulated)


def test_a_channel_that_no_file_has_is_named(small: SimulatedPlate) -> None:
    small.settings.write_text(small.settings.read_text().replace('"FITC-A"', '"FITC-X"'))
    with pytest.raises(InputError, match=r"no FITC-X \(marker CD3\)") as caught:
        analyse_plate(small.settings)
    assert "FITC-A (CD3)" in caught.value.hint
