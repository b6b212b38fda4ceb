"""Several outcomes of the same studies pooled together, with an assumed correlation in studies.

Papers rarely print how the errors of two outcomes hang together; the correlation is therefore
given, and the result should be looked at for several values of it (Riley, JRSS A 2009;172:789, on
what ignoring it does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statera.errors import InputError, UsageError
from statera.evidence.effects import Effects
from statera.evidence.multivariate import (
    MultivariateResult,
    Structure,
    multivariate,
    tau2_intervals,
)
from statera.evidence.pairwise_result import PairwiseOptions
from statera.evidence.pooled_effect import PooledEffect

__all__ = ["JointOutcomes", "joint_outcomes"]


@dataclass(frozen=True)
class JointOutcomes:
    """The joint synthesis.

    Attributes
    ----------
    result
    pooled
        One effect an outcome, in the order of ``result.outcomes``.
    tau2_intervals
        Profile likelihood, one an outcome.
    effects
        Rows used.
    outcome
        Of each row used.
    omitted
        Name and reason of rows left out.
    notes
    """

    result: MultivariateResult
    pooled: tuple[PooledEffect, ...]
    tau2_intervals: tuple[tuple[float, float], ...]
    effects: Effects
    outcome: tuple[str, ...]
    omitted: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def joint_outcomes(
    effects: Effects,
    outcome: Sequence[str],
    correlation: float,
    options: PairwiseOptions | None = None,
    structure: Structure | str = Structure.UNSTRUCTURED,
) -> JointOutcomes:
    """Pool several outcomes together.

    Parameters
    ----------
    effects
        A row a study and outcome; rows with one name are one study.
    outcome
        Of each row.
    correlation
        Of the sampling errors of two outcomes of one study, assumed the same everywhere.
    options
        REML or ML, and the level.
    structure
        UN, CS or DIAG over outcomes.

    Raises
    ------
    InputError
        If fewer than two outcomes have two studies each, or a study has an outcome twice.
    """
    chosen = options or PairwiseOptions()
    if not -1.0 < correlation < 1.0:
        raise InputError(
            f"a correlation of {correlation:g} is not between -1 and 1", where="correlation"
        )
    if str(chosen.tau2) not in ("REML", "ML"):
        raise UsageError(
            f"several outcomes are fitted by REML or ML, not {chosen.tau2}", where="tau2",
            hint="Choose one of these.",
        )  # fmt: skip
    kept = [int(i) for i in np.flatnonzero(effects.is_usable)]
    used, names = effects.take(kept), tuple(str(outcome[i]) for i in kept)
    few = [n for n in dict.fromkeys(names) if names.count(n) < 2]
    if few or len(set(names)) < 2:
        raise InputError(
            f"outcome '{few[0]}' has one study" if few else "there is one outcome only",
            where="outcome",
            hint="Pool together outcomes that have two studies or more each.",
        )
    same = np.array(used.names)[:, None] == np.array(used.names)[None, :]
    v = np.where(same, correlation, 0.0) * np.outer(used.se, used.se)
    v[np.diag_indices(len(used))] = used.v
    found = multivariate(
        used.y, v, used.names, names, structure=structure, method=str(chosen.tau2),
        level=chosen.level,
    )  # fmt: skip
    intervals = tau2_intervals(found, used.y, v, used.names, names, level=chosen.level)
    alone = [n for n in dict.fromkeys(used.names) if used.names.count(n) == 1]
    notes: tuple[str, ...] = (
        f"errors of two outcomes of one study were taken to correlate by {correlation:g}",
    )
    if alone:
        notes += (f"studies that report one outcome only: {len(alone)}",)
    return JointOutcomes(
        found,
        tuple(_pooled(found, i, used, names, intervals, chosen.level)
              for i in range(len(found.outcomes))),
        intervals, used, names, effects.omitted(), effects.notes + notes,
    )  # fmt: skip


def _pooled(
    found: MultivariateResult, i: int, used: Effects, names: Sequence[str],
    intervals: Sequence[tuple[float, float]], level: float,
) -> PooledEffect:  # fmt: skip
    rows = [j for j, name in enumerate(names) if name == found.outcomes[i]]
    return PooledEffect(
        used.take(rows), f"with the other outcomes, {found.method}, Wald", float(found.beta[i]),
        float(found.se[i]), float(found.low[i]), float(found.high[i]), float(found.p[i]), level,
        float(found.z[i]), tau2=float(found.tau2[i]), tau2_interval=intervals[i],
    )  # fmt: skip
