"""One analysis of an exposure and a response: fit, comparison, curves and what was observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.numerics.intervals_exact import normal_quantile
from statera.response.binary import Binary
from statera.response.bootstrap import BootstrapBand, bootstrap_band
from statera.response.compare import Comparison, compare_forms, permutation_test
from statera.response.cox import Cox
from statera.response.exposure_groups import (
    ExposureGroups,
    ObservedShare,
    exposure_groups,
    observed_shares,
)
from statera.response.fit import FitOptions, ResponseFit
from statera.response.kaplan_meier import LogRank, Survival, kaplan_meier, log_rank
from statera.response.ordinal import Ordinal
from statera.response.outcomes import Outcome
from statera.response.predict import Curve, hazard_ratio, predict, predict_group
from statera.response.profile import profile_interval
from statera.response.proportional_odds import ProportionalOdds, proportional_odds_test
from statera.response.time_to_event import TimeToEvent

__all__ = [
    "AnalysisOptions",
    "DoseRow",
    "ParameterRow",
    "ResponseAnalysis",
    "analyse_response",
    "dose_size",
]

Floats = NDArray[np.float64]
_GRID = 81


@dataclass(frozen=True)
class AnalysisOptions:
    """What to compute.

    Attributes
    ----------
    form
        Of the effect that is reported.
    compared
        Forms fitted beside it.
    reference, firth
        As of `statera.response.fit.FitOptions`.
    at
        Time by which events are counted; the median of the observed times unless given.
    quantiles
        Groups of the positive exposures.
    bootstrap, permutations
        How many; 0 for none.
    level
        Of intervals and bands.
    seed
    """

    form: str = "emax"
    compared: tuple[str, ...] = ("none", "linear", "log", "emax")
    reference: float | None = None
    firth: bool = False
    at: float | None = None
    quantiles: int = 4
    bootstrap: int = 0
    permutations: int = 0
    level: float = 0.95
    seed: int = 1


@dataclass(frozen=True)
class ParameterRow:
    """One parameter on the scale that people read.

    Attributes
    ----------
    name
        Such as ``EC50``; the exponential is taken of what was estimated as a logarithm.
    estimate, low, high
        NaN where there is none; infinite ends are not bounded by the data.
    standard_error
        On the scale of estimation, named in `basis`.
    basis
        Which interval, and on which scale the error stands.
    """

    name: str
    estimate: float
    low: float
    high: float
    standard_error: float
    basis: str


@dataclass(frozen=True)
class DoseRow:
    """Subjects of one dose: predicted as a group, and observed.

    Attributes
    ----------
    dose
        As written.
    n
    exposure
        Median.
    predicted : (3,) tuple
        Mean chance with its band.
    observed : (3,) tuple
        Share with its exact interval, or of times 1 - Kaplan-Meier with its interval.
    """

    dose: str
    n: int
    exposure: float
    predicted: tuple[float, float, float]
    observed: tuple[float, float, float]


@dataclass(frozen=True)
class ResponseAnalysis:
    """Results; what does not belong to the kind of outcome is empty or None.

    Attributes
    ----------
    fit
        Of the form asked; None where it could not be fitted.
    comparison
    parameters
    curves
        One, or for ordered grades one for each grade but the lowest.
    observed
        Shares by groups of exposure, for each curve.
    groups
        None where subjects have several rows.
    doses
        By dose, for each curve.
    band
        Of the first curve, by bootstrap.
    survival
        Kaplan-Meier by group of exposure.
    log_rank, proportional_odds, permutation
        Tests; `permutation` is statistic and p-value.
    at
        Time of the chances.
    notes
        Sentences a reader must see.
    """

    outcome: Outcome | Cox
    exposure: Floats
    dose: tuple[str, ...]
    options: AnalysisOptions
    fit: ResponseFit | None
    comparison: Comparison
    parameters: tuple[ParameterRow, ...]
    curves: tuple[Curve, ...]
    observed: tuple[tuple[ObservedShare, ...], ...]
    groups: ExposureGroups | None
    doses: tuple[tuple[DoseRow, ...], ...]
    band: BootstrapBand | None
    survival: tuple[tuple[str, Survival], ...]
    log_rank: LogRank | None
    proportional_odds: ProportionalOdds | None
    permutation: tuple[float, float] | None
    at: float | None
    notes: tuple[str, ...]


def analyse_response(
    outcome: Outcome | Cox,
    exposure: Floats,
    covariates: Mapping[str, Floats] | None = None,
    options: AnalysisOptions | None = None,
    *,
    dose: tuple[str, ...] = (),
    draws: Floats | None = None,
) -> ResponseAnalysis:
    """Return the analysis of n rows.

    Parameters
    ----------
    outcome
    exposure : (n,) float64
        One for each row: for groups and figures, and for the fit where there are no draws.
    covariates
        Columns (n,) by name.
    options
    dose : (n,)
        Of each row; empty where not known.
    draws : (n, m) float64, optional
        Exposures over which the likelihood is integrated.

    Raises
    ------
    InputError
        If no form at all can be fitted.
    """
    chosen = options or AnalysisOptions()
    forms = tuple(dict.fromkeys((*chosen.compared, chosen.form)))
    settings = FitOptions(chosen.form, chosen.reference, chosen.firth)
    used = exposure if draws is None else draws
    comparison = compare_forms(outcome, used, covariates, forms, settings)
    row = next(r for r in comparison.rows if r.form == chosen.form)
    if all(r.fit is None for r in comparison.rows):
        raise InputError(row.status, where="outcome")
    fit, notes = row.fit, list(row.fit.notes if row.fit is not None else ())
    if fit is None:
        notes.append(f"The form {chosen.form} could not be fitted: {row.status}.")
    if draws is not None:
        notes.append(
            "The curve is by the exposure that a subject truly has; groups of subjects stand at "
            "the exposure that is typical of their covariates, and lie on a flatter curve."
        )
    at = _time(outcome, chosen, notes)
    single = np.unique(outcome.people).size == outcome.n
    groups = exposure_groups(exposure, chosen.quantiles) if single else None
    if not single:
        notes.append("Subjects have several rows: nothing is grouped by exposure.")
    survival, test = _survival(outcome, groups, chosen.level)
    levels = _levels(outcome, at)
    usable = fit is not None and fit.usable
    grid = np.linspace(0.0, 1.02 * float(exposure.max()), _GRID)
    curves = tuple(_curve(fit, grid, k, chosen.level) for k in levels) if fit and usable else ()
    observed = tuple(_observed(outcome, groups, survival, k, at, chosen.level) for k in levels)
    by_dose: tuple[tuple[DoseRow, ...], ...] = ()
    if fit is not None and usable and dose and single and not isinstance(outcome, Cox):
        by_dose = tuple(_by_dose(fit, exposure, dose, k, chosen.level) for k in levels)
    parameters = _parameters(fit, chosen.level) if fit is not None and usable else ()
    notes += _open_ends(parameters)
    return ResponseAnalysis(
        outcome, exposure, dose, replace(chosen, at=at), fit, comparison, parameters,
        curves, observed, groups, by_dose, _band(fit, grid, levels[0], chosen),
        survival, test, _proportional(fit, notes),
        _permuted(outcome, used, covariates, settings, chosen, usable), at, tuple(notes),
    )  # fmt: skip


def _time(outcome: Outcome | Cox, options: AnalysisOptions, notes: list[str]) -> float | None:
    if isinstance(outcome, Cox) or not isinstance(outcome, TimeToEvent):
        return None
    if options.at is not None:
        if not (np.isfinite(options.at) and options.at > 0):
            raise InputError(f"events cannot be counted by {options.at:g}", where="at")
        if options.at > outcome.left.max():
            notes.append(
                f"The time {options.at:g} lies after the last observation "
                f"({outcome.left.max():g}): an extrapolation of the hazard."
            )
        return options.at
    middle = float(np.median(outcome.left))
    notes.append(f"Events are counted by {middle:g}, the median of the observed times.")
    return middle


def _levels(outcome: Outcome | Cox, at: float | None) -> tuple[float | None, ...]:
    if isinstance(outcome, Ordinal):
        return tuple(float(k) for k in range(1, len(outcome.levels)))
    return (at,)


def _curve(fit: ResponseFit, grid: Floats, at: float | None, level: float) -> Curve:
    if isinstance(fit.problem.outcome, Cox):
        return hazard_ratio(fit, grid, 0.0, level)
    return predict(fit, grid, at, level)


def _times(outcome: Outcome | Cox) -> tuple[Floats, Floats, NDArray[np.bool_]] | None:
    """Return entry, time and event where all are known exactly or censored on the right."""
    if isinstance(outcome, Cox):
        return outcome.entry, outcome.time, outcome.event
    if isinstance(outcome, TimeToEvent):
        event = np.isfinite(outcome.right)
        if (outcome.left[event] == outcome.right[event]).all():
            return outcome.entry, outcome.left, event
    return None


def _survival(
    outcome: Outcome | Cox, groups: ExposureGroups | None, level: float
) -> tuple[tuple[tuple[str, Survival], ...], LogRank | None]:
    known = _times(outcome)
    if known is None or groups is None:
        return (), None
    entry, time, event = known
    found = tuple(
        (name, kaplan_meier(entry[own], time[own], event[own], level))
        for k, name in enumerate(groups.names)
        for own in (groups.group == k,)
    )
    test = log_rank(entry, time, event, groups.group) if len(groups.names) > 1 else None
    return found, test


def _answer(outcome: Outcome | Cox, level: float | None) -> NDArray[np.bool_] | None:
    if isinstance(outcome, Binary):
        return outcome.response
    if isinstance(outcome, Ordinal):
        return np.asarray(outcome.grade >= int(level or 1))
    return None


def _observed(
    outcome: Outcome | Cox, groups: ExposureGroups | None,
    survival: tuple[tuple[str, Survival], ...], level: float | None, at: float | None,
    confidence: float,
) -> tuple[ObservedShare, ...]:  # fmt: skip
    answer = _answer(outcome, level)
    if groups is None:
        return ()
    if answer is not None:
        return observed_shares(answer, groups, confidence)
    if at is None:
        return ()
    found = []
    for k, (name, curve) in enumerate(survival):
        kept, low, high = curve.at(at)
        counted = int(curve.events[curve.time <= at].sum())
        n = int((groups.group == k).sum())
        share = (1.0 - kept, 1.0 - high, 1.0 - low)
        found.append(ObservedShare(name, float(groups.median[k]), counted, n, *share))
    return tuple(found)


def _by_dose(
    fit: ResponseFit, exposure: Floats, dose: tuple[str, ...], level: float | None,
    confidence: float,
) -> tuple[DoseRow, ...]:  # fmt: skip
    names = np.array(dose)
    outcome = fit.problem.outcome
    answer, times = _answer(outcome, level), _times(outcome)
    found = []
    for name in sorted(set(dose), key=dose_size):
        own = np.flatnonzero(names == name)
        x = exposure[own]
        if fit.problem.exposure.shape[1] > 1:  # every draw of the members counts
            x = fit.problem.exposure[own].ravel()
        rows = np.repeat(fit.problem.covariates[own], x.size // own.size, axis=0)
        mean = predict_group(fit, x, rows, level, confidence)
        seen = (np.nan, np.nan, np.nan)
        if answer is not None:
            group = ExposureGroups(np.zeros(own.size, dtype=np.int64), (name,), *np.zeros((3, 1)))
            share = observed_shares(answer[own], group, confidence)[0]
            seen = (share.share, share.low, share.high)
        elif times is not None and level is not None:
            entry, time, event = times
            curve = kaplan_meier(entry[own], time[own], event[own], confidence)
            kept, low, high = curve.at(level)
            seen = (1.0 - kept, 1.0 - high, 1.0 - low)
        predicted = (float(mean.estimate[0]), float(mean.low[0]), float(mean.high[0]))
        found.append(DoseRow(name, own.size, float(np.median(exposure[own])), predicted, seen))
    return tuple(found)


def dose_size(text: str) -> tuple[float, str]:
    """Return a key by which doses stand in order of their first number, placebo first."""
    words = text.replace(",", " ").split()
    for word in words:
        try:
            return float(word), text
        except ValueError:
            continue
    return (-1.0 if text.lower() == "placebo" else np.inf), text


def _parameters(fit: ResponseFit, level: float) -> tuple[ParameterRow, ...]:
    z = normal_quantile(level)
    found = []
    for k, name in enumerate(fit.parameters):
        value, error = float(fit.theta[k]), float(fit.standard_errors[k])
        profiled = name in ("ln EC50", "ln Hill") or fit.firth
        if profiled:
            low, high = profile_interval(fit, name, level)
        else:
            low, high = value - z * error, value + z * error
        logarithm = name.startswith("ln ") and not name.startswith("ln rate")
        basis = "profile likelihood" if profiled else "Wald"
        if name in fit.held:
            basis += "; not identified, the estimate is a bound of the search"
        if logarithm:
            value, low, high = (float(np.exp(v)) for v in (value, low, high))
            basis += "; error of the logarithm"
        shown = name.removeprefix("ln ") if logarithm else name
        found.append(ParameterRow(shown, value, low, high, error, basis))
    return tuple(found)


def _open_ends(parameters: tuple[ParameterRow, ...]) -> list[str]:
    """Return what an EC50 without ends means."""
    row = next((row for row in parameters if row.name == "EC50"), None)
    if row is None or (row.low > 0.0 and np.isfinite(row.high)):
        return []
    if row.low > 0.0:
        return ["The data do not bound EC50 from above: a straight line is among what they allow."]
    if np.isfinite(row.high):
        return [
            "The data do not bound EC50 from below: a full effect at every exposure is among what "
            "they allow."
        ]
    return ["The data bound EC50 on neither side: they show no shape of the effect, or no effect."]


def _band(
    fit: ResponseFit | None, grid: Floats, level: float | None, options: AnalysisOptions
) -> BootstrapBand | None:
    if fit is None or not fit.usable or not options.bootstrap:
        return None
    return bootstrap_band(
        fit, grid, level, samples=options.bootstrap, level=options.level, seed=options.seed
    )


def _proportional(fit: ResponseFit | None, notes: list[str]) -> ProportionalOdds | None:
    if fit is None or not isinstance(fit.problem.outcome, Ordinal):
        return None
    try:
        return proportional_odds_test(fit)
    except InputError as error:
        notes.append(f"Proportional odds were not tested: {error.what}.")
        return None


def _permuted(
    outcome: Outcome | Cox, exposure: Floats, covariates: Mapping[str, Floats] | None,
    settings: FitOptions, options: AnalysisOptions, usable: bool,
) -> tuple[float, float] | None:  # fmt: skip
    if not options.permutations or not usable or options.form == "none":
        return None
    return permutation_test(
        outcome, exposure, covariates, settings,
        permutations=options.permutations, seed=options.seed,
    )  # fmt: skip
