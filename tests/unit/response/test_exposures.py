"""Exposures simulated from population models."""

from __future__ import annotations

import numpy as np
import pytest

from statera.errors import DomainError, InputError, UnknownNameError
from statera.library import load_model
from statera.model import build_model
from statera.response.binary import Binary
from statera.response.exposures import simulate_exposures, steady_state_regimens
from statera.response.fit import FitOptions, fit_response
from statera.response.outcome_table import OutcomeColumns, read_rows
from statera.response.predict_doses import predict_doses
from statera.response.solved_rows import solved_rows

BARICITINIB = load_model("baricitinib/Decker_2024")


def test_area_at_steady_state_is_dose_over_clearance() -> None:
    regimens = steady_state_regimens([0.0, 2.0, 4.0, 4.0])
    assert regimens == ("placebo", "2 mg q24h ss", "4 mg q24h ss", "4 mg q24h ss")
    found = simulate_exposures(
        BARICITINIB, regimens, {"weight": [74.0, 74.0, 74.0, 37.0]}, metric="auc"
    )
    # 3.36 + 6.34 L/h at 74 kg and eGFR 93, allometry 0.75; ng/mL is ug/L
    clearance = 9.70 * np.array([1.0, 1.0, 0.5**0.75])
    assert found.typical == pytest.approx([0.0, *(1000.0 * np.array([2.0, 4.0, 4.0]) / clearance)],
                                          rel=1e-6)  # fmt: skip
    assert found.unit == "ng*h/mL"
    assert found.draws is None
    assert "EGFR = 93" in found.notes[0]
    assert "WT" not in found.notes[0]


def test_metrics_agree_with_each_other() -> None:
    regimen = ["4 mg q24h ss"]
    area, mean, peak, trough = (
        simulate_exposures(BARICITINIB, regimen, metric=m).typical[0]
        for m in ("AUCtau", "Cavg", "Cmax", "Ctrough")
    )
    assert mean == pytest.approx(area / 24.0)
    assert trough < mean < peak
    above = simulate_exposures(BARICITINIB, regimen, metric=f"time above {mean:.4f}")
    assert 0.0 < above.typical[0] < 24.0
    assert above.unit == "h"
    never = simulate_exposures(BARICITINIB, regimen, metric=f"time above {2 * peak:.4f}")
    assert never.typical[0] == 0.0


def test_the_area_of_a_day_does_not_depend_on_the_interval() -> None:
    both = ["4 mg q24h ss", "2 mg q12h ss"]
    day = simulate_exposures(BARICITINIB, both, metric="AUC24")
    assert day.typical[0] == pytest.approx(day.typical[1], rel=1e-6)
    assert day.unit == "ng*h/mL"
    assert len(day.notes) == 1
    tau = simulate_exposures(BARICITINIB, both, metric="AUCtau")
    assert tau.typical == pytest.approx([day.typical[0], 0.5 * day.typical[1]])
    assert "not comparable" in tau.notes[-1]


def test_draws_scatter_about_the_typical_exposure() -> None:
    regimens = steady_state_regimens(np.repeat([0.0, 4.0], [1, 3]), "12 h")
    found = simulate_exposures(BARICITINIB, regimens, draws=400, seed=2)
    assert found.draws is not None
    assert found.draws.shape == (4, 400)
    assert not found.draws[0].any()
    assert np.median(found.draws[1:]) == pytest.approx(found.typical[1], rel=0.1)
    again = simulate_exposures(BARICITINIB, regimens, draws=400, seed=2)
    assert np.array_equal(again.draws, found.draws)
    # the draws of a subject stay what they are when the dose of another changes
    other = simulate_exposures(BARICITINIB, (*regimens[:3], "2 mg q12h ss"), draws=400, seed=2)
    assert other.draws is not None
    assert np.array_equal(other.draws[:3], found.draws[:3])
    assert other.draws[3] == pytest.approx(0.5 * found.draws[3], rel=1e-9)


def test_refusals() -> None:
    with pytest.raises(UnknownNameError, match="metric"):
        simulate_exposures(BARICITINIB, ["4 mg q24h ss"], metric="peak")
    with pytest.raises(UnknownNameError, match="metric"):
        simulate_exposures(BARICITINIB, ["4 mg q24h ss"], metric="time above much")
    with pytest.raises(UnknownNameError, match="output"):
        simulate_exposures(BARICITINIB, ["4 mg q24h ss"], output="URINE")
    with pytest.raises(DomainError):
        simulate_exposures(BARICITINIB, ["4 mg q24h ss"], {"WT": [0.5]})
    with pytest.raises(InputError, match="one value for each subject"):
        simulate_exposures(BARICITINIB, ["4 mg q24h ss"], {"WT": [70.0, 60.0]})
    with pytest.raises(InputError, match="cannot read the dose"):
        simulate_exposures(BARICITINIB, ["much"])
    with pytest.raises(InputError, match="dose is negative"):
        steady_state_regimens([-1.0])


def test_a_subject_without_a_solution_is_left_out_by_name() -> None:
    model = build_model(
        {
            "id": "example/fragile",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"CL": {"value": 5.0, "unit": "L/h"}, "V": {"value": 40.0, "unit": "L"}},
            "covariates": {"BAD": {"unit": "", "reference": 0}},
            "individual": {"K": "CL/V/(1 - BAD)"},
            "dynamics": {"central": "-K*central"},
            "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {"CP": {"expression": "central/V", "unit": "mg/L"}},
        }
    )
    table = {"y": ["1", "0", "1", "0"], "bad": ["0", "0", "1", "0"],
             "dose": ["10", "20", "10", "0"]}  # fmt: skip
    rows = read_rows(table, "binary", OutcomeColumns("y", dose="dose", numbers=("bad",)))
    found = simulate_exposures(
        model, steady_state_regimens([10.0, 20.0, 10.0, 0.0]), {"BAD": rows.numbers["bad"]}
    )
    assert [status == "ok" for status in found.status] == [True, True, False, True]
    kept, exposures = solved_rows(rows, found)
    assert kept.outcome.n == exposures.typical.size == 3
    assert kept.dose == ("10", "20", "0")
    assert "1 rows have no exposure and were left out (10 mg q24h ss:" in kept.notes[-1]


def test_doses_that_were_not_given_are_predicted() -> None:
    rng = np.random.default_rng(6)
    n = 200
    dose = rng.choice([0.0, 1.0, 4.0], n)
    weight = rng.uniform(20.0, 80.0, n)
    regimens = steady_state_regimens(dose)
    own = simulate_exposures(BARICITINIB, regimens, {"WT": weight}, draws=1, seed=3)
    assert own.draws is not None
    exposure = own.draws[:, 0]
    chance = 1.0 / (1.0 + np.exp(1.5 - 2.5 * exposure / (200.0 + exposure)))
    fit = fit_response(Binary.of(rng.random(n) < chance), exposure, options=FitOptions("log"))
    low, middle, high = predict_doses(
        fit, BARICITINIB, ["placebo", "2 mg q24h ss", "40 mg q24h ss"], {"WT": weight}, draws=20
    )
    assert low.exposure == (0.0, 0.0, 0.0)
    from statera.response.predict import predict

    assert low.chance[0] == pytest.approx(float(predict(fit, [0.0]).estimate[0]))
    assert low.chance[0] < middle.chance[0] < high.chance[0]
    assert middle.chance[1] < middle.chance[0] < middle.chance[2]
    assert middle.beyond < 0.05
    assert high.beyond > 0.5
    with pytest.raises(InputError, match="at least one draw"):
        predict_doses(fit, BARICITINIB, ["placebo"], draws=0)
