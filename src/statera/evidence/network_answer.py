"""A network of trials as plain values: what commands print as JSON and pages show."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import combinations
from typing import Any

from statera.errors import InputError
from statera.evidence.network_certainty import PairJudgements
from statera.evidence.network_components import ComponentEffects, ComponentResult
from statera.evidence.network_contributions import bias_shares, contributions
from statera.evidence.network_design import decompose_designs
from statera.evidence.network_estimates import NetworkEstimates
from statera.evidence.network_fit import NetworkResult
from statera.evidence.network_hat import comparison_hat
from statera.evidence.network_rank import league_table, p_scores, rank_probabilities
from statera.evidence.network_rare import RareNetwork
from statera.evidence.network_request import FittedPart, NetworkRequest
from statera.evidence.network_split import side_split, split_node

__all__ = ["natural_value", "part_dict"]


def part_dict(
    part: FittedPart,
    request: NetworkRequest,
    judged: PairJudgements,
    *,
    better: str | None,
    split: str,
    seed: int,
) -> dict[str, Any]:
    """Return everything about a part, in the order that the print follows.

    Parameters
    ----------
    better
        ``low``, ``high`` or None: which effects are good.
    split
        ``side`` or ``node``: how direct and indirect evidence are told apart.
    seed
        Of the draws of the ranks.
    """
    result = part.result
    # Mantel-Haenszel is fitted as a network of designs, whose effects are common
    found = result.estimates()
    answer: dict[str, Any] = {
        "method": request.method,
        "measure": found.measure,
        "log": found.log,
        "level": request.level,
        "studies": part.studies,
        "studies_by_pair": [
            {"first": a, "second": b, "studies": k} for (a, b), k in part.pairs.items()
        ],
        "reference": found.reference,
    }
    if isinstance(result, NetworkResult):
        answer |= _contrasts(result, request)
    elif isinstance(result, ComponentResult):
        answer |= _components(result)
    else:
        answer |= _counts(result)
    answer["treatments"] = _treatments(found, part, better, seed)
    answer["league"] = _league(part, judged)
    if isinstance(result, NetworkResult) and request.method == "inverse-variance":
        answer |= _inconsistency(result, part, split)
        answer |= _contributions(result, judged)
    answer["notes"] = result.notes
    return answer


def _contrasts(result: NetworkResult, request: NetworkRequest) -> dict[str, Any]:
    pooled = request.method == "mantel-haenszel"
    return {
        "designs_pooled" if pooled else "comparisons": (
            len(result.data.studies) if pooled else result.data.y.size
        ),
        "tau2_estimator": result.options.tau2,
        "tau2": result.tau2,
        "tau2_interval": [result.tau2_low, result.tau2_high],
        "q": result.q,
        "q_df": result.df,
        "q_p": result.p_q,
        "i2_percent": 100.0 * result.i2,
        "i2_interval_percent": [100.0 * result.i2_low, 100.0 * result.i2_high],
        "prediction_convention": result.options.prediction,
        "test": result.options.test,
    }


def _counts(result: RareNetwork) -> dict[str, Any]:
    return {
        "likelihood": str(result.method),
        "tau2": result.tau2,
        "tau2_se": result.tau2_se,
        "dispersion": result.dispersion,
        "log_likelihood": result.loglik,
        "studies_used": result.studies,
        "df": result.df,
        "deviance": result.deviance,
        "deviance_p": result.p_deviance,
    }


def _components(result: ComponentResult) -> dict[str, Any]:
    return {
        "tau2_estimator": result.options.tau2,
        "tau2": result.tau2,
        "i2_percent": 100.0 * result.i2,
        "components": {
            "names": result.components,
            "random": _effects(result.random),
            "common": _effects(result.common),
        },
        "q_additive": result.additive,
        "q_standard": result.standard,
        "q_difference": result.difference,
    }


def _effects(effects: ComponentEffects) -> dict[str, Any]:
    return {name: getattr(effects, name) for name in ("estimate", "se", "low", "high")}


def natural_value(value: float, *, log: bool) -> float:
    """Return a value of the analysis on the natural scale; infinite where it is beyond numbers."""
    if not log:
        return value
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _treatments(
    found: NetworkEstimates, part: FittedPart, better: str | None, seed: int
) -> list[dict[str, Any]]:
    base = found.treatments.index(found.reference)
    ranks: dict[str, Any] = {}
    if better is not None:
        small = better == "low"
        drawn = rank_probabilities(part.result, small_good=small, seed=seed)
        scores = p_scores(part.result, small_good=small)
        ranks = {
            name: {
                "p_score": scores[i],
                "sucra": drawn.sucra[i],
                "mean_rank": drawn.mean_rank[i],
                "rank_probabilities": drawn.probability[i],
            }
            for i, name in enumerate(found.treatments)
        }
    empty = {"p_score": None, "sucra": None, "mean_rank": None, "rank_probabilities": None}
    pairs = found.pairs
    return [
        {
            "treatment": name,
            "patients": part.patients.get(name),
            "estimate": pairs.estimate[i, base],
            "se": pairs.se[i, base],
            "low": pairs.low[i, base],
            "high": pairs.high[i, base],
            "prediction_low": found.predict_low[i, base],
            "prediction_high": found.predict_high[i, base],
            "natural": {
                key: natural_value(float(table[i, base]), log=found.log)
                for key, table in (
                    ("estimate", pairs.estimate),
                    ("low", pairs.low),
                    ("high", pairs.high),
                    ("prediction_low", found.predict_low),
                    ("prediction_high", found.predict_high),
                )
            },
            **ranks.get(name, empty),
        }
        for i, name in enumerate(found.treatments)
    ]


def _league(part: FittedPart, judged: PairJudgements) -> list[dict[str, Any]]:

    rows = []
    for row in league_table(part.result):
        pair = min(row.first, row.second), max(row.first, row.second)
        texts = judged.of(row.first, row.second)
        rows.append(
            {
                **asdict(row),
                "studies": part.pairs.get(pair, 0),
                "certainty": {name: texts.get(name, "") for name in judged.certainty},
                "risk_of_bias": {name: texts.get(name, "") for name in judged.risk_of_bias},
            }
        )
    return rows


def _inconsistency(result: NetworkResult, part: FittedPart, split: str) -> dict[str, Any]:

    rows, kept = list(side_split(result)), []
    if split == "node":
        pairs = list(combinations(result.data.treatments, 2))
        for i, (first, second) in enumerate(pairs):
            if rows[i].studies == 0 or math.isnan(rows[i].indirect):
                continue
            try:
                rows[i] = split_node(result, first, second)
            except InputError:  # the evidence on one side is that of the same studies
                kept.append(rows[i].label)
    return {
        "split": "back-calculation" if split == "side" else "node-splitting",
        "back_calculated": kept,
        "direct_and_indirect": rows,
        "evidence_flow": comparison_hat(result),
        "designs": decompose_designs(result),
    }


def _contributions(result: NetworkResult, judged: PairJudgements) -> dict[str, Any]:
    """Return shares of comparisons in each estimate, and of studies by their risk of bias."""
    found = contributions(result)
    return {
        "contributions": {
            "estimates": found.estimates,
            "comparisons": found.comparisons,
            "shares": found.by_comparison,
            "by_risk_of_bias": {
                name: bias_shares(found, judged.by_study.get(name, {}))
                for name in judged.risk_of_bias
            },
        }
    }
