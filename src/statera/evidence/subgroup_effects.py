"""Subgroups by any method of pooling, and the test between them.

The test is the weighted sum of squares of the means of the subgroups, by chi-square (Borenstein
and others, Introduction to Meta-Analysis, 2009, chapter 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from statera.errors import InputError, StateraError
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseResult
from statera.evidence.pooled_effect import PooledEffect, pooled_by_pairwise
from statera.evidence.print_cells import number_text, p_text, percent_text, table_text
from statera.evidence.synthesis import Synthesis, synthesise

__all__ = ["SubgroupEffects", "print_subgroup_effects", "subgroup_effects"]


@dataclass(frozen=True)
class SubgroupEffects:
    """Pooled effects of subgroups.

    Attributes
    ----------
    names
        In order of appearance.
    labels
        Subgroup of each study of the table.
    pooled
        One effect a subgroup, or why there is none.
    q_between, df, p_value
        Test that all subgroups have one mean; NaN where fewer than two could be pooled.
    common_tau2
        Variance between studies that all subgroups share; None where each has its own.
    notes
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    pooled: tuple[PooledEffect | str, ...]
    q_between: float
    df: int
    p_value: float
    common_tau2: float | None = None
    notes: tuple[str, ...] = ()


def subgroup_effects(
    found: Synthesis, labels: Sequence[str], *, common_tau2: bool = False
) -> SubgroupEffects:
    """Pool each subgroup as all studies were pooled, and test whether they differ.

    Parameters
    ----------
    found
        Of all studies.
    labels
        Subgroup of each study of ``found.effects``.
    common_tau2
        Inverse variances: estimate one tau2 from the spread within all subgroups, for small ones.

    Raises
    ------
    InputError
        If a label is missing, or one tau2 is asked of another method.
    """
    effects = found.effects
    if len(labels) != len(effects):
        raise InputError(
            f"{len(labels)} names of subgroups for {len(effects)} studies", where="groups"
        )
    names = tuple(dict.fromkeys(labels))
    tau2 = None
    if common_tau2 and len(names) > 1:
        if not isinstance(found.detail, PairwiseResult) or found.options.pairwise.is_common:
            raise InputError(
                "one tau2 of all subgroups is made for random effects by inverse variances",
                where="common tau2",
            )
        tau2 = pairwise(effects, found.options.pairwise, {"group": list(labels)}).tau2
        tau2 = None if math.isnan(tau2) else tau2
    pooled = tuple(_one(found, labels, name, tau2) for name in names)
    there = [p for p in pooled if isinstance(p, PooledEffect)]
    q, df, p_value = math.nan, max(len(there) - 1, 0), math.nan
    if df > 0:
        mean = np.array([p.estimate for p in there])
        w = 1.0 / np.array([p.se for p in there]) ** 2
        q = float(w @ (mean - (w @ mean) / w.sum()) ** 2)
        p_value = float(chdtrc(df, q))
    notes = tuple(
        f"subgroup '{name}' has one study, whose error takes no spread between studies into account"
        for name, p in zip(names, pooled, strict=True)
        if isinstance(p, PooledEffect) and p.k == 1 and p.random and tau2 is None
    )
    return SubgroupEffects(names, tuple(labels), pooled, q, df, p_value, tau2, notes)


def _one(
    found: Synthesis, labels: Sequence[str], name: str, tau2: float | None
) -> PooledEffect | str:
    rows = [i for i, label in enumerate(labels) if label == name]
    part = replace(found.effects.take(rows), notes=())
    try:
        if tau2 is not None:
            result = pairwise(part, found.options.pairwise, fixed_tau2=tau2)
            if not math.isfinite(result.estimate):
                return str(result.status)
            return pooled_by_pairwise(result)
        return synthesise(part, replace(found.options, tau2_interval=False)).pooled
    except StateraError as error:
        return error.what


def print_subgroup_effects(
    found: SubgroupEffects, overall: PooledEffect, *, digits: int = 4
) -> str:
    """Return the subgroups, a row each, and the test between them."""
    rows: list[tuple[str, ...]] = [
        ("subgroup", "k", "estimate", "se", "ci.lb", "ci.ub", "tau^2", "I^2")
    ]
    reasons = ""
    for name, one in zip((*found.names, "all"), (*found.pooled, overall), strict=True):
        if isinstance(one, str):
            rows.append((name, *("NA",) * 7))
            reasons += f"\n{name}: {one}"
            continue
        values = (one.estimate, one.se, one.low, one.high, one.tau2)
        numbers = [number_text(x, digits) for x in values]
        rows.append((name, str(one.k), *numbers, percent_text(one.i2)))
    text = table_text(rows, ("subgroup",)) + reasons
    if found.df > 0:
        text += (
            f"\n\nTest between subgroups:\nQM(df = {found.df}) = "
            f"{number_text(found.q_between, digits)}, p-val {p_text(found.p_value, digits)}"
        )
    notes = "\n".join(f"Note: {note}." for note in found.notes)
    return text + (f"\n\n{notes}" if notes else "") + "\n"
