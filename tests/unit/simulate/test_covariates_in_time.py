"""Covariates that change between records, against piecewise integration by scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from statera.data import EventTable, events_from_columns
from statera.errors import InputError, UsageError
from statera.model import Model, build_model
from statera.simulate import OdeOptions, simulate_events

Floats = NDArray[np.float64]

# absorption coincides with elimination at W = 50: that segment has no modes
SPEC: dict[str, Any] = {
    "id": "test/in_time",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"TVCL": {"value": 4.0}, "TVV": {"value": 40.0}, "KA": {"value": 0.1}},
    "covariates": {
        "W": {"unit": "kg", "reference": 70.0, "soft": {"min": 20.0, "max": 200.0},
              "hard": {"min": 1.0, "max": 500.0}},
    },
    "individual": {
        "CL": "TVCL*W/50", "V": "TVV", "F1": "50/W", "LAG": "W/25", "D": "W/20",
    },
    "dynamics": {
        "depot": "-KA*depot",
        "central": "KA*depot - CL/V*central",
        "deep": "0.2*central - 0.05*deep",
    },
    "inputs": {
        "oral": [{"kind": "bolus", "into": "depot"}],
        "late": [{"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F1"}],
        "slow": [{"kind": "zero_order", "into": "central", "duration": "D", "lag": "LAG",
                  "bioavailability": "F1"}],
    },
    "outputs": {"C": {"expression": "central/V*W"}, "B": {"expression": "depot + deep + W"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    return build_model(SPEC)


@dataclass
class _Dose:
    """A dose that has been ordered: where it goes and when."""

    time: float
    route: str
    amount: float
    rate: float


class _ByHand:
    """The same rules in plain Python: integrate from event to event by a Runge-Kutta method."""

    def __init__(self, records: Sequence[Mapping[str, Any]], locf: bool) -> None:
        self.records = records
        self.locf = locf
        self.x = np.zeros(3)
        self.t = float(records[0]["time"])
        self.waiting: list[_Dose] = []
        self.running: list[tuple[float, float]] = []  # end, rate into central

    def parameters(self, w: float) -> dict[str, float]:
        return {"CL": 4.0 * w / 50, "V": 40.0, "F1": 50 / w, "LAG": w / 25, "D": w / 20}

    def integrate(self, until: float, w: float) -> None:
        p = self.parameters(w)
        while self.t < until:
            ends = [e for e, _ in self.running if self.t < e < until]
            stop = min([until, *ends])
            rate = sum(r for e, r in self.running if e > self.t)

            def slope(_: float, x: Floats, rate: float = rate) -> list[float]:
                into = 0.1 * x[0] - p["CL"] / p["V"] * x[1] + rate
                return [-0.1 * x[0], into, 0.2 * x[1] - 0.05 * x[2]]

            found = solve_ivp(
                slope, (self.t, stop), self.x, method="DOP853", rtol=1e-11, atol=1e-13
            )
            self.x, self.t = found.y[:, -1], stop
            self.running = [(e, r) for e, r in self.running if e > self.t]

    def give(self, dose: _Dose, w: float) -> None:
        p = self.parameters(w)
        if dose.rate > 0:
            self.running.append((dose.time + dose.amount / dose.rate, dose.rate))
        elif dose.route == "oral":
            self.x[0] += dose.amount
        elif dose.route == "late":
            self.x[0] += p["F1"] * dose.amount
        else:
            self.running.append((dose.time + p["D"], p["F1"] * dose.amount / p["D"]))

    def run(self) -> Floats:
        rows = []
        for i, record in enumerate(self.records):
            here = float(record["W"])
            during = float(self.records[i - 1]["W"]) if self.locf and i else here
            for dose in sorted(self.waiting, key=lambda d: d.time):
                if dose.time <= record["time"]:
                    self.integrate(dose.time, during)
                    self.give(dose, during)
                    self.waiting.remove(dose)
            self.integrate(record["time"], during)
            if record.get("evid", 0) == 0:
                rows.append([self.x[1] / 40.0 * here, self.x[0] + self.x[2] + here])
            elif record["evid"] == 1:
                route = record.get("route", "oral")
                lag = self.parameters(here)["LAG"] if route in ("late", "slow") else 0.0
                for k in range(int(record.get("addl", 0)) + 1):
                    start = record["time"] + lag + k * record.get("ii", 0.0)
                    dose = _Dose(start, route, record["amt"], record.get("rate", 0.0))
                    if start > record["time"]:
                        self.waiting.append(dose)
                    else:
                        self.give(dose, here)
        return np.array(rows)


def _table(records: Sequence[Mapping[str, Any]], subject: str = "1") -> EventTable:
    def column(name: str) -> list[float]:
        return [float(r.get(name, 0)) for r in records]

    return events_from_columns(
        subject=[str(r.get("id", subject)) for r in records],
        time=column("time"),
        evid=column("evid"),
        amount=column("amt"),
        route=[str(r.get("route", "oral")) for r in records],
        rate=column("rate"),
        interval=column("ii"),
        additional=column("addl"),
        steady_state=column("ss"),
        covariates={"W": column("W")},
    )


WEIGHTS = [60.0, 50.0, 110.0, 85.0, 50.0, 50.0, 30.0, 140.0, 70.0, 66.0]
TIMES = [1.0, 2.5, 4.5, 6.0, 9.0, 12.0, 13.0, 24.0, 30.0, 48.0]
CASES: dict[str, dict[str, Any]] = {
    "a bolus into the depot": {"route": "oral"},
    "further doses": {"route": "oral", "ii": 5.0, "addl": 6},
    "a lag": {"route": "late"},
    "a lag and further doses": {"route": "late", "ii": 7.0, "addl": 5},
    "a modelled duration": {"route": "slow"},
    "overlapping modelled durations": {"route": "slow", "ii": 2.0, "addl": 8},
    "an infusion across segments": {"route": "central", "rate": 12.0},
}


def _case(name: str) -> list[dict[str, Any]]:
    dose = {"time": 0.5, "evid": 1, "amt": 100.0, "W": 80.0} | CASES[name]
    seen = [{"time": t, "W": w} for t, w in zip(TIMES, WEIGHTS, strict=True)]
    return [{"time": 0.0, "W": 75.0}, dose, *seen]


@pytest.mark.parametrize("interpolation", ["nocb", "locf"])
@pytest.mark.parametrize("case", CASES)
def test_changing_covariates_match_piecewise_integration(
    model: Model, case: str, interpolation: Any
) -> None:
    records = _case(case)
    wanted = _ByHand(records, interpolation == "locf").run()
    result = simulate_events(
        model, _table(records), typical=True, covariate_interpolation=interpolation
    )
    assert not result.failures
    found = np.column_stack([result.outputs["C"], result.outputs["B"]])
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-9)


def test_interpolations_differ_where_covariates_change(model: Model) -> None:
    table = _table(_case("further doses"))
    one = simulate_events(model, table, typical=True).outputs["C"]
    other = simulate_events(model, table, typical=True, covariate_interpolation="locf")
    assert np.abs(one[4:] / other.outputs["C"][4:] - 1).min() > 1e-3
    with pytest.raises(UsageError, match="'nocb' or 'locf'"):
        simulate_events(model, table, covariate_interpolation="linear")  # type: ignore[arg-type]


def test_a_lagged_dose_takes_bioavailability_where_it_lands(model: Model) -> None:
    """W is 25 at the dose (lag 1 h, F 2), and 100 in the interval in which it lands (F 0.5)."""
    records = [
        {"time": 0.0, "evid": 1, "amt": 100.0, "W": 25.0, "route": "late"},
        {"time": 0.9, "W": 25.0},
        {"time": 1.0, "W": 100.0},
    ]
    result = simulate_events(model, _table(records), typical=True)
    assert result.outputs["B"].tolist() == pytest.approx([25.0, 150.0])
    held = simulate_events(model, _table(records), typical=True, covariate_interpolation="locf")
    assert held.outputs["B"].tolist() == pytest.approx([25.0, 300.0])


@pytest.mark.parametrize("interpolation", ["nocb", "locf"])
def test_a_record_that_repeats_its_covariates_changes_nothing(
    model: Model, interpolation: Any
) -> None:
    records = _case("overlapping modelled durations")
    more = []
    for before, after in pairwise(records):
        middle = 0.5 * (before["time"] + after["time"])
        ruling = after["W"] if interpolation == "nocb" else before["W"]
        more += [before, {"time": middle, "evid": 2, "W": ruling}]
    more.append(records[-1])
    few, many = (
        simulate_events(model, _table(r), typical=True, covariate_interpolation=interpolation)
        for r in (records, more)
    )
    np.testing.assert_allclose(many.outputs["C"], few.outputs["C"], rtol=1e-11)


def test_equal_covariates_are_the_same_as_constant_ones(model: Model) -> None:
    records = [r | {"W": 82.0} for r in _case("a lag and further doses")]
    constant = simulate_events(model, _table(records), typical=True).outputs["C"]
    wanted = _ByHand(records, False).run()[:, 0]
    np.testing.assert_allclose(constant, wanted, rtol=1e-8, atol=1e-10)
    # one other value after the last dose has been eliminated from view: earlier rows stay
    changed = [*records, {"time": 60.0, "W": 83.0}]
    varying = simulate_events(model, _table(changed), typical=True).outputs["C"]
    np.testing.assert_allclose(varying[:-1], constant, rtol=1e-11)


def test_a_steady_state_takes_the_covariates_of_its_record(model: Model) -> None:
    dose = {"time": 0.0, "evid": 1, "amt": 100.0, "ii": 12.0, "ss": 1, "W": 90.0}
    rows = [dose, {"time": 3.0, "W": 90.0}, {"time": 5.0, "W": 90.0}]
    constant = simulate_events(model, _table(rows), typical=True).outputs["C"]
    varying = simulate_events(
        model, _table([*rows, {"time": 9.0, "W": 40.0}]), typical=True
    ).outputs["C"]
    np.testing.assert_allclose(varying[:2], constant, rtol=1e-12)


def _population(n: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    records: list[dict[str, Any]] = []
    for s in range(n):
        names = list(CASES)
        rows = [dict(r) for r in _case(names[s % len(names)])][: 5 + s % 7]
        for row in rows:
            row["id"] = f"s{s}"
            row["W"] = float(rng.uniform(30, 120)) if s % 3 else 70.0
        records += rows
    return records


def test_order_of_subjects_and_number_of_threads_do_not_matter(model: Model) -> None:
    records = _population(23)
    whole = simulate_events(model, _table(records), typical=True)
    threads = simulate_events(model, _table(records), typical=True, workers=3)
    assert whole.outputs["C"].tobytes() == threads.outputs["C"].tobytes()
    backwards = sorted(records, key=lambda r: -int(r["id"][1:]))
    turned = simulate_events(model, _table(backwards), typical=True)
    for subject in whole.subject_ids:
        for output in ("C", "B"):
            assert turned.of(subject, output)[1].tolist() == whole.of(subject, output)[1].tolist()
    alone = [r for r in records if r["id"] == "s11"]
    single = simulate_events(model, _table(alone), typical=True)
    np.testing.assert_allclose(single.outputs["C"], whole.of("s11")[1], rtol=1e-12)


def test_missing_values_are_filled_within_the_subject_and_said(model: Model) -> None:
    records = _case("further doses")
    gaps = [dict(r) for r in records]
    gaps[4]["W"] = gaps[5]["W"] = np.nan
    next_known = [dict(r) for r in records]
    next_known[4]["W"] = next_known[5]["W"] = records[6]["W"]
    found = simulate_events(model, _table(gaps), typical=True)
    wanted = simulate_events(model, _table(next_known), typical=True)
    assert found.outputs["C"].tolist() == wanted.outputs["C"].tolist()
    assert "W: 2 records without a value take the nearest" in found.warnings
    last_known = [dict(r) for r in records]
    last_known[4]["W"] = last_known[5]["W"] = records[3]["W"]
    found = simulate_events(model, _table(gaps), typical=True, covariate_interpolation="locf")
    wanted = simulate_events(
        model, _table(last_known), typical=True, covariate_interpolation="locf"
    )
    assert found.outputs["C"].tolist() == wanted.outputs["C"].tolist()
    with pytest.raises(InputError, match="W is missing on every record of subject 1"):
        simulate_events(model, _table([r | {"W": np.nan} for r in records]))


@pytest.fixture(scope="module")
def bent() -> Model:
    """The same model in a form that is not recognised as linear, so that a solver is used."""
    changed = dict(SPEC["dynamics"])
    changed["central"] = "KA*depot - CL/V*central*central/(central + 1e-30)"
    return build_model(SPEC | {"id": "test/bent", "dynamics": changed})


ODE = OdeOptions(rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ["tsit5", "rodas5p"])
@pytest.mark.parametrize("interpolation", ["nocb", "locf"])
@pytest.mark.parametrize("case", CASES)
def test_a_solver_gives_the_same(
    model: Model, bent: Model, case: str, interpolation: Any, method: Any
) -> None:
    # observations that stand at the time of another record with other covariates
    records = _case(case)
    records = [*records[:6], records[5] | {"W": 33.0}, *records[6:]]
    options: Any = {"typical": True, "covariate_interpolation": interpolation}
    exact = simulate_events(model, _table(records), **options)
    solved = simulate_events(bent, _table(records), ode=replace(ODE, method=method), **options)
    assert "closed form" in exact.solver
    assert "solved by" in solved.solver
    for output in ("C", "B"):
        np.testing.assert_allclose(
            solved.outputs[output], exact.outputs[output], rtol=1e-6, atol=1e-8
        )


def test_a_solver_starts_a_new_clock_at_a_reset(model: Model, bent: Model) -> None:
    course = _case("overlapping modelled durations")
    records = [*course, course[1] | {"time": 0.0, "evid": 4}, *course[2:7]]
    exact = simulate_events(model, _table(records), typical=True)
    solved = simulate_events(bent, _table(records), typical=True, ode=ODE)
    np.testing.assert_allclose(solved.outputs["C"], exact.outputs["C"], rtol=1e-6, atol=1e-8)


def test_a_solver_takes_the_steady_state_of_its_record(model: Model, bent: Model) -> None:
    dose = {"time": 0.0, "evid": 1, "amt": 100.0, "ii": 12.0, "ss": 1, "W": 90.0}
    records = [dose, {"time": 3.0, "W": 90.0}, {"time": 5.0, "W": 60.0}, {"time": 9.0, "W": 40.0}]
    exact = simulate_events(model, _table(records), typical=True)
    solved = simulate_events(bent, _table(records), typical=True, ode=ODE)
    np.testing.assert_allclose(solved.outputs["C"], exact.outputs["C"], rtol=1e-6)


def test_threads_do_not_matter_to_a_solver(bent: Model) -> None:
    table = _table(_population(11))
    one = simulate_events(bent, table, typical=True)
    three = simulate_events(bent, table, typical=True, workers=3)
    assert one.outputs["C"].tobytes() == three.outputs["C"].tobytes()
