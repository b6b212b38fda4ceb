"""Does a model reproduce what its source says? The ``[[expect]]`` rows, simulated."""

from __future__ import annotations

from dataclasses import dataclass

from statera.errors import UnknownNameError
from statera.model import Expectation, Model
from statera.simulate.result import ENDPOINTS
from statera.simulate.simulate import simulate
from statera.units import convert

__all__ = ["ExpectationResult", "check_expectations"]


@dataclass(frozen=True)
class ExpectationResult:
    """An expectation with what the model gives.

    Attributes
    ----------
    found
        Value of the typical subject; NaN where it could not be computed.
    difference
        Relative difference from the expected value.
    ok
        Whether it lies within the tolerance.
    """

    expectation: Expectation
    found: float
    difference: float
    ok: bool

    @property
    def sentence(self) -> str:
        """The result in words."""
        e = self.expectation
        verdict = "holds" if self.ok else "does NOT hold"
        return (
            f"{e.quantity} = {self.found:.4g} {e.unit}, expected {e.value:g} "
            f"({self.difference:+.2%}; {e.basis}): {verdict}"
        )


def check_expectations(model: Model) -> tuple[ExpectationResult, ...]:
    """Simulate the typical subject for every expectation of a model."""
    return tuple(_check(model, e) for e in model.expectations)


def _check(model: Model, expectation: Expectation) -> ExpectationResult:
    result = simulate(
        model,
        expectation.dose or f"{model.dose_soft.high or 1.0:g} mg q24h",
        covariates=dict(expectation.covariates),
        times=[],
        typical=True,
    )
    if expectation.quantity in ENDPOINTS:
        found = float(result.endpoint(expectation.quantity)[0])
        unit = result.unit_of(expectation.quantity, model.outputs[0].name)
    elif expectation.quantity in result.parameters:
        found = float(result.parameters[expectation.quantity][0])
        unit = next((e.unit for e in model.derived if e.name == expectation.quantity), "")
    else:
        raise UnknownNameError(
            "quantity", expectation.quantity, [*ENDPOINTS, *result.parameters], where="expect"
        )
    if unit and expectation.unit:
        found = convert(found, unit, expectation.unit)
    difference = found / expectation.value - 1.0
    return ExpectationResult(
        expectation, found, difference, abs(difference) <= expectation.tolerance
    )
