"""Fit of a response to an exposure by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.effect_forms import form_called
from statera.response.firth import evaluate_penalised
from statera.response.maximise import Evaluation, Maximum, maximise
from statera.response.ordinal import Ordinal
from statera.response.outcomes import Outcome
from statera.response.problem import Problem
from statera.response.separation import separating
from statera.response.time_to_event import TimeToEvent

__all__ = ["FAR", "FitOptions", "ResponseFit", "fit_response", "likelihood_of", "start_of"]

Floats = NDArray[np.float64]

FAR = 1000.0
"""EC50 is looked for from the smallest positive exposure / FAR to the largest times FAR."""
_BEYOND = 10.0
_MOST_HILL = 20.0
_EVENTS_EACH = 10
_FAR_APART = 12.0
_ABOVE = (
    "EC50 runs off above the exposures: over them the effect is a straight line (a power of the "
    "exposure with Hill), and the linear form says the same."
)
_BELOW = (
    "EC50 runs off below the exposures: every positive exposure has the full effect, and no "
    "exposure says where it sets in."
)


@dataclass(frozen=True)
class FitOptions:
    """How to fit.

    Attributes
    ----------
    form
        Of the effect, see `statera.response.effect_forms`.
    reference
        Exposure at which the logarithmic form bends; the median positive one unless given.
    firth
        Penalise a binary likelihood (Firth).
    """

    form: str = "emax"
    reference: float | None = None
    firth: bool = False


@dataclass(frozen=True)
class ResponseFit:
    """A fitted model.

    Attributes
    ----------
    problem
        Data and form.
    theta : (p,) float64
        Estimates in the order of `problem.parameters`; NaN where there are none.
    covariance : (p, p) float64
        Inverse of the observed information; 0 for a parameter that was held.
    log_likelihood
        At the estimates; penalised with Firth.
    status
        ``ok`` or the reason why not all parameters have an estimate.
    held
        Parameters that were set, not estimated.
    firth
        Whether the likelihood was penalised.
    notes
        Sentences a reader must see.
    """

    problem: Problem
    theta: Floats
    covariance: Floats
    log_likelihood: float
    status: str
    held: tuple[str, ...] = ()
    firth: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def usable(self) -> bool:
        """Whether the curve can be drawn."""
        return bool(np.isfinite(self.theta).all() and np.isfinite(self.covariance).all())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.problem.parameters

    @property
    def standard_errors(self) -> Floats:
        """Standard errors, (p,); NaN for what was held."""
        with np.errstate(invalid="ignore"):
            found = np.sqrt(np.diag(self.covariance))
        held = [name in self.held for name in self.parameters]
        return np.where(held, np.nan, found)

    @property
    def aic(self) -> float:
        """Akaike's criterion; a held parameter counts, because the data set it aside."""
        return 2.0 * self.theta.size - 2.0 * self.log_likelihood

    def estimate(self, name: str) -> float:
        """Return one estimate."""
        return float(self.theta[self.parameters.index(name)])


def fit_response(
    outcome: Outcome | Cox,
    exposure: ArrayLike,
    covariates: Mapping[str, ArrayLike] | None = None,
    options: FitOptions | None = None,
) -> ResponseFit:
    """Fit one model.

    Parameters
    ----------
    outcome
        Of n rows.
    exposure : (n,) or (n, m) float64
        Not negative; 0 is placebo. With m draws of each row's exposure the likelihood is
        integrated over them.
    covariates
        Columns (n,) by name.
    options
        Form and penalty.

    Raises
    ------
    InputError
        If the data cannot tell: no events, one exposure, a column that others make up.
    """
    chosen = options or FitOptions()
    problem = _problem(outcome, exposure, covariates or {}, chosen)
    notes = _doubts(problem)
    function = likelihood_of(problem, chosen.firth)
    found = (
        maximise(function, start_of(problem))
        if problem.form.is_linear
        else _saturating(problem, function)
    )
    if not chosen.firth and _suspicious(problem, found):
        reasons = _runs_off(problem, found.x)
        if reasons:
            return _without(problem, reasons, notes)
    return _finished(problem, function, found, chosen.firth, notes)


def likelihood_of(problem: Problem, firth: bool) -> Callable[[Floats], Evaluation]:
    """Return the function that is maximised; outside its bounds it is -inf."""
    if firth:
        return lambda theta: evaluate_penalised(problem, theta)
    if problem.form.is_linear:
        return problem.evaluate
    here = problem.slice_of_effect()
    low, high = _bounds(problem)

    def bounded(theta: Floats) -> Evaluation:
        own = theta[here]
        if not low <= own[1] <= high or (own.size == 3 and abs(own[2]) > np.log(3 * _MOST_HILL)):
            p = theta.size
            return Evaluation(-np.inf, np.zeros(p), np.zeros((p, p)))
        return problem.evaluate(theta)

    return bounded


def start_of(problem: Problem) -> Floats:
    """Return first guesses: no effect, and an EC50 at the middle of the positive exposures."""
    own = problem.outcome.start()
    first = int(problem.outcome.intercept)
    effect = np.zeros(len(problem.form.parameters))
    if not problem.form.is_linear:
        positive = problem.exposure[problem.exposure > 0]
        effect[1] = np.log(np.median(positive))
    return np.concatenate([own[:first], np.zeros(len(problem.names)), effect, own[first:]])


def _problem(
    outcome: Outcome | Cox, exposure: ArrayLike, covariates: Mapping[str, ArrayLike],
    options: FitOptions,
) -> Problem:  # fmt: skip
    x = np.asarray(exposure, dtype=np.float64)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[0] != outcome.n:
        raise InputError(f"{x.shape[0]} exposures for {outcome.n} rows", where="exposure")
    if not np.isfinite(x).all() or (x < 0).any():
        raise InputError("an exposure is negative or not a number", where="exposure")
    columns = [np.asarray(v, dtype=np.float64) for v in covariates.values()]
    for name, values in zip(covariates, columns, strict=True):
        if values.shape != (outcome.n,) or not np.isfinite(values).all():
            raise InputError(
                f"covariate {name} is not one finite number for each row", where="covariates"
            )
    matrix = np.column_stack(columns) if columns else np.zeros((outcome.n, 0))
    form = form_called(options.form, x, options.reference)
    centre = None
    if isinstance(outcome, TimeToEvent) and outcome.hazard.name == "log-logistic":
        # the one family that has no intercept and is not closed under proportional hazards
        centre = matrix.mean(axis=0)
    problem = Problem(outcome, x, matrix, tuple(covariates), form, centre)
    _check(problem, options)
    return problem


def _check(problem: Problem, options: FitOptions) -> None:
    outcome, x, form = problem.outcome, problem.exposure, problem.form
    if outcome.events == 0:
        what = "all rows have the same answer" if not isinstance(outcome, Cox) else "no event"
        raise InputError(
            f"nothing can be estimated: {what}" if isinstance(outcome, Binary | Ordinal)
            else "nothing can be estimated: no row has an event",
            where="outcome",
        )  # fmt: skip
    if isinstance(outcome, Ordinal):
        counts = np.bincount(outcome.grade, minlength=len(outcome.levels))
        if (counts == 0).any():
            absent = outcome.levels[int(np.argmin(counts))]
            raise InputError(
                f"no row has the grade '{absent}'", where="outcome", hint="Leave the level out."
            )
    distinct = np.unique(x).size
    needed = {"none": 1, "linear": 2, "log": 2, "emax": 3, "sigmoid-emax": 4}[form.name]
    if distinct < needed:
        raise InputError(
            f"{distinct} distinct exposures cannot carry the form {form.name}: it needs {needed}",
            where="exposure",
            hint="Use a form with fewer parameters, or exposures of each subject.",
        )
    if form.name == "log" and not form.reference > 0:
        raise InputError("the reference of the logarithm must be positive", where="reference")
    if options.firth and not (isinstance(outcome, Binary) and form.is_linear and x.shape[1] == 1):
        raise InputError(
            "Firth's penalty is built for binary responses with none, linear or log effects",
            where="firth",
        )
    if isinstance(outcome, Cox) and x.shape[1] > 1:
        raise InputError(
            "Cox's partial likelihood is no product over rows: draws cannot be integrated out",
            where="exposure",
            hint="Use a parametric hazard, or one exposure a row.",
        )
    if x.shape[1] > 1 and np.unique(outcome.people).size < outcome.n:
        raise InputError("draws of exposure need one row a subject", where="exposure")
    _check_rank(problem)


def _check_rank(problem: Problem) -> None:
    """Refuse columns that others make up; an open baseline hazard holds an intercept itself."""
    columns = np.hstack([np.ones((problem.outcome.n, 1)), problem.covariates])
    names = ["intercept", *problem.names]
    if problem.form.name != "none":
        columns = np.column_stack([columns, problem.exposure.mean(axis=1)])
        names.append("exposure")
    scale = np.linalg.norm(columns, axis=0)
    if (scale == 0).any():
        at = names[int(np.argmin(scale))]
        raise InputError(f"'{at}' is 0 in every row", where="covariates")
    for k in range(2, len(names) + 1):
        if np.linalg.matrix_rank(columns[:, :k] / scale[:k], tol=1e-9) < k:
            raise InputError(
                f"'{names[k - 1]}' is made up by {', '.join(names[: k - 1])}",
                where="covariates" if names[k - 1] != "exposure" else "exposure",
                hint="Leave one of them out.",
            )


def _doubts(problem: Problem) -> tuple[str, ...]:
    coefficients = len(problem.names) + len(problem.form.parameters)
    events = problem.outcome.events
    if coefficients and events < _EVENTS_EACH * coefficients:
        return (
            f"Few events: {events} for {coefficients} coefficients; intervals and tests that rest "
            f"on large samples are unreliable below about {_EVENTS_EACH} for each.",
        )
    return ()


def _suspicious(problem: Problem, found: Maximum) -> bool:
    """Return whether predictors went so far that there may be no maximum.

    Along a direction without a maximum Newton's method ends only where the likelihood no longer
    changes in double precision, with predictors beyond 30; no need to look elsewhere.
    """
    effect, _, _ = problem.form.evaluate(
        problem.exposure.mean(axis=1), found.x[problem.slice_of_effect()]
    )
    eta = problem.design @ found.x[: problem.linear] + effect
    return found.status != "converged" or bool(np.ptp(eta) > _FAR_APART)


def _runs_off(problem: Problem, theta: Floats) -> tuple[str, ...]:
    """Return names whose coefficients have no finite estimate."""
    names = (*(("intercept",) if problem.outcome.intercept else ()), *problem.names)
    design = problem.design
    if problem.form.name != "none":
        _, slope, _ = problem.form.evaluate(
            problem.exposure.mean(axis=1), theta[problem.slice_of_effect()]
        )
        design = np.column_stack([design, slope[:, 0]])
        names = (*names, "exposure")
    return separating(problem.outcome, design, names)


def _without(problem: Problem, reasons: tuple[str, ...], notes: tuple[str, ...]) -> ResponseFit:
    p = len(problem.parameters)
    binary = isinstance(problem.outcome, Binary | Ordinal)
    status = "separated" if binary else "no finite estimate"
    what = "separate the answers" if binary else "mark rows without events"
    hint = " Firth's penalty gives finite estimates." if isinstance(problem.outcome, Binary) else ""
    sentence = (
        f"{', '.join(reasons)}: these columns {what}, so that the likelihood rises without end "
        f"and has no maximum.{hint}"
    )
    return ResponseFit(
        problem, np.full(p, np.nan), np.full((p, p), np.nan), np.nan,
        f"{status}: {', '.join(reasons)}", notes=(*notes, sentence),
    )  # fmt: skip


def _bounds(problem: Problem) -> tuple[float, float]:
    positive = problem.exposure[problem.exposure > 0]
    return float(np.log(positive.min() / FAR)), float(np.log(positive.max() * FAR))


def _saturating(problem: Problem, function: Callable[[Floats], Evaluation]) -> Maximum:
    """Return the best maximum found from a grid of EC50 (and Hill), at which the rest is fitted."""
    here = problem.slice_of_effect()
    free = np.ones(len(problem.parameters), dtype=bool)
    free[here.start + 1 : here.stop] = False
    positive = problem.exposure[problem.exposure > 0]
    grid = np.linspace(np.log(positive.min() / 10.0), np.log(positive.max() * 30.0), 13)
    hills = (0.0,) if problem.form.name == "emax" else (-0.7, 0.0, 0.7, 1.4)
    ends = []
    for ln_hill in hills:
        best: Maximum | None = None
        start = _held_at(start_of(problem), here, None, ln_hill)
        for ln_ec50 in grid.tolist():
            again = _held_at(start_of(problem), here, ln_ec50, ln_hill)
            tried = (problem.moved(start, ln_ec50), again)
            fits = (maximise(function, t, free) for t in tried)
            found = next((f for f in fits if f.status == "converged"), None)
            if found is None:
                continue
            start = found.x.copy()
            if best is None or found.at.value > best.at.value:
                best = found
        ends.append(maximise(function, start_of(problem) if best is None else best.x))
    return max(ends, key=lambda end: np.nan_to_num(end.at.value, nan=-np.inf))


def _held_at(theta: Floats, here: slice, ln_ec50: float | None, ln_hill: float) -> Floats:
    """Return parameters with this EC50 and Hill."""
    found = theta.copy()
    if ln_ec50 is not None:
        found[here.start + 1] = ln_ec50
    if here.stop - here.start == 3:
        found[here.stop - 1] = ln_hill
    return found


def _finished(
    problem: Problem, function: Callable[[Floats], Evaluation], found: Maximum, firth: bool,
    notes: tuple[str, ...],
) -> ResponseFit:  # fmt: skip
    theta, at, held, status = found.x, found.at, [], "ok"
    here = problem.slice_of_effect()
    free = np.ones(theta.size, dtype=bool)
    if not problem.form.is_linear:
        positive = problem.exposure[problem.exposure > 0]
        ec50 = float(np.exp(theta[here.start + 1]))
        if ec50 > _BEYOND * positive.max():
            held.append("ln EC50")
            status = "EC50 not identified: far above the exposures"
            notes += (_ABOVE,)
        elif ec50 < positive.min() / _BEYOND:
            held.append("ln EC50")
            status = "EC50 not identified: far below the exposures"
            notes += (_BELOW,)
        elif ec50 > positive.max():
            notes += ("EC50 lies above the highest exposure: Emax and EC50 are extrapolated.",)
        if here.stop - here.start == 3 and abs(theta[here.stop - 1]) > np.log(_MOST_HILL):
            held.append("ln Hill")
            status = status if len(held) > 1 else "Hill not identified: the curve is a step"
            notes += ("Hill runs off: between two exposures the curve jumps.",)
        for name in held:
            free[problem.parameters.index(name)] = False
        if held:
            found = maximise(function, theta, free)
            theta, at = found.x, found.at
    if found.status != "converged" and status == "ok":
        status = "did not converge"
        notes += ("The search for the maximum stopped before its end: there are no estimates.",)
    lost = status == "did not converge"
    covariance = None if lost else _inverse(-at.hessian, free)
    if covariance is None:
        covariance = np.full((theta.size, theta.size), np.nan)
        status = "not identified" if status == "ok" else status
    value = np.nan if lost else at.value
    theta = np.full(theta.size, np.nan) if lost else theta
    return ResponseFit(
        problem, theta, covariance, value, status, tuple(held), firth, notes
    )  # fmt: skip


def _inverse(information: Floats, free: NDArray[np.bool_]) -> Floats | None:
    """Return the inverse among the free parameters and 0 elsewhere; None where there is none."""
    own = np.ix_(free, free)
    found = np.zeros(information.shape)
    if not free.any():
        return found
    scale = np.sqrt(np.abs(np.diag(information)[free]))
    if not (scale > 0).all():
        return None
    scaled = information[own] / np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled).min() < 1e-10:
        return None
    found[own] = np.linalg.inv(scaled) / np.outer(scale, scale)
    return found
