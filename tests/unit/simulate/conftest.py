"""Small models and the textbook solutions they are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from statera.data import events_from_columns
from statera.model import Model, build_model
from statera.simulate import OdeOptions, structure_of
from statera.simulate.arrays import individual_values
from statera.simulate.solve_linear import solve_linear
from statera.simulate.solve_ode import solve_ode

Floats = NDArray[np.float64]

RATES: dict[str, float] = {
    "CL": 5.0, "V": 40.0, "KA": 1.3, "Q2": 8.0, "V2": 90.0, "Q3": 1.5, "V3": 300.0,
    "LAG": 0.7, "F": 0.8, "D": 2.5, "R": 30.0,
}  # fmt: skip


def _dynamics(compartments: int) -> dict[str, str]:
    central = "KA*depot - CL/V*central"
    states = {"depot": "-KA*depot"}
    rest: dict[str, str] = {}
    for i in range(2, compartments + 1):
        central += f" - Q{i}/V*central + Q{i}/V{i}*p{i}"
        rest[f"p{i}"] = f"Q{i}/V*central - Q{i}/V{i}*p{i}"
    return states | {"central": central} | rest


@pytest.fixture(scope="session")
def compartments() -> Callable[..., Model]:
    """Model of 1 to 3 compartments with every kind of input, changed as wished."""

    def make(n: int = 1, values: Mapping[str, float] | None = None, **tables: Any) -> Model:
        numbers = RATES | dict(values or {})
        return build_model(
            {
                "id": f"test/{n}",
                "units": {"time": "h", "amount": "mg"},
                "parameters": {k: {"value": v} for k, v in numbers.items()},
                "dynamics": _dynamics(n),
                "inputs": {
                    "iv": [{"kind": "bolus", "into": "central"}],
                    "oral": [{"kind": "bolus", "into": "depot"}],
                    "lagged": [
                        {"kind": "bolus", "into": "depot", "lag": "LAG", "bioavailability": "F"}
                    ],
                    "zero": [
                        {"kind": "zero_order", "into": "central", "duration": "D",
                         "lag": "LAG", "bioavailability": "F"}
                    ],
                    "rate": [{"kind": "zero_order", "into": "central", "rate": "R"}],
                    "both": [
                        {"kind": "bolus", "into": "depot", "bioavailability": "F"},
                        {"kind": "zero_order", "into": "central", "duration": "D",
                         "bioavailability": "1 - F", "lag": "LAG"},
                    ],
                },
                "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
            }
            | tables
        )  # fmt: skip

    return make


@dataclass(frozen=True)
class Textbook:
    """Sums of exponentials after a unit dose, as printed in textbooks of pharmacokinetics.

    ``coefficients`` and ``rates`` are those of the concentration after a bolus of 1.
    """

    coefficients: Floats
    rates: Floats
    ka: float

    def _sum(self, weights: Floats, rates: Floats, t: Floats, tau: float | None) -> Floats:
        with np.errstate(over="ignore"):
            terms = np.exp(-np.outer(t, rates))
        if tau is not None:
            terms /= 1 - np.exp(-rates * tau)
        return np.where(t >= 0, terms @ weights, 0.0)

    def bolus(self, t: ArrayLike, tau: float | None = None) -> Floats:
        """Concentration after a bolus; at steady state of the interval `tau` where given."""
        return self._sum(self.coefficients, self.rates, np.asarray(t, dtype=float), tau)

    def oral(self, t: ArrayLike, tau: float | None = None) -> Floats:
        """Concentration after first-order absorption."""
        times = np.asarray(t, dtype=float)
        weights = self.ka * self.coefficients / (self.ka - self.rates)
        absorbed = self._sum(np.array([weights.sum()]), np.array([self.ka]), times, tau)
        return self._sum(weights, self.rates, times, tau) - absorbed

    def infusion(self, t: ArrayLike, duration: float, tau: float | None = None) -> Floats:
        """Concentration during and after an infusion; with tau the duration must be shorter."""
        times = np.asarray(t, dtype=float)
        weights = self.coefficients / self.rates / duration
        after = self._sum(weights * np.expm1(self.rates * duration), self.rates, times, tau)
        rising = (1 - np.exp(-np.outer(times, self.rates))) @ weights
        if tau is not None:  # what earlier doses left, and the rise of this one
            left = weights * np.expm1(self.rates * duration) * np.exp(-self.rates * tau)
            rising += self._sum(left, self.rates, times, tau)
        return np.where(times < 0, 0.0, np.where(times <= duration, rising, after))


@pytest.fixture(scope="session")
def textbook() -> Callable[..., Textbook]:
    """Textbook solution of `compartments` with n compartments."""

    def make(n: int = 1, values: Mapping[str, float] | None = None) -> Textbook:
        p = RATES | dict(values or {})
        k10, k12, k13 = p["CL"] / p["V"], p["Q2"] / p["V"], p["Q3"] / p["V"]
        k21, k31 = p["Q2"] / p["V2"], p["Q3"] / p["V3"]
        if n == 1:
            return Textbook(np.array([1 / p["V"]]), np.array([k10]), p["KA"])
        if n == 2:
            b = k10 + k12 + k21
            root = np.sqrt(b * b - 4 * k10 * k21)
            alpha, beta = (b + root) / 2, (b - root) / 2
            coefficients = [(alpha - k21) / (alpha - beta), (k21 - beta) / (alpha - beta)]
            return Textbook(np.array(coefficients) / p["V"], np.array([alpha, beta]), p["KA"])
        a2 = k10 + k12 + k13 + k21 + k31
        a1 = k10 * k21 + k10 * k31 + k21 * k31 + k12 * k31 + k13 * k21
        rates = np.sort(np.roots([1, -a2, a1, -k10 * k21 * k31]).real)[::-1]
        coefficients = []
        for i, rate in enumerate(rates):
            others = np.delete(rates, i)
            coefficients.append((k21 - rate) * (k31 - rate) / np.prod(others - rate))
        return Textbook(np.array(coefficients) / p["V"], rates, p["KA"])

    return make


Records = Sequence[Mapping[str, Any]]


@pytest.fixture(scope="session")
def run_records() -> Callable[..., tuple[Floats, int]]:
    """Solve one subject under event records; returns the first output and the status."""

    def run(model: Model, records: Records, ode: OdeOptions | None = None) -> tuple[Floats, int]:
        def column(name: str) -> list[float]:
            return [float(r.get(name, 0)) for r in records]

        events = events_from_columns(
            subject=["s"] * len(records),
            time=column("time"),
            evid=column("evid"),
            amount=column("amt"),
            route=[str(r.get("route", "iv")) for r in records],
            rate=column("rate"),
            interval=column("ii"),
            additional=column("addl"),
            steady_state=column("ss"),
        )
        values = individual_values(model, {}, np.zeros((1, 0)))
        none = np.zeros((0, 2))
        if ode is not None:
            rows, _, statuses, _ = solve_ode(model, values, events, none, 1, 1, ode)
        else:
            rows, _, statuses = solve_linear(model, structure_of(model), values, events, none, 1, 1)
        return rows[0, :, 0], int(statuses[0])

    return run
