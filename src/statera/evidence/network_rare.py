"""What models of counts over a network give: log odds ratios or log rate ratios of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError
from statera.evidence.network_counts import ArmCounts
from statera.evidence.network_estimates import (
    NetworkEstimates,
    PairTable,
    check_effects,
    pairs_against_reference,
    place_of_reference,
    prediction_limits,
)

__all__ = ["RareNetwork", "RareNetworkMethod", "RareNetworkOptions", "rare_network_result"]

Floats = NDArray[np.float64]


class RareNetworkMethod(StrEnum):
    """Which likelihood."""

    COMMON = "common effects, fixed study effects"
    PENALISED = "common effects, fixed study effects, penalised by Firth"
    CONDITIONAL = "common effects, noncentral hypergeometric given the events of each study"
    MIXED = "random effects, fixed study effects"


@dataclass(frozen=True)
class RareNetworkOptions:
    """How counts of a network are modelled.

    Attributes
    ----------
    reference
        Treatment that stands as base; the first in the alphabet where not given.
    level
        Of intervals.
    penalised
        Firth's penalty: finite estimates whatever cells are empty; studies without events stay.
    overdispersion
        Of the penalised model: widen standard errors by the root of Fletcher's dispersion where
        it is above 1.
    nodes
        Of the quadrature per random effect; by the number of arms where None.
    """

    reference: str | None = None
    level: float = 0.95
    penalised: bool = False
    overdispersion: bool = False
    nodes: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(
                f"level {self.level:g} is not between 0 and 1",
                where="options of the network",
                hint="Give a share such as 0.95.",
            )
        if self.nodes is not None and not 3 <= self.nodes <= 100:
            raise InputError(f"{self.nodes} nodes cannot be used", where="nodes", hint="3 to 100.")


@dataclass(frozen=True)
class RareNetwork:
    """Log ratios of rows against columns, without correction of empty cells.

    Attributes
    ----------
    measure, method
        OR or IRR, and the likelihood.
    treatments, reference
        Names, and the base treatment.
    pairs
        Estimates of all pairs.
    predict_low, predict_high : (n, n) float64
        Prediction intervals by t with `df`; NaN with common effects.
    tau2, tau2_se
        Variance between studies, the standard error NaN at 0; both NaN with common effects.
    dispersion
        Fletcher's estimate under the penalised model; NaN otherwise.
    loglik
        At the estimates, with all constants, without the penalty.
    studies, df
        Studies that carry information; contrasts less parameters.
    deviance, p_deviance
        Likelihood ratio of common effects against an effect for each arm, with `df`: heterogeneity
        and inconsistency together. Chi-square where events are not few; NaN where not computed.
    notes
        What a reader must know, as sentences.
    """

    measure: str
    method: RareNetworkMethod
    treatments: tuple[str, ...]
    reference: str
    pairs: PairTable
    predict_low: Floats
    predict_high: Floats
    tau2: float
    tau2_se: float
    dispersion: float
    loglik: float
    studies: int
    df: int
    deviance: float = float("nan")
    p_deviance: float = float("nan")
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> Floats:
        """(n, n) log ratios, row against column."""
        return self.pairs.estimate

    @property
    def se(self) -> Floats:
        """(n, n) standard errors."""
        return self.pairs.se

    def estimates(self, effects: str = "random") -> NetworkEstimates:
        """Return the estimates for rankings and league tables, of the model that was fitted."""
        check_effects(effects)
        return NetworkEstimates(
            self.treatments, self.reference, self.measure, True, self.pairs,
            self.predict_low, self.predict_high,
        )  # fmt: skip


def rare_network_result(
    counts: ArmCounts,
    method: RareNetworkMethod,
    options: RareNetworkOptions,
    estimates: tuple[Floats, Floats],
    loglik: float,
    *,
    tau2: tuple[float, float] = (float("nan"), float("nan")),
    dispersion: float = float("nan"),
    deviance: float = float("nan"),
    notes: tuple[str, ...] = (),
) -> RareNetwork:
    """Return a result from estimates of all treatments but the first.

    Parameters
    ----------
    estimates
        (n - 1,) log ratios to the first treatment and their (n - 1, n - 1) covariance.
    tau2
        With its standard error.
    """
    base = place_of_reference(counts.treatments, options.reference)
    beta, covariance = estimates
    n = len(counts.treatments)
    # from the first treatment to the reference asked for
    turn = np.delete(np.eye(n), base, axis=0)
    turn[:, base] -= 1.0
    turn = turn[:, 1:]
    pairs = pairs_against_reference(turn @ beta, turn @ covariance @ turn.T, base, options.level)
    df = counts.events.size - len(counts.studies) - (n - 1)
    low, high = prediction_limits(pairs, tau2[0], df if np.isfinite(tau2[0]) else 0, options.level)
    return RareNetwork(
        counts.measure, method, counts.treatments, counts.treatments[base], pairs, low, high,
        *tau2, dispersion, loglik, len(counts.studies), df, deviance,
        float(stats.chi2.sf(deviance, df)) if df > 0 else float("nan"), (*counts.notes, *notes),
    )  # fmt: skip
