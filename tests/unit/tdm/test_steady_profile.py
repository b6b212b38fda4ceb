"""Metrics at steady state against the engine's exact endpoints."""

from __future__ import annotations

import numpy as np
import pytest

from statera.model import Model
from statera.tdm.request import CovariateValue, Metric, Patient, Target
from statera.tdm.steady_profile import (
    Interval,
    SimulatedInterval,
    UnitInterval,
    scales,
    steady_interval,
)

from .drawn_models import DUAL, GUT, ORAL, TWO, ZERO, model_of, saturable

TARGETS = (
    Target(Metric.AUC24, low=1.0),
    Target(Metric.CAVG, low=1.0),
    Target(Metric.CTROUGH, low=1.0),
    Target(Metric.CMAX, low=1.0),
    Target(Metric.TIME_ABOVE, low=1.0, threshold=0.8),
    Target(Metric.INHIBITION, low=0.1, threshold=0.5),
)
TOLERANCE = {Metric.TIME_ABOVE: 2e-3, Metric.INHIBITION: 1e-4, Metric.CMAX: 1e-4}
PATIENT = Patient("P", covariates=(CovariateValue("WT", 82.0),))
ETAS = np.random.default_rng(5).normal(0.0, [0.3, 0.2], (30, 2))


def _exact(model: Model, interval: float, weight: float) -> SimulatedInterval:
    covariates = {"WT": weight} if model.covariates else {}
    return SimulatedInterval(model, interval, covariates, ETAS, "C", "", TARGETS, {})


def _model(kind: str) -> Model:
    if kind == "baseline":
        grown = {"gut": "-KA*gut", "body": "KA*gut - CL/V*body + 2"}
        return model_of(ORAL, grown)
    return {
        "oral": lambda: model_of(ORAL, GUT), "zero": lambda: model_of(ZERO, TWO),
        "dual": lambda: model_of(DUAL, GUT),
        "iv": lambda: model_of({"iv": [{"kind": "bolus", "into": "body"}]}, TWO),
    }[kind]()  # fmt: skip


@pytest.mark.parametrize("interval", [8.0, 24.0])
@pytest.mark.parametrize("kind", ["oral", "zero", "dual", "iv", "baseline"])
def test_metrics_are_those_of_the_engine(kind: str, interval: float) -> None:
    model = _model(kind)
    found: Interval = steady_interval(model, PATIENT, 0.0, interval, ETAS, TARGETS, "C")
    assert isinstance(found, UnitInterval)
    exact = _exact(model, interval, 82.0)
    for target in TARGETS:
        for dose in (25.0, 100.0):
            expected = exact.measure(target, dose)
            size = max(1.0, float(np.abs(expected).max()))
            tolerance = TOLERANCE.get(target.metric, 1e-8) * size
            np.testing.assert_allclose(
                found.measure(target, dose), expected, rtol=0, atol=tolerance, err_msg=target.metric
            )


def test_doses_of_a_saturable_model_do_not_scale() -> None:
    model = saturable()
    assert not scales(model, "C")
    found = steady_interval(model, PATIENT, 0.0, 24.0, ETAS[:4], TARGETS[:1], "C")
    one, two = (found.measure(TARGETS[0], dose) for dose in (50.0, 100.0))
    assert (two > 2.2 * one).all()


def test_covariates_are_those_known_at_the_time() -> None:
    patient = Patient(
        "P", covariates=(CovariateValue("WT", 50.0), CovariateValue("WT", 100.0, time=10.0))
    )
    model = model_of(ORAL, GUT)
    early, late = (
        steady_interval(model, patient, t, 24.0, ETAS, TARGETS, "C").measure(TARGETS[0], 10.0)
        for t in (5.0, 20.0)
    )
    np.testing.assert_allclose(early / late, 2.0**0.75)


def test_inputs_that_depend_on_the_amount_do_not_scale() -> None:
    limited = {"oral": [{"kind": "bolus", "into": "gut", "bioavailability": "20/(20 + AMT)"}]}
    assert not scales(model_of(limited, GUT), "C")
    assert scales(model_of(ORAL, GUT), "C")
