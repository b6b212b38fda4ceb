"""Sensitivities of input through a real number of transit compartments.

Against central differences of order 6 of tight solutions (of first derivatives for second ones),
and against the same compartments written as states, for a whole number of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.simulate.differences import difference

from statera.data import EventTable, events_from_columns
from statera.model import Model, build_model
from statera.simulate import GradientResult, OdeOptions, gradients, simulate_events
from statera.simulate.gradient_values import with_parameters

Floats = NDArray[np.float64]

VALUES = {"N": 3.7, "MTT": 2.0, "KA": 0.8, "F": 0.9, "LAG": 0.3, "K": 0.125, "KM": 50.0}
NAMES = tuple(VALUES)
TIGHT = OdeOptions(rtol=1e-11, atol=1e-16, period_rtol=1e-10)
TIMES = np.array([0.1, 0.5, 1.0, 2.0, 3.0, 7.9, 8.4, 9.0, 10.0, 12.0, 17.0, 30.0])


@lru_cache(maxsize=8)
def model(chain: int = -1, by_weight: bool = False) -> Model:
    """Saturable elimination behind a depot; `chain` writes so many compartments as states."""
    into = {"into": "t0" if chain >= 0 else "depot", "bioavailability": "F", "lag": "LAG"}
    through = {"kind": "transit", "n": "N*WT" if by_weight else "N", "mtt": "MTT"}
    depot = "-KA*depot"
    steps: dict[str, str] = {}
    for i in range(chain + 1):
        before = f"t{i - 1} - " if i else "-"
        steps[f"t{i}"] = f"({chain} + 1)/MTT*({before}t{i})"
        depot = f"-KA*depot + ({chain} + 1)/MTT*t{i}"
    first = {"kind": "bolus"} if chain >= 0 else through
    return build_model(
        {
            "id": f"test/transit_{chain}_{by_weight}",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {k: {"value": v} for k, v in VALUES.items()},
            "covariates": {"WT": {"unit": "", "reference": 1.0}},
            "dynamics": {
                **steps, "depot": depot, "central": "KA*depot - K*central/(1 + central/KM)",
            },
            "inputs": {
                "oral": [into | first],
                "dual": [into | through, {"kind": "bolus", "into": "central", "lag": "2*LAG",
                                          "bioavailability": "1 - F"}],
            } if chain < 0 else {"oral": [into | first]},
            "outputs": {"C": {"expression": "central"}, "D": {"expression": "depot"}},
        }
    )  # fmt: skip


def records(*doses: Mapping[str, Any], weight: Floats | None = None) -> EventTable:
    """Doses, by time, with observations at `TIMES`."""
    rows = [{"evid": 1, "time": 0.0} | dict(dose) for dose in doses]
    rows = sorted([*rows, *({"time": t} for t in TIMES)], key=lambda row: row["time"])

    def column(name: str) -> list[float]:
        return [float(row.get(name, 0.0)) for row in rows]

    return events_from_columns(
        ["s"] * len(rows), column("time"), column("evid"), column("amt"),
        route=[str(row.get("route", "oral")) for row in rows], interval=column("ii"),
        additional=column("addl"), steady_state=column("ss"),
        covariates={} if weight is None else {"WT": np.interp(column("time"), TIMES, weight)},
    )  # fmt: skip


CASES: dict[str, tuple[dict[str, Any], ...]] = {
    "overlapping": ({"amt": 100, "addl": 1, "ii": 8},),
    "reset": ({"amt": 100}, {"amt": 60, "evid": 4, "time": 2.5}),
    "dual": ({"amt": 100, "route": "dual", "addl": 2, "ii": 5},),
    "steady": ({"amt": 12, "ss": 1, "ii": 4, "time": 0.25},),
    "added": ({"amt": 100, "addl": 2, "ii": 2}, {"amt": 20, "ss": 2, "ii": 6, "time": 2.2}),
}


def solved(table: EventTable, values: Mapping[str, float], **options: Any) -> GradientResult:
    names = options.pop("wrt", NAMES)
    by_weight = bool(table.covariates)
    found = gradients(
        model(by_weight=by_weight), table, wrt=names, parameters=values, ode=TIGHT, **options
    )
    assert found.statuses.tolist() == [0]
    return found


def stacked(found: Mapping[str, Floats]) -> Floats:
    return np.concatenate([found[name].ravel() for name in ("C", "D")])


def close(found: Floats, exact: Floats, tolerance: float, what: str) -> None:
    np.testing.assert_allclose(
        found, exact, rtol=0, atol=tolerance * np.abs(exact).max(), err_msg=what
    )


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize(("n", "mtt"), [(3.7, 2.0), (0.6, 1.0), (25.3, 3.0), (1.0, 2.0)])
def test_first_derivatives_against_differences(case: str, n: float, mtt: float) -> None:
    values = VALUES | {"N": n, "MTT": mtt}
    table = records(*CASES[case])
    found = solved(table, values)

    def run(changed: Mapping[str, float]) -> Floats:
        # near n = 1 the input has a corner that Tsit5 smears more than Rodas5P
        exact = OdeOptions(rtol=1e-12, atol=1e-16, period_rtol=1e-11, method="rodas5p")
        result = simulate_events(with_parameters(model(), changed), table, ode=exact)
        assert result.failures == ()
        return stacked(result.outputs)

    for name in NAMES:
        exact = difference(run, values, name, 1e-2)
        mine = stacked({k: found.of(name, k) for k in ("C", "D")})
        close(mine, exact, 1e-7, name)


@pytest.mark.parametrize("case", ["overlapping", "dual", "steady", "added"])
@pytest.mark.parametrize("n", [3.7, 1.5])
def test_second_derivatives_against_differences_of_first_ones(case: str, n: float) -> None:
    values = VALUES | {"N": n}
    table = records(*CASES[case])
    found = solved(table, values, second=NAMES)
    for two in NAMES:
        exact = difference(
            lambda v: np.stack([stacked({k: r.of(one, k) for k in ("C", "D")}) for one in NAMES])
            if (r := solved(table, v)) else np.zeros(()),
            values, two, 2e-3,
        )  # fmt: skip
        for one, row in zip(NAMES, exact, strict=True):
            mine = stacked({k: found.curvature(one, two, k) for k in ("C", "D")})
            close(mine, row, 1e-6, f"{one} {two}")


@pytest.mark.parametrize("n", [0, 1, 4])
def test_a_whole_number_of_compartments_is_a_chain_of_states(n: int) -> None:
    """First and second derivatives, by moving doses too."""
    values = VALUES | {"N": float(n)}
    names = [name for name in NAMES if name != "N"]
    for case in ("overlapping", "steady", "added"):
        table = records(*CASES[case])
        bent = [name for name in names if n > 0 or name != "LAG"]
        options: dict[str, Any] = {"wrt": names, "second": bent, "ode": TIGHT}
        if n == 0:
            options["wrt"] = bent
        given = gradients(model(), table, parameters=values, **options)
        chain = gradients(model(n), table, parameters=VALUES, **options)
        assert given.statuses.tolist() == chain.statuses.tolist() == [0]
        for k in ("C", "D"):
            close(given.derivatives[k], chain.derivatives[k], 1e-8, f"{case} {k}")
            close(given.curvatures[k], chain.curvatures[k], 1e-7, f"{case} {k}")


def test_both_solvers_agree() -> None:
    for n in (0.6, 2.0, 9.4):
        table = records(*CASES["dual"])
        results = [
            gradients(
                model(), table, wrt=NAMES, second=["K", "MTT"], parameters={"N": n},
                ode=OdeOptions(rtol=1e-10, method=method),
            )
            for method in ("tsit5", "rodas5p")
        ]  # fmt: skip
        for k in ("C", "D"):
            close(results[0].derivatives[k], results[1].derivatives[k], 1e-7, k)
            close(results[0].curvatures[k], results[1].curvatures[k], 1e-7, k)


def test_covariates_that_change_during_the_input() -> None:
    """A dose keeps the number of compartments of the interval in which it starts."""
    table = records(*CASES["overlapping"], weight=np.linspace(0.8, 1.4, TIMES.size))
    found = solved(table, VALUES)

    def run(changed: Mapping[str, float]) -> Floats:
        changed_model = with_parameters(model(by_weight=True), changed)
        return stacked(simulate_events(changed_model, table, ode=TIGHT).outputs)

    for name in NAMES:
        close(
            stacked({k: found.of(name, k) for k in ("C", "D")}),
            difference(run, VALUES, name, 1e-3), 1e-7, name,
        )  # fmt: skip


def test_nothing_given_still_has_a_derivative_by_bioavailability() -> None:
    table = records({"amt": 100})
    none = solved(table, VALUES | {"F": 0.0})
    little = solved(table, VALUES | {"F": 1e-7})
    assert np.all(none.outputs["C"] == 0.0)
    assert np.abs(none.of("F", "C")).max() > 10.0
    close(none.of("F", "C"), little.of("F", "C"), 1e-6, "F")


def test_what_has_no_second_derivative_is_a_status() -> None:
    """Less than one compartment and a moving dose: the curvature grows without end at its start."""
    table = records({"amt": 100})
    for n in (0.0, 0.4):
        options: dict[str, Any] = {"wrt": NAMES, "parameters": {"N": n}}
        found = gradients(model(), table, second=["LAG"], **options)
        assert found.statuses.tolist() != [0]
        assert gradients(model(), table, **options).statuses.tolist() == [0]
    kept = gradients(model(), table, wrt=["N", "K"], second=["N"], parameters={"N": 0.4})
    assert kept.statuses.tolist() == [0]


def test_numbers_that_cannot_be_are_a_status() -> None:
    found = gradients(model(), records({"amt": 100}), wrt=["K"], parameters={"N": -0.5})
    assert found.statuses.tolist() != [0]
