"""Summary-of-findings rows: relative and absolute effects beside the certainty of each outcome.

The absolute effect is that of the pooled relative one in people with the risk of the comparator:
RR x p, the odds ratio through odds, 1 - (1 - p)^HR, ratio x rate for measures over time (GRADE
guidelines 12: Guyatt and others, J Clin Epidemiol 2013;66:158). It takes the relative effect to be
the same at every risk, and the interval holds the error of that effect only. Where no risk is given
it is the median of the comparators in the table, which has to be told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statera.evidence.certainty import Certainty, Grading
from statera.evidence.effects import Effects
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.read_certainty import OutcomeJudgement

__all__ = ["AbsoluteEffect", "Finding", "absolute_effect", "failed_finding", "finding"]


@dataclass(frozen=True)
class AbsoluteEffect:
    """What a relative effect means in people with a given risk.

    Attributes
    ----------
    comparator
        Events per `unit` in the comparator.
    intervention, low, high
        Events per `unit` with the intervention, with the interval of the relative effect.
    unit
        ``1 000 people`` or ``100 person-years``.
    source
        Where the comparator's risk is from.
    """

    comparator: float
    intervention: float
    low: float
    high: float
    unit: str
    source: str

    @property
    def difference(self) -> tuple[float, float, float]:
        """Intervention minus comparator, with its interval."""
        return (
            self.intervention - self.comparator,
            self.low - self.comparator,
            self.high - self.comparator,
        )


@dataclass(frozen=True)
class Finding:
    """A row of the table.

    Attributes
    ----------
    outcome
    status
        ``ok``, or why there is no pooled effect.
    studies
        Number pooled.
    participants, person_years, events
        Sums over the studies pooled; None where a study does not say.
    measure
        Code.
    effect
        On the natural scale, with its interval; empty where there is none.
    level
        Of the interval.
    is_posterior
        True for a credible interval.
    method
    absolute
        None where the measure has none, or no risk is known.
    grading
        None where certainty was not judged.
    """

    outcome: str
    status: str = "ok"
    studies: int = 0
    participants: float | None = None
    person_years: float | None = None
    events: float | None = None
    measure: str = ""
    effect: tuple[float, ...] = ()
    level: float = 0.95
    is_posterior: bool = False
    method: str = ""
    absolute: AbsoluteEffect | None = None
    grading: Grading | None = None

    @property
    def certainty(self) -> Certainty | None:
        """Level of certainty, or None."""
        return self.grading.level if self.grading is not None else None

    @property
    def certainty_text(self) -> str:
        """Symbols and word, or that it was not rated."""
        return self.certainty.text if self.certainty is not None else "not rated"


def finding(outcome: str, pooled: PooledEffect, judged: OutcomeJudgement | None = None) -> Finding:
    """Return the row of one outcome.

    Parameters
    ----------
    outcome
        Name in the data; the judgement may call it otherwise.
    pooled
    judged
        Certainty, and the comparator's risk where it is known.
    """
    grading = judged.grading if judged is not None and not judged.grading.is_empty else None
    return Finding(
        (judged.label if judged is not None else "") or outcome,
        "ok",
        pooled.k,
        _sum(pooled.effects, "total"),
        _sum(pooled.effects, "time"),
        _sum(pooled.effects, "events"),
        pooled.measure,
        pooled.natural,
        pooled.level,
        pooled.is_posterior,
        pooled.method,
        absolute_effect(pooled, judged),
        grading,
    )


def failed_finding(outcome: str, status: str, judged: OutcomeJudgement | None = None) -> Finding:
    """Return the row of an outcome that could not be pooled."""
    name = (judged.label if judged is not None else "") or outcome
    return Finding(name, status, grading=judged.grading if judged is not None else None)


def absolute_effect(
    pooled: PooledEffect, judged: OutcomeJudgement | None = None
) -> AbsoluteEffect | None:
    """Return the absolute effect, or None where the measure has none or no risk is known."""
    measure = pooled.measure
    if measure not in ("RR", "OR", "PETO", "RD", "HR", "IRR", "IRD"):
        return None
    over_time = measure in ("IRR", "IRD")
    risk = judged.comparator_risk if judged is not None else None
    rate = judged.comparator_rate if judged is not None else None
    source = (judged.comparator_source if judged is not None else "") or "given, source not named"
    if measure == "HR":
        over_time = rate is not None or (risk is None and _median(pooled.effects, "time") > 0.0)
    if over_time:
        base = rate
        if base is None:
            base, source = 100.0 * _median(pooled.effects, "time"), _told(pooled.effects, "time")
        factor, unit = 1.0, "100 person-years"
    else:
        base = risk
        if base is None:
            base, source = _median(pooled.effects, "total"), _told(pooled.effects, "total")
        factor, unit = 1000.0, "1 000 people"
    if not base > 0.0:
        return None
    with_it = [_with(measure, base, value, over_time=over_time) for value in pooled.natural]
    return AbsoluteEffect(
        factor * base, factor * with_it[0], factor * with_it[1], factor * with_it[2], unit, source
    )


def _with(measure: str, base: float, effect: float, *, over_time: bool) -> float:
    if over_time:
        # differences of rates are per person-year here, and the base is per 100
        return max(0.0, base + 100.0 * effect) if measure == "IRD" else base * effect
    match measure:
        case "RD":
            found = base + effect
        case "RR":
            found = base * effect
        case "HR":
            found = 1.0 - (1.0 - base) ** effect
        case _:
            odds = effect * base / (1.0 - base)
            found = odds / (1.0 + odds)
    return min(1.0, max(0.0, found))


def _median(effects: Effects, below: str) -> float:
    """Return the median risk or rate of the comparators; NaN where none is known."""
    events, size = (_numbers(effects, f"{what}_2") for what in ("events", below))
    known = np.isfinite(events) & np.isfinite(size) & (size > 0.0)
    return float(np.median(events[known] / size[known])) if known.any() else math.nan


def _told(effects: Effects, below: str) -> str:
    events, size = (_numbers(effects, f"{what}_2") for what in ("events", below))
    known = int((np.isfinite(events) & np.isfinite(size)).sum())
    return f"median of the comparators of {known} of {len(effects)} studies"


def _sum(effects: Effects, what: str) -> float | None:
    """Return the sum over arms and studies, or None where a number is missing."""
    ends: Sequence[str] = ("_1", "_2") if f"{what}_1" in effects.columns else ("",)
    columns = [_numbers(effects, what + end) for end in ends]
    total = float(sum(c.sum() for c in columns))
    return total if math.isfinite(total) else None


def _numbers(effects: Effects, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return effects.numbers(name)
