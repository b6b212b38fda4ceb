"""Which well holds what."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from statera.assay.plan_layout import Layout, WellUse, plan_layout
from statera.assay.plan_options import Edges, LayoutOptions, PlateFormat, PlateOptions, Stain
from statera.errors import InputError

PANEL = (Stain("CD4"), Stain("CD8"), Stain("pSTAT3", readout=True))
PLATE = PlateOptions()
SMALL = PlateOptions(PlateFormat.WELLS_384, cells_ul=40, drug_ul=5, cytokine_ul=5)


def laid(n: int = 9, layout: LayoutOptions | None = None, plate: PlateOptions = PLATE) -> Layout:
    return plan_layout(n, plate, layout or LayoutOptions(), PANEL)


def test_controls_and_doses_of_every_donor_and_cytokine() -> None:
    found = laid()
    for donor in ("D1", "D2", "D3"):
        for cytokine in ("IL-6", "IL-15"):
            mine = [w for w in found.wells if (w.donor, w.cytokine) == (donor, cytokine)]
            uses = Counter(w.use for w in mine if w.use is not WellUse.SINGLE_STAIN)
            assert uses == {
                WellUse.DOSE: 18, WellUse.UNSTIMULATED: 4, WellUse.STIMULATED: 4, WellUse.FMO: 1,
            }  # fmt: skip
            assert Counter(w.dose for w in mine if w.dose is not None) == dict.fromkeys(range(9), 2)
            shared = {w.plate for w in mine if w.use is not WellUse.SINGLE_STAIN}
            assert len(shared) == 1


def test_controls_are_spread_over_columns() -> None:
    for plate in (PLATE, SMALL):
        found = laid(plate=plate)
        for use in (WellUse.UNSTIMULATED, WellUse.STIMULATED):
            columns: dict[tuple[str, str], list[int]] = {}
            for w in found.wells:
                if w.use is use:
                    columns.setdefault((w.donor, w.cytokine), []).append(w.column)
            for found_columns in columns.values():
                assert len(set(found_columns)) == 4
                assert max(found_columns) - min(found_columns) >= 6


def test_edges() -> None:
    buffer = laid()
    assert {(w.use) for w in buffer.wells if w.row in (0, 7) or w.column in (0, 11)} == {
        WellUse.UNUSED
    }
    assert buffer.count(WellUse.UNUSED) == 36 * buffer.plates
    empty = laid(plate=replace(PLATE, edges=Edges.EMPTY))
    assert empty.count(WellUse.UNUSED) == 0
    assert min(w.row for w in empty.wells) == 1
    used = laid(plate=replace(PLATE, edges=Edges.USED))
    assert used.plates == 3  # a donor's cytokines stay together, and two donors need 108 wells
    assert min(w.row for w in used.wells) == 0


def test_stains_are_named_and_the_readout_is_stained_on_stimulated_cells() -> None:
    stains = {w.stain: w for w in laid().wells if w.use is WellUse.SINGLE_STAIN}
    assert set(stains) == {"CD4", "CD8", "pSTAT3"}
    assert stains["pSTAT3"].cytokine == "IL-6"
    assert stains["CD4"].cytokine == ""
    assert {w.stain for w in laid().wells if w.use is WellUse.FMO} == {"pSTAT3"}


def test_order_is_random_by_seed_or_as_in_the_series() -> None:
    def order(**changes: object) -> list[int | None]:
        found = laid(layout=LayoutOptions(**changes))  # type: ignore[arg-type]
        return [w.dose for w in found.wells if w.use is WellUse.DOSE][:18]

    assert order(seed=1) == order(seed=1)
    assert order(seed=1) != order(seed=2)
    assert order(randomise=False) == [*range(9), *range(9)]


def test_what_does_not_fit_takes_more_plates_and_keeps_groups_whole() -> None:
    layout = LayoutOptions(donors=("D1",), replicates=4)
    found = laid(layout=layout)
    assert found.plates == 2
    full = laid(n=10, layout=LayoutOptions(donors=("D1", "D2"), replicates=2, fmo=2))
    assert full.remarks == ("Plate 3 holds only single stains and unstained wells.",)


def test_a_group_that_fits_on_no_plate_is_refused_in_plain_words() -> None:
    with pytest.raises(InputError, match="needs 69 wells") as caught:
        laid(n=12, layout=LayoutOptions(replicates=5))
    assert "has 60" in caught.value.what
    assert "384" in caught.value.hint
    assert laid(n=12, layout=LayoutOptions(replicates=5), plate=SMALL).plates == 2


def test_too_many_plates_are_refused() -> None:
    layout = LayoutOptions(donors=tuple(f"D{i}" for i in range(60)))
    with pytest.raises(InputError, match="60 plates are more"):
        laid(layout=layout)


@pytest.mark.parametrize(
    "wrong",
    [
        {"donors": ()},
        {"donors": ("A", "A")},
        {"cytokines": ()},
        {"replicates": 0},
        {"stimulated": 0},
        {"single_stains": 2},
        {"seed": -1},
    ],
)
def test_impossible_layouts_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        LayoutOptions(**wrong)  # type: ignore[arg-type]


def test_a_well_that_overflows_is_refused() -> None:
    with pytest.raises(InputError, match="do not fit into a well"):
        PlateOptions(cells_ul=300.0)
