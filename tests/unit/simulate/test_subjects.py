"""Subjects: seeds, random effects, covariates inside the domain, and threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.errors import DomainError, InputError, UnknownNameError
from statera.model import Model
from statera.simulate import OdeOptions, simulate

Make = Callable[..., Model]
LAMBDA = 0.501
OMEGA = np.array([[0.09, 0.03, 0.0], [0.03, 0.04, 0.0], [0.0, 0.0, 1.07]])


@pytest.fixture(scope="module")
def population(compartments: Make) -> Model:
    """Random effects in a block, one of them Box-Cox transformed, and two covariates."""
    return compartments(
        2,
        random_effects={
            "eta_CL": {"variance": 0.09}, "eta_V": {"variance": 0.04}, "eta_D": {"variance": 1.07}
        },
        covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.03}],
        covariates={
            "WT": {"unit": "kg", "reference": 70, "soft": {"min": 40, "max": 120},
                   "hard": {"min": 2, "max": 300}},
            "EGFR": {"unit": "mL/min/1.73m2", "reference": 90, "soft": {"min": 54},
                     "hard": {"min": 1, "max": 250}},
        },
        individual={
            "CLI": "CL*(WT/70)^0.75*(EGFR/90)*exp(eta_CL)",
            "VI": "V*(WT/70)*exp(eta_V)",
            "DI": f"D*exp((exp(eta_D)^{LAMBDA} - 1)/{LAMBDA})",
        },
        dynamics={
            "central": "-CLI/VI*central - Q2/VI*central + Q2/V2*p2",
            "p2": "Q2/VI*central - Q2/V2*p2",
        },
        inputs={"oral": [{"kind": "zero_order", "into": "central", "duration": "DI"}]},
        outputs={"C": {"expression": "central/VI", "unit": "mg/L"}},
        dose={"soft": {"min": 1, "max": 200}, "hard": {"min": 0.1, "max": 1000}},
    )  # fmt: skip


def _draws(result: Any) -> Any:
    p = result.parameters
    eta_d = np.log(1 + LAMBDA * np.log(p["DI"] / 2.5)) / LAMBDA
    return np.array([np.log(p["CLI"] / 5), np.log(p["VI"] / 40), eta_d])


def test_first_subjects_do_not_depend_on_their_number(population: Model) -> None:
    few, many = (simulate(population, "100 mg q12h x3", n=n, seed=5) for n in (7, 60))
    np.testing.assert_array_equal(few.outputs["C"], many.outputs["C"][:7])
    np.testing.assert_array_equal(few.window_values["C"], many.window_values["C"][:7])


@pytest.mark.parametrize("linear", [True, False])
def test_results_are_the_same_bits_for_any_number_of_workers(
    population: Model, compartments: Make, linear: bool
) -> None:
    model = population
    if not linear:
        model = compartments(
            1,
            random_effects={"eta": {"variance": 0.3}},
            individual={"VM": "CL*exp(eta)"},
            dynamics={"central": "-VM*central/(V + central)"},
            inputs={"iv": [{"kind": "bolus", "into": "central"}]},
        )
    results = [
        simulate(model, "100 mg q12h x3", n=37, seed=5, workers=w, ode=OdeOptions())
        for w in (1, 2, 3)
    ]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].outputs["C"], other.outputs["C"])
        np.testing.assert_array_equal(results[0].window_values["C"], other.window_values["C"])


def test_seed_chooses_the_subjects(population: Model) -> None:
    first, again, other = (
        simulate(population, "100 mg", n=5, seed=s).parameters["CLI"] for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_draws_have_the_covariance_of_the_model(population: Model) -> None:
    """The Box-Cox transformed effect is normal again when the transformation is undone."""
    n = 40_000
    etas = _draws(simulate(population, "100 mg", n=n, times=[], windows=[]))
    sd = np.sqrt(np.diag(OMEGA))
    found = np.cov(etas) / np.outer(sd, sd)
    np.testing.assert_allclose(found, OMEGA / np.outer(sd, sd), atol=5 * np.sqrt(2 / n))
    np.testing.assert_allclose(etas.mean(axis=1) / sd, 0, atol=5 / np.sqrt(n))


def test_box_cox_of_one_effect(population: Model) -> None:
    eta = 1.3
    result = simulate(population, "100 mg", etas=np.array([[0.0, 0.0, eta]]))
    expected = 2.5 * np.exp((np.exp(LAMBDA * eta) - 1) / LAMBDA)
    assert result.parameters["DI"][0] == pytest.approx(expected, rel=1e-14)
    assert result.endpoint("tmax", window=0)[0] == pytest.approx(expected, rel=1e-9)


def test_typical_subject_has_no_random_effects(population: Model) -> None:
    result = simulate(population, "100 mg", n=3, typical=True)
    np.testing.assert_array_equal(_draws(result), 0.0)


def test_order_of_given_effects_is_that_of_the_model(population: Model) -> None:
    etas = np.array([[0.1, 0.2, 0.3], [0.0, -0.2, 0.1]])
    np.testing.assert_allclose(_draws(simulate(population, "100 mg", etas=etas)).T, etas)


@pytest.mark.parametrize(
    "etas", [np.zeros((2, 2)), np.zeros(3), np.zeros((2, 4)), np.full((1, 3), np.nan)]
)
def test_given_effects_are_checked(population: Model, etas: Any) -> None:
    with pytest.raises(InputError, match=r"shape \(n, 3\)"):
        simulate(population, "100 mg", etas=etas)


def test_covariates_by_any_registered_name(population: Model) -> None:
    by = [{"WT": 35}, {"wt": 35}, {"weight": 35}, {"body weight": 35}]
    for given in by:
        result = simulate(population, "100 mg", covariates=given, typical=True)
        assert result.parameters["VI"][0] == pytest.approx(20.0)
        assert result.covariates["EGFR"].tolist() == [90.0]


def test_one_value_a_subject(population: Model) -> None:
    result = simulate(population, "100 mg", covariates={"WT": [70, 35]}, typical=True)
    assert result.n_subjects == 2
    np.testing.assert_allclose(result.parameters["VI"], [40, 20])
    both = simulate(population, "100 mg", n=2, covariates={"WT": [70, 35], "EGFR": 45})
    assert both.covariates["EGFR"].tolist() == [45, 45]


def test_outside_the_data_is_a_warning_that_names_the_range(population: Model) -> None:
    result = simulate(population, "300 mg", covariates={"WT": [30, 150], "egfr": 30})
    assert result.warnings == (
        "dose 300 mg: outside the doses behind test/2 (1 to 200 mg)",
        "WT = 30 to 150 kg: outside the data of test/2 (40 to 120 kg); this is an extrapolation",
        "EGFR = 30 mL/min/1.73m2: outside the data of test/2 (at least 54 mL/min/1.73m2); "
        "this is an extrapolation",
    )
    assert simulate(population, "200 mg", covariates={"WT": [40, 120], "EGFR": 54}).warnings == ()


@pytest.mark.parametrize(
    ("dose", "covariates"),
    [
        ("100 mg", {"WT": 1.0}), ("100 mg", {"WT": [70, 301]}), ("100 mg", {"EGFR": -5}),
        ("0.05 mg", {}), ("2 g", {}), ("100 mg then 2 g", {}),
    ],
)  # fmt: skip
def test_outside_the_plausible_range_is_a_domain_error(
    population: Model, dose: str, covariates: Any
) -> None:
    with pytest.raises((DomainError, InputError)) as caught:
        simulate(population, dose.replace("mg then", "mg q24h then"), covariates=covariates)
    assert isinstance(caught.value, DomainError)
    assert caught.value.exit_code == 5


def test_unknown_covariate_offers_the_nearest(population: Model) -> None:
    with pytest.raises(UnknownNameError) as caught:
        simulate(population, "100 mg", covariates={"EGRF": 45})
    assert caught.value.nearest == ("EGFR",)
    assert caught.value.exit_code == 3
    # known to the register but not to this model
    with pytest.raises(UnknownNameError, match="no covariate of test/2 is called 'sex'"):
        simulate(population, "100 mg", covariates={"sex": 1})


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"covariates": {"WT": np.nan}}, "not a number"),
        ({"covariates": {"WT": "heavy"}}, "not a number"),
        ({"covariates": {"WT": [70, 80], "EGFR": [90, 90, 90]}}, "disagree"),
        ({"covariates": {"WT": [70, 80]}, "n": 3}, "disagree"),
        ({"covariates": {"WT": 70, "weight": 80}}, "given twice"),
        ({"covariates": {"WT": [[70.0, 80.0]]}}, "a number or one value a subject"),
        ({"n": 0}, "at least one subject"),
        ({"n": -2}, "at least one subject"),
        ({"seed": -1}, "seed"),
        ({"times": ["noon"]}, "times must be numbers"),
        ({"times": [3, 2]}, "decrease"),
    ],
)
def test_bad_settings(population: Model, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        simulate(population, "100 mg", **settings)
    assert caught.value.exit_code == 3


def test_unknown_route(population: Model) -> None:
    with pytest.raises(UnknownNameError) as caught:
        simulate(population, "100 mg via orl")
    assert caught.value.nearest == ("oral",)


def test_occasion_effects_say_how_they_are_drawn(compartments: Make) -> None:
    model = compartments(
        1,
        random_effects={"iov": {"variance": 0.1, "level": "occasion"}},
        individual={"CLI": "CL*exp(iov)"},
    )
    assert simulate(model, "1 mg", n=2).warnings == (
        "between-occasion variability is drawn once a subject: one occasion",
    )
    assert simulate(model, "1 mg", typical=True).warnings == ()


def test_one_failed_subject_does_not_hurt_the_others(compartments: Make) -> None:
    model = compartments(
        1,
        covariates={"WT": {"unit": "kg", "reference": 70}},
        inputs={"iv": [{"kind": "bolus", "into": "central", "bioavailability": "1 - WT/100"}]},
    )
    result = simulate(model, "100 mg q12h x2", covariates={"WT": [50, 150, 60]}, times=[0.0, 20.0])
    assert result.statuses.tolist() == [0, 1, 0]
    assert np.isnan(result.outputs["C"][1]).all()
    assert np.isnan(result.window_values["C"][1]).all()
    alone = simulate(model, "100 mg q12h x2", covariates={"WT": 60}, times=[0.0, 20.0])
    np.testing.assert_array_equal(result.outputs["C"][2], alone.outputs["C"][0])
    ((index, sentence),) = result.failures
    assert index == 1
    assert "bioavailability" in sentence
    assert "1 of 3 subjects could not be solved" in result.warnings
    assert np.isfinite(result.percentiles("C")).all()
    assert result.summary()["C.0.Cmax"]["n"] == 2


def test_all_failed_subjects_give_empty_summaries(compartments: Make) -> None:
    model = compartments(1, {"F": -1.0})
    result = simulate(model, "100 mg via lagged", n=2, times=[1.0])
    assert np.isnan(result.percentiles("C")).all()
    assert result.summary()["C.0.Cmax"] == {
        "output": "C", "window_h": [0.0, 24.0], "endpoint": "Cmax", "unit": "mg/L", "n": 0
    }  # fmt: skip
