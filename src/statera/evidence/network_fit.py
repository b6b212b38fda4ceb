"""Frequentist network meta-analysis: common and random effects of all pairs of treatments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError
from statera.evidence.network_data import NetworkData, connected_parts
from statera.evidence.network_estimates import (
    NetworkEstimates,
    PairTable,
    check_effects,
    pairs_against_reference,
    place_of_reference,
    prediction_limits,
)
from statera.evidence.network_gls import Block, blocks_of, fit_blocks, pseudo_design
from statera.evidence.network_tau2 import (
    NETWORK_TAU2,
    tau2_by_likelihood,
    tau2_by_moments,
    tau2_by_q,
    tau2_interval,
)

__all__ = ["NetworkOptions", "NetworkResult", "PairTable", "network"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NetworkOptions:
    """How a network is fitted.

    Attributes
    ----------
    tau2
        ``REML`` or ``ML`` over the full covariance; ``REML-approximate`` drops the covariance that
        contrasts share through their base arm while tau2 is estimated (for comparison with
        netmeta); ``DL`` by moments; ``PM`` sets Q to its degrees of freedom; ``EE`` leaves it at 0.
    reference
        Treatment that stands as base; the first in the alphabet where not given.
    level
        Of intervals.
    prediction
        ``V``: t with the degrees of freedom of Q; ``HTS``: one fewer.
    test
        Of random effects: ``z``, or ``t`` with the degrees of freedom of Q.
    """

    tau2: str = "REML"
    reference: str | None = None
    level: float = 0.95
    prediction: str = "V"
    test: str = "z"

    def __post_init__(self) -> None:
        if self.tau2 not in NETWORK_TAU2 or self.prediction not in ("V", "HTS"):
            raise InputError(
                f"tau2 by {self.tau2} with prediction {self.prediction} is not known",
                where="options of the network",
                hint=f"Use tau2 {', '.join(NETWORK_TAU2)} and prediction V or HTS.",
            )
        if self.test not in ("z", "t"):
            raise InputError(
                f"test {self.test} is not known", where="options of the network", hint="Use z or t."
            )
        if not 0 < self.level < 1:
            raise InputError(
                f"level {self.level:g} is not between 0 and 1",
                where="options of the network",
                hint="Give a share such as 0.95.",
            )


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
    tau2_low, tau2_high
        Q-profile interval of tau2; NaN without degrees of freedom, and for common effects.
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
    tau2_low: float = float("nan")
    tau2_high: float = float("nan")
    notes: tuple[str, ...] = ()

    def estimates(self, effects: str = "random") -> NetworkEstimates:
        """Return estimates with ``random`` or ``common`` effects, the latter without prediction."""
        check_effects(effects)
        none = np.full_like(self.predict_low, np.nan)
        random = effects == "random"
        return NetworkEstimates(
            self.data.treatments,
            self.reference,
            self.data.measure,
            self.data.log,
            self.random if random else self.common,
            self.predict_low if random else none,
            self.predict_high if random else none,
            float(self.df) if random and self.options.test == "t" and self.df > 0 else np.inf,
        )


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
    reference = place_of_reference(data.treatments, options.reference)
    blocks = reduced_blocks(data, reference)
    df = degrees_of_freedom(blocks)
    common = fit_blocks(blocks, 0.0)
    tau2 = estimate_tau2(blocks, df, options.tau2)
    random = fit_blocks(blocks, tau2)
    test_df = float(df) if options.test == "t" and df > 0 else float("inf")
    pairs = pairs_against_reference(random.beta, random.cov, reference, options.level, test_df)
    crit_df = 0 if options.tau2 == "EE" else df if options.prediction == "V" else df - 1
    predict_low, predict_high = prediction_limits(pairs, tau2, crit_df, options.level)
    tau2_ends = (float("nan"), float("nan"))
    if options.tau2 != "EE":
        tau2_ends = tau2_interval(blocks, df, options.level)
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
        pairs_against_reference(common.beta, common.cov, reference, options.level),
        pairs,
        predict_low,
        predict_high,
        *tau2_ends,
        (*data.notes, *_notes(data, df, options)),
    )


def _notes(data: NetworkData, df: int, options: NetworkOptions) -> list[str]:
    notes = []
    if len(data.studies) == 1:
        notes.append("One study: the network repeats it, and tau2 cannot be estimated.")
    elif df == 0:
        notes.append("No degrees of freedom are left: tau2 is set to 0 and not estimated.")
    if options.tau2 == "EE":
        notes.append("Common effects: tau2 is taken as 0, and nothing is predicted.")
    if options.tau2 == "REML-approximate":
        notes.append("tau2 ignores the covariance of contrasts that share an arm.")
    return notes


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
    if method == "EE":
        return 0.0
    if method == "DL":
        return tau2_by_moments(blocks, df)
    if method == "PM":
        return tau2_by_q(blocks, df, float(df))
    if method == "REML-approximate":
        blocks = tuple(
            replace(block, covariance=block.covariance * np.eye(block.y.shape[1]))
            for block in blocks
        )
    return tau2_by_likelihood(blocks, df, restricted=method != "ML")


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
