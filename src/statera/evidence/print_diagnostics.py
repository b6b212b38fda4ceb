"""Diagnostics of a pooled effect as text, in the columns that metafor prints; no stars."""

from __future__ import annotations

import math

from statera.evidence.bias import RankTest, RegressionTest
from statera.evidence.diagnostics import Diagnostics, PooledSteps
from statera.evidence.influence import Influence
from statera.evidence.print_cells import number_text, p_text, percent_text, table_text
from statera.evidence.print_text import print_trim_and_fill
from statera.evidence.resampling import Bootstrap, Permutation

__all__ = ["print_diagnostics"]


def print_diagnostics(found: Diagnostics, *, digits: int = 4) -> str:
    """Return the blocks of what was made, then what could not be made."""
    blocks: list[str] = []
    if found.leave_one_out is not None:
        blocks.append(f"Leave-One-Out:\n\n{_steps(found.leave_one_out, 'without', digits)}")
    if found.cumulative is not None:
        blocks.append(f"Cumulative:\n\n{_steps(found.cumulative, 'with', digits)}")
    if found.influence is not None:
        blocks.append(_influence(found.influence, digits))
    if found.baujat is not None:
        rows = [("study", "heterogeneity", "influence")]
        columns = zip(found.baujat.names, found.baujat.heterogeneity, found.baujat.influence,
                      strict=True)  # fmt: skip
        rows += [(n, number_text(x, digits), number_text(y, digits)) for n, x, y in columns]
        blocks.append(f"Contribution to Heterogeneity (Baujat):\n\n{table_text(rows, ('study',))}")
    blocks += _bias(found, digits)
    if found.permutation is not None:
        blocks.append(_permutation(found.permutation))
    if found.bootstrap is not None:
        blocks.append(_bootstrap(found.bootstrap, digits))
    blocks += [f"Not made: {name}: {why}." for name, why in found.problems]
    return "\n\n".join(blocks) + ("\n" if blocks else "")


def _steps(steps: PooledSteps, word: str, digits: int) -> str:
    rows: list[tuple[str, ...]] = [
        (word, "k", "estimate", "se", "pval", "ci.lb", "ci.ub", "Q", "Qp", "tau^2", "I^2")
    ]
    reasons = []
    for name, one in steps:
        if isinstance(one, str):
            rows.append((name, *("NA",) * 10))
            reasons.append(f"{word} {name}: {one}")
            continue
        rows.append(
            (
                name, str(one.k), number_text(one.estimate, digits), number_text(one.se, digits),
                p_text(one.p, digits, with_sign=False), number_text(one.low, digits),
                number_text(one.high, digits), number_text(one.q, digits),
                p_text(one.q_p, digits, with_sign=False), number_text(one.tau2, digits),
                percent_text(one.i2),
            )
        )  # fmt: skip
    return "\n".join([table_text(rows, (word,)), *reasons])


def _influence(found: Influence, digits: int) -> str:
    heads = ("study", "rstudent", "dffits", "cook.d", "cov.r", "tau2.del", "QE.del", "hat",
             "weight", "dfbs", "influential")  # fmt: skip
    rows: list[tuple[str, ...]] = [heads]
    for i, name in enumerate(found.names):
        values = (found.rstudent, found.dffits, found.cook, found.covariance_ratio,
                  found.tau2_deleted, found.q_deleted, found.hat, found.weight,
                  found.dfbetas[:, 0])  # fmt: skip
        told = "yes" if found.is_influential[i] else ""
        rows.append((name, *(number_text(float(v[i]), digits) for v in values), told))
    return f"Influence:\n\n{table_text(rows, ('study',))}"


def _bias(found: Diagnostics, digits: int) -> list[str]:
    blocks = []
    if found.regression is not None:
        model = "mixed-effects meta-regression model"
        blocks.append(_regression(found.regression, model, digits))
    if found.egger is not None:
        model = "weighted regression with multiplicative dispersion (Egger)"
        blocks.append(_regression(found.egger, model, digits))
    if found.rank is not None:
        blocks.append(_rank(found.rank, digits))
    if found.trim_and_fill is not None:
        blocks.append(f"Trim and Fill:\n\n{print_trim_and_fill(found.trim_and_fill).rstrip()}")
    if found.fail_safe:
        told = ", ".join(f"{f.kind} {f.number:g}" for f in found.fail_safe)
        blocks.append(f"Fail-Safe Numbers: {told}")
    notes = {n for t in (found.regression, found.egger, found.rank) if t for n in t.notes}
    blocks += [f"Note: {note}." for note in sorted(notes)]
    return blocks


def _regression(found: RegressionTest, model: str, digits: int) -> str:
    sign = "z" if math.isnan(found.df) else "t"
    df = "" if math.isnan(found.df) else f", df = {found.df:g}"
    text = (
        "Regression Test for Funnel Plot Asymmetry\n\n"
        f"Model:     {model}\nPredictor: {found.predictor}\n\n"
        f"Test for Funnel Plot Asymmetry: {sign} = {number_text(found.statistic, digits)}{df}, "
        f"p {p_text(found.p_value, digits)}"
    )
    if not math.isnan(found.limit):
        text += (
            f"\nLimit Estimate (as {'sei' if str(found.predictor) == 'standard error' else 'x'}"
            f" -> 0): b = {number_text(found.limit, digits)} "
            f"(CI: {number_text(found.limit_low, digits)}, {number_text(found.limit_high, digits)})"
        )
    return text


def _rank(found: RankTest, digits: int) -> str:
    how = "exact" if found.exact else "normal approximation"
    return (
        "Rank Correlation Test for Funnel Plot Asymmetry (Begg)\n\n"
        f"Kendall's tau = {number_text(found.tau, digits)}, p {p_text(found.p_value, digits)} "
        f"({how})"
    )


def _permutation(found: Permutation) -> str:
    how = "all" if found.exact else "random"
    return (
        f"Permutation Test of No Effect: p {p_text(found.p_value)} ({how} {found.n:,} signs; "
        f"statistic {number_text(found.statistic)})"
    )


def _bootstrap(found: Bootstrap, digits: int) -> str:
    level = f"{100 * found.level:g} %"
    failed = f"; {found.failed} without result" if found.failed else ""
    return (
        f"Bootstrap ({found.kind}, {found.mean.size:,} times, seed {found.seed}{failed}):\n"
        f"estimate, {level} interval: {number_text(found.ci_low, digits)} to "
        f"{number_text(found.ci_high, digits)}\n"
        f"tau^2, {level} interval: {number_text(found.tau2_low, digits)} to "
        f"{number_text(found.tau2_high, digits)}"
    )
