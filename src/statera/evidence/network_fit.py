"""Frequentist network meta-analysis: common and random effects of all pairs of treatments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError, UnknownNameError
from statera.evidence.network_data import NetworkData, connected_parts
from statera.evidence.network_gls import (
    Block,
    Fit,
    blocks_of,
    fit_blocks,
    pseudo_design,
    tau2_moments,
    tau2_reml,
)

__all__ = ["NetworkOptions", "NetworkResult", "PairTable", "network"]

Floats = NDArray[np.float64]
_METHODS = ("REML", "REML-approximate", "DL")


@dataclass(frozen=True)
class NetworkOptions:
    """How a network is fitted.

    Attributes
    ----------
    tau2
        ``REML`` over the full covariance; ``REML-approximate`` drops the covariance that contrasts
        share through their base arm while tau2 is estimated (for comparison with netmeta);
        ``DL`` by moments.
    reference
        Treatment that stands as base; the first in the alphabet where not given.
    level
        Of intervals.
    prediction
        ``V``: t with the degrees of freedom of Q; ``HTS``: one fewer.
    """

    tau2: str = "REML"
    reference: str | None = None
    level: float = 0.95
    prediction: str = "V"

    def __post_init__(self) -> None:
        if self.tau2 not in _METHODS or self.prediction not in ("V", "HTS"):
            raise InputError(
                f"tau2 by {self.tau2} with prediction {self.prediction} is not known",
                where="options of the network",
                hint=f"Use tau2 {', '.join(_METHODS)} and prediction V or HTS.",
            )
        if not 0 < self.level < 1:
            raise InputError(
                f"level {self.level:g} is not between 0 and 1",
                where="options of the network",
                hint="Give a share such as 0.95.",
            )


@dataclass(frozen=True)
class PairTable:
    """Row against column for all treatments, (n, n) each; antisymmetric estimates.

    `cov` is the covariance of the treatments against the reference, (n, n), zero for itself.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    cov: Floats


@dataclass(frozen=True)
class NetworkResult:
    """Estimates of a network.

    Attributes
    ----------
    data, options
        What was fitted, and how.
    reference
        Name of the base treatment.
    tau2, q, df, p_q, i2, i2_low, i2_high
        Heterogeneity. `p_q` and I2 are NaN where nothing is left to test (df 0).
    common, random
        Estimates of all pairs.
    predict_low, predict_high : (n, n) float64
        Prediction intervals by the convention `options.prediction`; NaN without degrees of freedom.
    notes
        What a reader must know, as sentences.
    """

    data: NetworkData
    options: NetworkOptions
    reference: str
    tau2: float
    q: float
    df: int
    p_q: float
    i2: float
    i2_low: float
    i2_high: float
    common: PairTable
    random: PairTable
    predict_low: Floats
    predict_high: Floats
    notes: tuple[str, ...] = ()


def network(data: NetworkData, options: NetworkOptions | None = None) -> NetworkResult:
    """Fit a network with common and with random effects.

    Sources: Ruecker 2012 (doi 10.1002/jrsm.1058) for the graph form; Jackson, White and Riley 2012
    for moments over several arms (doi 10.1002/sim.5453); Higgins and Thompson 2002 for the
    interval of I2 (doi 10.1002/sim.1186).

    Raises
    ------
    InputError
        For a network in several parts (each is named), or a study that contradicts itself.
    """
    options = options or NetworkOptions()
    reference = _reference(data, options.reference)
    blocks = reduced_blocks(data, reference)
    df = degrees_of_freedom(blocks)
    common = fit_blocks(blocks, 0.0)
    tau2 = estimate_tau2(blocks, df, options.tau2)
    random = fit_blocks(blocks, tau2)
    pairs = pair_table(random, reference, options.level)
    crit_df = df if options.prediction == "V" else df - 1
    crit = float(stats.t.ppf(0.5 + options.level / 2, crit_df)) if crit_df > 0 else float("nan")
    half = crit * np.sqrt(pairs.se**2 + tau2)
    np.fill_diagonal(half, 0.0)
    i2, low, high = inconsistency_share(common.q, df, options.level)
    return NetworkResult(
        data,
        options,
        data.treatments[reference],
        tau2,
        common.q,
        df,
        float(stats.chi2.sf(common.q, df)) if df > 0 else float("nan"),
        i2,
        low,
        high,
        pair_table(common, reference, options.level),
        pairs,
        pairs.estimate - half,
        pairs.estimate + half,
        (*data.notes, *_notes(data, df, options)),
    )


def _notes(data: NetworkData, df: int, options: NetworkOptions) -> list[str]:
    notes = []
    if len(data.studies) == 1:
        notes.append("One study: the network repeats it, and tau2 cannot be estimated.")
    elif df == 0:
        notes.append("No degrees of freedom are left: tau2 is set to 0 and not estimated.")
    if options.tau2 == "REML-approximate":
        notes.append("tau2 ignores the covariance of contrasts that share an arm.")
    return notes


def _reference(data: NetworkData, name: str | None) -> int:
    if name is None:
        return 0
    if name not in data.treatments:
        raise UnknownNameError("treatment", name, data.treatments)
    return data.treatments.index(name)


def reduced_blocks(data: NetworkData, reference: int) -> tuple[Block, ...]:
    """Return the blocks over the treatments other than the reference; refuse several parts."""
    parts = connected_parts(data)
    if len(parts) > 1:
        named = "; ".join(", ".join(part) for part in parts)
        raise InputError(
            f"the network falls into {len(parts)} parts that no study joins: {named}",
            where="network",
            hint="Fit each part alone (part_of_network), or use components if they share some.",
        )
    n = len(data.treatments)
    keep = np.delete(np.eye(n), reference, axis=1)
    return pseudo_design(blocks_of(data, reference), keep)


def degrees_of_freedom(blocks: tuple[Block, ...]) -> int:
    """Return contrasts less parameters."""
    return sum(block.y.size for block in blocks) - int(blocks[0].design.shape[2])


def estimate_tau2(blocks: tuple[Block, ...], df: int, method: str) -> float:
    """Return tau2 by the named method."""
    if method == "DL":
        return tau2_moments(blocks, df)
    if method == "REML-approximate":
        blocks = tuple(
            replace(block, covariance=block.covariance * np.eye(block.y.shape[1]))
            for block in blocks
        )
    return tau2_reml(blocks, df)


def pair_table(fit: Fit, reference: int, level: float) -> PairTable:
    """Return all pairs from estimates against the reference."""
    d = np.insert(fit.beta, reference, 0.0)
    cov = np.insert(np.insert(fit.cov, reference, 0.0, axis=0), reference, 0.0, axis=1)
    estimate = d[:, None] - d[None, :]
    diagonal = np.diag(cov)
    se = np.sqrt(np.maximum(diagonal[:, None] + diagonal[None, :] - 2 * cov, 0.0))
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return PairTable(estimate, se, estimate - half, estimate + half, cov)


def inconsistency_share(q: float, df: int, level: float) -> tuple[float, float, float]:
    """Return I2 = (Q - df) / Q and its interval by the standard error of ln H."""
    if df <= 0:
        return float("nan"), float("nan"), float("nan")
    i2 = max(0.0, (q - df) / q) if q > 0 else 0.0
    if df < 2:
        return i2, float("nan"), float("nan")
    h = max(1.0, float(np.sqrt(q / df)))
    if q > df + 1:
        se = 0.5 * (np.log(q) - np.log(df)) / (np.sqrt(2 * q) - np.sqrt(2 * df - 1))
    else:
        se = np.sqrt(1 / (2 * (df - 1)) * (1 - 1 / (3 * (df - 1) ** 2)))
    half = float(stats.norm.ppf(0.5 + level / 2)) * float(se)
    low, high = (max(1.0, h * float(np.exp(side * half))) for side in (-1, 1))
    return i2, 1 - 1 / low**2, 1 - 1 / high**2
