"""One entry to every method of pooling studies of two groups.

``inverse`` weighs by reciprocal variances; ``mh`` and ``peto`` use the counts as they are; the
mixed models (``um.fs``, ``um.rs``, ``cm.el``, ``cm.al``) their likelihood; ``bayes`` integrates
over the heterogeneity; ``three-level`` has random effects of clusters and of rows within them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, StateraError, UsageError
from statera.evidence.bayesian import BayesianResult, IntervalKind, TauPrior, bayesian
from statera.evidence.cluster_robust import RobustKind, RobustVariance, robust_variance
from statera.evidence.effects import Effects
from statera.evidence.multilevel import (
    MultilevelResult,
    multilevel,
    robust,
    sigma2_intervals,
)
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions, PairwiseResult, PairwiseStatus
from statera.evidence.pooled_effect import (
    PooledEffect,
    pooled_by_bayes,
    pooled_by_glmm,
    pooled_by_levels,
    pooled_by_pairwise,
    pooled_robustly,
    pooled_without_correction,
)
from statera.evidence.rare_events import RareEvents, RareEventStatus, mantel_haenszel, peto
from statera.evidence.rare_events import weights as rare_weights
from statera.evidence.rare_glmm import (
    GlmmOptions,
    GlmmResult,
    GlmmStatus,
    one_arm_glmm,
    rare_glmm,
)

__all__ = [
    "Synthesis",
    "SynthesisMethod",
    "SynthesisOptions",
    "each_left_out",
    "first_ones",
    "method_of",
    "synthesise",
]

Floats = NDArray[np.float64]
Detail = PairwiseResult | RareEvents | GlmmResult | BayesianResult | MultilevelResult
_ONE_ARM = ("IRLN", "PLO")


class SynthesisMethod(StrEnum):
    """How studies are pooled."""

    INVERSE_VARIANCE = "inverse"
    MANTEL_HAENSZEL = "mh"
    PETO = "peto"
    UNCONDITIONAL_FIXED = "um.fs"
    UNCONDITIONAL_RANDOM = "um.rs"
    CONDITIONAL_EXACT = "cm.el"
    CONDITIONAL_APPROXIMATE = "cm.al"
    BAYES = "bayes"
    THREE_LEVEL = "three-level"

    @property
    def is_mixed_model(self) -> bool:
        """True for the mixed models of counts."""
        return self.value[:3] in ("um.", "cm.")

    @property
    def is_from_counts(self) -> bool:
        """True where counts are needed, not effects."""
        return self.is_mixed_model or self in (
            SynthesisMethod.MANTEL_HAENSZEL, SynthesisMethod.PETO,
        )  # fmt: skip


_NAMES = {
    "glmm": "um.fs",
    "mantel-haenszel": "mh",
    "bayesian": "bayes",
    "multilevel": "three-level",
    "iv": "inverse",
    "inverse-variance": "inverse",
}


def method_of(name: str) -> SynthesisMethod:
    """Return the method of that name; upper or lower case.

    Raises
    ------
    UsageError
        If there is none; the known ones are named.
    """
    plain = name.strip().lower()
    try:
        return SynthesisMethod(_NAMES.get(plain, plain))
    except ValueError:
        raise UsageError(
            f"'{name}' is no method of pooling",
            where="method",
            hint=f"Known: {', '.join(SynthesisMethod)}, multivariate; glmm means um.fs.",
        ) from None


@dataclass(frozen=True)
class SynthesisOptions:
    """What is asked for.

    Attributes
    ----------
    method
    pairwise
        Estimator of tau2, test, level and prediction of ``inverse``; the level and whether the
        effect is common serve the other methods too.
    prior, mu_prior, interval
        Of ``bayes``.
    robust
        Also a cluster-robust error, of ``inverse`` and ``three-level``.
    tau2_interval
        Also profile-likelihood intervals of the variances of mixed and nested models.
    """

    method: SynthesisMethod = SynthesisMethod.INVERSE_VARIANCE
    pairwise: PairwiseOptions = field(default_factory=PairwiseOptions)
    prior: TauPrior = field(default_factory=TauPrior)
    mu_prior: tuple[float, float] | None = None
    interval: IntervalKind = IntervalKind.SHORTEST
    robust: RobustKind | None = None
    tau2_interval: bool = True


@dataclass(frozen=True)
class Synthesis:
    """A pooled effect and the result of the method behind it.

    Attributes
    ----------
    options
    effects
        All studies given, those left out too.
    detail
        As the method returns it.
    pooled
        The effect; with the robust error where that was asked for.
    plain
        The effect by the model's own error.
    robust
        None unless asked for.
    sigma2_intervals
        Of the variances of nested effects, outermost first.
    levels
        Labels of the nested effects.
    omitted
        Name and reason of studies left out.
    notes
        What a reader must know.
    """

    options: SynthesisOptions
    effects: Effects
    detail: Detail
    pooled: PooledEffect
    plain: PooledEffect
    robust: RobustVariance | None = None
    sigma2_intervals: tuple[tuple[float, float], ...] = ()
    levels: tuple[tuple[str, ...], ...] = ()
    omitted: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def synthesise(effects: Effects, options: SynthesisOptions | None = None) -> Synthesis:
    """Pool studies by the method asked for.

    Parameters
    ----------
    effects
        With the columns of counts for the methods that need them, and clusters for nested effects
        and robust errors.
    options

    Raises
    ------
    InputError
        If nothing can be pooled, or the method lacks what it needs; the sentence says what.
    """
    chosen = options or SynthesisOptions()
    if chosen.robust is not None:
        _need_clusters(effects, "a cluster-robust error")
    match chosen.method:
        case SynthesisMethod.INVERSE_VARIANCE:
            found = _inverse(effects, chosen)
        case SynthesisMethod.MANTEL_HAENSZEL | SynthesisMethod.PETO:
            found = _uncorrected(effects, chosen)
        case SynthesisMethod.BAYES:
            found = _bayes(effects, chosen)
        case SynthesisMethod.THREE_LEVEL:
            found = _levels(effects, chosen)
        case _:
            found = _mixed(effects, chosen)
    if chosen.robust is not None and found.robust is None:
        raise UsageError(
            f"there is no cluster-robust error of the method '{chosen.method}'",
            where="robust",
            hint="Use inverse or three-level.",
        )
    return found


def _inverse(effects: Effects, options: SynthesisOptions) -> Synthesis:
    result = pairwise(effects, options.pairwise)
    if result.status not in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY):
        raise _nothing(str(result.status), effects)
    plain = pooled = pooled_by_pairwise(result)
    variance = None
    if options.robust is not None:
        variance = _robust(result.effects, result.tau2, options)
        pooled = pooled_robustly(plain, variance)
    return Synthesis(
        options, effects, result, pooled, plain, variance, omitted=result.omitted,
        notes=result.notes,
    )  # fmt: skip


def _robust(used: Effects, tau2: float, options: SynthesisOptions) -> RobustVariance:
    """Cluster by the column, with studies independent under the working model."""
    blocks = []
    for label in dict.fromkeys(used.cluster):
        rows = np.flatnonzero(np.array(used.cluster) == label)
        blocks.append((rows, np.diag(used.v[rows] + np.nan_to_num(tau2))))
    kind = RobustKind(options.robust or RobustKind.CR2)
    level = options.pairwise.level
    return robust_variance(used.y, np.ones((len(used), 1)), blocks, kind, level)


def _uncorrected(effects: Effects, options: SynthesisOptions) -> Synthesis:
    measure, level = effects.measure, options.pairwise.level
    by_peto = options.method is SynthesisMethod.PETO
    kept, counts = _counts(effects, rates=measure.startswith("I"))
    part = effects.take(kept)
    if by_peto:
        if measure not in ("OR", "PETO"):
            raise UsageError(
                f"Peto's method pools odds ratios, not {measure}", where="measure",
                hint="Use OR, or another method.",
            )  # fmt: skip
        found = peto(*counts, level)
    else:
        found = mantel_haenszel(measure, *counts, level)
    if found.status in (RareEventStatus.NO_EVENTS, RareEventStatus.ONE_ARM_EMPTY):
        raise _nothing(str(found.status), effects)
    # a study without events in both arms has no effect of its own
    part = replace(part, y=found.y, v=found.v)
    pooled = pooled_without_correction(
        found, part, rare_weights("PETO" if by_peto else measure, *counts), level
    )
    return Synthesis(
        options, effects, found, pooled, pooled, omitted=_left(effects, kept), notes=found.notes
    )


def _mixed(effects: Effects, options: SynthesisOptions) -> Synthesis:
    measure, level = effects.measure, options.pairwise.level
    random = not options.pairwise.is_common
    asked = GlmmOptions(
        str(options.method).upper(), random, level=level, tau2_interval=options.tau2_interval
    )
    silent: list[tuple[str, str]] = []
    if measure in _ONE_ARM:
        kept, (x, size) = _one_arm_counts(effects, "time" if measure == "IRLN" else "total")
        found = one_arm_glmm(measure, x, size, asked)
    else:
        kept, counts = _counts(effects, rates=measure == "IRR")
        found = rare_glmm(measure, *counts, asked)
        a, n1, c, n2 = counts
        telling = (a + c > 0.0) & ((measure == "IRR") | (a + c < n1 + n2))
        silent = [(effects.names[i], "no events, or nothing but events, in both arms")
                  for i, tells in zip(kept, telling, strict=True) if not tells]  # fmt: skip
        kept = [i for i, tells in zip(kept, telling, strict=True) if tells]
    undefined = (GlmmStatus.NO_EVENTS, GlmmStatus.ONE_ARM_EMPTY, GlmmStatus.NOT_CONVERGED)
    if found.status in undefined:
        raise _nothing(str(found.status), effects)
    notes = () if silent else found.notes
    if found.status is not GlmmStatus.OK:
        notes += (str(found.status),)
    pooled = pooled_by_glmm(found, effects.take(kept), level, random)
    told = {name for name, _ in silent}
    left = tuple(pair for pair in _left(effects, kept) if pair[0] not in told)
    return Synthesis(options, effects, found, pooled, pooled, omitted=(*left, *silent), notes=notes)


def _bayes(effects: Effects, options: SynthesisOptions) -> Synthesis:
    used = effects.usable()
    if len(used) == 0 or (len(used) == 1 and options.mu_prior is None):
        which = PairwiseStatus.ONE_STUDY if len(used) else PairwiseStatus.NO_STUDY
        raise _nothing(f"{which}; a posterior needs a second one, or a prior of the mean", effects)
    found = bayesian(
        used.y, used.v, options.prior, options.mu_prior, options.interval, options.pairwise.level
    )
    pooled = pooled_by_bayes(found, used)
    return Synthesis(
        options, effects, found, pooled, pooled, omitted=effects.omitted(), notes=effects.notes
    )


def _levels(effects: Effects, options: SynthesisOptions) -> Synthesis:
    _need_clusters(effects, "a model of three levels")
    used = effects.usable()
    level = options.pairwise.level
    if len(used) < 2:
        which = PairwiseStatus.ONE_STUDY if len(used) else PairwiseStatus.NO_STUDY
        raise _nothing(str(which), effects)
    levels = (used.cluster, tuple(str(i) for i in range(len(used))))
    if len(set(used.cluster)) == len(used):
        raise InputError(
            "each row is a cluster of its own, so that there is no third level",
            where="cluster",
            hint="Use the method inverse, or say which rows share people.",
        )
    method = str(options.pairwise.tau2)
    if method not in ("REML", "ML"):
        raise UsageError(
            f"nested effects are fitted by REML or ML, not {method}", where="tau2",
            hint="Choose one of these.",
        )  # fmt: skip
    found = multilevel(used.y, used.v, levels, method=method, level=level)
    plain = pooled = pooled_by_levels(found, used, level, _level_weights(used, found, levels))
    variance = None
    if options.robust is not None:
        variance = robust(found, used.y, used.v, levels, kind=options.robust, level=level)
        pooled = pooled_robustly(plain, variance)
    intervals: tuple[tuple[float, float], ...] = ()
    if options.tau2_interval:
        intervals = sigma2_intervals(found, used.y, used.v, levels, level=level)
    notes = effects.notes + (() if found.status.value == "ok" else (str(found.status),))
    return Synthesis(
        options, effects, found, pooled, plain, variance, intervals, levels, effects.omitted(),
        notes,
    )  # fmt: skip


def _level_weights(
    used: Effects, found: MultilevelResult, levels: Sequence[Sequence[str]]
) -> Floats | None:
    """Return each row's weight in the mean, per cent."""
    k = len(used)
    weights = np.empty(k)
    outer = np.array(levels[0])
    for label in dict.fromkeys(levels[0]):
        rows = np.flatnonzero(outer == label)
        block = np.diag(used.v[rows] + found.sigma2[1]) + found.sigma2[0]
        weights[rows] = np.linalg.solve(block, np.ones(rows.size))
    return np.asarray(100.0 * weights / weights.sum())


def each_left_out(found: Synthesis) -> tuple[tuple[str, PooledEffect | str], ...]:
    """Return the pooled effect without each study in turn, or why there is none.

    Parameters
    ----------
    found
        Of any method; robust errors are made again too.
    """
    used = found.pooled.effects
    return tuple(
        (name, _again(found, used.take([j for j in range(len(used)) if j != i])))
        for i, name in enumerate(used.names)
    )


def first_ones(
    found: Synthesis, order: Sequence[float] | None = None
) -> tuple[tuple[str, PooledEffect | str], ...]:
    """Return the pooled effect of the first study, the first two, and so on, or why there is none.

    Parameters
    ----------
    found
        Of any method.
    order
        Values of the studies used to sort by; the order of the table where not given.
    """
    used = found.pooled.effects
    rows = np.arange(len(used)) if order is None else np.argsort(np.asarray(order), kind="stable")
    return tuple(
        (used.names[int(row)], _again(found, used.take([int(r) for r in rows[: i + 1]])))
        for i, row in enumerate(rows)
    )


def _again(found: Synthesis, part: Effects) -> PooledEffect | str:
    plain = replace(found.options, tau2_interval=False)
    if plain.pairwise.weights is not None:
        plain = replace(plain, pairwise=replace(plain.pairwise, weights=None))
    try:
        return synthesise(replace(part, notes=()), plain).pooled
    except StateraError as error:
        return error.what


def _counts(
    effects: Effects, *, rates: bool
) -> tuple[list[int], tuple[Floats, Floats, Floats, Floats]]:
    """Return the rows that have all counts, and these."""
    below = "time" if rates else "total"
    kept, found = _complete(effects, ("events_1", f"{below}_1", "events_2", f"{below}_2"))
    return kept, (found[0], found[1], found[2], found[3])


def _one_arm_counts(effects: Effects, below: str) -> tuple[list[int], tuple[Floats, Floats]]:
    kept, (x, size) = _complete(effects, ("events", below))
    return kept, (x, size)


def _complete(effects: Effects, names: Sequence[str]) -> tuple[list[int], tuple[Floats, ...]]:
    missing = [name for name in names if name not in effects.columns]
    if missing:
        raise UsageError(
            f"this method needs counts: there is no column {' nor '.join(missing)}",
            where="method",
            hint="Give the counts of both arms, or use inverse variances of published effects.",
        )
    columns = [np.asarray(effects.columns[name], dtype=np.float64) for name in names]
    there = np.logical_and.reduce([np.isfinite(c) for c in columns])
    kept = [int(i) for i in np.flatnonzero(there)]
    if not kept:
        raise _nothing("no study has all of its counts", effects)
    return kept, tuple(c[kept] for c in columns)


def _left(effects: Effects, kept: Sequence[int]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, "a count is missing") for i, name in enumerate(effects.names) if i not in set(kept)
    )


def _need_clusters(effects: Effects, what: str) -> None:
    if not effects.cluster:
        raise InputError(
            f"{what} needs to know which rows share people",
            where="cluster",
            hint="Name the registry or trial of each row in a column 'cluster'.",
        )
    empty = [n for n, c in zip(effects.names, effects.cluster, strict=True) if not c.strip()]
    if empty:
        raise InputError(
            f"{empty[0]} has no cluster",
            where="cluster",
            hint="Give a study that shares with no other its own name there.",
        )


def _nothing(what: str, effects: Effects) -> InputError:
    reasons = "; ".join(f"{name}: {reason}" for name, reason in effects.omitted()[:5])
    return InputError(what, where="effects", hint=reasons or "Give more studies.")
