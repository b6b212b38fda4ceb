"""Estimates and random effects in the layout of NONMEM's raw output, for tools that read it.

Two things differ from a NONMEM run. Statera writes the size of residual error as fixed effects, so
that ``SIGMA(1,1)`` is always 1 and fixed. Random effects of occasions follow those of the subject.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.membership import membership_of
from statera.estimate.result import FitResult

__all__ = ["FINAL", "ext_text", "phi_text", "phm_text"]

Floats = NDArray[np.float64]

FINAL, ERRORS, SPREADS, FIXED = -1000000000, -1000000001, -1000000004, -1000000006
"""Iteration numbers of the last rows: estimates, standard errors, standard deviations and
correlations, and 1 for each value that was fixed."""

# as NONMEM calls its methods, by which tools tell them
_TITLES = {
    "fo": "First Order",
    "foce": "First Order Conditional Estimation",
    "focei": "First Order Conditional Estimation with Interaction",
    "laplace": "Laplacian Conditional Estimation with Interaction",
    "its": "Iterative Two Stage",
    "saem": "Stochastic Approximation Expectation-Maximization",
    "imp": "Objective Function Evaluation by Importance Sampling",
}
_NOT_KNOWN = 1e10  # what stands for a standard error that there is none of
_WIDTH, _FIRST = 14, 13


def ext_text(result: FitResult, standard_errors: Mapping[str, float] | None = None) -> str:
    """Return the iterations and the estimates as an ``.ext`` file.

    Parameters
    ----------
    standard_errors
        By the names of `Problem.free_names`; their row is left out where there are none.
    """
    model = result.problem.model
    n_theta, n_effects = len(model.parameters), len(model.random_effects)
    pairs = [(i, j) for i in range(n_effects) for j in range(i + 1)]
    heads = [f"THETA{i + 1}" for i in range(n_theta)]
    heads += ["SIGMA(1,1)", *(f"OMEGA({i + 1},{j + 1})" for i, j in pairs), "OBJ"]
    rows = [(it.number, [*it.theta, 1.0, *_lower(it.omega, pairs), it.objective])
            for it in result.iterations]  # fmt: skip
    rows.append((FINAL, [*result.theta, 1.0, *_lower(result.omega, pairs), result.ofv]))
    if standard_errors:
        rows.append((ERRORS, _errors(result, standard_errors, pairs)))
    sd = np.sqrt(np.diag(result.omega))
    size = np.where(np.eye(n_effects) > 0, sd[:, None], sd[:, None] * sd[None, :])
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where(size > 0, result.omega / size, 0.0)
    rows.append((SPREADS, [*result.theta, 1.0, *_lower(spread, pairs), 0.0]))
    rows.append((FIXED, _fixed(result, pairs)))
    lines = [_title(result), _heading("ITERATION", heads)]
    lines += [f"{number:{_FIRST}d}" + "".join(map(_number, values)) for number, values in rows]
    return "\n".join(lines) + "\n"


def phi_text(result: FitResult) -> str:
    """Return random effects, their conditional covariance and the objective by subject."""
    people = result.problem.individuals
    n = people.n_etas
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    heads = ["ID", *(f"ETA({i + 1})" for i in range(n))]
    heads += [*(f"ETC({i + 1},{j + 1})" for i, j in pairs), "OBJ"]
    lines = [_title(result), _heading("SUBJECT_NO", heads)]
    for k, name in enumerate(people.prepared.events.subject_ids):
        numbers = [*result.etas[k], *_lower(result.eta_variance[k], pairs), result.by_subject[k]]
        shown = name.rjust(_WIDTH - 1)
        lines.append(f"{k + 1:{_FIRST}d} {shown}" + "".join(map(_number, numbers)))
    return "\n".join(lines) + "\n"


def phm_text(result: FitResult) -> str:
    """Return the same for each subject as a member of each subpopulation of a mixture.

    ``PMIX`` is the posterior probability of the subpopulation.

    Raises
    ------
    UsageError
        If the model has one population.
    """
    found = membership_of(result.extra)
    if found is None:
        raise UsageError("the fit is not one of a mixture model", where="fit.phm")
    people = result.problem.individuals
    n = people.n_etas
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    heads = ["ID", "SUBPOP", "PMIX", *(f"ETA({i + 1})" for i in range(n))]
    heads += [*(f"ETC({i + 1},{j + 1})" for i, j in pairs), "OBJ"]
    lines = [_title(result), _heading("SUBJECT_NO", heads)]
    for k, name in enumerate(people.prepared.events.subject_ids):
        for m in range(len(found.names)):
            numbers = [found.posterior[k, m], *found.etas[k, m]]
            numbers += [*_lower(found.eta_variance[k, m], pairs), found.objective[k, m]]
            shown = f" {name.rjust(_WIDTH - 1)}{m + 1:{_WIDTH}d}"
            lines.append(f"{k + 1:{_FIRST}d}" + shown + "".join(map(_number, numbers)))
    return "\n".join(lines) + "\n"


def _title(result: FitResult) -> str:
    name = _TITLES.get(result.method, result.method)
    return f"TABLE NO.     1: {name}: Goal Function=MINIMUM VALUE OF OBJECTIVE FUNCTION: Problem=1"


def _heading(first: str, others: Sequence[str]) -> str:
    return f" {first}".ljust(_FIRST) + "".join(name.rjust(_WIDTH) for name in others)


def _number(value: float) -> str:
    # NONMEM has no word for a number that is not one
    return f"{value if math.isfinite(value) else _NOT_KNOWN:{_WIDTH}.5E}"


def _lower(matrix: Floats, pairs: Sequence[tuple[int, int]]) -> list[float]:
    return [float(matrix[i, j]) for i, j in pairs]


def _entry(names: Sequence[str], i: int, j: int) -> str:
    return f"omega({names[i]})" if i == j else f"omega({names[i]},{names[j]})"


def _errors(
    result: FitResult, errors: Mapping[str, float], pairs: Sequence[tuple[int, int]]
) -> list[float]:
    model = result.problem.model
    effects = list(model.random_effects)
    found = [errors.get(name, math.inf) for name in model.parameters]
    found += [math.inf, *(errors.get(_entry(effects, i, j), math.inf) for i, j in pairs), 0.0]
    return found


def _fixed(result: FitResult, pairs: Sequence[tuple[int, int]]) -> list[float]:
    model, free = result.problem.model, set(result.problem.free_names)
    effects = list(model.random_effects)
    found = [float(name not in free) for name in model.parameters]
    found += [1.0, *(float(_entry(effects, i, j) not in free) for i, j in pairs), 0.0]
    return found
