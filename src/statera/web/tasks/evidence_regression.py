"""Effects regressed on moderators: coefficients, and the line of one that is a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from statera.evidence.moderators import predict
from statera.evidence.pairwise_result import PairwiseResult
from statera.evidence.print_text import print_pairwise
from statera.evidence.table_analysis import Analysis, Failed
from statera.web.answer import Column, Table

__all__ = ["coefficients_table", "regression_outcome"]

_POINTS = 41
"""Places of the line at which its interval is computed."""


def regression_outcome(found: Analysis, data: dict[str, Any], level: float) -> dict[str, Any]:
    """Return the data of a regression with its text and, if there is one, its line."""
    result = found.regression
    assert result is not None
    definition = result.effects.definition
    line = _line(found, result)
    return {
        **data,
        "measure_name": definition.name,
        "log": definition.ratio,
        "level": level,
        "moderators": [_on_page(one) for one in data["coefficients"]],
        "tests": _tests(result),
        "line": line,
        "text": print_pairwise(result),
    }


def coefficients_table(found: Sequence[Analysis | Failed]) -> Table:
    """Return all coefficients, a row each, on the pooled scale."""
    names = ("outcome", "term", "estimate", "se", "statistic", "p", "low", "high")
    rows: list[list[Any]] = []
    for one in found:
        result = None if isinstance(one, Failed) else one.regression
        if result is None:
            continue
        for j, term in enumerate(result.terms):
            numbers = (result.beta, result.se, result.statistic, result.p_value, result.ci_low,
                       result.ci_high)  # fmt: skip
            rows.append([one.outcome, term, *(float(column[j]) for column in numbers)])
    return Table([Column(name) for name in names], rows)


def _on_page(one: dict[str, Any]) -> list[Any]:
    return [one[key] for key in ("term", "estimate", "se", "statistic", "p", "low", "high")]


def _tests(result: PairwiseResult) -> list[list[Any]]:
    """Return names, statistics, degrees of freedom and p of the tests of the whole model."""
    m, df = result.qm_df
    by_f = result.options.uses_t
    name = "Moderators (F)" if by_f else "Moderators (QM)"
    return [
        [name, result.qm, f"{m}, {df:g}" if by_f else str(m), result.qm_p],
        ["Residual heterogeneity (QE)", result.q, str(result.q_df), result.q_p],
    ]


def _line(found: Analysis, result: PairwiseResult) -> dict[str, Any] | None:
    """Return studies and fitted mean against the moderator; None unless it is one number."""
    if result.terms[0] != "intercept" or result.p != 2 or result.terms[1] not in _columns(found):
        return None  # a category has no line
    name = result.terms[1]
    x = result.design[:, 1]
    low, high = float(x.min()), float(x.max())
    if not high > low:
        return None
    at = np.linspace(low, high, _POINTS)
    mean = predict(result, at)
    natural = result.effects.natural
    return {
        "moderator": name,
        "x": at,
        "mean": natural(mean.mean),
        "low": natural(mean.ci_low),
        "high": natural(mean.ci_high),
        "points": [
            {"study": study, "x": float(place), "y": float(y)}
            for study, place, y in zip(
                result.effects.names, x, natural(result.effects.y), strict=True
            )
            if math.isfinite(y)
        ],
    }


def _columns(found: Analysis) -> set[str]:
    return {*found.table.carried, *found.table.columns}
