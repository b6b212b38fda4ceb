"""A population pharmacokinetic or pharmacodynamic model as a description, ready to simulate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.sources import Status

__all__ = [
    "Covariate",
    "Equation",
    "Expectation",
    "InputProcess",
    "Likelihood",
    "Mixture",
    "Model",
    "Output",
    "Parameter",
    "Prior",
    "RandomEffect",
    "Range",
    "Residual",
]


@dataclass(frozen=True)
class Range:
    """A range with optional ends, both included."""

    low: float | None = None
    high: float | None = None

    def holds(self, value: float) -> bool:
        """Return True where `value` lies inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.low is None and self.high is None:
            return "not limited"
        if self.low is None:
            return f"at most {self.high:g}"
        if self.high is None:
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Prior:
    """A normal prior of a parameter on its own scale."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Parameter:
    """A fixed effect with its origin.

    Attributes
    ----------
    value, unit
        Value on the natural scale and its unit.
    status, locator
        Origin of the value and where it stands in the source.
    rse
        Relative standard error in percent, where published.
    low, high
        Published interval.
    printed
        The value as printed where it was transformed on encoding.
    note
        What a reader must know.
    fixed
        Whether a fit keeps the value.
    bounds
        Ends between which a fit stays, None for none; None where nothing is given.
    prior
        What is known before a fit.
    """

    name: str
    value: float
    unit: str
    status: Status
    locator: str = ""
    rse: float | None = None
    low: float | None = None
    high: float | None = None
    printed: str = ""
    note: str = ""
    fixed: bool = False
    bounds: tuple[float | None, float | None] | None = None
    prior: Prior | None = None


@dataclass(frozen=True)
class RandomEffect:
    """A normal random effect with mean 0.

    Attributes
    ----------
    variance
        Variance omega^2 on the scale on which the effect enters the equations.
    level
        ``subject`` (one draw a subject) or ``occasion``.
    printed
        As printed, such as ``138.4 % CV``.
    conversion
        How the printed value became a variance.
    fixed
        Whether a fit keeps the variance.
    """

    name: str
    variance: float
    status: Status
    level: Literal["subject", "occasion"] = "subject"
    printed: str = ""
    conversion: str = ""
    locator: str = ""
    note: str = ""
    fixed: bool = False


@dataclass(frozen=True)
class Covariate:
    """A covariate with its reference value and the range where the model may be used.

    Attributes
    ----------
    reference
        Value of the typical subject.
    soft
        Range covered by the data; leaving it is a warning.
    hard
        Range of plausible values; leaving it is an error.
    basis
        Where the ranges come from.
    """

    name: str
    unit: str
    reference: float
    soft: Range
    hard: Range
    label: str = ""
    basis: str = ""
    source: str = ""


@dataclass(frozen=True)
class Equation:
    """A named formula, as written and as parsed."""

    name: str
    text: str
    expression: sp.Expr
    unit: str = ""
    label: str = ""


@dataclass(frozen=True)
class InputProcess:
    """How a dose of a route enters the system; a route may have several.

    Attributes
    ----------
    kind
        ``bolus`` (at once; first-order absorption is a bolus into a depot state),
        ``zero_order`` (over `duration`, or at `rate`) or ``transit`` (through `n` compartments,
        any real number of them, at the rate `ktr`).
    into
        State that receives the dose.
    bioavailability, lag, duration, rate, n, ktr
        Formulas over individual parameters, parameters, covariates and ``AMT`` (the amount of
        the dose record); None where not modelled.
    """

    kind: Literal["bolus", "zero_order", "transit"]
    into: str
    bioavailability: sp.Expr
    lag: sp.Expr
    duration: sp.Expr | None = None
    rate: sp.Expr | None = None
    n: sp.Expr | None = None
    ktr: sp.Expr | None = None


@dataclass(frozen=True)
class Output:
    """An observed quantity as a formula over states and individual parameters."""

    name: str
    text: str
    expression: sp.Expr
    unit: str
    label: str = ""


@dataclass(frozen=True)
class Residual:
    """Residual error of an output.

    Attributes
    ----------
    proportional, additive
        Sizes at the model's parameters, 0 where absent; NaN where they differ between subjects.
    variance
        Variance over the output's own name (on the natural scale), parameters, individual
        parameters, random effects, covariates, ``t`` and ``TAD`` (time after the last dose);
        that of the logarithm where `lognormal`.
    lognormal
        Whether ``log DV = log output + error``.
    """

    output: str
    proportional: float = 0.0
    additive: float = 0.0
    note: str = ""
    variance: sp.Expr = field(default_factory=lambda: sp.Integer(0))
    lognormal: bool = False


@dataclass(frozen=True)
class Likelihood:
    """A log-likelihood of one observation, as a formula of the user.

    Attributes
    ----------
    text
        As written.
    loglik
        Over ``DV`` (the observed value), states, parameters, individual parameters, random
        effects, covariates, ``t`` and ``TAD``; outputs are written out.
    """

    name: str
    text: str
    loglik: sp.Expr
    note: str = ""


@dataclass(frozen=True)
class Mixture:
    """Subpopulations to which a subject may belong; to which it does is not observed.

    Attributes
    ----------
    variable
        Name by which formulas see the number of the subpopulation, 1, 2 and on; it is among the
        covariates of the model.
    subpopulations
        Names, each with its probability over parameters and covariates; they add up to 1.
    """

    variable: str
    subpopulations: tuple[Equation, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the subpopulations in the order of their numbers."""
        return tuple(s.name for s in self.subpopulations)


@dataclass(frozen=True)
class Expectation:
    """A published or independently computed result that the model must reproduce.

    Attributes
    ----------
    quantity
        A derived quantity (such as ``CL``) or an endpoint of the last dosing interval
        (``Cmax``, ``AUC``, ``Cavg``, ``Ctrough``) of the first output.
    dose
        Regimen for endpoints; empty for derived quantities.
    covariates
        Values other than the references.
    value, unit, tolerance
        Expected value and the relative tolerance allowed.
    basis
        Why it is expected.
    """

    quantity: str
    value: float
    unit: str
    tolerance: float
    basis: str
    dose: str = ""
    covariates: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Model:
    """A complete model; build it with `statera.model.build_model`.

    Attributes
    ----------
    id
        ``drug/FirstAuthor_Year``.
    source
        Key of the source the parameters come from; empty for a user's model.
    time_unit, amount_unit
        Units of time and of amounts in states.
    parameters, random_effects, covariates
        Descriptions by name.
    omega : (n_eta, n_eta) float64
        Covariance of the random effects in their order.
    individual
        Equations of individual parameters in order of evaluation.
    dynamics
        ``d/dt`` of every state.
    initial
        Initial values of states that do not start at 0.
    inputs
        Input processes by route; the first route is the default.
    outputs, residuals, derived
        Observed quantities, their error, and secondary parameters such as total clearance.
    dose_soft, dose_hard
        Range of single amounts covered by the source, and of plausible ones.
    likelihoods
        Log-likelihoods of observations that have no residual error.
    mixture
        Subpopulations of a mixture model; None where there is one population.
    remarks, gaps
        Departures from the source, and what the source does not give.
    """

    id: str
    drug: str
    title: str
    population: str
    source: str
    time_unit: str
    amount_unit: str
    parameters: Mapping[str, Parameter]
    random_effects: Mapping[str, RandomEffect]
    omega: NDArray[np.float64]
    covariates: Mapping[str, Covariate]
    individual: tuple[Equation, ...]
    dynamics: tuple[Equation, ...]
    initial: Mapping[str, sp.Expr]
    inputs: Mapping[str, tuple[InputProcess, ...]]
    outputs: tuple[Output, ...]
    residuals: Mapping[str, Residual]
    derived: tuple[Equation, ...]
    dose_soft: Range
    dose_hard: Range
    dose_basis: str
    expectations: tuple[Expectation, ...]
    remarks: tuple[str, ...]
    gaps: tuple[str, ...]
    likelihoods: Mapping[str, Likelihood] = field(default_factory=lambda: MappingProxyType({}))
    mixture: Mixture | None = None

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states in order."""
        return tuple(e.name for e in self.dynamics)

    @property
    def default_route(self) -> str:
        """The route of a dose that names none."""
        return next(iter(self.inputs))

    def output(self, name: str) -> Output:
        """Return an output by name; raise KeyError where there is none."""
        for output in self.outputs:
            if output.name == name:
                return output
        raise KeyError(name)
