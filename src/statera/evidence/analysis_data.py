"""A pairwise synthesis as plain data: what commands print as JSON and pages show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.evidence.diagnostics import Diagnostics, PooledSteps
from statera.evidence.effects import Effects
from statera.evidence.findings_formats import findings_data
from statera.evidence.pairwise_result import PairwiseResult
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.subgroup_effects import SubgroupEffects
from statera.evidence.summary_of_findings import Finding, failed_finding, finding
from statera.evidence.table_analysis import Analysis, Failed

__all__ = ["findings_of", "result_dict"]


def result_dict(found: Sequence[Analysis | Failed]) -> dict[str, Any]:
    """Return one outcome, or several under ``outcomes``; with the summary of findings."""
    table = findings_data(findings_of(found))
    if len(found) == 1:
        return {**_outcome(found[0]), "summary_of_findings": table}
    return {"outcomes": [_outcome(one) for one in found], "summary_of_findings": table}


def _outcome(found: Analysis | Failed) -> dict[str, Any]:
    if isinstance(found, Failed):
        return {
            "outcome": found.outcome, "status": "failed", "reason": found.reason,
            "hint": found.hint,
        }  # fmt: skip
    data: dict[str, Any] = {"outcome": found.outcome or None}
    weights = None
    if found.regression is not None:
        data |= {"method": "inverse", **_pairwise(found.regression)}
        weights = found.regression.weights
    elif found.joint is not None:
        data |= _joint(found)
    elif found.synthesis is not None:
        data |= _synthesis(found)
        weights = found.synthesis.pooled.weights
    data["studies"] = _studies(found.effects, weights, _used(found))
    data["entry_findings"] = [
        {
            "kind": f.kind,
            "severity": f.severity,
            "studies": f.studies,
            "lines": [line for line, name in zip(found.table.lines, found.table.names, strict=True)
                      if name in f.studies],
            "sentence": f.sentence,
        }
        for f in found.findings
    ]  # fmt: skip
    data["warnings"] = found.warnings
    return data


def _synthesis(found: Analysis) -> dict[str, Any]:
    whole = found.synthesis
    assert whole is not None
    pooled, detail = whole.pooled, whole.detail
    data: dict[str, Any] = {"method": whole.options.method}
    if isinstance(detail, PairwiseResult):
        data |= _pairwise(detail)
    else:
        data |= {"status": "ok", "measure": pooled.measure, "k": pooled.k, "level": pooled.level,
                 "notes": whole.notes, "detail": detail}  # fmt: skip
        middle, low, high = pooled.natural
        data["natural"] = {"estimate": middle, "low": low, "high": high}
    data["pooled"] = _pooled(pooled)
    data["robust"] = whole.robust
    data["sigma2_intervals"] = whole.sigma2_intervals or None
    data["left_out"] = [{"study": n, "reason": reason} for n, reason in whole.omitted]
    data["subgroups"] = None if found.groups is None else _groups(found.groups)
    if found.diagnostics is not None:
        data["diagnostics"] = _diagnostics(found.diagnostics)
    return data


def _joint(found: Analysis) -> dict[str, Any]:
    joint = found.joint
    assert joint is not None
    return {
        "method": "multivariate",
        "status": joint.result.status,
        "k": len(joint.effects),
        "pooled": {
            name: _pooled(p) for name, p in zip(joint.result.outcomes, joint.pooled, strict=True)
        },
        "detail": joint.result,
        "tau2_intervals": joint.tau2_intervals,
        "left_out": [{"study": n, "reason": reason} for n, reason in joint.omitted],
        "notes": joint.notes,
    }


def _used(found: Analysis) -> list[bool]:
    """Return which rows were pooled: those of the result, in the order of the table."""
    if found.synthesis is not None:
        names = list(found.synthesis.pooled.effects.names)
    elif found.regression is not None:
        names = list(found.regression.effects.names)
    else:
        return [bool(u) for u in found.effects.is_usable]
    used = []
    for name in found.effects.names:
        there = bool(names) and names[0] == name
        if there:
            names.pop(0)
        used.append(there)
    return used


def _studies(effects: Effects, weights: Any, used: Sequence[bool]) -> list[dict[str, Any]]:
    shares = iter(weights if weights is not None else ())
    return [
        {
            "name": name,
            "y": effects.y[i],
            "se": effects.se[i],
            "weight_percent": next(shares, None) if used[i] else None,
            "derived_from": effects.columns["derived_from"][i],
            "left_out": None if used[i] else effects.status[i] or "no usable variance",
            "columns": {
                column: values[i]
                for column, values in effects.columns.items()
                if column != "derived_from"
            },
        }
        for i, name in enumerate(effects.names)
    ]


def _pooled(found: PooledEffect) -> dict[str, Any]:
    middle, low, high = found.natural
    limits = found.natural_prediction
    return {
        "k": found.k,
        "method": found.method,
        "estimate": found.estimate,
        "se": found.se,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "statistic": found.statistic,
        "df": found.df,
        "natural": {"estimate": middle, "low": low, "high": high},
        "is_posterior": found.is_posterior,
        "tau2": found.tau2,
        "tau2_interval": found.tau2_interval,
        "i2_percent": found.i2,
        "q": found.q,
        "q_df": found.q_df,
        "q_p": found.q_p,
        "prediction": None
        if found.prediction is None
        else {
            "low": found.prediction[0],
            "high": found.prediction[1],
            "natural_low": limits[0] if limits else None,
            "natural_high": limits[1] if limits else None,
            "convention": found.prediction_name,
        },
    }


def _groups(found: SubgroupEffects) -> dict[str, Any]:
    return {
        "groups": [
            {"name": name, "status": one}
            if isinstance(one, str)
            else {"name": name, "status": "ok", **_pooled(one)}
            for name, one in zip(found.names, found.pooled, strict=True)
        ],
        "q_between": found.q_between,
        "df": found.df,
        "p": found.p_value,
        "common_tau2": found.common_tau2,
        "notes": found.notes,
    }


def _diagnostics(found: Diagnostics) -> dict[str, Any]:
    trimmed = found.trim_and_fill
    boot = found.bootstrap
    return {
        "leave_one_out": _steps(found.leave_one_out),
        "cumulative": _steps(found.cumulative),
        "influence": found.influence,
        "baujat": found.baujat,
        "regression_test": found.regression,
        "egger": found.egger,
        "rank_test": found.rank,
        "trim_and_fill": None
        if trimmed is None
        else {
            "missing": trimmed.missing, "se": trimmed.se, "side": trimmed.side,
            "estimator": trimmed.estimator, "p": trimmed.p_value,
            "result": _pairwise(trimmed.result),
        },
        "fail_safe": found.fail_safe,
        "permutation": found.permutation,
        "bootstrap": None
        if boot is None
        else {
            "n": boot.mean.size, "kind": boot.kind, "seed": boot.seed, "failed": boot.failed,
            "low": boot.ci_low, "high": boot.ci_high, "tau2_low": boot.tau2_low,
            "tau2_high": boot.tau2_high,
        },
        "not_made": [{"what": what, "reason": why} for what, why in found.problems],
    }  # fmt: skip


def _steps(steps: PooledSteps | None) -> list[dict[str, Any]] | None:
    if steps is None:
        return None
    return [
        {"study": name, "status": one}
        if isinstance(one, str)
        else {"study": name, "status": "ok", **_pooled(one)}
        for name, one in steps
    ]


def _pairwise(result: PairwiseResult) -> dict[str, Any]:
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


def findings_of(found: Sequence[Analysis | Failed]) -> tuple[Finding, ...]:
    """Return the rows of the summary of findings."""
    rows: list[Finding] = []
    for one in found:
        if isinstance(one, Failed):
            rows.append(failed_finding(one.outcome, one.reason, one.judged))
        elif one.joint is not None:
            rows += [
                finding(name, pooled, judged)
                for name, pooled, judged in zip(
                    one.joint.result.outcomes, one.joint.pooled, one.judged, strict=True
                )
            ]
        elif one.synthesis is not None:
            pooled = one.synthesis.pooled
            name = one.outcome or pooled.effects.definition.name
            rows.append(finding(name, pooled, one.judged[0] if one.judged else None))
        else:
            rows.append(failed_finding(one.outcome, "a regression has no one mean"))
    return tuple(rows)
