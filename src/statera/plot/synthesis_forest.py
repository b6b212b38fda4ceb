"""The forest plot of a pairwise synthesis: which columns it has and what is said below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statera.evidence.effects import Effects
from statera.evidence.measures import Scale
from statera.evidence.moderators import Subgroups
from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus, PairwiseTest
from statera.numerics.intervals_exact import normal_quantile
from statera.plot.study_forest import Mean, Study, StudyForestOptions, StudyGroup

__all__ = ["heterogeneity_line", "synthesis_forest"]

_TESTS = {
    PairwiseTest.WALD: "Wald",
    PairwiseTest.HARTUNG_KNAPP: "Hartung-Knapp",
    PairwiseTest.HARTUNG_KNAPP_AD_HOC: "Hartung-Knapp, never narrower than Wald",
}


def synthesis_forest(
    result: PairwiseResult,
    effects: Effects,
    *,
    groups: Subgroups | None = None,
    labels: Sequence[str] = (),
    risk: Mapping[str, Sequence[str]] | None = None,
    arms: tuple[str, str] = ("Arm 1", "Arm 2"),
    favours: tuple[str, str] = ("", ""),
) -> tuple[tuple[StudyGroup, ...], StudyForestOptions]:
    """Return what `draw_study_forest` draws of a synthesis.

    Parameters
    ----------
    result
        Of `pairwise` without moderators.
    effects
        All studies, those without an effect too: these are shown with their reason.
    groups, labels
        Subgroups, and the name of each study's.
    risk
        Judgements of the risk of bias by the name of the domain, one a study.
    arms, favours
        Names of the arms; what either side of the line speaks for.
    """
    heads, cells, totals = _counts(effects, arms)
    weights = dict(zip(np.flatnonzero(effects.is_usable), result.weights, strict=True))
    level = result.options.level
    reach = normal_quantile(level)
    ends = effects.natural(np.stack([effects.y, effects.y - reach * effects.se,
                                     effects.y + reach * effects.se]))  # fmt: skip
    reasons = dict(effects.omitted())
    judged = dict(risk or {})
    studies = []
    for i, name in enumerate(effects.names):
        known = i in weights
        marks = tuple(str(column[i]) for column in judged.values())
        said = "" if known else f"left out: {reasons.get(name, 'no effect')}"
        middle, low, high = (float(x) if known else None for x in ends[:, i])
        share = float(weights[i]) if known else None
        studies.append(Study(name, middle, low, high, share, cells[i], marks, said))
    options = _options(effects, result, heads, tuple(judged), favours)
    overall = _mean("All studies", result, 100.0, totals)
    if groups is None:
        return (StudyGroup("", tuple(studies), (overall,)),), options
    parts = []
    for name, found in zip(groups.names, groups.results, strict=True):
        rows = [i for i, label in enumerate(labels) if label == name]
        part = float(sum(weights.get(i, 0.0) for i in rows))
        pooled = (
            (_mean(f"Subgroup {name}", found, part, ("",) * len(heads), prediction=False),)
            if found.status in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY)
            else ()
        )
        parts.append(StudyGroup(name, tuple(studies[i] for i in rows), pooled))
    between = (
        (f"Test between subgroups: χ² = {groups.q_between:.2f}, df = {groups.df} "
         f"({_p(groups.p_value)})",)
        if groups.df > 0
        else ()
    )  # fmt: skip
    parts.append(StudyGroup("Overall", (), (overall,), between))
    return tuple(parts), options


def heterogeneity_line(result: PairwiseResult) -> str:
    """Return tau2, the test and I2 in a line; empty where one study leaves nothing to say."""
    if result.status is not PairwiseStatus.OK:
        return ""
    spread = "" if result.options.is_common else f"τ² = {result.tau2:.3g}; "
    return (
        f"Heterogeneity: {spread}χ² = {result.q:.2f}, df = {result.q_df} ({_p(result.q_p)}); "
        f"I² = {result.i2:.0f} %"
    )


def _mean(
    label: str, result: PairwiseResult, weight: float, columns: tuple[str, ...], *,
    prediction: bool = True,
) -> Mean:  # fmt: skip
    middle, low, high = result.natural
    pi = result.prediction if prediction else None
    limits = None
    if pi is not None and not math.isnan(pi.low):
        ends = result.effects.natural([pi.low, pi.high])
        limits = (float(ends[0]), float(ends[1]))
    common = result.options.is_common
    how = "common effect" if common else f"{result.options.tau2}, {_TESTS[_test(result)]}"
    line = heterogeneity_line(result)
    return Mean(
        f"{label} ({how})" if result.status is PairwiseStatus.OK else f"{label} (one study)",
        middle, low, high, weight, columns, limits,
        f"Prediction interval, {pi.convention}" if pi is not None else "",
        (line,) if line else (),
    )  # fmt: skip


def _test(result: PairwiseResult) -> PairwiseTest:
    return PairwiseTest(result.options.test)


def _p(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _options(
    effects: Effects, result: PairwiseResult, heads: tuple[str, ...], risk: tuple[str, ...],
    favours: tuple[str, str],
) -> StudyForestOptions:  # fmt: skip
    measure = effects.definition
    null = None if math.isnan(measure.null) else float(effects.natural([measure.null])[0])
    logarithmic = measure.scale is Scale.LOG
    return StudyForestOptions(
        scale="ratio" if logarithmic else "difference",
        reference=null,
        x_label=measure.name[:1].upper() + measure.name[1:]
        + (" (log scale)" if logarithmic else ""),
        estimate_head=f"{measure.code} ({100 * result.options.level:g} % CI)",
        columns=heads,
        risk=tuple(_domain(name) for name in risk),
        favours=favours,
        decimals=2 if measure.ratio else _decimals(result.natural),
    )  # fmt: skip


def _decimals(values: Sequence[float]) -> int:
    """Return decimals that show the largest of small values, such as rates, with two digits."""
    largest = max(abs(x) for x in values)
    return 2 if largest <= 0.0 else min(max(1 - math.floor(math.log10(largest)), 2), 6)


def _domain(name: str) -> str:
    for start in ("risk_of_bias_", "rob_", "rob2_", "robins_"):
        name = name.removeprefix(start)
    return "overall" if name in ("rob", "risk_of_bias") else name.replace("_", " ")


def _counts(
    effects: Effects, arms: tuple[str, str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]], tuple[str, ...]]:
    """Return headings, cells and totals of events over people, person-years, or means."""
    heads: list[str] = []
    columns: list[list[str]] = []
    totals: list[str] = []
    one = "events" in effects.columns
    for end, arm in (("", "Events"),) if one else (("_1", arms[0]), ("_2", arms[1])):
        for top, below, word in (
            ("events", "time", "events / PY"),
            ("events", "total", "events / N"),
            ("mean", "sd", "mean (SD), N"),
            ("events", "", "events"),
        ):
            upper = _column(effects, f"{top}{end}")
            lower = _column(effects, f"{below}{end}") if below else np.zeros(len(effects))
            if not (np.isfinite(upper) & np.isfinite(lower)).any():
                continue
            sizes = _column(effects, f"total{end}")
            heads.append(f"{arm}\n{word}")
            columns.append([_cell(word, *xs) for xs in zip(upper, lower, sizes, strict=True)])
            whole = bool(np.isfinite(upper).all() and np.isfinite(lower).all())
            summed = whole and top == "events" and bool(effects.is_usable.all())
            totals.append(_cell(word, upper.sum(), lower.sum(), math.nan) if summed else "")
            break
    cells = [tuple(column[i] for column in columns) for i in range(len(effects))]
    return tuple(heads), cells, tuple(totals)


def _cell(word: str, upper: float, lower: float, size: float) -> str:
    if not math.isfinite(upper):
        return "–"
    if word.startswith("mean"):
        return f"{upper:g} ({lower:g}), {size:g}" if math.isfinite(size) else f"{upper:g}"
    if word == "events":
        return f"{upper:g}"
    return f"{upper:g} / {lower:,.0f}" if math.isfinite(lower) else f"{upper:g} / –"


def _column(effects: Effects, name: str) -> Any:
    values = effects.columns.get(name)
    if not values:
        return np.full(len(effects), np.nan)
    return np.asarray(values, dtype=np.float64)
