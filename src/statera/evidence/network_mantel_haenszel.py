"""Mantel-Haenszel odds ratios over a network, studies of several arms included.

Stage 1 pools within each design (a set of treatments compared in one study): the odds ratio of
each pair of arms by Mantel and Haenszel's weights with the size of the whole study, their average
over the ways through a third arm, which makes them agree with each other, and their covariance.
Stage 2 joins the designs by generalised least squares. Effects are common.

Methods
-------
Efthimiou and others, Stat Med 2019;38:2992 (doi 10.1002/sim.8158); covariances of several arms:
Greenland, Biometrics 1989;45:183; of two arms: Robins, Breslow and
Greenland, Biometrics 1986;42:311 (doi 10.2307/2531052).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.evidence.network_counts import ArmCounts, arm_counts, informative_studies
from statera.evidence.network_data import network_from_contrasts
from statera.evidence.network_fit import NetworkOptions, NetworkResult, network

__all__ = ["mantel_haenszel_design", "mantel_haenszel_network"]

Floats = NDArray[np.float64]


def mantel_haenszel_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    patients: ArrayLike,
    *,
    reference: str | None = None,
    level: float = 0.95,
) -> NetworkResult:
    """Pool the studies of each design by Mantel-Haenszel, then join the designs.

    No cell is corrected. Studies without events, or with nothing but events, are left out. Within
    a design an arm is left out that has no odds ratio with another arm of the design, because no
    study of it has events (or persons without one) on the two sides; each of these is noted.

    Returns
    -------
    NetworkResult
        Its rows are designs: Q tests whether they agree. `random` repeats `common`.

    Raises
    ------
    InputError
        For counts that cannot be, where no design is left, or for a network in several parts.
    """
    counts = informative_studies(arm_counts(studies, treatments, events, patients))
    rows: list[tuple[str, str, str, float, float]] = []
    notes = list(counts.notes)
    size: dict[str, float] = {}
    for arms, members in sorted(_designs(counts).items()):
        a = np.stack([counts.events[list(rows)] for rows in members])
        n = np.stack([counts.size[list(rows)] for rows in members])
        names = [counts.treatments[arm] for arm in arms]
        label = ":".join(names)
        keep, why = _usable_arms(a, n, names)
        if len(keep) < 2:
            notes.append(f"Design {label} is left out: it has no finite odds ratio.")
            continue
        notes += [f"Design {label}: {text}." for text in why]
        a, n, names = a[:, keep], n[:, keep], [names[i] for i in keep]
        effect, cov = mantel_haenszel_design(a, n)
        for i, name in enumerate(names):
            size[name] = size.get(name, 0.0) + float(n[:, i].sum())
            for j in range(i + 1, len(names)):
                variance = float(cov[i, i] + cov[j, j] - 2 * cov[i, j])
                rows.append((label, name, names[j], float(effect[i] - effect[j]), variance))
    if not rows:
        raise InputError(
            "no odds ratio is finite: in each design one side has no event",
            where="network",
            hint="Penalise the likelihood (Firth), or use a continuity correction.",
        )
    lost = sorted(set(counts.treatments) - set(size))
    notes += [f"{name} is left out: no design gives it a finite odds ratio." for name in lost]
    data = network_from_contrasts(
        [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
        [row[3] for row in rows], [row[4] for row in rows],
        measure="OR", log=True, patients=size, notes=notes,
    )  # fmt: skip
    return network(data, NetworkOptions(tau2="EE", reference=reference, level=level))


def _designs(counts: ArmCounts) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    """Return the rows of each study in the order of treatments, by design."""
    found: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for rows in counts.of_studies():
        ordered = rows[np.argsort(counts.treatment[rows])]
        design = tuple(counts.treatment[ordered].tolist())
        found.setdefault(design, []).append(tuple(ordered.tolist()))
    return found


def _usable_arms(a: Floats, n: Floats, names: list[str]) -> tuple[list[int], list[str]]:
    """Return the arms whose pairs all have a finite odds ratio, and why others are left out."""
    keep, why = list(range(a.shape[1])), []
    while len(keep) > 1:
        empty = _products(a[:, keep], n[:, keep]).sum(axis=0) == 0
        np.fill_diagonal(empty, False)
        lacking = (empty | empty.T).sum(axis=1)
        if not lacking.any():
            break
        # of arms that lack as many, the one with the fewest events or the fewest without one
        share = a[:, keep].sum(axis=0) / n[:, keep].sum(axis=0)
        order = sorted(
            range(len(keep)), key=lambda i: (-lacking[i], min(share[i], 1 - share[i]), i)
        )
        out = keep.pop(order[0])
        what = "no events" if a[:, out].sum() == 0 else "too few events"
        why.append(f"{names[out]} is left out, with {what} for a finite odds ratio")
    return keep, why


def _products(a: Floats, n: Floats) -> Floats:
    """Return c_ij = a_i b_j / N of each study, (k, m, m)."""
    return np.asarray(a[:, :, None] * (n - a)[:, None, :] / n.sum(axis=1)[:, None, None])


def mantel_haenszel_design(events: ArrayLike, size: ArrayLike) -> tuple[Floats, Floats]:
    """Pool studies with the same arms.

    Parameters
    ----------
    events, size : (k, m)
        Of each study and arm; every pair of arms needs events on either side in some study.

    Returns
    -------
    effect : (m,)
        Log odds of the arms up to a constant: differences are the generalised log odds ratios.
    covariance : (m, m)
        Theirs; only differences have a meaning.
    """
    a, n = np.asarray(events, dtype=np.float64), np.asarray(size, dtype=np.float64)
    c = _products(a, n)
    whole = c.sum(axis=0)
    m = whole.shape[0]
    ratio = np.log(np.where(np.eye(m, dtype=bool), 1.0, whole / whole.T))
    covariance = np.zeros((m, m))
    pair = _pair_covariances(a, n, whole)
    # the effect of an arm is the mean of its log odds ratios to all arms, itself included
    for i in range(m):
        covariance[i, i] = pair[i].sum()
        for j in range(m):
            if j != i:
                # ratios of i and of j share an arm: the other one, or a third
                shared = -pair[i, j, j]
                for h in range(m):
                    if h not in (i, j):
                        shared += pair[h, i, j] - pair[i, j, h] - pair[j, i, h]
                covariance[i, j] = shared
    return ratio.mean(axis=1), covariance / m**2


def _pair_covariances(a: Floats, n: Floats, whole: Floats) -> Floats:
    """Return the covariance of the log odds ratios i to j and i to h, (m, m, m)."""
    b, total = n - a, n.sum(axis=1)
    m = whole.shape[0]
    found = np.zeros((m, m, m))
    for i in range(m):
        for j in range(m):
            if j == i:
                continue
            up, down = a[:, i] * b[:, j] / total, a[:, j] * b[:, i] / total
            agree, differ = (a[:, i] + b[:, j]) / total, (a[:, j] + b[:, i]) / total
            found[i, j, j] = (
                (up * agree).sum() / (2 * whole[i, j] ** 2)
                + (up * differ + down * agree).sum() / (2 * whole[i, j] * whole[j, i])
                + (down * differ).sum() / (2 * whole[j, i] ** 2)
            )
            for h in range(m):
                if h in (i, j):
                    continue
                parts = (
                    (a[:, i] * b[:, j] * b[:, h], whole[i, j] * whole[i, h]),
                    (n[:, i] * b[:, j] * a[:, h], whole[i, j] * whole[h, i]),
                    (n[:, i] * a[:, j] * b[:, h], whole[j, i] * whole[i, h]),
                    (b[:, i] * a[:, j] * a[:, h], whole[j, i] * whole[h, i]),
                )
                found[i, j, h] = sum((x / total**2).sum() / (3 * w) for x, w in parts)
    return found
