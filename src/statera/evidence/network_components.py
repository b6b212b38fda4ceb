"""Additive components: combinations of treatments as sums of their parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError
from statera.evidence.network_data import NetworkData, connected_parts
from statera.evidence.network_fit import NetworkOptions, degrees_of_freedom, estimate_tau2
from statera.evidence.network_gls import blocks_of, fit_blocks, pseudo_design

__all__ = ["ComponentResult", "component_network"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ComponentResult:
    """Effects of components, one each, (c,), with random effects.

    `cov` is (c, c). `q_difference` tests whether effects add up against the network of
    combinations; it is NaN, with df 0, where that network is in several parts or has no more
    parameters.
    """

    components: tuple[str, ...]
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    cov: Floats
    tau2: float
    q: float
    df: int
    q_difference: float
    df_difference: int
    p_difference: float

    def combination(self, *components: str) -> tuple[float, float]:
        """Return the effect of components given together against none, and its error."""
        pick = np.array([name in components for name in self.components], dtype=np.float64)
        unknown = sorted(set(components) - set(self.components))
        if unknown:
            raise InputError(
                f"{', '.join(unknown)} is no component of the network",
                where="combination",
                hint=f"Use {', '.join(self.components)}.",
            )
        return float(pick @ self.estimate), float(np.sqrt(pick @ self.cov @ pick))


def component_network(
    data: NetworkData,
    *,
    inactive: str | None = None,
    separator: str = "+",
    options: NetworkOptions | None = None,
) -> ComponentResult:
    """Fit effects of components that add up, also over parts of a network no study joins.

    Parameters
    ----------
    inactive
        Treatment without a component, such as placebo. Without one every name is a component, and
        only what the contrasts determine can be estimated.
    separator
        Between the components of a name.

    Source: Ruecker, Petropoulou and Schwarzer 2020 (doi 10.1002/bimj.201800167).

    Raises
    ------
    InputError
        Where the contrasts do not determine every component.
    """
    options = options or NetworkOptions()
    parts = [
        {part.strip() for part in name.split(separator)} - {inactive} for name in data.treatments
    ]
    components = tuple(sorted(set().union(*parts)))
    matrix = np.array([[float(name in part) for name in components] for part in parts])
    blocks = pseudo_design(blocks_of(data), matrix)
    rank = int(
        np.linalg.matrix_rank(
            np.concatenate([b.design.reshape(-1, len(components)) for b in blocks])
        )
    )
    if rank < len(components):
        raise InputError(
            f"the contrasts determine {rank} of {len(components)} components",
            where="component network",
            hint="Name the inactive treatment, or join components that are never given apart.",
        )
    df = degrees_of_freedom(blocks)
    q = fit_blocks(blocks, 0.0).q
    tau2 = estimate_tau2(blocks, df, options.tau2)
    fit = fit_blocks(blocks, tau2)
    se = np.sqrt(np.diag(fit.cov))
    half = float(stats.norm.ppf(0.5 + options.level / 2)) * se
    difference, extra, p = float("nan"), 0, float("nan")
    spare = len(data.treatments) - 1 - len(components)
    if len(connected_parts(data)) == 1 and spare > 0:
        whole = pseudo_design(blocks_of(data), np.eye(len(data.treatments))[:, 1:])
        difference, extra = q - fit_blocks(whole, 0.0).q, spare
        p = float(stats.chi2.sf(difference, extra))
    return ComponentResult(
        components, fit.beta, se, fit.beta - half, fit.beta + half, fit.cov, tau2, q, df,
        difference, extra, p,
    )  # fmt: skip
