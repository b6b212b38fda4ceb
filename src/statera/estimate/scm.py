"""Stepwise covariate search: forward inclusion, then backward elimination, by likelihood ratio.

Jonsson and Karlsson 1998 (doi 10.1023/A:1011970125687). An effect multiplies the formula of an
individual parameter in the specification of the model. Each fit starts from the estimates of the
model that it extends or reduces. Every fit is a row of the result, failed ones included.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc

from statera.errors import InputError, StateraError, UsageError
from statera.estimate.fit import Method, fit
from statera.estimate.problem import Observed, ProblemOptions
from statera.estimate.result import FitResult
from statera.model import build_model

__all__ = [
    "Candidate",
    "CovariateSearch",
    "ScmOptions",
    "Trial",
    "covariate_search",
    "with_effects",
]

Floats = NDArray[np.float64]
Form = Literal["power", "linear", "exponential", "categorical"]
Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """An effect of a covariate on an individual parameter.

    Attributes
    ----------
    form
        ``power`` (x/ref)^c, ``linear`` 1 + c (x - ref), ``exponential`` exp(c (x - ref)), or
        ``categorical`` 1 + c for each level but the most frequent one. The reference is that of
        the specification, or the median over subjects.
    """

    parameter: str
    covariate: str
    form: Form = "power"

    def __str__(self) -> str:
        return f"{self.covariate} on {self.parameter}, {self.form}"


@dataclass(frozen=True)
class ScmOptions:
    """When effects are kept.

    Attributes
    ----------
    forward, backward
        Largest p-value for inclusion, and for staying.
    method, problem
        As in `statera.estimate.fit`.
    """

    forward: float = 0.05
    backward: float = 0.01
    method: Method = "focei"
    problem: ProblemOptions = field(default_factory=ProblemOptions)


@dataclass(frozen=True)
class Trial:
    """One fit of the search.

    Attributes
    ----------
    step
        Counted from 1; all trials of a step extend or reduce the same model.
    direction
        ``forward`` or ``backward``.
    ofv, drop, df, p_value
        Objective; that of the smaller less that of the larger model, and the test of it. NaN
        where the fit failed.
    status
        Of the fit; a sentence where it could not be made. Only converged fits are chosen.
    chosen
        True where the model was changed by it.
    """

    step: int
    direction: Literal["forward", "backward"]
    candidate: Candidate
    ofv: float
    drop: float
    df: int
    p_value: float
    status: str
    chosen: bool = False


@dataclass(frozen=True)
class CovariateSearch:
    """Where the search ended.

    Attributes
    ----------
    base, result
        Fits of the first and of the last model.
    spec
        Specification of the last model.
    included
        Effects that it holds.
    trials
        All fits, in order.
    """

    base: FitResult
    result: FitResult
    spec: dict[str, Any]
    included: tuple[Candidate, ...]
    trials: tuple[Trial, ...]

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each fit."""
        return pl.DataFrame(
            {
                "step": [t.step for t in self.trials],
                "direction": [t.direction for t in self.trials],
                "effect": [str(t.candidate) for t in self.trials],
                "ofv": [t.ofv for t in self.trials],
                "drop": [t.drop for t in self.trials],
                "df": [t.df for t in self.trials],
                "p_value": [t.p_value for t in self.trials],
                "status": [t.status for t in self.trials],
                "chosen": [t.chosen for t in self.trials],
            }
        )


def covariate_search(
    spec: Spec,
    data: Observed,
    candidates: Sequence[Candidate],
    options: ScmOptions | None = None,
    progress: Callable[[Trial], None] | None = None,
) -> CovariateSearch:
    """Search the effects of covariates.

    Parameters
    ----------
    spec
        As `statera.model.build_model` takes it, without the effects.
    candidates
        Effects to try. Of those of one covariate on one parameter at most one is included.
    progress
        Called after every fit.

    Raises
    ------
    InputError, UsageError
        If the model without effects cannot be fitted, or a candidate does not belong to model and
        data. A later fit that fails is a row with its status.
    """
    options = options or ScmOptions()
    for candidate in candidates:
        _check(spec, data, candidate)
    search = _Search(spec, data, options, progress)
    base = search.fit((), None)
    if base.status != "converged":
        raise UsageError(
            f"the model without effects did not converge ({base.status})",
            hint="Give other initial values; a search needs a good start.",
        )
    now, included = search.forward(base, (), candidates)
    now, included = search.backward(now, included)
    final = with_effects(spec, data, included)
    return CovariateSearch(base, now, final, included, tuple(search.trials))


class _Search:
    def __init__(
        self,
        spec: Spec,
        data: Observed,
        options: ScmOptions,
        progress: Callable[[Trial], None] | None,
    ) -> None:
        self.spec, self.data, self.options, self.progress = spec, data, options, progress
        self.trials: list[Trial] = []
        self.step = 0

    def fit(self, effects: tuple[Candidate, ...], start: FitResult | None) -> FitResult:
        """Fit the model with effects from the estimates of another."""
        model = build_model(with_effects(self.spec, self.data, effects))
        problem = self.options.problem
        if start is not None:
            before = start.problem.model
            values = dict(zip(before.parameters, start.theta.tolist(), strict=True))
            values |= dict(zip(before.random_effects, np.diag(start.omega).tolist(), strict=True))
            known = {*model.parameters, *model.random_effects}
            problem = replace(problem, initial={k: v for k, v in values.items() if k in known})
        return fit(model, self.data, method=self.options.method, options=problem)

    def forward(
        self,
        now: FitResult,
        included: tuple[Candidate, ...],
        candidates: Sequence[Candidate],
    ) -> tuple[FitResult, tuple[Candidate, ...]]:
        """Include the effect with the smallest p-value until none is small enough."""
        while True:
            self.step += 1
            taken = {(c.parameter, c.covariate) for c in included}
            left = [c for c in candidates if (c.parameter, c.covariate) not in taken]
            found = [(self._try("forward", c, now, (*included, c)), c) for c in left]
            good = [
                (trial, c, place)
                for place, ((trial, _), c) in enumerate(found)
                if trial.status == "converged" and trial.p_value < self.options.forward
            ]
            offset = len(self.trials) - len(found)
            if not good:
                return now, included
            trial, chosen, place = min(good, key=lambda x: (x[0].p_value, -x[0].drop))
            self.trials[offset + place] = replace(trial, chosen=True)
            fitted = found[place][0][1]
            assert fitted is not None
            now, included = fitted, (*included, chosen)

    def backward(
        self, now: FitResult, included: tuple[Candidate, ...]
    ) -> tuple[FitResult, tuple[Candidate, ...]]:
        """Leave out the effect with the largest p-value until all are small enough."""
        while included:
            self.step += 1
            found = [
                self._try("backward", c, now, tuple(x for x in included if x != c))
                for c in included
            ]
            good = [
                (trial, place)
                for place, (trial, _) in enumerate(found)
                if trial.status == "converged" and trial.p_value >= self.options.backward
            ]
            if not good:
                break
            trial, place = max(good, key=lambda x: (x[0].p_value, -x[0].drop))
            self.trials[len(self.trials) - len(found) + place] = replace(trial, chosen=True)
            fitted = found[place][1]
            assert fitted is not None
            now = fitted
            included = tuple(c for c in included if c != trial.candidate)
        return now, included

    def _try(
        self,
        direction: Literal["forward", "backward"],
        candidate: Candidate,
        now: FitResult,
        effects: tuple[Candidate, ...],
    ) -> tuple[Trial, FitResult | None]:
        nan = float("nan")
        try:
            found = self.fit(effects, now)
        except StateraError as error:
            trial = Trial(self.step, direction, candidate, nan, nan, 0, nan, error.what)
            return self._keep(trial), None
        sign = 1.0 if direction == "forward" else -1.0
        drop = sign * (now.ofv - found.ofv)
        df = abs(found.problem.n_free - now.problem.n_free)
        p = float(chdtrc(df, max(drop, 0.0))) if df > 0 and np.isfinite(drop) else nan
        trial = Trial(self.step, direction, candidate, found.ofv, drop, df, p, found.status)
        return self._keep(trial), found

    def _keep(self, trial: Trial) -> Trial:
        self.trials.append(trial)
        if self.progress is not None:
            self.progress(trial)
        return trial


def with_effects(spec: Spec, data: Observed, effects: Sequence[Candidate]) -> dict[str, Any]:
    """Return a specification with effects multiplied onto its individual parameters."""
    found: dict[str, Any] = copy.deepcopy(dict(spec))
    found["parameters"] = dict(found["parameters"])
    found["individual"] = dict(found["individual"])
    covariates = dict(found.get("covariates", {}))
    for effect in effects:
        name = effect.covariate
        values = _by_subject(data, name)
        if name not in covariates:
            covariates[name] = {"unit": "", "reference": float(np.median(values))}
        reference = float(covariates[name]["reference"])
        factor, names = _factor(effect, values, reference)
        found["parameters"] |= {n: {"value": 0.0, "unit": ""} for n in names}
        formula = found["individual"][effect.parameter]
        if isinstance(formula, Mapping):
            text = {"expression": f"({formula['expression']})*{factor}"}
            found["individual"][effect.parameter] = {**formula, **text}
        else:
            found["individual"][effect.parameter] = f"({formula})*{factor}"
    if covariates:
        found["covariates"] = covariates
    return found


def _factor(effect: Candidate, values: Floats, reference: float) -> tuple[str, list[str]]:
    """Return the factor as text, and the names of its parameters, which are 0 without effect."""
    x, c = effect.covariate, f"{effect.parameter}_{effect.covariate}"
    if effect.form == "power":
        return f"({x}/{reference!r})^{c}", [c]
    if effect.form == "linear":
        return f"(1 + {c}*({x} - ({reference!r})))", [c]
    if effect.form == "exponential":
        return f"exp({c}*({x} - ({reference!r})))", [c]
    levels, counts = np.unique(values, return_counts=True)
    gap = 0.5 * float(np.diff(levels).min())
    others = [float(v) for k, v in enumerate(levels) if k != int(counts.argmax())]
    names = [f"{c}_{k + 1}" for k in range(len(others))]
    text = "1"
    for name, level in zip(names, others, strict=True):
        low, high = level - gap, level + gap
        text = f"where({x} > {low!r}, where({x} < {high!r}, 1 + {name}, {text}), {text})"
    return f"({text})", names


def _by_subject(data: Observed, name: str) -> Floats:
    """Return a covariate on the first record of each subject."""
    events = data.events
    return np.asarray(events.covariates[name], dtype=np.float64)[events.offsets[:-1]]


def _check(spec: Spec, data: Observed, candidate: Candidate) -> None:
    if candidate.parameter not in spec.get("individual", {}):
        raise UsageError(
            f"'{candidate.parameter}' is not an individual parameter of the model",
            where=str(candidate),
            hint=f"Known: {', '.join(spec.get('individual', {}))}.",
        )
    if candidate.covariate not in data.events.covariates:
        raise InputError(
            f"the data hold no covariate '{candidate.covariate}'",
            where=str(candidate),
            hint=f"Known: {', '.join(data.events.covariates) or 'none'}.",
        )
    values = _by_subject(data, candidate.covariate)
    if not np.isfinite(values).all():
        raise InputError(
            f"{candidate.covariate} is missing for {int((~np.isfinite(values)).sum())} subjects",
            where=str(candidate),
            hint="Fill the gaps, or leave the subjects out of all models.",
        )
    if np.unique(values).size < 2:
        raise InputError(
            f"{candidate.covariate} is the same for all subjects", where=str(candidate)
        )
    if candidate.form == "power" and not (values > 0.0).all():
        raise InputError(
            f"{candidate.covariate} is not above 0 for all subjects",
            where=str(candidate),
            hint="Use a linear or exponential effect.",
        )
    if candidate.form == "categorical" and np.unique(values).size > 10:
        raise InputError(
            f"{candidate.covariate} has more than 10 levels",
            where=str(candidate),
            hint="Use a power, linear or exponential effect.",
        )
