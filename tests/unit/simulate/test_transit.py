"""Input through transit compartments, against closed forms by the incomplete gamma function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammainc

from statera.data import events_from_columns
from statera.errors import InputError
from statera.model import Model, SpecError, build_model
from statera.simulate import OdeOptions, gradients, simulate, simulate_events, solve_ode

Floats = NDArray[np.float64]

TIMES = np.linspace(0.0, 72.0, 289)
TIGHT = OdeOptions(rtol=1e-11)


def _model(**options: Any) -> Model:
    """Depot behind transit, whose numbers are covariates so that one model serves every test."""
    numbers = {"N": 2.0, "MTT": 2.0, "KA": 0.8, "F": 1.0, "LAG": 0.0}
    process = {
        "kind": "transit", "into": "depot", "n": "N", "mtt": "MTT", "bioavailability": "F",
        "lag": "LAG",
    }  # fmt: skip
    return build_model(
        {
            "id": "test/transit",
            "units": {"time": "h", "amount": "mg"},
            "covariates": {k: {"unit": "", "reference": v} for k, v in numbers.items()},
            "parameters": {"K": {"value": 0.125}, "V": {"value": 40.0}},
            "dynamics": {
                "depot": "-KA*depot", "central": "KA*depot - K*central", "out": "K*central",
            },
            "inputs": {"oral": [process], "iv": [{"kind": "bolus", "into": "central"}]},
            "outputs": {
                "D": {"expression": "depot"}, "C": {"expression": "central/V", "unit": "mg/L"},
                "total": {"expression": "depot + central + out"}, "U": {"expression": "out"},
            },
        }
        | options
    )  # fmt: skip


MODEL = _model()


def _run(dose: str, times: Floats = TIMES, model: Model = MODEL, **covariates: float) -> Any:
    result = simulate(model, dose, times=times, windows=[], covariates=covariates, ode=TIGHT)
    assert result.failures == ()
    return {name: values[0] for name, values in result.outputs.items()}


def _entered(t: Floats, n: float, mtt: float) -> Floats:
    return np.asarray(gammainc(n + 1, (n + 1) / mtt * np.maximum(t, 0.0)))


def _depot(t: Floats, n: float, mtt: float, ka: float = 0.8) -> Floats:
    """Amount in a depot emptied at ka after a unit dose, for ka below the rate of transit."""
    ktr = (n + 1) / mtt
    after = np.maximum(t, 0.0)
    share = (ktr / (ktr - ka)) ** (n + 1)
    return np.asarray(share * np.exp(-ka * after) * gammainc(n + 1, (ktr - ka) * after))


@pytest.mark.parametrize(
    ("n", "mtt"), [(0.0, 1.0), (0.3, 1.0), (3.7, 2.0), (50.5, 5.0), (200.0, 5.0), (1.5, 0.01)]
)
@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
def test_overlapping_doses_against_the_incomplete_gamma_function(
    n: float, mtt: float, method: Any
) -> None:
    result = simulate(
        MODEL, "100 mg q8h x4", times=TIMES, windows=[], covariates={"N": n, "MTT": mtt},
        ode=OdeOptions(rtol=1e-9, method=method),
    )  # fmt: skip
    expected = sum(100 * _depot(TIMES - 8 * k, n, mtt) for k in range(4))
    np.testing.assert_allclose(result.outputs["D"][0], expected, rtol=2e-8, atol=1e-6)
    entered = sum(100 * _entered(TIMES - 8 * k, n, mtt) for k in range(4))
    np.testing.assert_allclose(result.outputs["total"][0], entered, rtol=2e-8, atol=1e-6)


def test_default_tolerance_is_near() -> None:
    result = simulate(MODEL, "100 mg q8h x4", times=TIMES, windows=[], covariates={"N": 3.7})
    expected = sum(100 * _depot(TIMES - 8 * k, 3.7, 2.0) for k in range(4))
    np.testing.assert_allclose(result.outputs["D"][0], expected, atol=1e-6 * 100)


def test_bioavailability_and_lag() -> None:
    found = _run("100 mg q8h x2", F=0.6, LAG=1.3, N=1.5)
    expected = sum(60 * _depot(TIMES - 1.3 - 8 * k, 1.5, 2.0) for k in range(2))
    np.testing.assert_allclose(found["D"], expected, rtol=2e-8, atol=1e-6)


def test_a_whole_number_of_compartments_is_a_chain_of_states() -> None:
    """n = 2 is a chain of three states, the first of which takes the dose."""
    chain = _model(
        id="test/chain",
        dynamics={
            "t0": "-3/MTT*t0", "t1": "3/MTT*(t0 - t1)", "t2": "3/MTT*(t1 - t2)",
            "depot": "3/MTT*t2 - KA*depot", "central": "KA*depot - K*central",
            "out": "K*central",
        },
        inputs={"oral": [{"kind": "bolus", "into": "t0"}]},
    )  # fmt: skip
    assert simulate(chain, "100 mg").solver.endswith("closed form")
    one, other = _run("100 mg q6h x5"), _run("100 mg q6h x5", model=chain)
    np.testing.assert_allclose(one["D"], other["D"], rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(one["C"], other["C"], rtol=1e-8, atol=1e-9)
    assert one["D"].max() > 1.0


@pytest.mark.parametrize(("n", "mtt"), [(0.5, 1.0), (4.0, 3.0), (9.0, 30.0)])
def test_steady_state(n: float, mtt: float) -> None:
    """Also where more than one earlier dose is still on its way."""
    times = np.linspace(0.0, 8.0, 33)
    found = _run("100 mg q8h ss", times=times, N=n, MTT=mtt)
    ktr = (n + 1) / mtt
    inflow = _run("100 mg q8h x60", times=times + 8 * 59, N=n, MTT=mtt)
    np.testing.assert_allclose(found["D"], inflow["D"], rtol=1e-6)
    if ktr > 0.8:
        expected = sum(100 * _depot(times + 8 * k, n, mtt) for k in range(60))
        np.testing.assert_allclose(found["D"], expected, rtol=1e-7)
    # in one interval of the steady state one dose enters and one leaves
    leaves = found["U"][-1] - found["U"][0]
    np.testing.assert_allclose(leaves, 100.0, rtol=1e-6)


def test_a_reset_drops_what_is_on_its_way() -> None:
    events = events_from_columns(
        ["s"] * 4, [0.0, 3.0, 3.0, 50.0], [1, 3, 0, 0], [100.0, 0, 0, 0], route=["oral", "", "", ""]
    )
    result = simulate_events(MODEL, events, typical=True)
    np.testing.assert_array_equal(result.outputs["total"], 0.0)


def test_parameters_that_change_hold_for_doses_from_then_on() -> None:
    events = events_from_columns(
        ["s"] * 4, [0.0, 10.0, 10.5, 30.0], [1, 1, 0, 0], [100.0, 100.0, 0, 0],
        covariates={"N": [1.0, 6.0, 6.0, 6.0], "MTT": [2.0, 4.0, 4.0, 4.0]},
    )  # fmt: skip
    result = simulate_events(MODEL, events, typical=True, ode=TIGHT, covariate_interpolation="locf")
    t = np.array([10.5, 30.0])
    expected = 100 * _entered(t, 1.0, 2.0) + 100 * _entered(t - 10, 6.0, 4.0)
    np.testing.assert_allclose(result.outputs["total"], expected, rtol=1e-8)


numbers = st.fixed_dictionaries(
    {"N": st.floats(0.0, 40.0), "MTT": st.floats(0.05, 20.0), "KA": st.floats(0.05, 3.0)}
)


@settings(deadline=None, max_examples=25)
@given(numbers, st.integers(1, 5), st.floats(1.0, 12.0))
def test_mass_balance(values: dict[str, float], doses: int, interval: float) -> None:
    found = _run(f"100 mg q{interval:.6f}h x{doses}", **values)["total"]
    starts = np.arange(doses) * float(f"{interval:.6f}")
    expected = sum(100 * _entered(TIMES - s, values["N"], values["MTT"]) for s in starts)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-5)


@settings(deadline=None, max_examples=15)
@given(numbers, st.lists(st.floats(0.0, 72.0), max_size=30))
def test_more_observations_change_nothing(values: dict[str, float], more: list[float]) -> None:
    sparse = np.array([1.0, 7.5, 30.0, 72.0])
    dense = np.unique(np.concatenate([sparse, more]))
    one = _run("100 mg q12h x3", times=sparse, **values)["C"]
    other = _run("100 mg q12h x3", times=dense, **values)["C"]
    np.testing.assert_array_equal(one, other[np.isin(dense, sparse)])


@settings(deadline=None, max_examples=15)
@given(numbers, st.floats(0.01, 100.0))
def test_linear_in_the_dose_and_two_halves_are_a_whole(
    values: dict[str, float], factor: float
) -> None:
    whole = _run("100 mg q12h x3", **values)["C"]
    scaled = _run(f"{100 * factor:.9f} mg q12h x3", **values)["C"]
    np.testing.assert_allclose(scaled, factor * whole, rtol=1e-6, atol=1e-9 * factor)


def test_other_units_of_time() -> None:
    values = {"N": 2.5, "MTT": 3.0 / 24, "KA": 0.8 * 24}
    table = {"K": {"value": 0.125 * 24}, "V": {"value": 40.0}}
    days = _model(id="test/days", units={"time": "day", "amount": "mg"}, parameters=table)
    one = _run("100 mg q12h x3", N=2.5, MTT=3.0)["C"]
    other = _run("100 mg q12h x3", model=days, **values)["C"]
    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


def test_what_a_transit_input_cannot_do() -> None:
    infusion = events_from_columns(["s"] * 2, [0.0, 1.0], [1, 0], [100.0, 0], rate=[10.0, 0])
    with pytest.raises(InputError, match="its RATE must be 0"):
        simulate_events(MODEL, infusion)
    with pytest.raises(InputError, match="its RATE must be 0"):
        gradients(MODEL, infusion, wrt=["K"])


def test_numbers_that_cannot_be_are_a_status() -> None:
    result = simulate(MODEL, "100 mg", covariates={"N": [2.0, -0.5], "MTT": 2.0})
    assert [i for i, _ in result.failures] == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mtt": None}, "needs 'n' and either"),
        ({"ktr": "1"}, "needs 'n' and either"),
        ({"duration": "2"}, "neither 'duration' nor 'rate'"),
        ({"kind": "bolus"}, "only a transit input has 'n'"),
    ],
)
def test_a_process_is_checked(change: dict[str, Any], message: str) -> None:
    process = {"kind": "transit", "into": "depot", "n": "N", "mtt": "MTT"} | change
    with pytest.raises(SpecError, match=message):
        _model(inputs={"oral": [{k: v for k, v in process.items() if v is not None}]})


def test_steps_written_out_and_in_loops_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for written in (False, True):
        monkeypatch.setattr(solve_ode._Compiled, "writes_out", lambda _, now=written: now)
        found.append(simulate(_model(), "100 mg q12h x3", times=TIMES))
    for output in ("D", "C", "U"):
        np.testing.assert_array_equal(found[0].outputs[output], found[1].outputs[output])
