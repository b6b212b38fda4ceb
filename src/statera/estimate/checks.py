"""What may be wrong with a fit although its search ended: told in sentences, never in silence."""

from __future__ import annotations

import numpy as np
import sympy as sp

from statera.data import EventTable, FitData
from statera.errors import InputError
from statera.estimate.problem import Observed
from statera.estimate.result import FitResult
from statera.estimate.status import Code, fit_notices, notice
from statera.estimate.terms import LIKELIHOOD
from statera.model import Model
from statera.numerics.expression import symbol
from statera.simulate import full_formula

__all__ = ["check_doses", "fit_warnings", "on_natural_scale"]

_OF_SEARCH = {Code.NO_PROGRESS, Code.ITERATIONS, Code.STOPPED, Code.NOT_CONVERGED}


def check_doses(model: Model, events: EventTable) -> None:
    """Refuse records without doses where the model stays at 0 without one.

    Raises
    ------
    InputError
        If every prediction would be that of empty states.
    """
    if np.isin(events.evid, (1, 4)).any() or model.initial:
        return
    empty = {symbol(name): sp.Integer(0) for name in model.states}
    if all(full_formula(model, e.expression).xreplace(empty) == 0 for e in model.dynamics):
        raise InputError(
            "the data hold no dose, and without one all states of the model stay at 0",
            where="AMT",
            hint="Look at the columns AMT and EVID: their names, and whether AMT is 0 throughout.",
        )


def on_natural_scale(model: Model, data: Observed) -> Observed:
    """Return data whose observed values are not logarithms.

    Raises
    ------
    InputError
        If DV holds logarithms, and neither a residual error nor its output is on the log scale.
    """
    if not isinstance(data, FitData) or data.dv_scale != "log":
        return data
    other = [name for name, residual in model.residuals.items() if not residual.lognormal]
    plain = [name for name in other if not model.output(name).expression.has(sp.log)]
    if other and not plain:
        return data  # outputs that are logarithms themselves
    if plain:
        raise InputError(
            f"DV holds logarithms, and the residual error of {plain[0]} is not on the log scale",
            where="DV",
            hint=f'Write scale = "log" in [residual.{plain[0]}], or give DV as it was measured.',
        )
    return data.to_natural()


def fit_warnings(result: FitResult) -> tuple[str, ...]:
    """Return what a reader of a fit must know, beyond how its search ended."""
    if result.status == "no start":
        lost = np.flatnonzero(~np.isfinite(result.by_subject))
        ids = result.problem.individuals.prepared.events.subject_ids
        return (str(notice(Code.FAILED_SUBJECTS, [ids[i] for i in lost])),) if lost.size else ()
    notices = [str(n) for n in fit_notices(result) if n.code not in _OF_SEARCH]
    return (*_method_warnings(result), *notices)


def _method_warnings(result: FitResult) -> tuple[str, ...]:
    """Return what a method cannot do for observations with a likelihood of their own."""
    kinds = result.problem.individuals.kind
    if result.method not in ("foce", "focei") or not (kinds == LIKELIHOOD).any():
        return ()
    return (
        f"{result.method} is not meant for outcomes with a likelihood of their own: its curvature "
        "is that of normal data. Fit by laplace, agq or saem",
    )
