"""The objective of a PEtab problem: value, exact gradient and Fisher information.

For a measurement m, simulation h, noise s and transformation T, with r = (T(h) - T(m))/s, normal
noise adds ``ln(2 pi s^2)/2 + r^2/2`` and the logarithm of the Jacobian of T at m to the negative
log-likelihood; Laplace noise ``ln(2 s) + |r|`` and the same. Derivatives of h and s by theta come
from the derivatives of their formulas and those of the states: forward sensitivities, or, where the
gradient alone is wanted of very many parameters, the way back (`statera.pathway.adjoint`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import UsageError
from statera.pathway.engine import Engine
from statera.pathway.network_engine import NetworkEngine
from statera.pathway.objective_part import ObjectivePart, PartResult
from statera.pathway.petab_priors import log_density
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_scales import LN10, slope, unscaled
from statera.pathway.target import Evaluation

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Objective", "PetabEvaluation"]

Floats = NDArray[np.float64]
_FACTOR = {"lin": 0.0, "log": 1.0, "log10": LN10}


@dataclass(frozen=True)
class PetabEvaluation(Evaluation):
    """The objective of a PEtab problem at one theta.

    The value is the negative log-likelihood minus the log prior, infinite where a simulation
    failed; gradient and Fisher matrix (that of the priors included) are NaN there.

    Attributes
    ----------
    llh, chi2, log_prior
        Log-likelihood, sum of squared weighted residuals, log density of the objective priors.
    """

    llh: float = math.nan
    chi2: float = math.nan
    log_prior: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything could be computed; otherwise `message` says what failed."""
        return not self.message


class Objective:
    """The objective of a problem as a function of theta, on the parameters' own scales.

    Parameters
    ----------
    problem
        As `statera.pathway.petab_read.read_problem` returns it.
    engine
        What solves the networks; `NetworkEngine` by default.
    gradient
        How the gradient of order 1 is found: ``forward`` by a column for each parameter of a
        condition, ``adjoint`` by the way back along the courses, or ``auto``, whichever is faster
        (see `statera.pathway.objective_adjoint`). Fisher matrices need forward columns.

    Attributes
    ----------
    problem
        The problem.
    names
        Names of the parts of theta.
    lower, upper, nominal : (n_theta,) float64
        On the parameters' scales.
    gradients
        How that of each part is found: ``forward`` or ``adjoint``.

    Raises
    ------
    UnknownNameError
        If `gradient` is none of the three.
    InputError
        If the adjoint is asked for, and a model or the engine has none.
    """

    def __init__(
        self, problem: PetabProblem, *, engine: Engine | None = None, gradient: str = "auto"
    ) -> None:
        self.problem = problem
        self.names = problem.names
        self.lower, self.upper, self.nominal = problem.lower, problem.upper, problem.nominal
        self._factors = np.array([_FACTOR[p.scale] for p in problem.estimated], dtype=np.float64)
        used = NetworkEngine() if engine is None else engine
        self._parts = tuple(
            ObjectivePart(problem, number, used, gradient) for number in range(len(problem.parts))
        )
        self.gradients = tuple("adjoint" if p.adjoint else "forward" for p in self._parts)
        self._priors = tuple(
            (i, p.objective_prior, p.scale)
            for i, p in enumerate(problem.estimated)
            if p.objective_prior is not None
        )

    def evaluate(self, theta: ArrayLike, order: int = 0) -> PetabEvaluation:
        """Evaluate the objective.

        Parameters
        ----------
        theta : (n_theta,) float64
            On the parameters' scales.
        order
            0 for the value, 1 for the gradient too, 2 for gradient and Fisher matrix.

        Raises
        ------
        UsageError
            If `theta` has another length.
        """
        linear, grows = self._linear(theta, order > 0)
        results = [part.evaluate(linear, grows, gradient_only=order == 1) for part in self._parts]
        llh = math.fsum(r.llh for r in results)
        log_prior, prior_gradient, prior_fisher = self._prior(np.asarray(theta, np.float64))
        message = next((r.message for r in results if r.message), "")
        value = -llh - log_prior
        if not math.isfinite(value):
            message = message or "theta is outside a uniform prior"
            value = math.inf
        return PetabEvaluation(
            value,
            self._gradient(results, prior_gradient, message) if order > 0 else None,
            self._fisher(results, prior_fisher, message) if order > 1 else None,
            message,
            llh,
            math.fsum(r.chi2 for r in results),
            log_prior,
        )

    def value(self, theta: ArrayLike) -> float:
        """Return the negative log-likelihood minus the log prior; infinity where it fails."""
        return self.evaluate(theta).value

    def gradient(self, theta: ArrayLike) -> Floats:
        """Return the gradient of `value`, (n_theta,) float64; NaN where a simulation failed."""
        found = self.evaluate(theta, 1).gradient
        assert found is not None
        return found

    def fisher(self, theta: ArrayLike) -> Floats:
        """Return the Fisher information, (n_theta, n_theta) float64, priors included."""
        found = self.evaluate(theta, 2).fisher
        assert found is not None
        return found

    def nllh(self, theta: ArrayLike) -> float:
        """Return the negative log-likelihood, without priors."""
        return -self.evaluate(theta).llh

    def chi2(self, theta: ArrayLike) -> float:
        """Return the sum of squared weighted residuals on the transformed scales."""
        return self.evaluate(theta).chi2

    def residuals(self, theta: ArrayLike) -> Floats:
        """Return the weighted residuals (simulated minus measured), one a measurement.

        In the order of the parts and their tables; NaN where a simulation failed.
        """
        linear, _ = self._linear(theta, False)
        return np.concatenate([part.evaluate(linear, None).residuals for part in self._parts])

    def sensitivities(self, theta: ArrayLike) -> tuple[Floats, Floats]:
        """Return the derivatives of observables and noises by theta.

        Returns
        -------
        Two of (n_measurements, n_theta) float64, untransformed.
        """
        linear, grows = self._linear(theta, True)
        found = [part.evaluate(linear, grows).slopes for part in self._parts]
        both = np.concatenate([s for s in found if s is not None], axis=1)
        return both[0], both[1]

    def simulations(self, theta: ArrayLike) -> pl.DataFrame:
        """Return the measurements with what was simulated for each.

        Returns
        -------
        Table in the order of the parts and their tables: ``part`` (from 1), the identifiers,
        ``time``, ``measurement``, ``simulation``, ``noise``, ``residual``, ``status``, and further
        columns of the measurement tables.
        """
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        linear, _ = self._linear(theta, False)
        return pl.concat(
            [part.table(part.evaluate(linear, None)) for part in self._parts],
            how="diagonal_relaxed",
        )

    def _linear(self, theta: ArrayLike, slopes: bool) -> tuple[Floats, Floats | None]:
        values = np.asarray(theta, dtype=np.float64)
        if values.shape != self.lower.shape:
            raise UsageError(
                f"theta has the shape {values.shape}, {self.lower.shape} is needed",
                where="theta",
                hint=f"Its parts are {', '.join(self.names)}.",
            )
        linear = unscaled(values, self._factors)
        return linear, slope(linear, self._factors) if slopes else None

    def _prior(self, theta: Floats) -> tuple[float, Floats, Floats]:
        total = 0.0
        gradient, information = np.zeros(len(theta)), np.zeros(len(theta))
        for i, prior, scale in self._priors:
            value, gradient[i], information[i] = log_density(prior, scale, float(theta[i]))
            total += value
        return total, gradient, information

    def _gradient(self, results: Sequence[PartResult], prior: Floats, message: str) -> Floats:
        if message:
            return np.full(len(self.names), np.nan)
        total = -prior
        for result in results:
            total -= result.gradient()
        return total

    def _fisher(self, results: Sequence[PartResult], prior: Floats, message: str) -> Floats:
        if message:
            return np.full((len(self.names),) * 2, np.nan)
        total = np.diag(prior)
        for result in results:
            total += result.fisher()
        return total
