"""A model, data and what is to be estimated, as functions of one vector of free numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError, UsageError
from statera.estimate.individual import Individuals
from statera.estimate.meaning import meanings
from statera.estimate.mixture import (
    Subpopulations,
    proportions,
    subpopulations_of,
    unused_columns,
)
from statera.estimate.observations import Formulas, Observations
from statera.estimate.omega import OmegaMap
from statera.estimate.scales import ThetaMap
from statera.estimate.shares import Share
from statera.estimate.terms import ABOVE, BELOW, BETWEEN, GAUSS, LIKELIHOOD, POSITIVE, TRUNCATED
from statera.model import Model
from statera.numerics.expression import free_names, symbol
from statera.simulate import Interpolation, OdeOptions, Prepared, prepare_records

__all__ = ["Laid", "Observed", "Problem", "ProblemOptions", "make_individuals", "make_problem"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLQ = ("M1", "M2", "M3", "M4")


class Observed(Protocol):
    """What estimation needs of a data set, see `statera.data`."""

    @property
    def events(self) -> EventTable:
        """Records."""

    @property
    def dv(self) -> Floats:
        """Observed values, (n_obs,)."""

    @property
    def row(self) -> Ints:
        """Row of each observation among the observation records, (n_obs,)."""

    @property
    def dvid(self) -> Ints:
        """Kind of each observation, (n_obs,)."""

    @property
    def cens(self) -> Ints:
        """1 below, -1 above the limit, 0 quantified, (n_obs,)."""

    @property
    def limit(self) -> Floats:
        """Limit of quantification, NaN where there is none, (n_obs,)."""

    @property
    def occasion(self) -> Ints | None:
        """Occasion of each record, counted from 0, (n_records,)."""


@dataclass(frozen=True)
class ProblemOptions:
    """What is estimated, and how data are read.

    Attributes
    ----------
    fixed
        Parameters and random effects that keep their value, beyond those fixed in the model.
    initial
        Initial values of parameters other than the model's; of variances by the effect's name.
    bounds
        Bounds of parameters; None for none.
    outputs
        Output or likelihood of the model for each DVID; by default in the order of the model.
    blq
        ``M1`` leaves censored values out, ``M2`` also conditions quantified ones on being above
        the limit, ``M3`` uses the probability of being below it (of lying in the interval where
        the data give its lower end), ``M4`` also conditions all values on being above 0.
    interaction
        False: the residual variance is that of the typical subject (FOCE without interaction).
    covariate_interpolation, ode, workers
        As in `statera.simulate.simulate_events`.
    """

    fixed: Sequence[str] = ()
    initial: Mapping[str, float] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    outputs: Mapping[int, str] = field(default_factory=dict)
    blq: str = "M3"
    interaction: bool = True
    covariate_interpolation: Interpolation = "nocb"
    ode: OdeOptions = field(default_factory=lambda: OdeOptions(rtol=1e-8))
    workers: int = 1


@dataclass(frozen=True)
class Problem:
    """Everything that a method needs.

    Attributes
    ----------
    model
    individuals
        Objective of every subject.
    theta, omega
        Maps between free numbers and parameters.
    start : (n_free,) float64
        Free numbers at the initial values.
    constant
        What does not depend on parameters: ``2 sum ln y`` of log-normal values.
    omitted
        Number of observations left out, such as censored ones by M1.
    warnings
        What a reader must know.
    observed : (n_used,) int64
        Which observations of the data are used.
    subpopulations
        Every subject in every subpopulation of a mixture model; None where there is none.
    """

    model: Model
    individuals: Individuals
    theta: ThetaMap
    omega: OmegaMap
    start: Floats
    constant: float
    omitted: int
    warnings: tuple[str, ...]
    observed: Ints
    priors: tuple[tuple[int, float, float], ...] = ()
    subpopulations: Subpopulations | None = None

    @property
    def n_free(self) -> int:
        """Number of free numbers."""
        return self.theta.size + self.omega.size

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of what is estimated: parameters, then entries of Omega."""
        effects = list(self.model.random_effects)
        names = [list(self.model.parameters)[i] for i in self.theta.free]
        for i, j in self.omega.entries():
            names.append(f"omega({effects[i]},{effects[j]})" if i != j else f"omega({effects[i]})")
        return tuple(names)

    def unpack(self, u: Floats) -> tuple[Floats, Floats, Floats]:
        """Return fixed effects, Omega of the model, and Omega of all effects of a subject."""
        theta, _ = self.theta.unpack(u[: self.theta.size])
        omega = self.omega.unpack(u[self.theta.size :])
        return theta, omega, self.omega.expand(omega)

    def pack(self, theta: Floats, omega: Floats) -> Floats:
        """Return the free numbers of parameters."""
        return np.concatenate([self.theta.pack(theta), self.omega.pack(omega)])

    def pull(self, u: Floats, by_theta: Floats, by_omega: Floats) -> Floats:
        """Return derivatives by free numbers (..., n_free) from those by parameters."""
        _, slopes = self.theta.unpack(u[: self.theta.size])
        first = by_theta[..., self.theta.free] * slopes
        second = self.omega.pull(u[self.theta.size :], self.omega.reduce(by_omega))
        return np.concatenate([first, second], axis=-1)

    def prior(self, theta: Floats) -> tuple[float, Floats]:
        """Return -2 log of the priors and its derivatives by fixed effects."""
        total, slopes = 0.0, np.zeros(theta.size)
        for i, mean, sd in self.priors:
            total += ((theta[i] - mean) / sd) ** 2
            slopes[i] += 2.0 * (theta[i] - mean) / sd**2
        return total, slopes


@dataclass(frozen=True)
class Laid:
    """Data laid out for a model: the likelihood, before anything is said of what is estimated.

    Attributes
    ----------
    individuals
        Objective of every subject.
    kinds
        Formulas of each kind of observation.
    constant, omitted, warnings, observed
        As in `Problem`.
    """

    individuals: Individuals
    kinds: tuple[Formulas, ...]
    constant: float
    omitted: int
    warnings: tuple[str, ...]
    observed: Ints


def make_problem(model: Model, data: Observed, options: ProblemOptions) -> Problem:
    """Prepare a fit.

    Raises
    ------
    InputError, UsageError
        If data or options cannot be used with the model.
    """
    laid = make_individuals(model, data, options)
    if laid.observed.size == 0:
        raise InputError("the data hold no observation that can be used", where="DV")
    theta, start_theta = _theta_map(model, laid.kinds, options)
    omega, start_omega = _omega_map(model, laid.individuals.prepared, options)
    start = np.concatenate([theta.pack(start_theta), omega.pack(start_omega)])
    return Problem(
        model, laid.individuals, theta, omega, start, laid.constant, laid.omitted, laid.warnings,
        laid.observed, _priors(model), subpopulations_of(model.mixture, laid.individuals),
    )  # fmt: skip


def make_individuals(model: Model, data: Observed, options: ProblemOptions) -> Laid:
    """Lay data out for a model; there may be no observations at all.

    Raises
    ------
    InputError, UsageError
        If data or options cannot be used with the model.
    """
    records, covariates, warnings = prepare_records(
        model, data.events, options.covariate_interpolation
    )
    prepared = Prepared(
        model,
        records,
        covariates,
        occasion=data.occasion,
        interpolation=options.covariate_interpolation,
        ode=options.ode,
        workers=options.workers,
    )
    names = _kinds(model, data.dvid, options)
    kinds = [replace(_formulas(model, name), dvid=dvid) for dvid, name in names.items()]
    index = {dvid: k for k, dvid in enumerate(names)}
    if options.blq not in BLQ:
        raise UsageError(f"'{options.blq}' is not a method for censored values", hint=str(BLQ))
    if options.blq == "M4" and any(r.lognormal for r in model.residuals.values()):
        raise UsageError(
            "M4 conditions on values above 0, which log-normal values always are",
            where="blq",
            hint="Use M3.",
        )
    keep = np.ones(data.dv.size, dtype=bool)
    if options.blq in ("M1", "M2"):
        keep = data.cens == 0
    used = np.flatnonzero(keep)
    kind = np.array([index[int(d)] for d in data.dvid[used]], dtype=np.int64)
    tad = times_after_dose(records)[prepared_rows(records)][data.row[used]]
    observations = Observations(prepared, kinds, kind, data.row[used], data.dv[used], tad)
    logarithms = getattr(data, "dv_scale", "natural") == "log"
    y, limit, constant = _scaled(
        model, names, kind, data.dv[used], data.limit[used], logarithms=logarithms
    )
    lower = getattr(data, "lower", np.full(data.dv.size, np.nan))[used]
    _, lower, _ = _scaled(model, names, kind, data.dv[used], lower, logarithms=logarithms)
    warnings += unused_columns(model, data.events)
    warnings += _scale_remarks(model, names.values()) if logarithms else []
    individuals = Individuals(
        prepared,
        observations,
        y,
        _term_kinds(kinds, kind, data, used, options.blq),
        np.where((data.cens[used] == 0), 0.0, limit) if options.blq == "M4" else limit,
        lower=lower,
        interaction=options.interaction,
        share=_share(data, used),
    )
    omitted = int(data.dv.size - used.size)
    if omitted:
        warnings = [*warnings, f"{omitted} censored observations are left out ({options.blq})"]
    return Laid(individuals, tuple(kinds), constant, omitted, tuple(warnings), used)


def _share(data: Observed, used: Ints) -> Share | None:
    """Return weights and alternatives of observations, where the data have any."""
    weight = getattr(data, "weight", None)
    sample = getattr(data, "sample", None)
    chance = getattr(data, "chance", None)
    if weight is None and sample is None:
        return None
    n = used.size
    return Share(
        np.ones(n) if weight is None else weight[used],
        np.arange(n) if sample is None else np.unique(sample[used], return_inverse=True)[1],
        np.ones(n) if chance is None else chance[used],
    )


def prepared_rows(records: EventTable) -> Ints:
    """Return the record of each observation row."""
    return np.flatnonzero(records.row >= 0).astype(np.int64)


def times_after_dose(records: EventTable) -> Floats:
    """Return the time since the last dose of each record, those of ADDL included; NaN before."""
    out = np.full(records.time.size, np.nan)
    for g in range(records.n_groups):
        first, last = int(records.offsets[g]), int(records.offsets[g + 1])
        given = np.isin(records.evid[first:last], (1, 4))
        for r in (first + np.flatnonzero(given)).tolist():
            ago = records.time[r:last] - records.time[r]
            since = np.where(ago >= 0.0, ago, np.nan)
            ii, more = float(records.interval[r]), int(records.additional[r])
            if ii > 0.0:
                with np.errstate(invalid="ignore", over="ignore"):
                    since -= np.minimum(more, np.floor(since / ii + 1e-9)) * ii
            out[r:last] = np.fmin(out[r:last], since)
    return out


def _kinds(model: Model, dvid: Ints, options: ProblemOptions) -> dict[int, str]:
    """Return the output or likelihood of each DVID that occurs."""
    known = [o.name for o in model.outputs if o.name in model.residuals]
    known += list(model.likelihoods)
    found: dict[int, str] = {}
    if not known:
        raise InputError(
            f"{model.id} has no residual error and no likelihood: there is nothing to fit",
            where="residual",
            hint="Give the model a table [residual.OUTPUT].",
        )
    for value in sorted({int(d) for d in dvid}):
        if value in options.outputs:
            name = options.outputs[value]
            if name not in known:
                raise UsageError(
                    f"'{name}' has no residual error in {model.id}", hint=f"Known: {known}"
                )
            found[value] = name
        elif len(known) == 1 and len(set(dvid.tolist())) == 1:
            found[value] = known[0]
        elif 1 <= value <= len(known):
            found[value] = known[value - 1]
        else:
            raise InputError(
                f"DVID {value} has no output in {model.id}",
                where="DVID",
                hint=f"Say which by outputs={{{value}: '{known[0]}'}}.",
            )
    return found


def _formulas(model: Model, name: str) -> Formulas:
    likelihoods = model.likelihoods
    if name in likelihoods:
        return Formulas(name, likelihoods[name].loglik, None)
    output, residual = model.output(name), model.residuals[name]
    prediction = output.expression
    variance = residual.variance.xreplace({symbol(name): prediction})
    if residual.lognormal:
        prediction = sp.log(prediction)
    return Formulas(name, prediction, variance)


def _scaled(
    model: Model,
    names: Mapping[int, str],
    kind: Ints,
    dv: Floats,
    limit: Floats,
    *,
    logarithms: bool,
) -> tuple[Floats, Floats, float]:
    """Return observations and limits on the scale of their error, and what this adds."""
    y, lim, constant = dv.copy(), limit.copy(), 0.0
    if logarithms:
        return y, lim, constant
    for k, name in enumerate(names.values()):
        residual = model.residuals.get(name)
        if residual is None or not residual.lognormal:
            continue
        rows = kind == k
        if (dv[rows] <= 0).any():
            raise InputError(
                f"{int((dv[rows] <= 0).sum())} observed values of {name} are not above 0, "
                "and its residual error is log-normal",
                where="DV",
                hint="Mark them as censored (CENS, LLOQ), or leave them out.",
            )
        y[rows], lim[rows] = np.log(dv[rows]), np.log(limit[rows])
        constant += 2.0 * float(np.log(dv[rows]).sum())
    return y, lim, constant


def _scale_remarks(model: Model, names: Iterable[str]) -> list[str]:
    """Return what to check where the data are logarithms."""
    return [
        f"the data are logarithms, and the residual error of {name} is not log-normal: "
        f"{name} must itself be a logarithm"
        for name in names
        if name in model.residuals
        and not model.residuals[name].lognormal
        and not model.output(name).expression.has(sp.log)
    ]


def _term_kinds(
    kinds: Sequence[Formulas], kind: Ints, data: Observed, used: Ints, blq: str
) -> Ints:
    found = np.full(used.size, GAUSS, dtype=np.int64)
    cens, limit = data.cens[used], data.limit[used]
    found[cens == 1] = BELOW
    found[cens == -1] = ABOVE
    lower = getattr(data, "lower", np.full(data.dv.size, np.nan))[used]
    found[(cens == 1) & np.isfinite(lower)] = BETWEEN
    if blq == "M2":
        found[(cens == 0) & np.isfinite(limit)] = TRUNCATED
    if blq == "M4":
        found[cens == 1], found[cens == 0] = POSITIVE, TRUNCATED
    if ((cens != 0) & ~np.isfinite(limit)).any():
        raise InputError("a censored observation has no limit of quantification", where="LLOQ")
    for k, formulas in enumerate(kinds):
        if formulas.variance is None:
            found[kind == k] = LIKELIHOOD
    return found


def _theta_map(
    model: Model, kinds: Sequence[Formulas], options: ProblemOptions
) -> tuple[ThetaMap, Floats]:
    names = list(model.parameters)
    unknown = set(options.initial) | set(options.fixed) | set(options.bounds)
    unknown -= set(names) | set(model.random_effects)
    if unknown:
        raise UsageError(
            f"'{min(unknown)}' is not a parameter or random effect of {model.id}",
            hint=f"Known: {', '.join([*names, *model.random_effects])}.",
        )
    start = np.array([options.initial.get(n, model.parameters[n].value) for n in names])
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    spread = _only_in_variance(model, kinds)
    shares = proportions(model.mixture)
    fixed = []
    for i, name in enumerate(names):
        given = options.bounds.get(name, model.parameters[name].bounds)
        if given is not None:
            low[i] = -np.inf if given[0] is None else given[0]
            high[i] = np.inf if given[1] is None else given[1]
        elif name in shares:
            low[i], high[i] = 0.0, 1.0
        elif name in spread and start[i] > 0:
            low[i] = 0.0
        fixed.append(
            name in options.fixed or model.parameters[name].fixed or not _used(model, kinds, name)
        )
        if not low[i] <= start[i] <= high[i]:
            raise InputError(
                f"the initial value {start[i]:g} of {name} lies outside its bounds", where=name
            )
    meant = meanings(model)
    logarithms = [meant[name].scale != "natural" for name in names]
    return ThetaMap(start, low, high, fixed, logarithms), start


def _only_in_variance(model: Model, kinds: Sequence[Formulas]) -> set[str]:
    """Return parameters that only residual variances hold: standard deviations."""
    in_variance: set[str] = set()
    elsewhere: set[str] = set()
    for k in kinds:
        if k.variance is None:
            elsewhere |= free_names(k.prediction)
            continue
        elsewhere |= free_names(k.prediction)
        in_variance |= free_names(k.variance)
    for e in (*model.individual, *model.dynamics):
        elsewhere |= free_names(e.expression)
    return (in_variance - elsewhere) & set(model.parameters)


def _used(model: Model, kinds: Sequence[Formulas], name: str) -> bool:
    """Return True where the objective can depend on a parameter."""
    held: set[str] = set()
    for k in kinds:
        held |= free_names(k.prediction)
        if k.variance is not None:
            held |= free_names(k.variance)
    for e in (*model.individual, *model.dynamics):
        held |= free_names(e.expression)
    for expression in model.initial.values():
        held |= free_names(expression)
    for processes in model.inputs.values():
        for process in processes:
            for formula in (process.bioavailability, process.lag, process.duration, process.rate):
                held |= set() if formula is None else free_names(formula)
    for subpopulation in model.mixture.subpopulations if model.mixture is not None else ():
        held |= free_names(subpopulation.expression)
    return name in held


def _omega_map(
    model: Model, prepared: Prepared, options: ProblemOptions
) -> tuple[OmegaMap, Floats]:
    effects = list(model.random_effects.values())
    start = model.omega.copy()
    for i, effect in enumerate(effects):
        if effect.name in options.initial:
            ratio = np.sqrt(options.initial[effect.name] / start[i, i])
            start[i, :] *= ratio
            start[:, i] *= ratio
    fixed = [
        e.name in options.fixed or e.fixed or start[i, i] == 0.0 for i, e in enumerate(effects)
    ]
    columns = prepared.columns
    places: list[list[int]] = []
    for effect in effects:
        first = [columns.of(effect.name, np.array([k])) for k in range(max(1, columns.n_occasions))]
        if effect.level == "subject":
            first = first[:1]
        places.append([int(np.asarray(c).ravel()[0]) - columns.n_parameters for c in first])
    return OmegaMap(start, fixed, places), start


def _priors(model: Model) -> tuple[tuple[int, float, float], ...]:
    found = []
    for i, parameter in enumerate(model.parameters.values()):
        prior = parameter.prior
        if prior is not None:
            found.append((i, prior.mean, prior.sd))
    return tuple(found)
