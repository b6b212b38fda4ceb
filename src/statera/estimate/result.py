"""What a fit found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.estimate.ending import FINISHED, sentence
from statera.estimate.problem import Problem
from statera.estimate.summary import summary, summary_html
from statera.estimate.table import ParameterTable, Shrinkage, Uncertainty, parameter_table

__all__ = ["FitResult", "Iteration"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Iteration:
    """One step of the search.

    Attributes
    ----------
    number, objective, gradient
        Iteration, objective, largest entry of the gradient by free numbers; NaN where a method
        has none.
    theta : (n_theta,) float64
    omega : (n_effects, n_effects) float64
    etas : (n_subjects, n_etas) float64, optional
        Random effects; given while the fit runs, and not kept in its history.
    """

    number: int
    objective: float
    gradient: float
    theta: Floats
    omega: Floats
    etas: Floats | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FitResult:
    """Estimates of a population model.

    Attributes
    ----------
    problem
        Model, data and what was estimated.
    method
        ``fo``, ``foce``, ``focei``, ``laplace``, ``agq``, ``saem`` ...
    theta : (n_theta,) float64
        Fixed effects in the order of the model, fixed ones included.
    omega : (n_effects, n_effects) float64
        Covariance of the random effects in the order of the model.
    ofv
        -2 log-likelihood without ``n ln 2 pi`` of the quantified observations.
    by_subject : (n_subjects,) float64
        Parts of `ofv`.
    etas : (n_subjects, n_etas) float64
        Modes of the random effects (means where a method has no modes); those of occasions follow
        those of the subject, occasion by occasion.
    eta_variance : (n_subjects, n_etas, n_etas) float64
        Conditional covariance of the random effects: inverse of H.
    status
        ``converged`` or why not, see `statera.estimate.ending`.
    iterations
        History.
    warnings
        What a reader must know.
    seconds
        CPU time of the search.
    extra
        What belongs to one method only.
    """

    problem: Problem
    method: str
    theta: Floats
    omega: Floats
    ofv: float
    by_subject: Floats
    etas: Floats
    eta_variance: Floats
    status: str
    iterations: tuple[Iteration, ...]
    warnings: tuple[str, ...]
    seconds: float
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def free(self) -> Floats:
        """Free numbers at the estimates."""
        return self.problem.pack(self.theta, self.omega)

    @property
    def converged(self) -> bool:
        """Whether the estimates may be used as they are."""
        return self.status in FINISHED

    @property
    def sentence(self) -> str:
        """How the fit ended, and what to do."""
        return sentence(self.status, self.method)

    def table(
        self, uncertainty: Uncertainty | None = None, shrinkage: Shrinkage | None = None
    ) -> ParameterTable:
        """Return the estimates as a table, see `statera.estimate.table`."""
        return parameter_table(self, uncertainty, shrinkage)

    def summary(
        self, uncertainty: Uncertainty | None = None, shrinkage: Shrinkage | None = None
    ) -> str:
        """Return the fit as text: how it ended, its table, and its warnings."""
        return summary(self, uncertainty, shrinkage)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return summary_html(self)
