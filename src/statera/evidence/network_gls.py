"""Generalised least squares over studies of several arms.

A study of m arms enters as m - 1 contrasts to its base arm with the covariance
(v_bi + v_bj - v_ij) / 2, which is the graph form written out (Ruecker 2012,
doi 10.1002/jrsm.1058). Between studies, tau2 stands on the diagonal and tau2 / 2 beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, NumericalError
from statera.evidence.network_data import NetworkData

__all__ = ["Block", "Fit", "blocks_of", "fit_blocks", "pseudo_design", "weights_of"]

Floats = NDArray[np.float64]
_INCONSISTENT = 0.01


@dataclass(frozen=True)
class Block:
    """Studies with the same number of arms.

    Attributes
    ----------
    study : (s,) int64
        Their positions.
    y : (s, q) float64
        Contrasts of arms to the base arm, q one less than the arms.
    covariance : (s, q, q) float64
        Within studies.
    design : (s, q, p) float64
        Rows of the design matrix.
    """

    study: NDArray[np.int64]
    y: Floats
    covariance: Floats
    design: Floats

    @property
    def spread(self) -> Floats:
        """Return the covariance of unit heterogeneity, (q, q): 1 and 1/2."""
        spread = np.full((self.y.shape[1],) * 2, 0.5)
        np.fill_diagonal(spread, 1.0)
        return spread


@dataclass(frozen=True)
class Fit:
    """A fit at a given tau2: estimates (p,), covariance (p, p), Q, log-likelihoods.

    The likelihoods are without their constants; `restricted` is that of REML.
    """

    beta: Floats
    cov: Floats
    q: float
    restricted: float
    likelihood: float


def blocks_of(data: NetworkData, base: int = 0) -> tuple[Block, ...]:
    """Return the studies as blocks; design over all treatments, base arm `base` where present.

    Raises
    ------
    InputError
        Where the contrasts of a study contradict each other, or its variances cannot belong to
        one study.
    """
    groups: dict[int, list[tuple[int, Floats, Floats, Floats]]] = {}
    for study in range(len(data.studies)):
        one = _study_block(data, study, base)
        groups.setdefault(one[1].size, []).append(one)
    return tuple(
        Block(
            np.array([one[0] for one in group], dtype=np.int64),
            np.stack([one[1] for one in group]),
            np.stack([one[2] for one in group]),
            np.stack([one[3] for one in group]),
        )
        for _, group in sorted(groups.items())
    )


def _study_block(data: NetworkData, study: int, base: int) -> tuple[int, Floats, Floats, Floats]:
    arms = list(data.arms_of(study))
    if base in arms:
        arms = [base, *(arm for arm in arms if arm != base)]
    place = {arm: i for i, arm in enumerate(arms)}
    m = len(arms)
    effect, variance = np.zeros((m, m)), np.zeros((m, m))
    for row in data.rows_of(study).tolist():
        i, j = place[int(data.first[row])], place[int(data.second[row])]
        effect[i, j], effect[j, i] = data.y[row], -data.y[row]
        variance[i, j] = variance[j, i] = data.v[row]
    level = effect.mean(axis=1)
    gap = float(np.abs(level[:, None] - level[None, :] - effect).max())
    if gap > _INCONSISTENT * max(1.0, float(np.abs(effect).max())):
        raise InputError(
            f"the contrasts of its {m} arms contradict each other by {gap:.3g}",
            where=f"study {data.studies[study]}",
            hint="Check signs and direction: A against C is A against B plus B against C.",
        )
    covariance = 0.5 * (variance[0, 1:, None] + variance[0, None, 1:] - variance[1:, 1:])
    if float(np.linalg.eigvalsh(covariance)[0]) <= 1e-12 * float(np.trace(covariance)):
        raise InputError(
            f"the variances of its {m} arms cannot belong to one study",
            where=f"study {data.studies[study]}",
            hint="Check the standard errors: no pair may be wider than the other two allow.",
        )
    design = np.zeros((m - 1, len(data.treatments)))
    design[:, arms[0]] = -1.0
    design[np.arange(m - 1), arms[1:]] = 1.0
    return study, level[1:] - level[0], covariance, design


def pseudo_design(blocks: tuple[Block, ...], columns: Floats) -> tuple[Block, ...]:
    """Return the blocks with design times `columns` (treatments by parameters)."""
    return tuple(replace(block, design=block.design @ columns) for block in blocks)


def weights_of(block: Block, tau2: float) -> Floats:
    """Return the inverse covariances of the studies of a block, (s, q, q)."""
    inverse = np.linalg.inv(block.covariance + tau2 * block.spread)
    return np.asarray(inverse, dtype=np.float64)


def _is_determined(cross: Floats) -> bool:
    """Return whether the information has full rank: by Cholesky, and where that fails by rank."""
    try:
        root = np.diag(np.linalg.cholesky(cross))
    except np.linalg.LinAlgError:
        return bool(np.linalg.matrix_rank(cross) == cross.shape[0])
    if float(root.min()) > 1e-6 * float(root.max()):
        return True
    return bool(np.linalg.matrix_rank(cross) == cross.shape[0])


def fit_blocks(blocks: tuple[Block, ...], tau2: float) -> Fit:
    """Fit by generalised least squares at `tau2`.

    Raises
    ------
    NumericalError
        Where the design does not determine its parameters.
    """
    p = blocks[0].design.shape[2]
    cross, right = np.zeros((p, p)), np.zeros(p)
    logdet = 0.0
    weights = [weights_of(block, tau2) for block in blocks]
    for block, weight in zip(blocks, weights, strict=True):
        carried = weight @ block.design
        flat = block.design.reshape(-1, p)
        cross += flat.T @ carried.reshape(-1, p)
        right += block.y.reshape(-1) @ carried.reshape(-1, p)
        logdet -= float(np.linalg.slogdet(weight)[1].sum())
    if not _is_determined(cross):
        raise NumericalError(
            f"the studies do not determine the {p} parameters of the network",
            where="network",
            hint="Look at the connected parts, or at components never given apart.",
        )
    cov = np.asarray(np.linalg.inv(cross), dtype=np.float64)
    beta: Floats = cov @ right
    q = 0.0
    for block, weight in zip(blocks, weights, strict=True):
        rest = block.y - block.design @ beta
        q += float(np.einsum("si,sij,sj->", rest, weight, rest))
    restricted = -0.5 * (logdet + float(np.linalg.slogdet(cross)[1]) + q)
    return Fit(beta, cov, q, restricted, -0.5 * (logdet + q))
