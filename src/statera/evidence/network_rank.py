"""Ranking of treatments and the league table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError
from statera.evidence.network_estimates import HasEstimates, NetworkEstimates

__all__ = ["LeagueRow", "Ranking", "league_table", "p_scores", "rank_probabilities"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ranking:
    """Ranks by simulation: `probability` (treatment, rank), `sucra` and mean rank, (n,) each."""

    treatments: tuple[str, ...]
    probability: Floats
    sucra: Floats
    mean_rank: Floats


@dataclass(frozen=True)
class LeagueRow:
    """One ordered pair: `label` says who is compared with whom; on the scale of the analysis."""

    label: str
    first: str
    second: str
    estimate: float
    se: float
    low: float
    high: float
    predict_low: float
    predict_high: float
    log: bool


def p_scores(result: HasEstimates, *, small_good: bool, effects: str = "random") -> Floats:
    """Return the P-score of each treatment, (n,): its mean certainty of beating a rival.

    The P-score is the exact SUCRA where estimates are normal (Ruecker and Schwarzer 2015,
    doi 10.1186/s12874-015-0060-8).
    """
    found = _ranked(result.estimates(effects))
    pairs = found.pairs
    n = pairs.se.shape[0]
    rivals = ~np.eye(n, dtype=bool)
    z = np.zeros((n, n))
    z[rivals] = pairs.estimate[rivals] / pairs.se[rivals]
    better = np.where(rivals, stats.t.cdf(-z if small_good else z, found.df), 0.0)
    return np.asarray(better.sum(axis=1) / (n - 1))


def rank_probabilities(
    result: HasEstimates,
    *,
    small_good: bool,
    seed: int,
    draws: int = 10_000,
    effects: str = "random",
) -> Ranking:
    """Return the probability of every rank, and SUCRA, by drawing from the normal estimates.

    SUCRA is (n - mean rank) / (n - 1) (Salanti 2011, doi 10.1016/j.jclinepi.2010.03.016).
    """
    if draws < 1:
        raise InputError(f"{draws} draws are too few", where="ranking", hint="Give at least one.")
    found = _ranked(result.estimates(effects))
    pairs, names = found.pairs, found.treatments
    n = len(names)
    values, vectors = np.linalg.eigh(pairs.cov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = np.random.default_rng(seed).standard_normal((draws, n))
    effect = pairs.estimate[:, names.index(found.reference)] + normal @ root.T
    order = np.argsort(effect if small_good else -effect, axis=1)
    counts = np.stack([np.bincount(order[:, r], minlength=n) for r in range(n)], axis=1)
    probability: Floats = counts / draws
    mean_rank: Floats = probability @ np.arange(1.0, n + 1.0)
    return Ranking(names, probability, (n - mean_rank) / (n - 1), mean_rank)


def _ranked(found: NetworkEstimates) -> NetworkEstimates:
    """Return the estimates where every pair has one."""
    unknown = np.isnan(found.pairs.se)
    if unknown.any():
        i, j = np.argwhere(unknown)[0].tolist()
        raise InputError(
            f"{found.treatments[i]} and {found.treatments[j]} cannot be ranked: their difference "
            "is not determined",
            where="ranking",
            hint="Rank within a part of the network, or leave the treatment out.",
        )
    return found


def league_table(result: HasEstimates, *, effects: str = "random") -> tuple[LeagueRow, ...]:
    """Return every ordered pair as a row that says which treatment is compared with which."""
    found = result.estimates(effects)
    pairs, names = found.pairs, found.treatments
    return tuple(
        LeagueRow(
            f"{names[i]} vs {names[j]}",
            names[i],
            names[j],
            float(pairs.estimate[i, j]),
            float(pairs.se[i, j]),
            float(pairs.low[i, j]),
            float(pairs.high[i, j]),
            float(found.predict_low[i, j]),
            float(found.predict_high[i, j]),
            found.log,
        )
        for i in range(len(names))
        for j in range(len(names))
        if i != j
    )
