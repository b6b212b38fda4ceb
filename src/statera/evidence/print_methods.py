"""Results of the methods beside inverse variances as text, in the order of blocks of metafor.

Heading, heterogeneity, its tests, model results, the effect on the natural scale, tests that belong
to the method, the prediction interval, what was left out, notes; no stars.
"""

from __future__ import annotations

import math

import numpy as np

from statera.evidence.bayesian import BayesianResult, Posterior
from statera.evidence.cluster_robust import RobustVariance
from statera.evidence.effects import Effects
from statera.evidence.multilevel import MultilevelResult
from statera.evidence.multivariate import MultivariateResult
from statera.evidence.pairwise_result import PairwiseResult
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.print_cells import number_text, p_text, percent_text, sentence, table_text
from statera.evidence.print_text import print_pairwise
from statera.evidence.rare_events import RareEvents
from statera.evidence.rare_glmm import GlmmResult
from statera.evidence.synthesis import Synthesis

__all__ = ["print_multivariate", "print_pooled_lines", "print_synthesis"]

_GLMM = {
    "UM.FS": "Unconditional Model with Fixed Study Effects",
    "UM.RS": "Unconditional Model with Random Study Effects",
    "CM.EL": "Conditional Model with Exact Likelihood",
    "CM.AL": "Conditional Model with Approximate Likelihood",
}


def print_synthesis(found: Synthesis, *, digits: int = 4, show_fit: bool = False) -> str:
    """Return the text of a synthesis by any method.

    Parameters
    ----------
    found
    digits
        After the point.
    show_fit
        Print log-likelihoods, where the method has them.
    """
    detail = found.detail
    match detail:
        case PairwiseResult():
            text = print_pairwise(detail, digits=digits, show_fit=show_fit)
            if found.robust is None:
                return text
            return f"{text}\n{_robust(found, found.robust, digits)}\n"
        case RareEvents():
            blocks = _rare(detail, found.pooled, digits)
        case GlmmResult():
            blocks = _glmm(detail, found.pooled, digits, show_fit)
        case BayesianResult():
            blocks = _bayes(detail, found.pooled, digits)
        case _:
            blocks = _levels(detail, found, digits, show_fit)
    blocks += [
        "\n".join(f"Left out: {name} ({reason})." for name, reason in found.omitted),
        "\n".join(f"Note: {note}." for note in found.notes),
    ]
    return "\n\n".join(b for b in blocks if b) + "\n"


def _results(pooled: PooledEffect, digits: int) -> str:
    head = ["estimate", "se", "zval", "pval", "ci.lb", "ci.ub"]
    row = [
        number_text(pooled.estimate, digits), number_text(pooled.se, digits),
        number_text(pooled.statistic, digits), p_text(pooled.p, digits, with_sign=False),
        number_text(pooled.low, digits), number_text(pooled.high, digits),
    ]  # fmt: skip
    if not math.isnan(pooled.df):
        head[2:3] = ["tval", "df"]
        row[3:3] = [f"{pooled.df:.4g}"]
    return f"Model Results:\n\n{table_text([head, row])}"


def print_pooled_lines(pooled: PooledEffect, digits: int = 4) -> str:
    """Return the effect on its natural scale and the prediction interval, a line each."""
    lines = []
    measure = pooled.effects.definition
    kind = "credible interval" if pooled.is_posterior else "interval"
    level = f"{100 * pooled.level:g} %"
    natural = measure.scale.value != "natural"
    if natural:
        middle, low, high = pooled.natural
        lines.append(
            f"{sentence(measure.name)}: {number_text(middle, digits)} "
            f"({level} {kind} {number_text(low, digits)} to {number_text(high, digits)})"
        )
    if pooled.prediction is not None and not math.isnan(pooled.prediction[0]):
        low, high = pooled.prediction
        ends = f"{number_text(low, digits)} to {number_text(high, digits)}"
        limits = pooled.natural_prediction
        if natural and limits is not None:
            ends += f"; natural scale {number_text(limits[0], digits)} to "
            ends += number_text(limits[1], digits)
        lines.append(f"Prediction interval, {level} ({pooled.prediction_name}): {ends}")
    return "\n".join(lines)


def _rare(found: RareEvents, pooled: PooledEffect, digits: int) -> list[str]:
    h2 = found.q / found.q_df if found.q_df else math.nan
    blocks = [
        f"Common-Effect Model (k = {pooled.k}; {found.method})",
        "I^2 (total heterogeneity / total variability):  "
        f"{percent_text(found.i2)}\n"
        f"H^2 (total variability / sampling variability): {number_text(h2, 2)}",
        f"Test for Heterogeneity:\nQ(df = {found.q_df}) = {number_text(found.q, digits)}, "
        f"p-val {p_text(found.q_p, digits)}",
        _results(pooled, digits),
        print_pooled_lines(pooled, digits),
    ]
    tests = []
    if found.association is not None:
        name = "Mantel-Haenszel Test" if found.measure == "IRR" else "Cochran-Mantel-Haenszel Test"
        tests.append((name, "CMH" if found.measure != "IRR" else "MH", found.association))
    if found.tarone is not None:
        tests.append(("Tarone's Test for Heterogeneity", "X^2", found.tarone))
    width = max((len(t[0]) for t in tests), default=0) + 1
    blocks.append(
        "\n".join(
            f"{name + ':':<{width}} {sign} = {number_text(test.statistic, digits)}, "
            f"df = {test.df}, p-val {p_text(test.p, digits)}"
            for name, sign, test in tests
        )
    )
    return blocks


def _glmm(found: GlmmResult, pooled: PooledEffect, digits: int, show_fit: bool) -> list[str]:
    random = pooled.random
    head = "Random-Effects Model" if random else "Common-Effect Model"
    lines = [f"{head} (k = {found.studies}{'; tau^2 estimator: ML' if random else ''})"]
    if found.model in _GLMM:
        lines.append(f"Model Type: {_GLMM[found.model]}")
    spread = []
    if random:
        spread = [
            ("tau^2 (estimated amount of total heterogeneity)", _tau2(found, digits)),
            ("tau (square root of estimated tau^2 value)",
             number_text(math.sqrt(found.tau2), digits) if found.tau2 > 0.0 else "0"),
            ("I^2 (total heterogeneity / total variability)", percent_text(found.i2)),
            ("H^2 (total variability / sampling variability)", number_text(found.h2, 2)),
        ]  # fmt: skip
    if not math.isnan(found.study_sd):
        spread.append(("sigma^2 (of the study effects)", number_text(found.study_sd**2, digits)))
    if found.tau2_interval is not None:
        low, high = found.tau2_interval
        told = f"{number_text(low, digits)} to {number_text(high, digits)}"
        spread.append((f"tau^2, {100 * pooled.level:g} % interval (profile likelihood)", told))
    blocks = ["\n".join(lines), _columns(spread)]
    if show_fit:
        blocks.append(f"logLik = {number_text(found.log_likelihood, digits)}")
    tests = found.heterogeneity
    if tests is not None:
        blocks.append(
            f"Tests for Heterogeneity:\nWld(df = {tests.df}) = {number_text(tests.wald, digits)}, "
            f"p-val {p_text(tests.wald_p, digits)}\n"
            f"LRT(df = {tests.df}) = {number_text(tests.likelihood_ratio, digits)}, "
            f"p-val {p_text(tests.likelihood_ratio_p, digits)}"
        )
        if tests.infinite:
            blocks[-1] += (
                f"\nStudies with an empty cell, which add nothing to Wald's statistic: "
                f"{tests.infinite}."
            )
    return [*blocks, _results(pooled, digits), print_pooled_lines(pooled, digits)]


def _tau2(found: GlmmResult, digits: int) -> str:
    if not found.tau2 > 0.0:
        return "0"
    return f"{number_text(found.tau2, digits)} (SE = {number_text(found.tau2_se, digits)})"


def _columns(rows: list[tuple[str, str]]) -> str:
    width = max((len(label) for label, _ in rows), default=0) + 1
    return "\n".join(f"{label + ':':<{width}} {value}" for label, value in rows)


def _bayes(found: BayesianResult, pooled: PooledEffect, digits: int) -> list[str]:
    prior = found.prior
    shape = f", shape {prior.shape:g}" if prior.shape is not None else ""
    mean = "flat"
    if found.mu_prior is not None:
        mean = f"normal({found.mu_prior[0]:g}, SD {found.mu_prior[1]:g})"
    kind = f"{found.interval} {100 * found.level:g} %"
    rows: list[tuple[str, ...]] = [("", "mode", "median", "mean", "sd", "ci.lb", "ci.ub")]
    for name, one in (("tau", found.tau), ("mu", found.mu), ("new study", found.new_study)):
        rows.append((name, *_posterior(one, digits)))
    studies: list[tuple[str, ...]] = [("", "mode", "median", "mean", "sd", "ci.lb", "ci.ub")] + [
        (name, *_posterior(one, digits))
        for name, one in zip(pooled.effects.names, found.studies, strict=True)
    ]
    return [
        f"Bayesian Random-Effects Model (k = {pooled.k})",
        f"Prior of tau: {prior.family}, scale {prior.scale:g}{shape}\nPrior of mu: {mean}",
        f"Posteriors ({kind} credible intervals):\n\n{table_text(rows)}",
        f"Effects of the studies, shrunken:\n\n{table_text(studies)}",
        print_pooled_lines(pooled, digits),
    ]


def _posterior(one: Posterior, digits: int) -> tuple[str, ...]:
    values = (one.mode, one.median, one.mean, one.sd, *one.interval)
    return tuple(number_text(float(x), digits) for x in values)


def _levels(found: MultilevelResult, whole: Synthesis, digits: int, show_fit: bool) -> list[str]:
    names = ("cluster", "row within cluster")
    rows = [("", "estim", "sqrt", "nlvls", "interval (profile likelihood)")]
    counts = [len(set(whole.levels[0])), len(set(zip(*whole.levels, strict=True)))]
    for i, name in enumerate(names):
        told = ""
        if whole.sigma2_intervals:
            low, high = whole.sigma2_intervals[i]
            told = f"{number_text(low, digits)} to {number_text(high, digits)}"
        value = float(found.sigma2[i])
        rows.append(
            (f"sigma^2.{i + 1} ({name})", number_text(value, digits),
             number_text(math.sqrt(value), digits), str(counts[i]), told)
        )  # fmt: skip
    blocks = [
        f"Multilevel Meta-Analysis Model (k = {whole.plain.k}; method: {found.method})",
        f"Variance Components:\n\n{table_text(rows)}",
    ]
    if show_fit:
        blocks.append(f"logLik = {number_text(found.log_likelihood, digits)}")
    blocks += [
        f"Test for Heterogeneity:\nQ(df = {found.q_df}) = {number_text(found.q, digits)}, "
        f"p-val {p_text(found.q_p, digits)}",
        _results(whole.plain, digits),
        print_pooled_lines(whole.plain, digits),
    ]
    if whole.robust is not None:
        blocks.append(_robust(whole, whole.robust, digits))
    return blocks


def _robust(found: Synthesis, variance: RobustVariance, digits: int) -> str:
    return (
        f"Cluster-Robust Error ({variance.kind}, {variance.clusters} clusters):\n\n"
        f"{_results(found.pooled, digits)}\n\n{print_pooled_lines(found.pooled, digits)}"
    )


def print_multivariate(
    found: MultivariateResult, effects: Effects, *, intervals: tuple[tuple[float, float], ...] = (),
    digits: int = 4, notes: tuple[str, ...] = (),
) -> str:  # fmt: skip
    """Return the text of a synthesis of several outcomes together.

    Parameters
    ----------
    found
    effects
        The rows used.
    intervals
        Of tau2, one an outcome.
    digits
    notes
        What a reader must know.
    """
    m = len(found.outcomes)
    spread = [("", "estim", "sqrt", "interval (profile likelihood)")]
    for i, name in enumerate(found.outcomes):
        told = ""
        if intervals:
            low, high = intervals[i]
            told = f"{number_text(low, digits)} to {number_text(high, digits)}"
        value = float(found.tau2[i])
        spread.append((f"tau^2 ({name})", number_text(value, digits),
                       number_text(math.sqrt(value), digits), told))  # fmt: skip
    blocks = [
        f"Multivariate Meta-Analysis Model (k = {len(effects)}; method: {found.method}; "
        f"structure: {found.structure})",
        f"Variance Components:\n\n{table_text(spread)}",
    ]
    if m > 1:
        head = [("rho", *found.outcomes)]
        body = [
            (name, *(number_text(float(found.correlation[i, j]), digits) for j in range(m)))
            for i, name in enumerate(found.outcomes)
        ]
        blocks.append(table_text([*head, *body], ("rho",)))
    blocks.append(
        f"Test for Residual Heterogeneity:\nQE(df = {found.q_df}) = "
        f"{number_text(found.q, digits)}, p-val {p_text(found.q_p, digits)}"
    )
    rows: list[tuple[str, ...]] = [("", "estimate", "se", "zval", "pval", "ci.lb", "ci.ub")]
    columns = np.column_stack([found.beta, found.se, found.z, found.p, found.low, found.high])
    for name, row in zip(found.outcomes, columns, strict=True):
        cells = [number_text(float(x), digits) for x in row]
        cells[3] = p_text(float(row[3]), digits, with_sign=False)
        rows.append((name, *cells))
    blocks.append(f"Model Results:\n\n{table_text(rows)}")
    if found.status.value != "ok":
        notes = (*notes, str(found.status))
    blocks.append("\n".join(f"Note: {note}." for note in notes))
    return "\n\n".join(b for b in blocks if b) + "\n"
