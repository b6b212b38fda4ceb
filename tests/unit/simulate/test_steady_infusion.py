"""Steady state of a constant infusion into a system that is not linear, against its formula."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.model import build_model
from statera.simulate import OdeOptions, gradients, simulate_events
from statera.simulate.doses import NO_STEADY_STATE

MODEL = build_model(
    {
        "id": "test/saturable",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {"S": {"value": 1.0}},
        "covariates": {
            name: {"unit": "", "reference": value}
            for name, value in (("VM", 10.0), ("KM", 5.0), ("Q", 2.0))
        },
        "individual": {"vm": "S*VM"},
        "dynamics": {
            "central": "-vm*central/20/(KM + central/20) - Q/20*central + Q/30*peripheral",
            "peripheral": "Q/20*central - Q/30*peripheral",
        },
        "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
        "outputs": {"C": {"expression": "central/20", "unit": "mg/L"}},
    }
)
N, RATE = 60, 4.0
GENERATOR = np.random.default_rng(5)
VM = 10.0 * np.exp(GENERATOR.normal(0.0, 0.3, N))
VM[0] = 3.0  # less than what is given
KM = 5.0 * np.exp(GENERATOR.normal(0.0, 0.45, N))
Q = 2.0 * np.exp(GENERATOR.normal(0.0, 0.3, N))


def table(subjects: NDArray[np.int64]) -> EventTable:
    """A constant infusion at steady state, observed at once."""
    n = subjects.size
    return events_from_columns(
        np.repeat(subjects, 2),
        np.tile([0.0, 0.0], n),
        np.tile([1, 0], n),
        np.zeros(2 * n),
        route=["iv", ""] * n,
        rate=np.tile([RATE, 0.0], n),
        steady_state=np.tile([1, 0], n),
        covariates={
            name: np.repeat(values[subjects], 2)
            for name, values in (("VM", VM), ("KM", KM), ("Q", Q))
        },
    )


@pytest.mark.parametrize("rtol", [1e-6, 1e-8])
def test_every_subject_with_a_steady_state_reaches_it(rtol: float) -> None:
    result = simulate_events(MODEL, table(np.arange(N)), ode=OdeOptions(rtol=rtol))
    assert result.statuses[0] == NO_STEADY_STATE
    assert (result.statuses[1:] == 0).all(), result.failures
    expected = RATE * KM[1:] / (VM[1:] - RATE)
    np.testing.assert_allclose(result.values[1:], expected, rtol=10.0 * rtol)


def test_its_derivative_is_that_of_the_formula() -> None:
    subjects = np.arange(1, N)
    found = gradients(MODEL, table(subjects), wrt=["S"], ode=OdeOptions(rtol=1e-6))
    assert (found.statuses == 0).all()
    expected = -RATE * KM[1:] * VM[1:] / (VM[1:] - RATE) ** 2
    np.testing.assert_allclose(found.of("S").ravel(), expected, rtol=1e-4)
