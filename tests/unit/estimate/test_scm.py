"""Covariate search on simulated data: clearance by weight, volume by sex, age without effect."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from statera.data import FitData, read_data
from statera.errors import InputError, UsageError
from statera.estimate.scm import Candidate, CovariateSearch, covariate_search, with_effects

TIMES = np.array([0.5, 2.0, 6.0, 12.0])
SPEC: dict[str, Any] = {
    "id": "bolus",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "TVCL": {"value": 3.0, "unit": ""},
        "TVV": {"value": 20.0, "unit": ""},
        "p": {"value": 0.15, "unit": ""},
    },
    "random_effects": {"eCL": {"variance": 0.05}, "eV": {"variance": 0.05}},
    "individual": {"CL": "TVCL*exp(eCL)", "V": "TVV*exp(eV)"},
    "dynamics": {"central": "-CL/V*central"},
    "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
    "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
    "residual": {"C": {"variance": "(p*C)^2"}},
    "covariates": {"WT": {"unit": "", "reference": 70}},
}
CANDIDATES = [
    Candidate("CL", "WT", "power"),
    Candidate("CL", "AGE", "linear"),
    Candidate("V", "SEX", "categorical"),
]


def data(n: int = 40) -> FitData:
    """Concentrations after 100 mg; CL ~ (WT/70)^0.9, V 40 % larger where SEX is 2."""
    random = np.random.default_rng(8)
    names = ("ID", "TIME", "AMT", "EVID", "DV", "WT", "AGE", "SEX")
    rows: dict[str, list[float]] = {k: [] for k in names}
    for i in range(n):
        weight, age, sex = random.uniform(45, 110), random.uniform(20, 80), 1.0 + (i % 3 == 0)
        cl = 3.0 * (weight / 70) ** 0.9 * np.exp(0.2 * random.standard_normal())
        v = 20.0 * (1.4 if sex == 2 else 1.0) * np.exp(0.2 * random.standard_normal())
        c = 100.0 / v * np.exp(-cl / v * TIMES) * (1 + 0.15 * random.standard_normal(TIMES.size))
        records = [(0.0, 100.0, 1, 0.0), *((t, 0.0, 0, y) for t, y in zip(TIMES, c, strict=True))]
        for record in records:
            for name, x in zip(names, (i + 1, *record, weight, age, sex), strict=True):
                rows[name].append(float(x))
    return read_data(rows)


@pytest.fixture(scope="module")
def found() -> CovariateSearch:
    """The search."""
    return covariate_search(SPEC, data(), CANDIDATES)


def test_true_effects_are_found_and_the_false_one_is_not(found: CovariateSearch) -> None:
    assert set(found.included) == {CANDIDATES[0], CANDIDATES[2]}
    names = list(found.result.problem.model.parameters)
    values = dict(zip(names, found.result.theta, strict=True))
    assert values["CL_WT"] == pytest.approx(0.9, abs=0.35)
    assert values["V_SEX_1"] == pytest.approx(0.4, abs=0.25)
    assert found.result.ofv < found.base.ofv - 10.0


def test_every_fit_is_a_row(found: CovariateSearch) -> None:
    table = found.to_polars()
    # 3 + 2 + 1 forward, of which the last includes nothing; 2 backward, which remove nothing
    assert table["step"].to_list() == [1, 1, 1, 2, 2, 3, 4, 4]
    assert table["direction"].to_list() == ["forward"] * 6 + ["backward"] * 2
    assert table["chosen"].sum() == 2
    assert (table["status"] == "converged").all()
    assert (table["df"] == 1).all()
    chosen = [t for t in found.trials if t.chosen]
    assert found.base.ofv - sum(t.drop for t in chosen) == pytest.approx(found.result.ofv)
    kept = [t for t in found.trials if t.direction == "backward"]
    assert all(t.p_value < 0.01 for t in kept)


def test_an_effect_leaves_the_model_as_it_was_where_it_is_zero(found: CovariateSearch) -> None:
    table = data()
    original = copy.deepcopy(SPEC)
    one = with_effects(SPEC, table, CANDIDATES)
    assert original == SPEC
    assert one["individual"]["CL"].startswith("((TVCL*exp(eCL))*(WT/70.0)^CL_WT)*(1 + CL_AGE*(AGE")
    assert one["covariates"]["AGE"]["reference"] == pytest.approx(
        np.median(np.asarray(table.events.covariates["AGE"])[::5])
    )
    text = with_effects(SPEC, table, [Candidate("V", "WT", "exponential")])["individual"]["V"]
    assert text == "(TVV*exp(eV))*exp(V_WT*(WT - (70.0)))"


def test_candidates_are_checked() -> None:
    table = data()
    with pytest.raises(UsageError, match="'KA' is not an individual parameter"):
        covariate_search(SPEC, table, [Candidate("KA", "WT")])
    with pytest.raises(InputError, match="no covariate 'CRCL'"):
        covariate_search(SPEC, table, [Candidate("CL", "CRCL")])
    with pytest.raises(InputError, match="more than 10 levels"):
        covariate_search(SPEC, table, [Candidate("CL", "WT", "categorical")])
