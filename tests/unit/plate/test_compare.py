from __future__ import annotations

import numpy as np
import pytest

from statera.plate.analyse import analyse_plate
from statera.plate.compare import compare_curves
from statera.plate.result import PlateResult
from statera.plate.settings import FitSettings
from statera.plate.simulated_plate import SimulatedPlate


@pytest.fixture(scope="module")
def result(plate: SimulatedPlate) -> PlateResult:
    return analyse_plate(plate.settings)


def test_cytokines_with_different_ic50s_are_told_apart(
    plate: SimulatedPlate, result: PlateResult
) -> None:
    (found,) = [c for c in result.comparisons if c.name == "D2, CD4, pSTAT3"]
    assert found.what == "cytokines"
    assert found.parallel
    assert not found.equal
    (ratio,) = found.ratios
    true = plate.ic50["D2", "IL-6", "CD4"] / plate.ic50["D2", "IL-15", "CD4"]
    assert ratio.ratio == pytest.approx(true, rel=0.25)
    assert ratio.profile[0] < ratio.ratio < ratio.profile[1] < 1.0


def test_a_curve_with_itself_is_parallel_and_equal(result: PlateResult) -> None:
    first = result.curves[0]
    other = type(first)(**{**vars(first), "donor": "twin"})
    comparisons, problems = compare_curves([first, other], FitSettings())
    (found,) = comparisons
    assert problems == ()
    assert found.what == "donors"
    assert found.parallel
    assert found.equal
    assert found.ratios[0].ratio == pytest.approx(1.0, rel=1e-6)
    assert np.isclose(found.p_equal, 1.0, atol=1e-6)


def test_refused_curves_take_no_part(result: PlateResult) -> None:
    for comparison in result.comparisons:
        if comparison.what == "donors":
            assert "IL-15, CD11b" not in comparison.name
