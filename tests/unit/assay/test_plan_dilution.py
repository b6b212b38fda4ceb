"""Dilutions from the stock to the wells: by hand, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from statera.assay.plan_dilution import MEDIUM, STOCK, DilutionPlan, plan_dilutions
from statera.assay.plan_options import (
    DoseOptions,
    PipettingOptions,
    PlanOptions,
    PlateFormat,
    PlateOptions,
)
from statera.assay.plan_pipetting import Pipette
from statera.errors import InputError

BASE = PlanOptions("test", "baricitinib")


def planned(options: PlanOptions, each: int = 12, vehicle: int = 40) -> DilutionPlan:
    wells = dict.fromkeys(range(len(options.doses.values_nM)), each)
    return plan_dilutions(options, wells, vehicle)


def test_ten_micromolar_at_a_tenth_of_a_percent_is_the_stock_a_thousandfold() -> None:
    plan = planned(BASE)
    top = plan.mixture("W1")
    assert (top.source, top.diluent, top.mix.fold) == (STOCK, MEDIUM, pytest.approx(100.0))
    assert plan.doses[0].reached_nM == pytest.approx(10_000.0)
    assert plan.doses[0].solvent_percent == pytest.approx(0.1)


def test_doses_reached_are_near_those_wanted() -> None:
    for one in planned(BASE).doses:
        assert abs(one.error_percent) < 2.0


def test_listed_doses_with_unequal_steps_are_reached() -> None:
    doses = DoseOptions(listed_nM=(1, 3, 10, 30, 100, 300, 1000))
    plan = planned(replace(BASE, doses=doses))
    assert [d.wanted_nM for d in plan.doses] == [1000, 300, 100, 30, 10, 3, 1]
    assert [d.error_percent for d in plan.doses] == pytest.approx([0.0] * 7, abs=0.5)


def test_a_low_top_dose_is_first_diluted_in_solvent() -> None:
    plan = planned(replace(BASE, doses=DoseOptions(top_nM=1.0, n=3)))
    first = plan.mixtures[0]
    assert (first.name, first.source, first.diluent) == ("I1", STOCK, "DMSO")
    assert plan.doses[0].reached_nM == pytest.approx(1.0, rel=0.01)
    assert max(m.mix.fold for m in plan.mixtures) <= 100.5


def test_doses_that_lie_close_are_made_too() -> None:
    plan = planned(replace(BASE, doses=DoseOptions(step=1.1, n=20)))
    assert plan.doses[-1].reached_nM == pytest.approx(10_000.0 / 1.1**19, rel=0.02)


def test_a_large_fold_into_medium_gets_an_intermediate() -> None:
    plate = PlateOptions(cells_ul=100.0, drug_ul=50.0, cytokine_ul=50.0)
    plan = planned(replace(BASE, plate=plate))
    assert plan.mixture("W1").source == "M1"
    assert plan.mixture("M0").source == "DMSO"
    assert plan.vehicle.solvent_percent == pytest.approx(0.1, rel=0.01)


def test_many_wells_need_several_tubes_of_vehicle() -> None:
    plan = planned(BASE, vehicle=300)
    vehicle = plan.mixture("W0")
    assert vehicle.copies > 1
    assert vehicle.mix.total_ul <= BASE.pipetting.tube_ul
    assert vehicle.made_ul >= 300 * 20


def test_a_plate_of_384_wells_works_too() -> None:
    plate = PlateOptions(PlateFormat.WELLS_384, cells_ul=40, drug_ul=5, cytokine_ul=5)
    assert planned(replace(BASE, plate=plate)).doses[-1].reached_nM == pytest.approx(1.0, rel=0.02)


def test_a_stock_that_is_too_weak_is_refused_with_the_highest_dose_possible() -> None:
    with pytest.raises(InputError, match="needs a stock of 20 mM") as caught:
        planned(replace(BASE, doses=DoseOptions(top_nM=20_000.0)))
    assert "10000 nM" in caught.value.hint
    assert caught.value.where == "doses.top_nM"


def test_too_much_solvent_is_refused() -> None:
    with pytest.raises(InputError, match="working solution would be 100 % DMSO"):
        planned(replace(BASE, doses=DoseOptions(top_nM=1000.0, dmso_percent=10.0)))


def test_a_volume_that_no_pipette_delivers_is_refused() -> None:
    plate = PlateOptions(cells_ul=159.7)
    with pytest.raises(InputError, match=r"159\.7 µL a well cannot be pipetted"):
        planned(replace(BASE, plate=plate))


def test_pipettes_that_cannot_make_the_series_are_refused() -> None:
    pipetting = PipettingOptions((Pipette(20.0, 200.0, 20.0),), tube_ul=100.0)
    with pytest.raises(InputError, match="cannot be pipetted"):
        planned(replace(BASE, pipetting=pipetting))


@pytest.mark.parametrize(
    "wrong",
    [
        {"stock_mM": 0.0},
        {"dmso_percent": 0.0},
        {"dmso_percent": 100.0},
        {"listed_nM": (1.0, 1.0)},
        {"listed_nM": (1.0, -1.0)},
        {"n": 1},
    ],
)
def test_impossible_doses_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        DoseOptions(**wrong)  # type: ignore[arg-type]
