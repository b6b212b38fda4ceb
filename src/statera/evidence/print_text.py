"""A synthesis as plain text, in the order of blocks that readers of metafor know; no stars.

Heading, fit statistics (if asked for), heterogeneity, test of heterogeneity, test of moderators,
coefficients; then, beyond metafor, the effect on the natural scale, the prediction interval with
its convention, the studies left out, and notes.
"""

from __future__ import annotations

import math

from statera.evidence.bias import TrimAndFill
from statera.evidence.moderators import Subgroups
from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus
from statera.evidence.print_cells import number_text, p_text, percent_text, sentence, table_text

__all__ = ["p_text", "print_pairwise", "print_subgroups", "print_trim_and_fill"]


def print_pairwise(result: PairwiseResult, *, digits: int = 4, show_fit: bool = False) -> str:
    """Return the text of a synthesis.

    Parameters
    ----------
    result
    digits
        After the point; per cents and H2 have two.
    show_fit
        Print log-likelihood and information criteria.
    """
    blocks = [_heading(result)]
    if result.status not in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY):
        blocks.append(f"{sentence(result.status)}")
        blocks.append(_omitted(result))
        return "\n\n".join(b for b in blocks if b) + "\n"
    if result.status is PairwiseStatus.OK:
        if show_fit:
            blocks.append(_fit_statistics(result, digits))
        blocks.append(_heterogeneity(result, digits))
        blocks.append(_tests(result, digits))
    blocks.append(f"Model Results:\n\n{_coefficients(result, digits)}")
    blocks.append(_natural(result, digits))
    blocks.append(_omitted(result))
    blocks.append("\n".join(f"Note: {note}." for note in result.notes))
    return "\n\n".join(b for b in blocks if b) + "\n"


def print_trim_and_fill(found: TrimAndFill, *, digits: int = 4) -> str:
    """Return the text of trim and fill: the number of missing studies, then the synthesis."""
    lines = [
        f"Estimated number of missing studies on the {found.side} side: {found.missing} "
        f"(SE = {found.se:.{digits}f}; estimator {found.estimator})"
    ]
    if not math.isnan(found.p_value):
        lines.append(
            f"Test of H0: no missing studies on the {found.side} side: p-val "
            f"{p_text(found.p_value, digits)}"
        )
    return "\n".join(lines) + "\n\n" + print_pairwise(found.result, digits=digits)


def print_subgroups(found: Subgroups, *, digits: int = 4) -> str:
    """Return the subgroups, a row each, and the test between them."""
    rows: list[tuple[str, ...]] = [("subgroup", "k", "estimate", "ci.lb", "ci.ub", "tau^2", "I^2")]
    for name, r in zip((*found.names, "all"), (*found.results, found.overall), strict=True):
        middle = (r.beta[0], r.ci_low[0], r.ci_high[0], r.tau2)
        rows.append(
            (name, str(r.k), *(number_text(float(x), digits) for x in middle), percent_text(r.i2))
        )
    text = table_text(rows, ("subgroup",))
    if found.df > 0:
        text += (
            f"\n\nTest between subgroups:\nQM(df = {found.df}) = "
            f"{number_text(found.q_between, digits)}, p-val {p_text(found.p_value, digits)}"
        )
    notes = "\n".join(f"Note: {note}." for note in found.notes)
    return text + (f"\n\n{notes}" if notes else "") + "\n"


def _heading(result: PairwiseResult) -> str:
    kind = "with Moderators " if result.has_moderators else ""
    if result.options.is_common:
        return f"Common-Effect {kind}Model (k = {result.k})"
    name = "Mixed-Effects Model" if result.has_moderators else "Random-Effects Model"
    how = "given tau^2 value" if result.tau2_is_given else f"tau^2 estimator: {result.options.tau2}"
    return f"{name} (k = {result.k}; {how})"


def _fit_statistics(result: PairwiseResult, digits: int) -> str:
    names = ("logLik", "deviance", "AIC", "BIC", "AICc")
    values = (result.log_likelihood, result.deviance, result.aic, result.bic, result.aicc)
    return table_text([names, tuple(number_text(x, digits) for x in values)])


def _heterogeneity(result: PairwiseResult, digits: int) -> str:
    rows = []
    of = "residual" if result.has_moderators else "total"
    over = "unaccounted" if result.has_moderators else "total"
    if not result.options.is_common:
        se = "" if math.isnan(result.se_tau2) else f" (SE = {number_text(result.se_tau2, digits)})"
        rows.append(
            (f"tau^2 (estimated amount of {of} heterogeneity)", f"{_zero(result, digits)}{se}")
        )
        root = math.sqrt(result.tau2)
        rows.append(
            (
                "tau (square root of estimated tau^2 value)",
                number_text(root, digits) if root else "0",
            )
        )
    rows.append((f"I^2 ({of} heterogeneity / {over} variability)", percent_text(result.i2)))
    rows.append((f"H^2 ({over} variability / sampling variability)", number_text(result.h2, 2)))
    if result.has_moderators and not math.isnan(result.r2):
        rows.append(("R^2 (amount of heterogeneity accounted for)", percent_text(result.r2)))
    interval = result.ci_tau2
    if interval is not None:
        told = f"{number_text(interval.low, digits)} to {number_text(interval.high, digits)}"
        rows.append((f"tau^2, {100 * interval.level:g} % interval ({interval.method})", told))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label + ':':<{width + 1}} {value}" for label, value in rows)


def _zero(result: PairwiseResult, digits: int) -> str:
    return "0" if result.tau2 == 0.0 else number_text(result.tau2, digits)


def _tests(result: PairwiseResult, digits: int) -> str:
    of, name = ("Residual ", "QE") if result.has_moderators else ("", "Q")
    text = (
        f"Test for {of}Heterogeneity:\n"
        f"{name}(df = {result.q_df}) = {number_text(result.q, digits)}, "
        f"p-val {p_text(result.q_p, digits)}"
    )
    if not result.has_moderators:
        return text
    m, df = result.qm_df
    head = f"F(df1 = {m}, df2 = {df:g})" if result.options.uses_t else f"QM(df = {m})"
    tested = [i + 1 for i, term in enumerate(result.terms) if term != "intercept"]
    span = f"{tested[0]}:{tested[-1]}" if len(tested) > 1 else f"{tested[0]}"
    noun = "coefficients" if len(tested) > 1 else "coefficient"
    return (
        f"{text}\n\nTest of Moderators ({noun} {span}):\n"
        f"{head} = {number_text(result.qm, digits)}, "
        f"p-val {p_text(result.qm_p, digits)}"
    )


def _coefficients(result: PairwiseResult, digits: int) -> str:
    by = "tval" if result.options.uses_t else "zval"
    header = ["estimate", "se", by, "pval", "ci.lb", "ci.ub"]
    rows = []
    for j in range(result.p):
        rows.append(
            [
                number_text(float(result.beta[j]), digits),
                number_text(float(result.se[j]), digits),
                number_text(float(result.statistic[j]), digits),
                p_text(float(result.p_value[j]), digits, with_sign=False),
                number_text(float(result.ci_low[j]), digits),
                number_text(float(result.ci_high[j]), digits),
            ]
        )
    if result.options.uses_t:
        header.insert(3, "df")
        for row in rows:
            row.insert(3, "NA" if math.isnan(result.df) else f"{result.df:g}")
    if not result.has_moderators:
        return table_text([tuple(header), tuple(rows[0])])
    return table_text(
        [("", *header), *((term, *row) for term, row in zip(result.terms, rows, strict=True))]
    )


def _natural(result: PairwiseResult, digits: int) -> str:
    lines = []
    measure = result.effects.definition
    level = f"{100 * result.options.level:g} %"
    if not result.has_moderators and measure.scale.value != "natural":
        middle, low, high = result.natural
        lines.append(
            f"{sentence(measure.name)}: {number_text(middle, digits)} "
            f"({level} interval {number_text(low, digits)} to {number_text(high, digits)})"
        )
        if measure.name == "incidence rate":
            rate, least, most = (number_text(100.0 * one, 2) for one in (middle, low, high))
            lines.append(f"Per 100 units of time at risk: {rate} ({least} to {most})")
    if result.options.uses_t and result.scale < 1.0 and not result.has_moderators:
        # conclusions can turn with the test where Hartung and Knapp's interval is the narrower one
        low, high = result.wald_interval
        lines.append(
            f"Wald's interval, {level}: {number_text(low, digits)} to {number_text(high, digits)}"
        )
    pi = result.prediction
    if pi is not None:
        if math.isnan(pi.low):
            lines.append(f"Prediction interval: none, {pi.convention} leaves no degrees of freedom")
        else:
            ends = f"{number_text(pi.low, digits)} to {number_text(pi.high, digits)}"
            if measure.scale.value != "natural":
                low, high = (float(x) for x in result.effects.natural([pi.low, pi.high]))
                ends += f"; natural scale {number_text(low, digits)} to {number_text(high, digits)}"
            lines.append(f"Prediction interval, {level} ({pi.convention}: {pi.name}): {ends}")
    return "\n".join(lines)


def _omitted(result: PairwiseResult) -> str:
    return "\n".join(f"Left out: {name} ({reason})." for name, reason in result.omitted)
