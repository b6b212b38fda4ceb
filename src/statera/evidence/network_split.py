"""Direct against indirect evidence: back-calculation (SIDE) and node-splitting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from statera.errors import InputError, NumericalError
from statera.evidence.network_fit import (
    NetworkResult,
    degrees_of_freedom,
    estimate_tau2,
    reduced_blocks,
)
from statera.evidence.network_gls import Block, fit_blocks

__all__ = ["SplitRow", "reduced_weights", "side_split", "split_node"]

Floats = NDArray[np.float64]
_ALL_DIRECT = 1 - 1e-9


@dataclass(frozen=True)
class SplitRow:
    """Evidence on one pair: all, direct, indirect, and their difference; NaN where there is none.

    `share` is the part of the evidence that is direct, `studies` how many compare the pair.
    """

    label: str
    studies: int
    share: float
    estimate: float
    se: float
    direct: float
    direct_se: float
    indirect: float
    indirect_se: float
    difference: float
    difference_se: float
    z: float
    p: float


def _row(
    label: str,
    studies: int,
    whole: tuple[float, float],
    direct: tuple[float, float],
    share: float,
    indirect: tuple[float, float],
) -> SplitRow:
    difference = direct[0] - indirect[0]
    se = float(np.hypot(direct[1], indirect[1]))
    z = difference / se
    return SplitRow(
        label, studies, share, *whole, *direct, *indirect, difference, se, z,
        float(2 * ndtr(-abs(z))),
    )  # fmt: skip


def side_split(result: NetworkResult) -> tuple[SplitRow, ...]:
    """Return direct and indirect evidence of every pair by back-calculation.

    The direct estimate pools the contrasts of the pair with the tau2 of the network; the indirect
    one is what must be added to it to give the network's (Koenig, Krahn and Binder 2013,
    doi 10.1002/sim.6001).
    """
    data, n = result.data, len(result.data.treatments)
    nan = float("nan")
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            whole = float(result.random.estimate[i, j]), float(result.random.se[i, j])
            forward = (data.first == i) & (data.second == j)
            back = (data.first == j) & (data.second == i)
            weight = (forward | back) / (data.v + result.tau2)
            sign = np.where(forward, 1.0, -1.0)
            label = f"{data.treatments[i]} vs {data.treatments[j]}"
            total, k = float(weight.sum()), int((forward | back).sum())
            if k == 0:
                rows.append(_row(label, 0, whole, (nan, nan), 0.0, whole))
                continue
            direct = float((weight * sign * data.y).sum()) / total, total**-0.5
            share = whole[1] ** 2 / direct[1] ** 2
            indirect = nan, nan
            if share < _ALL_DIRECT:
                left = whole[1] ** -2 - total
                indirect = (whole[0] / whole[1] ** 2 - direct[0] * total) / left, left**-0.5
            rows.append(_row(label, k, whole, direct, share, indirect))
    return tuple(rows)


def split_node(result: NetworkResult, first: str, second: str) -> SplitRow:
    """Return direct and indirect evidence of a pair by a model with one parameter more.

    In studies that compare the pair the effect differs by that parameter, half of it put on
    either arm, so that studies of several arms do not depend on their base arm (White 2015,
    network sidesplit, symmetrical form). tau2 is estimated anew.

    Raises
    ------
    InputError
        Where no study compares the pair, or no evidence is left without those studies.
    """
    data = result.data
    for name in (first, second):
        if name not in data.treatments:
            raise InputError(
                f"treatment {name} is not in the network",
                where="node to split",
                hint=f"Use two of {', '.join(data.treatments)}.",
            )
    a, b = data.treatments.index(first), data.treatments.index(second)
    reference = data.treatments.index(result.reference)
    direct_studies = {s for s in range(len(data.studies)) if {a, b} <= set(data.arms_of(s))}
    if a == b or not direct_studies:
        raise InputError(
            f"no study compares {first} with {second}",
            where="node to split",
            hint="Split only pairs with direct evidence.",
        )
    blocks = tuple(
        _with_difference(block, a, b, reference, direct_studies)
        for block in reduced_blocks(data, reference)
    )
    try:
        tau2 = estimate_tau2(blocks, degrees_of_freedom(blocks), result.options.tau2)
        fit = fit_blocks(blocks, tau2)
    except NumericalError as error:
        raise InputError(
            f"{first} and {second} have no indirect evidence",
            where="node to split",
            hint="Split only pairs that other studies also join.",
        ) from error
    contrast = np.zeros(fit.beta.size)
    for arm, sign in ((a, 1.0), (b, -1.0)):
        if arm != reference:
            contrast[arm - (arm > reference)] = sign
    with_difference = contrast.copy()
    with_difference[-1] = 1.0
    values = [
        (float(c @ fit.beta), float(np.sqrt(c @ fit.cov @ c)))
        for c in (with_difference, contrast, np.eye(fit.beta.size)[-1])
    ]
    direct, indirect, difference = values
    z = difference[0] / difference[1]
    share = direct[1] ** -2 / (direct[1] ** -2 + indirect[1] ** -2)
    whole = float(result.random.estimate[a, b]), float(result.random.se[a, b])
    return SplitRow(
        f"{first} vs {second}", len(direct_studies), share, *whole, *direct, *indirect,
        *difference, z, float(2 * ndtr(-abs(z))),
    )  # fmt: skip


def _with_difference(
    block: Block, a: int, b: int, reference: int, direct_studies: set[int]
) -> Block:
    """Return the block with a column for the difference of direct and indirect evidence."""
    full = np.insert(block.design, reference, 0.0, axis=2)
    # contrasts sum to zero over arms, which restores the column of the reference
    full[:, :, reference] = -full.sum(axis=2)
    column = 0.5 * (full[:, :, a] - full[:, :, b])
    column[[s not in direct_studies for s in block.study.tolist()]] = 0.0
    design = np.concatenate([full, column[:, :, None]], axis=2)
    return replace(block, design=np.delete(design, reference, axis=2))


def reduced_weights(variance: Floats) -> Floats:
    """Return the reduced weights of a study of several arms, (m, m), zero on the diagonal.

    They are minus the off-diagonals of the pseudo-inverse of -1/2 B R B, R the variances of all
    pairs (tau2 already added) and B the centring matrix; their square roots' reciprocals are the
    adjusted standard errors that netmeta prints (doi 10.1002/jrsm.1058).
    """
    m = variance.shape[0]
    centre = np.eye(m) - 1.0 / m
    weight = -np.linalg.pinv(-0.5 * centre @ variance @ centre)
    np.fill_diagonal(weight, 0.0)
    return weight
