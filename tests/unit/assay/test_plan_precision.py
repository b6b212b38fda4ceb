"""Precision of designs by simulation: direction, known limits and repeatability."""

from __future__ import annotations

import math

import pytest

from statera.assay.plan_options import DoseOptions, LayoutOptions, PrecisionOptions
from statera.assay.plan_precision import PrecisionTable, simulate_precision
from statera.errors import InputError

DOSES = DoseOptions().values_nM


def table(**changes: object) -> PrecisionTable:
    options = {
        "doses": (9,), "replicates": (1, 3), "donors": (3, 6), "experiments": 60, **changes
    }  # fmt: skip
    return simulate_precision(DOSES, LayoutOptions(), PrecisionOptions(**options))  # type: ignore[arg-type]


def test_more_wells_and_donors_are_more_precise() -> None:
    one_3, one_6, three_3, three_6 = table().designs
    assert one_3.donor_fold > three_3.donor_fold
    assert one_3.log10_se > one_6.log10_se > three_6.log10_se
    assert one_3.mean_fold > one_6.mean_fold
    assert three_6.determined >= one_6.determined


def test_without_noise_in_wells_only_donors_vary() -> None:
    for design in table(well_cv=1e-6, between_donor_sd=0.3).designs:
        assert design.determined == 1.0
        assert design.log10_se == pytest.approx(
            0.3 / math.log(10) / math.sqrt(design.donors), rel=1e-3
        )
        assert design.donor_fold == pytest.approx(1.0, abs=1e-3)


def test_an_ic50_beyond_the_doses_is_not_determined() -> None:
    assert all(d.determined < 0.5 for d in table(ic50_nM=1e6).designs)


def test_the_smallest_good_design_has_the_fewest_wells() -> None:
    found = table(wanted_fold=3.0, replicates=(1, 2, 3), donors=(3, 6, 12))
    best = found.smallest
    assert best is not None
    assert best.meets
    assert all(best.wells * best.donors <= d.wells * d.donors for d in found.designs if d.meets)
    assert table(wanted_fold=1.001).smallest is None


def test_the_same_seed_gives_the_same_table() -> None:
    assert table(seed=3).designs == table(seed=3).designs
    assert table(seed=3).designs != table(seed=4).designs


@pytest.mark.parametrize(
    "wrong",
    [
        {"hill": 0.0},
        {"window": 1.0},
        {"well_cv": -0.1},
        {"ic50_nM": -1.0},
        {"experiments": 5},
        {"donors": (1,)},
        {"doses": (2,)},
    ],
)
def test_impossible_assumptions_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        PrecisionOptions(**wrong)  # type: ignore[arg-type]
