"""Which subjects carry the estimates: objective by subject and approximate deletion of each.

With O the objective, g_i the gradient and H_i the Hessian of subject i's part by the free numbers,
leaving subject i out moves the estimates by about one Newton step,
``d_i = (H - H_i)^-1 g_i``, since the gradient of all others is -g_i at the minimum (one-step
deletion, Cook 1986, doi 10.1111/j.2517-6161.1986.tb01398.x). Cook's score is
``sqrt(d_i' C^-1 d_i)`` with ``C = 2 H^-1`` the covariance of the estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.estimate.fit import METHODS
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.natural import objective_at
from statera.estimate.outer import Objective
from statera.estimate.result import FitResult

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Influence", "influence"]

Floats = NDArray[np.float64]

_STEP = 1e-3


@dataclass(frozen=True)
class Influence:
    """What each subject means for a fit.

    Attributes
    ----------
    ids
        Identifiers.
    ofv : (n_subjects,) float64
        Parts of the objective.
    observations : (n_subjects,) int64
        Number of observations.
    cook : (n_subjects,) float64
        Cook's score; NaN where the step does not exist.
    names
        Names of what is estimated.
    change : (n_subjects, n_free) float64
        Estimates without the subject minus estimates, on the scale of the model (variances and
        covariances for entries of Omega).
    standardised : (n_subjects, n_free) float64
        Changes of the free numbers of the search (logarithms of what is positive) over their
        standard errors by the Hessian.
    remarks
        What a reader must know.
    """

    ids: tuple[str, ...]
    ofv: Floats
    observations: NDArray[np.int64]
    cook: Floats
    names: tuple[str, ...]
    change: Floats
    standardised: Floats
    remarks: tuple[str, ...]

    def to_polars(self) -> pl.DataFrame:
        """Return a row a subject."""
        import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

        columns = {
            "ID": pl.Series(list(self.ids), dtype=pl.String),
            "OBSERVATIONS": self.observations,
            "OFV": self.ofv,
            "COOK": self.cook,
        }
        columns |= {f"d_{name}": self.change[:, k] for k, name in enumerate(self.names)}
        return pl.DataFrame(columns).fill_nan(None)


def influence(result: FitResult) -> Influence:
    """Return the influence of every subject on a fit.

    Costs two evaluations of the gradient for each free number.
    """
    problem = result.problem
    u = result.free
    remarks = []
    if result.method in METHODS:
        objective = objective_at(result)
    else:
        objective = Objective(problem, LaplaceOptions())
        objective.etas = result.etas.copy()
        remarks.append(
            f"influence is that on the objective of FOCEI at the estimates of {result.method}"
        )
    gradient, _ = _gradients(objective, u)
    n, p = gradient.shape
    by_subject = np.empty((n, p, p))
    prior = np.empty((p, p))
    for k in range(p):
        step = np.zeros(p)
        step[k] = _STEP
        high, above = _gradients(objective, u + step)
        low, below = _gradients(objective, u - step)
        by_subject[:, :, k] = (high - low) / (2.0 * _STEP)
        prior[:, k] = (above - below) / (2.0 * _STEP)
    by_subject = 0.5 * (by_subject + by_subject.transpose(0, 2, 1))
    whole = by_subject.sum(axis=0) + 0.5 * (prior + prior.T)
    moved, cook = _deleted(gradient, by_subject, whole)
    lost = int(np.isnan(cook).sum())
    if lost:
        remarks.append(
            f"the deletion of {lost} of {n} subjects is not approximated: without them the "
            "Hessian is not positive definite"
        )
    return Influence(
        ids=problem.individuals.prepared.events.subject_ids,
        ofv=result.by_subject,
        observations=problem.individuals.counts,
        cook=cook,
        names=problem.free_names,
        change=_natural(result, u, moved),
        standardised=moved / _errors(whole),
        remarks=tuple(remarks),
    )


def _gradients(objective: Objective, u: Floats) -> tuple[Floats, Floats]:
    """Return gradients by subject (n, p), and that of the prior (p,)."""
    with np.errstate(all="ignore"):
        _, at = objective.value(u)
        rows, _ = objective.by_subject(u, at)
    problem = objective.problem
    theta, _, omega = problem.unpack(u)
    return rows, problem.pull(u, problem.prior(theta)[1], np.zeros_like(omega))


def _deleted(gradient: Floats, by_subject: Floats, whole: Floats) -> tuple[Floats, Floats]:
    """Return steps (n, p) and Cook's scores (n,); NaN where the rest has no minimum."""
    moved = np.full_like(gradient, np.nan)
    cook = np.full(gradient.shape[0], np.nan)
    for i in range(gradient.shape[0]):
        rest = whole - by_subject[i]
        if not (np.isfinite(rest).all() and np.isfinite(gradient[i]).all()):
            continue
        if rest.size == 0 or np.linalg.eigvalsh(rest)[0] <= 0.0:
            continue
        step = np.linalg.solve(rest, gradient[i])
        size = 0.5 * float(step @ whole @ step)
        if size >= 0.0:
            moved[i], cook[i] = step, np.sqrt(size)
    return moved, cook


def _errors(whole: Floats) -> Floats:
    """Return standard errors of the free numbers; NaN without a minimum."""
    if not np.isfinite(whole).all() or whole.size == 0 or np.linalg.eigvalsh(whole)[0] <= 0.0:
        return np.full(whole.shape[0], np.nan)
    found: Floats = np.sqrt(2.0 * np.diag(np.linalg.inv(whole)))
    return found


def _natural(result: FitResult, u: Floats, moved: Floats) -> Floats:
    """Return changes of the model's parameters for changes of the free numbers."""
    problem = result.problem
    free, entries = problem.theta.free, problem.omega.entries()
    out = np.full_like(moved, np.nan)
    for i, step in enumerate(moved):
        if not np.isfinite(step).all():
            continue
        theta, omega, _ = problem.unpack(u + step)
        first = [theta[k] - result.theta[k] for k in free]
        second = [omega[a, b] - result.omega[a, b] for a, b in entries]
        out[i] = [*first, *second]
    return out
