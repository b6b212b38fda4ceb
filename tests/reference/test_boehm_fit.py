"""Boehm 2014 from twenty starts: the optimum, and the steps on which other searches end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("fides")

from statera.pathway.multi_start import MultiStartOptions, multi_start
from statera.pathway.objective import Objective
from statera.pathway.petab_read import read_problem
from statera.pathway.profile_likelihood import EndStatus, profile_likelihood

pytestmark = pytest.mark.reference

# Optimum and local minima that two other implementations found as well.
OPTIMUM, STEPS = 138.222, (147.544, 149.588, 249.746)


@pytest.fixture(scope="module")
def objective(reference: Path) -> Objective:
    path = reference / "petab" / "Boehm_JProteomeRes2014" / "Boehm_JProteomeRes2014.yaml"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    return Objective(read_problem(path))


def test_twenty_starts(objective: Objective) -> None:
    found = multi_start(objective, MultiStartOptions(starts=20, seed=1))
    assert found.best.value == pytest.approx(OPTIMUM, abs=1e-3)
    assert found.at_best() >= 1
    levels = [value for value, _ in found.levels(within=0.02)]
    for step in STEPS:
        assert min(abs(value - step) for value in levels) < 2e-3, step


def test_profiles_of_flat_and_of_sure_parameters(objective: Objective) -> None:
    begin = [objective.nominal]
    best = multi_start(objective, MultiStartOptions(starts=1), begin=begin).best
    names = ("k_phos", "k_exp_hetero", "k_imp_homo")
    sure, low, high = profile_likelihood(objective, best.end, names)
    assert sure.identified
    assert 4.0 < sure.low < best.end[objective.names.index("k_phos")] < sure.high < 4.4
    # the optimum lies at one bound of each of these, and nothing limits them on that side
    assert low.low_status is EndStatus.AT_BOUND
    assert high.high_status is EndStatus.AT_BOUND
    assert np.isfinite([low.high, high.low]).all()
    assert max(p.better for p in (sure, low, high)) < 1e-3
