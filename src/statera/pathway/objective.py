"""The objective of a PEtab problem: value, exact gradient and Fisher information.

For a measurement m, simulation h, noise s and transformation T, with r = (T(h) - T(m))/s, normal
noise adds ``ln(2 pi s^2)/2 + r^2/2`` and the logarithm of the Jacobian of T at m to the negative
log-likelihood; Laplace noise ``ln(2 s) + |r|`` and the same. Derivatives of h and s by theta come
from forward sensitivities of the states and the derivatives of their formulas.
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
from statera.pathway.objective_part import ObjectivePart, PartResult
from statera.pathway.petab_priors import log_density
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_scales import LN10, slope, unscaled

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Evaluation", "Objective"]

Floats = NDArray[np.float64]
_FACTOR = {"lin": 0.0, "log": 1.0, "log10": LN10}


@dataclass(frozen=True)
class Evaluation:
    """The objective at one theta.

    Attributes
    ----------
    value
        Negative log-likelihood minus log prior; infinity where a simulation failed.
    llh, chi2, log_prior
        Log-likelihood, sum of squared weighted residuals, log density of the objective priors.
    gradient : (n_theta,) float64
        Of `value`; None where not asked for, NaN where a simulation failed.
    fisher : (n_theta, n_theta) float64
        Expected information, that of the priors included; None where not asked for.
    status
        ``ok``, or what failed in a sentence.
    """

    value: float
    llh: float
    chi2: float
    log_prior: float
    gradient: Floats | None
    fisher: Floats | None
    status: str

    @property
    def ok(self) -> bool:
        """Whether everything could be computed."""
        return self.status == "ok"


class Objective:
    """The objective of a problem as a function of theta, on the parameters' own scales.

    Parameters
    ----------
    problem
        As `statera.pathway.petab_read.read_problem` returns it.
    engine
        What solves the networks.

    Attributes
    ----------
    problem
        The problem.
    names
        Names of the parts of theta.
    lower, upper, nominal : (n_theta,) float64
        On the parameters' scales.
    """

    def __init__(self, problem: PetabProblem, *, engine: Engine) -> None:
        self.problem = problem
        self.names = problem.names
        self.lower, self.upper, self.nominal = problem.lower, problem.upper, problem.nominal
        self._factors = np.array([_FACTOR[p.scale] for p in problem.estimated], dtype=np.float64)
        self._parts = tuple(
            ObjectivePart(problem, number, engine) for number in range(len(problem.parts))
        )
        self._priors = tuple(
            (i, p.objective_prior, p.scale)
            for i, p in enumerate(problem.estimated)
            if p.objective_prior is not None
        )

    def evaluate(
        self, theta: ArrayLike, *, gradient: bool = False, fisher: bool = False
    ) -> Evaluation:
        """Evaluate the objective.

        Parameters
        ----------
        theta : (n_theta,) float64
            On the parameters' scales.
        gradient, fisher
            What is asked for besides the value.

        Raises
        ------
        UsageError
            If `theta` has another length.
        """
        linear, grows = self._linear(theta, gradient or fisher)
        results = [part.evaluate(linear, grows) for part in self._parts]
        llh = math.fsum(r.llh for r in results)
        log_prior, prior_gradient, prior_fisher = self._prior(np.asarray(theta, np.float64))
        status = next((r.status for r in results if r.status != "ok"), "ok")
        value = -llh - log_prior
        if not math.isfinite(value):
            status = "outside a uniform prior" if status == "ok" else status
            value = math.inf
        return Evaluation(
            value,
            llh,
            math.fsum(r.chi2 for r in results),
            log_prior,
            self._gradient(results, prior_gradient, status) if gradient else None,
            self._fisher(results, prior_fisher, status) if fisher else None,
            status,
        )

    def value(self, theta: ArrayLike) -> float:
        """Return the negative log-likelihood minus the log prior; infinity where it fails."""
        return self.evaluate(theta).value

    def gradient(self, theta: ArrayLike) -> Floats:
        """Return the gradient of `value`, (n_theta,) float64; NaN where a simulation failed."""
        found = self.evaluate(theta, gradient=True).gradient
        assert found is not None
        return found

    def fisher(self, theta: ArrayLike) -> Floats:
        """Return the Fisher information, (n_theta, n_theta) float64, priors included."""
        found = self.evaluate(theta, fisher=True).fisher
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

    def _gradient(self, results: Sequence[PartResult], prior: Floats, status: str) -> Floats:
        if status != "ok":
            return np.full(len(self.names), np.nan)
        total = -prior
        for result in results:
            total -= result.gradient()
        return total

    def _fisher(self, results: Sequence[PartResult], prior: Floats, status: str) -> Floats:
        if status != "ok":
            return np.full((len(self.names),) * 2, np.nan)
        total = np.diag(prior)
        for result in results:
            total += result.fisher()
        return total
