"""Which doses reach all targets, and with what probability: a search over what can be given.

Every candidate is judged at its steady state, with the whole posterior. Membership (the
probability of reaching all targets is large enough, and the label's maximum is kept) and
preference (the order of the candidates) are separate: a candidate inside every range is never
ranked out of it by its distance to a midpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from statera.model import Model
from statera.tdm.averaging import Member
from statera.tdm.candidates import Candidate, make_candidates
from statera.tdm.future import carried_etas
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.patient_data import analytes
from statera.tdm.request import Grade, Metric, Patient, Question, Target
from statera.tdm.steady_profile import (
    Interval,
    measure_of,
    scales,
    steady_interval,
    steady_problem,
)
from statera.tdm.target_ic50 import ic50_levels, potency_remarks, target_ic50
from statera.tdm.weighted import weighted_quantiles
from statera.units import convert

__all__ = ["Advice", "Expected", "ScoredCandidate", "advise", "check_targets"]

Floats = NDArray[np.float64]

_SIMULATED_DRAWS = 300
"""Draws of models in which doses do not scale, each simulated."""

_CLOSE = 0.02
"""Difference in probability that decides nothing: the smaller daily dose is preferred."""


@dataclass(frozen=True)
class Expected:
    """A metric of one candidate over the posterior.

    Attributes
    ----------
    mean, low, median, high
        With the 5 % and 95 % quantiles, in `unit`.
    probability
        Of lying in the target's range.
    """

    metric: Metric
    unit: str
    mean: float
    low: float
    median: float
    high: float
    probability: float


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate with what it is expected to do.

    Attributes
    ----------
    probability, error
        Of meeting all targets at once, and its Monte-Carlo standard error.
    expected
        One entry a target, in their order.
    reaches
        Whether the probability is at least that asked for, and the label's maximum is kept.
    rank
        Place in the order of preference, from 1.
    no_steady_state
        Weight of the draws that reach no steady state, such as those whose saturated elimination
        is slower than the doses come; they meet no target.
    """

    candidate: Candidate
    probability: float
    error: float
    expected: tuple[Expected, ...]
    reaches: bool
    rank: int
    no_steady_state: float = 0.0


@dataclass(frozen=True)
class Advice:
    """The answer of a search.

    Attributes
    ----------
    candidates
        All of them, in the order of preference.
    chosen
        The first that reaches the targets; None where none does.
    best
        The first in the order of preference; None where there are no candidates.
    sentence
        The answer.
    remarks
    draws
        Draws behind each probability, over all models.
    """

    candidates: tuple[ScoredCandidate, ...]
    chosen: ScoredCandidate | None
    best: ScoredCandidate | None
    sentence: str
    remarks: tuple[Remark, ...]
    draws: int


def check_targets(model: Model, targets: Sequence[Target]) -> None:
    """Raise RequestError where a target cannot be computed with a model."""
    for k, target in enumerate(targets):
        where = f"question.targets[{k}]"
        if target.low is None and target.high is None:
            raise RequestError(
                Outcome.BAD_REQUEST, "the target has neither a low nor a high end", where=where
            )
        if target.low is not None and target.high is not None and target.low > target.high:
            raise RequestError(
                Outcome.BAD_REQUEST,
                f"the target's low end {target.low:g} lies above its high end {target.high:g}",
                where=where,
            )
        _check_potency(target, model, where)
        wants = target.metric in (Metric.TIME_ABOVE, Metric.INHIBITION) and target.potency is None
        if wants and not (target.threshold is not None and target.threshold > 0.0):
            what = "an IC50" if target.metric is Metric.INHIBITION else "a concentration"
            raise RequestError(
                Outcome.BAD_REQUEST,
                f"'{target.metric}' needs {what} above 0 as its threshold",
                where=where,
                hint="threshold = a number in the unit of the model's output",
            )
        if target.analyte and target.analyte not in {o.name for o in model.outputs}:
            raise RequestError(
                Outcome.BAD_REQUEST, f"{model.id} has no output '{target.analyte}'", where=where
            )
        _range(target, model)


def _check_potency(target: Target, model: Model, where: str) -> None:
    if target.potency is None:
        return
    if target.metric is not Metric.INHIBITION:
        raise RequestError(
            Outcome.BAD_REQUEST, f"a potency says nothing of '{target.metric}'", where=where,
            hint=f'metric = "{Metric.INHIBITION}"',
        )  # fmt: skip
    if target.threshold is not None:
        raise RequestError(
            Outcome.BAD_REQUEST, "the target has both a threshold and a potency", where=where,
            hint="Leave one of them out: the threshold is an IC50 of its own.",
        )  # fmt: skip
    target_ic50(target, model, where)


def _range(target: Target, model: Model) -> tuple[float, float]:
    """Return the ends of a target in the unit in which its metric is computed."""
    unit = measure_of(target, model)
    if target.metric is Metric.INHIBITION and target.unit == "%":
        factor = 0.01
    elif target.unit in ("", unit):
        factor = 1.0
    else:
        factor = convert(1.0, target.unit, unit)
    low = -np.inf if target.low is None else target.low * factor
    high = np.inf if target.high is None else target.high * factor
    return low, high


@dataclass(frozen=True)
class _Draws:
    """One model's draws with the intervals that were computed for them."""

    model: Model
    weights: Floats
    intervals: Mapping[tuple[float, str], Interval]
    summaries: dict[tuple[float, Target], tuple[float, ...]] = field(default_factory=dict)


def advise(members: Sequence[Member], patient: Patient, question: Question, time: float) -> Advice:
    """Search the doses that can be given.

    Parameters
    ----------
    members
        Models with their weights.
    time
        When the next dose may be given, h: covariates are those known then.

    Raises
    ------
    RequestError
        If a target cannot be computed.
    """
    for member in members:
        check_targets(member.problem.model, question.targets)
    candidates = make_candidates(question)
    remarks = _grades(question.targets)
    remarks += potency_remarks(question.targets, [m.problem.model for m in members])
    if not candidates:
        remarks.append(
            Remark(Outcome.NO_CANDIDATE, "no tablet strengths are given: no dose can be advised",
                   "question.strengths")
        )  # fmt: skip
        return Advice((), None, None, remarks[-1].sentence, tuple(remarks), 0)
    draws = [_drawn(m, patient, question, time) for m in members if _counts(m, members)]
    weights = np.concatenate([d.weights for d in draws])
    weights = weights / weights.sum()
    scored = [_score(c, draws, weights, question) for c in candidates]
    ordered = _ordered(scored)
    worst = max(c.no_steady_state for c in ordered)
    if worst > 0.0:
        remarks.append(
            Remark(
                Outcome.NO_STEADY_STATE,
                f"with some doses up to {_percent(worst)} of the possible individuals reach no "
                "steady state: they count as missing the targets, and not in the expected values",
            )
        )
    chosen = next((c for c in ordered if c.reaches), None)
    if chosen is None:
        remarks.append(Remark(Outcome.NO_CANDIDATE_REACHES_TARGET, _missed(ordered[0], question)))
    return Advice(
        tuple(ordered), chosen, ordered[0], _sentence(chosen, ordered[0], question),
        tuple(remarks), int(weights.size),
    )  # fmt: skip


def _counts(member: Member, members: Sequence[Member]) -> bool:
    return len(members) == 1 or member.weight >= 1e-3


def _analyte(target: Target, model: Model) -> str:
    return target.analyte or analytes(model)[0]


def _drawn(member: Member, patient: Patient, question: Question, time: float) -> _Draws:
    model, post = member.problem.model, member.posterior
    route = patient.doses[-1].route if patient.doses else ""
    names = list(dict.fromkeys(_analyte(t, model) for t in question.targets))
    rows = post.heavy()
    if all(scales(model, name, route) for name in names):
        weights = post.weights[rows]
    else:
        rows = post.resampled(_SIMULATED_DRAWS, "candidates")
        weights = np.full(rows.size, 1.0)
    known = steady_problem(model, patient, time, question.intervals[0], 1.0, 1, names[0], route)
    etas = carried_etas(post, known, rows, fresh=True)
    levels = ic50_levels(question.targets, model, rows.size, post.seed)
    intervals: dict[tuple[float, str], Interval] = {}
    for interval in sorted(set(question.intervals)):
        for name in names:
            asked = [t for t in question.targets if _analyte(t, model) == name]
            intervals[interval, name] = steady_interval(
                model, patient, time, interval, etas, asked, name, route, levels
            )
    return _Draws(model, member.weight * weights / weights.sum(), intervals)


def _score(
    candidate: Candidate, draws: Sequence[_Draws], weights: Floats, question: Question
) -> ScoredCandidate:
    inside = np.ones(weights.size, dtype=bool)
    settled = np.ones(weights.size, dtype=bool)
    expected = []
    for target in question.targets:
        values, within = [], []
        for d in draws:
            interval = d.intervals[candidate.interval, _analyte(target, d.model)]
            found = interval.measure(target, candidate.amount)
            low, high = _range(target, d.model)
            values.append(found * _factor(target, d.model, draws[0].model))
            within.append((found >= low) & (found <= high))
        here, met = np.concatenate(values), np.concatenate(within)
        inside &= met
        settled &= np.isfinite(here)
        known = _unit_summary(target, candidate.interval, draws, weights)
        if known is None:
            known = _summary(here, weights)
        else:
            known = tuple(x * candidate.amount for x in known)
        mean, low, median, high = known
        expected.append(
            Expected(
                target.metric, measure_of(target, draws[0].model), mean, low, median, high,
                float(weights[met].sum()),
            )
        )  # fmt: skip
    probability = float(weights[inside].sum())
    away = inside - probability
    error = float(np.sqrt(np.sum((weights * away) ** 2)))
    reaches = probability >= question.probability and not candidate.above_label_maximum
    return ScoredCandidate(
        candidate, probability, error, tuple(expected), reaches, 0, float(weights[~settled].sum())
    )


def _factor(target: Target, model: Model, first: Model) -> float:
    """Return what brings a model's metric to the unit of the first model."""
    mine, wanted = measure_of(target, model), measure_of(target, first)
    return 1.0 if mine == wanted else convert(1.0, mine, wanted)


def _summary(values: Floats, weights: Floats) -> tuple[float, ...]:
    """Return mean and quantiles at 5, 50 and 95 %."""
    good = np.isfinite(values)
    if not good.any():
        return (float("nan"),) * 4
    w = weights[good] / weights[good].sum()
    quantiles = weighted_quantiles(values[good], w, (0.05, 0.5, 0.95)).tolist()
    return (float(np.sum(w * values[good])), *quantiles)


def _unit_summary(
    target: Target, interval: float, draws: Sequence[_Draws], weights: Floats
) -> tuple[float, ...] | None:
    """Return the summary of 1 mg, or None where the metric is not proportional to the dose."""
    parts = [d.intervals[interval, _analyte(target, d.model)] for d in draws]
    if not all(p.scaling(target.metric) for p in parts):
        return None
    store = draws[0].summaries
    if (interval, target) not in store:
        values = [
            p.measure(target, 1.0) * _factor(target, d.model, draws[0].model)
            for p, d in zip(parts, draws, strict=True)
        ]
        store[interval, target] = _summary(np.concatenate(values), weights)
    return store[interval, target]


def _ordered(scored: Sequence[ScoredCandidate]) -> list[ScoredCandidate]:
    """Return candidates in the order of preference, with their ranks.

    Those within the label's maximum come first, then the more probable. Probabilities closer to
    the best of those left than `_CLOSE` or two standard errors decide nothing: there the smaller
    daily amount comes first, then the longer interval, then fewer pieces.
    """
    left = list(scored)
    ordered: list[ScoredCandidate] = []
    while left:
        within = [c for c in left if not c.candidate.above_label_maximum] or left
        top = max(within, key=lambda c: c.probability)
        close = max(_CLOSE, 2.0 * top.error)
        ties = [
            c for c in within
            if c.probability >= top.probability - close and c.reaches == top.reaches
        ]  # fmt: skip
        first = min(
            ties, key=lambda c: (c.candidate.daily, -c.candidate.interval, c.candidate.n_pieces)
        )
        left.remove(first)
        ordered.append(replace(first, rank=len(ordered) + 1))
    return ordered


def _grades(targets: Sequence[Target]) -> list[Remark]:
    if not targets or any(t.grade is Grade.VALIDATED for t in targets):
        return []
    grades = ", ".join(dict.fromkeys(str(t.grade) for t in targets))
    return [
        Remark(
            Outcome.NO_VALIDATED_TARGET,
            f"none of the targets is validated ({grades}): reaching them has not been shown to "
            "help a patient",
            "question.targets",
        )
    ]


def _percent(value: float) -> str:
    return f"{100.0 * value:.0f} %"


def _sentence(chosen: ScoredCandidate | None, best: ScoredCandidate, question: Question) -> str:
    if chosen is None:
        return _missed(best, question)
    made = " + ".join(str(p) for p in chosen.candidate.pieces)
    return (
        f"{chosen.candidate} ({made}) meets all targets with a probability of "
        f"{_percent(chosen.probability)} (asked for: {_percent(question.probability)})"
    )


def _missed(best: ScoredCandidate, question: Question) -> str:
    return (
        f"no dose that can be given reaches the targets with a probability of "
        f"{_percent(question.probability)}: the best, {best.candidate}, has "
        f"{_percent(best.probability)}"
        + (", above the highest daily dose allowed" if best.candidate.above_label_maximum else "")
    )
