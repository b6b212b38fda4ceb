"""A pairwise synthesis as plain data, as ``statera meta pairwise --json`` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statera.evidence.effects import Effects
    from statera.evidence.moderators import Subgroups
    from statera.evidence.pairwise_result import PairwiseResult

__all__ = ["pairwise_dict"]


def pairwise_dict(
    effects: Effects, result: PairwiseResult, groups: Subgroups | None, warnings: tuple[str, ...]
) -> dict[str, Any]:
    """Return the synthesis, its subgroups and its studies; numbers on the pooled scale and back.

    Parameters
    ----------
    effects
        All studies, those left out too.
    result, groups
    warnings
        Findings of the entry checks.
    """
    found = _one(result)
    if groups is not None:
        found["subgroups"] = {
            "groups": [
                {"name": name, **_one(r)}
                for name, r in zip(groups.names, groups.results, strict=True)
            ],
            "q_between": groups.q_between,
            "df": groups.df,
            "p": groups.p_value,
            "notes": groups.notes,
        }
    weights = iter(result.weights)
    found["studies"] = [
        {
            "name": name,
            "y": effects.y[i],
            "se": effects.se[i],
            "weight_percent": next(weights) if usable else None,
            "derived_from": effects.columns["derived_from"][i],
            "left_out": effects.status[i] or (None if usable else "no usable variance"),
            "columns": {
                column: values[i]
                for column, values in effects.columns.items()
                if column != "derived_from"
            },
        }
        for i, (name, usable) in enumerate(
            zip(effects.names, effects.is_usable.tolist(), strict=True)
        )
    ]
    found["entry_findings"] = warnings
    return found


def _one(result: PairwiseResult) -> dict[str, Any]:
    options = result.options
    found: dict[str, Any] = {
        "status": result.status,
        "measure": result.effects.measure,
        "k": result.k,
        "tau2_estimator": options.tau2,
        "test": options.test,
        "level": options.level,
        "coefficients": [
            {
                "term": term,
                "estimate": result.beta[j],
                "se": result.se[j],
                "statistic": result.statistic[j],
                "p": result.p_value[j],
                "low": result.ci_low[j],
                "high": result.ci_high[j],
            }
            for j, term in enumerate(result.terms)
        ],
        "df": result.df,
        "tau2": result.tau2,
        "se_tau2": result.se_tau2,
        "tau2_interval": result.ci_tau2,
        "i2_percent": result.i2,
        "h2": result.h2,
        "r2_percent": result.r2,
        "q": result.q,
        "q_df": result.q_df,
        "q_p": result.q_p,
        "qm": result.qm,
        "qm_df": result.qm_df,
        "qm_p": result.qm_p,
        "natural": None,
        "prediction": None,
        "log_likelihood": result.log_likelihood,
        "aic": result.aic,
        "bic": result.bic,
        "notes": result.notes,
    }
    if not result.has_moderators:
        middle, low, high = result.natural
        found["natural"] = {"estimate": middle, "low": low, "high": high}
    if result.prediction is not None:
        pi = result.prediction
        ends = result.effects.natural([pi.low, pi.high])
        found["prediction"] = {
            "low": pi.low,
            "high": pi.high,
            "natural_low": ends[0],
            "natural_high": ends[1],
            "convention": pi.convention,
            "df": pi.df,
        }
    return found
