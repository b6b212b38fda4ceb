"""Invariants of pharmacokinetic simulation."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from statera.data import Dose, Regimen
from statera.model import Model, build_model
from statera.simulate import OdeOptions, SimulationResult, simulate

Floats = NDArray[np.float64]
TIMES = np.linspace(0.0, 72.0, 73)
FEW = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

rates = st.floats(0.005, 3.0)
amounts = st.floats(0.1, 1000.0)


@lru_cache(maxsize=1)
def _linear() -> Model:
    """Two compartments with absorption, a metabolite and an excreted amount; rates are covariates.

    Rates enter as covariates so that one model serves every example.
    """
    names = ("KA", "K10", "K12", "K21", "KM", "LAG", "F", "D")
    return build_model(
        {
            "id": "property/linear",
            "units": {"time": "h", "amount": "mg"},
            "covariates": {n: {"unit": "", "reference": 1} for n in names},
            "parameters": {},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - (K10 + K12)*central + K21*peripheral",
                "peripheral": "K12*central - K21*peripheral",
                "metabolite": "K10*central - KM*metabolite",
                "out": "KM*metabolite",
            },
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F"}],
                "zero": [
                    {"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG",
                     "bioavailability": "F"}
                ],
                "iv": [{"kind": "bolus", "into": "central"}],
            },
            "outputs": {
                "C": {"expression": "central"},
                "total": {"expression": "depot + central + peripheral + metabolite + out"},
            },
        }
    )  # fmt: skip


@lru_cache(maxsize=1)
def _saturable() -> Model:
    """Saturable elimination with everything that leaves kept in a state."""
    return build_model(
        {
            "id": "property/saturable",
            "units": {"time": "h", "amount": "mg"},
            "covariates": {n: {"unit": "", "reference": 1} for n in ("KA", "VM", "KM")},
            "parameters": {},
            "dynamics": {
                "depot": "-KA*depot",
                "central": "KA*depot - VM*central/(KM + central)",
                "out": "VM*central/(KM + central)",
            },
            "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
            "outputs": {
                "C": {"expression": "central"}, "total": {"expression": "depot + central + out"}
            },
        }
    )  # fmt: skip


systems = st.fixed_dictionaries(
    {
        "KA": rates, "K10": rates, "K12": rates, "K21": rates, "KM": rates,
        "LAG": st.floats(0.0, 5.0), "F": st.floats(0.0, 1.5), "D": st.floats(0.1, 30.0),
    }
)  # fmt: skip
doses = st.lists(
    st.builds(
        Dose,
        time=st.floats(0.0, 40.0),
        amount=amounts,
        route=st.sampled_from(["oral", "zero", "iv"]),
        interval=st.floats(1.0, 20.0),
        additional=st.integers(0, 3),
    ),
    min_size=1,
    max_size=3,
).map(lambda found: tuple(sorted(found, key=lambda d: d.time)))


def _run(system: dict[str, float], given: tuple[Dose, ...] | str, **options: Any) -> Floats:
    regimen = given if isinstance(given, str) else Regimen(given)
    options = {"times": TIMES, "windows": []} | options
    return _ok(simulate(_linear(), regimen, covariates=system, **options)).outputs["C"][0]


def _ok(result: SimulationResult) -> SimulationResult:
    assert (result.statuses == 0).all()
    return result


def _close(found: Floats, expected: Floats, digits: float = 1e-8) -> None:
    scale = max(float(np.abs(expected).max()), 1e-12)
    np.testing.assert_allclose(found, expected, rtol=digits, atol=digits * scale)


@FEW
@given(systems, doses)
def test_mass_balance_of_linear_systems(system: dict[str, float], taken: tuple[Dose, ...]) -> None:
    """At the end of all input everything that was given is somewhere."""
    last = max(d.last_time for d in taken) + system["LAG"] + system["D"]
    result = _ok(
        simulate(_linear(), Regimen(taken), covariates=system, times=[last + 1], windows=[])
    )
    put = sum(
        d.amount * (d.additional + 1) * (1.0 if d.route == "iv" else system["F"]) for d in taken
    )
    _close(result.outputs["total"][0], np.array([put]), 1e-9)


@FEW
@given(rates, st.floats(0.5, 50.0), st.floats(0.5, 50.0), amounts)
def test_mass_balance_of_solved_systems(ka: float, vm: float, km: float, amount: float) -> None:
    result = _ok(
        simulate(
            _saturable(),
            Regimen((Dose(0.0, amount, "oral", 8.0, 2),)),
            covariates={"KA": ka, "VM": vm, "KM": km},
            times=TIMES,
            windows=[],
            ode=OdeOptions(rtol=1e-8, atol=1e-10),
        )
    )
    put = amount * (1 + (TIMES >= 8) + (TIMES >= 16))
    np.testing.assert_allclose(result.outputs["total"][0], put, rtol=1e-6)


@FEW
@given(systems, doses, st.floats(0.01, 100.0))
def test_linear_in_the_dose(
    system: dict[str, float], taken: tuple[Dose, ...], factor: float
) -> None:
    _close(_run(system, tuple(d.scaled(1.0, factor) for d in taken)), factor * _run(system, taken))


@FEW
@given(systems, doses)
def test_superposition(system: dict[str, float], taken: tuple[Dose, ...]) -> None:
    """Doses together give the sum of each alone, and ADDL that of single doses."""
    singles = [
        Dose(d.time + k * d.interval, d.amount, d.route)
        for d in taken
        for k in range(d.additional + 1)
    ]
    together = _run(system, taken)
    _close(together, sum(_run(system, (d,)) for d in singles))  # type: ignore[arg-type]


@FEW
@given(systems, amounts, st.floats(0.5, 20.0), st.floats(0.05, 0.95))
def test_an_infusion_may_be_split(
    system: dict[str, float], amount: float, duration: float, share: float
) -> None:
    whole = (Dose(0.0, amount, "iv", duration=duration),)
    parts = (
        Dose(0.0, amount * share, "iv", duration=duration * share),
        Dose(duration * share, amount * (1 - share), "iv", duration=duration * (1 - share)),
    )
    _close(_run(system, parts), _run(system, whole))


@FEW
@given(systems, doses, st.lists(st.floats(0.0, 72.0), max_size=20))
def test_more_observations_change_nothing(
    system: dict[str, float], taken: tuple[Dose, ...], extra: list[float]
) -> None:
    grid = np.union1d(TIMES, extra)
    found = _run(system, taken, times=grid)
    _close(found[np.searchsorted(grid, TIMES)], _run(system, taken), 1e-9)


@FEW
@given(systems, doses, st.floats(1.0, 60.0))
def test_endpoints_do_not_depend_on_observations(
    system: dict[str, float], taken: tuple[Dose, ...], end: float
) -> None:
    few, many = (
        _ok(simulate(_linear(), Regimen(taken), covariates=system, times=t, windows=[(0.0, end)]))
        for t in ([], TIMES)
    )
    a, b = few.window_values["C"][0, 0], many.window_values["C"][0, 0]
    scale = max(a[0], 1e-12)
    np.testing.assert_allclose(b[[0, 2, 3, 4, 5]], a[[0, 2, 3, 4, 5]], rtol=1e-7, atol=1e-8 * scale)
    # the area of a whole is that of its parts
    halves = _ok(
        simulate(
            _linear(), Regimen(taken), covariates=system, times=[],
            windows=[(0.0, end / 3), (end / 3, end)],
        )
    )  # fmt: skip
    parts = halves.window_values["C"][0]
    np.testing.assert_allclose(parts[:, 2].sum(), a[2], rtol=1e-8, atol=1e-9 * scale)
    np.testing.assert_allclose(parts[:, 0].max(), a[0], rtol=1e-9, atol=1e-9 * scale)
    # the highest value is not below any that is seen inside the window
    seen = many.outputs["C"][0][end > TIMES]
    assert seen.size == 0 or seen.max() <= a[0] * (1 + 1e-9) + 1e-9 * scale


@FEW
@given(systems, st.integers(1, 100_000))
def test_units_of_the_dose_text_do_not_matter(system: dict[str, float], micrograms: int) -> None:
    mg, g = (f"{micrograms / scale:.9f} {unit}" for scale, unit in ((1e3, "mg"), (1e6, "g")))
    expected = _run(system, f"{mg} via oral q12h x3")
    _close(_run(system, f"{micrograms} ug via oral q12h x3"), expected, 1e-12)
    _close(_run(system, f"{g} via oral q0.5day x3"), expected, 1e-12)
    _close(_run(system, f"{micrograms} ug via oral q720min for 1.5 day"), expected, 1e-12)


@FEW
@given(st.lists(systems, min_size=2, max_size=6), doses, st.randoms())
def test_order_of_subjects_does_not_matter(
    subjects: list[dict[str, float]], taken: tuple[Dose, ...], random: Any
) -> None:
    order = list(range(len(subjects)))
    random.shuffle(order)

    def run(index: list[int], workers: int) -> SimulationResult:
        columns = {k: [subjects[i][k] for i in index] for k in subjects[0]}
        return simulate(_linear(), Regimen(taken), covariates=columns, times=TIMES, workers=workers)

    plain, mixed = run(list(range(len(subjects))), 1), run(order, 2)
    np.testing.assert_array_equal(mixed.outputs["C"], plain.outputs["C"][order])
    np.testing.assert_array_equal(mixed.window_values["C"], plain.window_values["C"][order])


@FEW
@given(systems, amounts, st.floats(0.0, 20.0))
def test_a_lag_shifts_the_profile(system: dict[str, float], amount: float, lag: float) -> None:
    dose = (Dose(0.0, amount, "oral"),)
    plain = _run({**system, "LAG": 0.0}, dose, times=TIMES)
    _close(_run({**system, "LAG": lag}, dose, times=TIMES + lag), plain, 1e-9)
    before = _run({**system, "LAG": lag}, dose, times=TIMES * lag / 73)
    np.testing.assert_allclose(before[TIMES * lag / 73 < lag], 0.0, atol=1e-12 * amount)


@FEW
@given(systems, amounts, st.floats(0.0, 10.0), st.floats(0.1, 10.0))
def test_a_longer_lag_delays_the_peak(
    system: dict[str, float], amount: float, lag: float, more: float
) -> None:
    def peak(value: float) -> float:
        result = simulate(
            _linear(), Regimen((Dose(0.0, amount, "oral"),)),
            covariates={**system, "F": 1.0, "LAG": value}, times=[], windows=[(0.0, 500.0)],
        )  # fmt: skip
        return float(_ok(result).endpoint("tmax", "C")[0])

    assert np.isclose(peak(lag + more) - peak(lag), more, atol=1e-5)


@FEW
@given(systems, amounts, st.floats(4.0, 48.0), st.sampled_from(["oral", "zero", "iv"]))
def test_steady_state_is_periodic_and_has_the_area_of_a_single_dose(
    system: dict[str, float], amount: float, interval: float, route: str
) -> None:
    assume(system["LAG"] < interval)
    # the excreted amount has no steady state: leave it out
    plain = _steady()
    given_dose = Dose(0.0, amount, route, interval, 2, steady_state=True)
    times = np.array([0.0, interval, 2 * interval])
    result = _ok(
        simulate(
            plain, Regimen((given_dose,)), covariates=system, times=times,
            windows=[(0.0, interval), (interval, 2 * interval)],
        )
    )  # fmt: skip
    values = result.window_values["C"][0]
    _close(values[1, [0, 2, 4, 5]], values[0, [0, 2, 4, 5]], 1e-7)
    put = amount * (1.0 if route == "iv" else system["F"])
    np.testing.assert_allclose(values[0, 2], put / system["K10"], rtol=1e-7, atol=1e-12)


@lru_cache(maxsize=1)
def _steady() -> Model:
    names = ("KA", "K10", "K12", "K21", "KM", "LAG", "F", "D")
    linear = _linear()
    keep = ("depot", "central", "peripheral", "metabolite")
    zero = {"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG"}
    return build_model(
        {
            "id": "property/steady",
            "units": {"time": "h", "amount": "mg"},
            "covariates": {n: {"unit": "", "reference": 1} for n in names},
            "parameters": {},
            "dynamics": {e.name: e.text for e in linear.dynamics if e.name in keep},
            "inputs": {
                "oral": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F"}],
                "zero": [{**zero, "bioavailability": "F"}],
                "iv": [{"kind": "bolus", "into": "central"}],
            },
            "outputs": {"C": {"expression": "central"}},
        }
    )
