"""Q within and between designs, which shows whether a network agrees with itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.evidence.network_fit import NetworkResult, reduced_blocks
from statera.evidence.network_gls import Block, fit_blocks
from statera.evidence.network_tau2 import tau2_by_moments

__all__ = ["DesignDecomposition", "QPart", "decompose_designs"]


@dataclass(frozen=True)
class QPart:
    """A part of Q with its degrees of freedom; `p` is None where there is nothing to test."""

    label: str
    q: float
    df: int
    p: float | None


@dataclass(frozen=True)
class DesignDecomposition:
    """Q split into designs (sets of treatments compared in one study).

    Attributes
    ----------
    total, within, between
        With common effects; `between` is inconsistency.
    designs
        Heterogeneity within each design.
    between_random, tau2_within
        Inconsistency where studies of one design vary by `tau2_within` (moments of the full
        design-by-treatment model).
    """

    total: QPart
    within: QPart
    between: QPart
    designs: tuple[QPart, ...]
    between_random: QPart
    tau2_within: float


def _part(label: str, q: float, df: int) -> QPart:
    return QPart(label, q if df > 0 else 0.0, df, float(stats.chi2.sf(q, df)) if df > 0 else None)


def decompose_designs(result: NetworkResult) -> DesignDecomposition:
    """Split Q into heterogeneity within designs and inconsistency between them.

    Source: Higgins 2012 (doi 10.1002/jrsm.1044), Krahn 2013 (doi 10.1186/1471-2288-13-35).
    """
    data = result.data
    members: dict[tuple[int, ...], set[int]] = {}
    for study in range(len(data.studies)):
        members.setdefault(data.arms_of(study), set()).add(study)
    blocks = reduced_blocks(data, data.treatments.index(result.reference))
    designs = []
    for arms, studies in sorted(members.items()):
        own = _saturated(blocks, [studies])
        q = fit_blocks(own, 0.0).q
        label = ":".join(data.treatments[arm] for arm in arms)
        designs.append(_part(label, q, (len(studies) - 1) * (len(arms) - 1)))
    df_within = sum(part.df for part in designs)
    within = sum(part.q for part in designs)
    df_between = result.df - df_within
    saturated = _saturated(blocks, [members[arms] for arms in sorted(members)])
    tau2 = tau2_by_moments(saturated, df_within)
    between = fit_blocks(blocks, tau2).q - fit_blocks(saturated, tau2).q
    return DesignDecomposition(
        _part("total", result.q, result.df),
        _part("within designs", within, df_within),
        _part("between designs", result.q - within, df_between),
        tuple(designs),
        _part("between designs, random effects", between, df_between),
        tau2,
    )


def _saturated(blocks: tuple[Block, ...], groups: list[set[int]]) -> tuple[Block, ...]:
    """Return the studies of `groups`, each group with parameters of its own."""
    size, start, column = {}, {}, 0
    for number, studies in enumerate(groups):
        q = next(b.y.shape[1] for b in blocks if set(b.study.tolist()) & studies)
        size[number], start[number] = q, column
        column += q
    number_of = {study: number for number, studies in enumerate(groups) for study in studies}
    made = []
    for block in blocks:
        keep = np.array([study in number_of for study in block.study.tolist()], dtype=bool)
        if not keep.any():
            continue
        study: NDArray[np.int64] = block.study[keep]
        q = block.y.shape[1]
        design = np.zeros((study.size, q, column))
        for row, one in enumerate(study.tolist()):
            first = start[number_of[one]]
            design[row, np.arange(q), first + np.arange(q)] = 1.0
        made.append(Block(study, block.y[keep], block.covariance[keep], design))
    return tuple(made)
