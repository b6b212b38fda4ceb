"""The forest plot of a synthesis: which columns it has and what is said below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statera.evidence.certainty import Grading
from statera.evidence.diagnostics import PooledSteps
from statera.evidence.effects import Effects
from statera.evidence.measures import Measure, Scale, measure_of
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.subgroup_effects import SubgroupEffects
from statera.evidence.summary_of_findings import Finding
from statera.numerics.intervals_exact import normal_quantile
from statera.plot.study_forest import Mean, Study, StudyForestOptions, StudyGroup

__all__ = [
    "certainty_lines",
    "heterogeneity_line",
    "overall_test_line",
    "overview_forest",
    "stepwise_forest",
    "synthesis_forest",
]

Drawn = tuple[tuple[StudyGroup, ...], StudyForestOptions]


def synthesis_forest(
    pooled: PooledEffect,
    effects: Effects,
    *,
    groups: SubgroupEffects | None = None,
    risk: Mapping[str, Sequence[str]] | None = None,
    arms: tuple[str, str] = ("Arm 1", "Arm 2"),
    favours: tuple[str, str] = ("", ""),
    grading: Grading | None = None,
) -> Drawn:
    """Return what `draw_study_forest` draws of a synthesis.

    Parameters
    ----------
    pooled
        By any method.
    effects
        All studies, those without an effect too: these are shown with their reason.
    groups
        Subgroups.
    risk
        Judgements of the risk of bias by the name of the domain, one a study.
    arms, favours
        Names of the arms; what either side of the line speaks for.
    grading
        Certainty, said below.
    """
    heads, cells, totals = _counts(effects, arms)
    judged = dict(risk or {})
    studies = _studies(pooled, effects, cells, judged)
    options = _options(effects.definition, pooled, heads, tuple(judged), favours)
    below = certainty_lines(grading)
    whole = 100.0 if pooled.weights is not None else None
    overall = _mean("All studies", pooled, whole, totals)
    if groups is None:
        return (StudyGroup("", tuple(studies), (overall,), below),), options
    parts = []
    for name, found in zip(groups.names, groups.pooled, strict=True):
        rows = [i for i, label in enumerate(groups.labels) if label == name]
        shares = [studies[i].weight for i in rows]
        part = sum(w for w in shares if w is not None) if pooled.weights is not None else None
        if isinstance(found, str):
            parts.append(StudyGroup(name, tuple(studies[i] for i in rows), (), (found,)))
            continue
        mean = _mean(f"Subgroup {name}", found, part, _totals(effects, heads, arms, rows),
                     prediction=False)  # fmt: skip
        parts.append(StudyGroup(name, tuple(studies[i] for i in rows), (mean,)))
    between: tuple[str, ...] = ()
    if groups.df > 0:
        between = (
            f"Test between subgroups: χ² = {groups.q_between:.2f}, df = {groups.df} "
            f"({_p(groups.p_value)})",
        )
    parts.append(StudyGroup("Overall", (), (overall,), (*between, *below)))
    return tuple(parts), options


def _studies(
    pooled: PooledEffect, effects: Effects, cells: Sequence[tuple[str, ...]],
    judged: Mapping[str, Sequence[str]],
) -> list[Study]:  # fmt: skip
    reach = normal_quantile(pooled.level)
    reasons = dict(effects.omitted())
    used = pooled.effects
    weights = pooled.weights
    precision = 1.0 / np.where(used.is_usable, used.v, np.inf)
    sizes = precision / max(float(precision.max(initial=0.0)), 1e-300)
    ends = used.natural(np.stack([used.y, used.y - reach * used.se, used.y + reach * used.se]))
    studies, j = [], 0
    for i, name in enumerate(effects.names):
        marks = tuple(str(column[i]) for column in judged.values())
        if j >= len(used) or used.names[j] != name:
            said = f"left out: {reasons.get(name, 'the method cannot use its counts')}"
            studies.append(Study(name, None, columns=cells[i], risk=marks, text=said))
            continue
        share = None if weights is None or math.isnan(weights[j]) else float(weights[j])
        if used.is_usable[j]:
            middle, low, high = (float(x) for x in ends[:, j])
            size = float(sizes[j]) if weights is None else None
            studies.append(Study(name, middle, low, high, share, cells[i], marks, size=size))
        else:
            studies.append(Study(name, None, None, None, share, cells[i], marks, "not estimable"))
        j += 1
    return studies


def stepwise_forest(
    steps: PooledSteps, pooled: PooledEffect, *, word: str, favours: tuple[str, str] = ("", "")
) -> Drawn:
    """Return the effect with each study left out, or added.

    Parameters
    ----------
    steps
        Of the diagnostics.
    pooled
        Of all studies.
    word
        Before the names, such as ``without``.
    favours
        What either side of the line speaks for.
    """
    rows = []
    for name, one in steps:
        if isinstance(one, str):
            rows.append(Study(f"{word} {name}", None, columns=("", ""), text="not pooled"))
            continue
        middle, low, high = one.natural
        cells = (str(one.k), f"{one.tau2:.3g}" if math.isfinite(one.tau2) else "–")
        rows.append(Study(f"{word} {name}", middle, low, high, None, cells, size=0.4))
    options = _options(pooled.effects.definition, pooled, ("k", "τ²"), (), favours)
    cells = (str(pooled.k), f"{pooled.tau2:.3g}" if math.isfinite(pooled.tau2) else "–")
    return (StudyGroup("", tuple(rows), (_mean("All studies", pooled, None, cells),)),), options


def overview_forest(findings: Sequence[Finding], *, favours: tuple[str, str] = ("", "")) -> Drawn:
    """Return one diamond an outcome with its certainty.

    Parameters
    ----------
    findings
        Rows of a summary of findings, of one measure's scale.
    favours
        What either side of the line speaks for.

    Raises
    ------
    ValueError
        If ratios and differences stand together, or nothing was pooled.
    """
    shown = [f for f in findings if f.effect]
    scales = {measure_of(f.measure).scale is Scale.LOG for f in shown}
    if len(scales) != 1:
        raise ValueError("outcomes of ratios and of differences have no common axis")
    ratio = scales.pop()
    members: list[StudyGroup] = []
    for found in findings:
        cells = (str(found.studies), found.certainty_text)
        if not found.effect:
            row = Study(found.outcome, None, columns=cells, text="not pooled")
            members.append(StudyGroup("", (row,)))
            continue
        middle, low, high = found.effect
        label = f"{found.outcome}, {found.measure}"
        members.append(StudyGroup("", (), (Mean(label, middle, low, high, None, cells),)))
    options = StudyForestOptions(
        scale="ratio" if ratio else "difference",
        reference=1.0 if ratio else 0.0,
        x_label="Effect (log scale)" if ratio else "Effect",
        row_head="Outcome",
        estimate_head=f"Effect ({100 * shown[0].level:g} % CI)",
        columns=("Studies", "Certainty (GRADE)"),
        favours=favours,
    )
    return tuple(members), options


def heterogeneity_line(pooled: PooledEffect) -> str:
    """Return tau2, the test and I2 in a line; empty where one study leaves nothing to say."""
    if pooled.k < 2:
        return ""
    parts = []
    if pooled.random and math.isfinite(pooled.tau2):
        parts.append(f"τ² = {pooled.tau2:.3g}")
    if math.isfinite(pooled.q):
        parts.append(f"χ² = {pooled.q:.2f}, df = {pooled.q_df} ({_p(pooled.q_p)})")
    if math.isfinite(pooled.i2):
        parts.append(f"I² = {pooled.i2:.0f} %")
    return f"Heterogeneity: {'; '.join(parts)}" if parts else ""


def overall_test_line(pooled: PooledEffect) -> str:
    """Return the test of the overall effect; empty for posteriors and measures of one group."""
    if not math.isfinite(pooled.statistic) or math.isnan(pooled.effects.definition.null):
        return ""
    number = f"{pooled.statistic:.2f}".replace("-", "−")
    if math.isnan(pooled.df):
        return f"Test of overall effect: z = {number} ({_p(pooled.p)})"
    return f"Test of overall effect: t = {number}, df = {pooled.df:.3g} ({_p(pooled.p)})"


def certainty_lines(grading: Grading | None) -> tuple[str, ...]:
    """Return the certainty with what changed it; nothing where it was not judged."""
    if grading is None or grading.is_empty:
        return ()
    level = grading.level
    told = level.text if level is not None else "not rated"
    why = "; ".join(grading.footnotes)
    return (f"Certainty of evidence (GRADE): {told}" + (f" – {why}" if why else ""),)


def _mean(
    label: str, pooled: PooledEffect, weight: float | None, columns: tuple[str, ...], *,
    prediction: bool = True,
) -> Mean:  # fmt: skip
    middle, low, high = pooled.natural
    limits = pooled.natural_prediction if prediction else None
    lines = (heterogeneity_line(pooled), overall_test_line(pooled))
    return Mean(
        f"{label} ({pooled.method})", middle, low, high, weight, columns, limits,
        f"Prediction interval, {pooled.prediction_name}" if limits is not None else "",
        tuple(line for line in lines if line),
    )  # fmt: skip


def _p(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def _options(
    measure: Measure, pooled: PooledEffect, heads: tuple[str, ...], risk: tuple[str, ...],
    favours: tuple[str, str],
) -> StudyForestOptions:  # fmt: skip
    null = measure.null
    reference = None if math.isnan(null) else float(pooled.effects.natural([null])[0])
    logarithmic = measure.scale is Scale.LOG
    kind = "CrI" if pooled.is_posterior else "CI"
    return StudyForestOptions(
        scale="ratio" if logarithmic else "difference",
        reference=reference,
        x_label=measure.name[:1].upper() + measure.name[1:]
        + (" (log scale)" if logarithmic else ""),
        estimate_head=f"{measure.code} ({100 * pooled.level:g} % {kind})",
        columns=heads,
        risk=tuple(_domain(name) for name in risk),
        favours=favours,
        decimals=2 if measure.ratio else _decimals(pooled.natural),
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
    for arm, word, (upper, lower, sizes) in _parts(effects, arms):
        heads.append(f"{arm}\n{word}")
        columns.append([_cell(word, *xs) for xs in zip(upper, lower, sizes, strict=True)])
        totals.append(_total(word, upper, lower, effects.is_usable, sizes))
    cells = [tuple(column[i] for column in columns) for i in range(len(effects))]
    return tuple(heads), cells, tuple(totals)


def _totals(
    effects: Effects, heads: tuple[str, ...], arms: tuple[str, str], rows: Sequence[int]
) -> tuple[str, ...]:
    """Return the subtotals of a subgroup, a cell a heading."""
    part = effects.take(list(rows))
    found = {
        f"{arm}\n{word}": _total(word, upper, lower, part.is_usable, sizes)
        for arm, word, (upper, lower, sizes) in _parts(part, arms)
    }
    return tuple(found.get(head, "") for head in heads)


def _parts(effects: Effects, arms: tuple[str, str]) -> list[tuple[str, str, Any]]:
    """Return the arms with what is counted in each."""
    found: list[tuple[str, str, Any]] = []
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
            if (np.isfinite(upper) & np.isfinite(lower)).any():
                found.append((arm, word, (upper, lower, _column(effects, f"total{end}"))))
                break
    return found


def _total(word: str, upper: Any, lower: Any, usable: Any, sizes: Any) -> str:
    whole = bool(np.isfinite(upper).all() and np.isfinite(lower).all() and usable.all())
    if word.startswith("mean"):  # a mean of means is no total; the people are
        return f"{sizes.sum():,.0f}" if whole and np.isfinite(sizes).all() else ""
    if not whole:
        return ""
    return _cell(word, float(upper.sum()), float(lower.sum()), math.nan)


def _cell(word: str, upper: float, lower: float, size: float) -> str:
    if not math.isfinite(upper):
        return "–"
    if word.startswith("mean"):
        return f"{upper:g} ({lower:g}), {size:g}" if math.isfinite(size) else f"{upper:g}"
    if word == "events":
        return f"{upper:g}"
    return f"{upper:g} / {lower:,.0f}" if math.isfinite(lower) else f"{upper:g} / –"


def _column(effects: Effects, name: str) -> Any:
    return effects.numbers(name)
