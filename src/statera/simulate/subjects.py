"""Subjects of a simulation: covariates inside the model's domain, and random effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data import Regimen
from statera.errors import DomainError, InputError, UnknownNameError
from statera.library import NameKind, resolve
from statera.model import Covariate, Model
from statera.numerics.streams import normals
from statera.simulate.distributions import Distribution, draw_covariate
from statera.simulate.subpopulations import fill_subpopulations

__all__ = [
    "CovariateInput",
    "Subjects",
    "check_amounts",
    "check_doses",
    "check_range",
    "make_subjects",
    "model_covariate",
]


CovariateInput = ArrayLike | Distribution
"""A number for all subjects, one value a subject, or a distribution to draw from."""


@dataclass(frozen=True)
class Subjects:
    """Covariates and random effects of every subject.

    Attributes
    ----------
    covariates
        ``(n,)`` float64 by name.
    etas : (n, n_eta) float64
    warnings
        Sentences about values outside the range that the model's data cover.
    """

    n: int
    covariates: Mapping[str, NDArray[np.float64]]
    etas: NDArray[np.float64]
    warnings: tuple[str, ...]


def make_subjects(
    model: Model,
    n: int | None,
    covariates: Mapping[str, CovariateInput],
    seed: int,
    typical: bool,
    etas: NDArray[np.float64] | None = None,
    occasions: bool = False,
) -> Subjects:
    """Make the subjects of a simulation.

    Parameters
    ----------
    n
        Number of subjects; None takes the length of the covariate arrays, or 1.
    covariates
        Values by name (case is ignored): a number for all, one value a subject, or a distribution
        to draw from (`statera.simulate.distributions`). Those not given take the model's
        reference.
    typical
        Whether all random effects are 0.
    etas : (n, n_eta) float64, optional
        Random effects to use instead of drawing them.
    occasions
        Whether the caller draws effects of the occasion for each of them.

    Raises
    ------
    UnknownNameError
        If the model has no such covariate.
    InputError
        If a value is not a number or lengths disagree.
    DomainError
        If a value lies outside the hard range.
    """
    if seed < 0:
        raise InputError(f"the seed must not be negative: {seed}", where="seed")
    given = _match_names(model, covariates)
    drawn = {name: v for name, v in given.items() if isinstance(v, Distribution)}
    arrays = {name: _numbers(name, v) for name, v in given.items() if name not in drawn}
    if etas is not None:
        etas = _checked_etas(model, etas)
    lengths = {a.size for a in arrays.values() if a.size != 1}
    if etas is not None:
        lengths.add(etas.shape[0])
    if n is not None:
        lengths.add(n)
    if len(lengths) > 1:
        raise InputError(f"numbers of subjects disagree: {sorted(lengths)}", where="covariates")
    size = lengths.pop() if lengths else 1
    if size < 1:
        raise InputError("at least one subject is needed", where="n")
    warnings: list[str] = []
    filled: dict[str, NDArray[np.float64]] = {}
    for name, covariate in model.covariates.items():
        if name in drawn:
            arrays[name] = draw_covariate(drawn[name], name, covariate.hard, size, seed)
        values = arrays.get(name, np.array([covariate.reference]))
        if values.ndim != 1:
            raise InputError(f"covariate {name} must be a number or one value a subject")
        warnings += check_range(covariate, values, model)
        filled[name] = np.broadcast_to(values, (size,)).copy()
    warnings += fill_subpopulations(model, filled, arrays, size, seed, typical)
    if etas is None:
        etas = np.zeros((size, len(model.random_effects)))
        if not typical:
            etas = normals(seed, "random effects", size, np.asarray(model.omega))
    if any(e.level == "occasion" for e in model.random_effects.values()) and not (
        typical or occasions
    ):
        warnings.append("between-occasion variability is drawn once a subject: one occasion")
    return Subjects(size, filled, etas, tuple(warnings))


def _numbers(name: str, values: Any) -> NDArray[np.float64]:
    try:
        return np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise InputError(f"covariate {name} has a value that is not a number", where=name) from None


def _checked_etas(model: Model, etas: NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.asarray(etas, dtype=np.float64)
    width = len(model.random_effects)
    if array.ndim != 2 or array.shape[1] != width or not np.isfinite(array).all():
        raise InputError(
            f"random effects must be finite numbers of shape (n, {width}), in the order "
            f"{', '.join(model.random_effects) or '(none)'}",
            where="etas",
        )
    return array


def _match_names(
    model: Model, covariates: Mapping[str, CovariateInput]
) -> dict[str, CovariateInput]:
    found: dict[str, CovariateInput] = {}
    for name, value in covariates.items():
        wanted = model_covariate(model, name)
        if wanted not in model.covariates:
            raise UnknownNameError(f"covariate of {model.id}", name, model.covariates)
        if wanted in found:
            raise InputError(f"covariate {wanted} is given twice", where=name)
        found[wanted] = value
    return found


def model_covariate(model: Model, name: str) -> str:
    """Return the model's spelling of a covariate's name, or a registered one; empty if unknown."""
    by_lower = {known.lower(): known for known in model.covariates}
    return by_lower.get(name.lower()) or _registered(name)


def _registered(name: str) -> str:
    """Return the registered spelling of a covariate, such as WT for weight; empty if unknown."""
    try:
        return resolve(name, NameKind.COVARIATE)
    except UnknownNameError:
        return ""


def check_range(covariate: Covariate, values: NDArray[np.float64], model: Model) -> list[str]:
    """Return a warning where values leave the soft range; raise DomainError outside the hard."""
    name, unit = covariate.name, covariate.unit
    if not np.isfinite(values).all():
        raise InputError(f"covariate {name} has a value that is not a number", where=name)
    for value in (float(values.min()), float(values.max())):
        if not covariate.hard.holds(value):
            raise DomainError(
                f"{name} = {value:g} {unit} is outside the plausible range "
                f"({covariate.hard} {unit})".replace(" )", ")"),
                where=model.id,
                hint="Check the value and its unit.",
            )
    outside = [v for v in (values.min(), values.max()) if not covariate.soft.holds(float(v))]
    if not outside:
        return []
    shown = " to ".join(dict.fromkeys(f"{v:g}" for v in outside))
    return [
        f"{name} = {shown} {unit}: outside the data of {model.id} "
        f"({covariate.soft} {unit}); this is an extrapolation"
    ]


def check_doses(model: Model, regimen: Regimen) -> tuple[str, ...]:
    """Return warnings about amounts outside the studied range.

    Raises
    ------
    DomainError
        If an amount lies outside the plausible range.
    UnknownNameError
        If a route is not one of the model's.
    """
    for dose in regimen.doses:
        if dose.route and dose.route not in model.inputs and dose.route not in model.states:
            raise UnknownNameError("route", dose.route, [*model.inputs, *model.states])
    for dose in regimen.doses:
        if dose.amount <= 0:
            raise InputError(f"a dose of {dose.amount:g} {model.amount_unit} is not possible")
    return check_amounts(model, np.array([d.amount for d in regimen.doses]))


def check_amounts(model: Model, amounts: NDArray[np.float64]) -> tuple[str, ...]:
    """Return warnings about amounts outside the studied range, in the unit of the model.

    Raises
    ------
    DomainError
        If an amount lies outside the plausible range.
    """
    warnings = []
    for amount in dict.fromkeys(amounts.tolist()):
        if not model.dose_hard.holds(amount):
            raise DomainError(
                f"a dose of {amount:g} {model.amount_unit} is outside the plausible range "
                f"({model.dose_hard} {model.amount_unit})",
                where=model.id,
                hint="Check the amount and its unit.",
            )
        if not model.dose_soft.holds(amount):
            warnings.append(
                f"dose {amount:g} {model.amount_unit}: outside the doses behind {model.id} "
                f"({model.dose_soft} {model.amount_unit})"
            )
    return tuple(warnings)
