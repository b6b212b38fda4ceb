"""Networks of rare events: no continuity correction, common effects on the log odds ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import expit

from statera.errors import InputError, NumericalError
from statera.evidence.network_data import NetworkData, connected_parts, network_from_contrasts
from statera.evidence.network_fit import NetworkOptions, NetworkResult, network

__all__ = ["RareNetwork", "binomial_network", "mantel_haenszel_network"]

Floats = NDArray[np.float64]
_STEPS = 100


@dataclass(frozen=True)
class RareNetwork:
    """Log odds ratios of rows against columns, (n, n), with standard errors and intervals.

    `notes` names the studies left out, which tell nothing of an odds ratio.
    """

    treatments: tuple[str, ...]
    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    loglik: float
    notes: tuple[str, ...]


def mantel_haenszel_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    patients: ArrayLike,
    *,
    reference: str | None = None,
    level: float = 0.95,
) -> NetworkResult:
    """Pool each comparison by Mantel-Haenszel, then join the comparisons with common effects.

    For studies of two arms. The variance is that of Robins, Breslow and Greenland
    (doi 10.2307/2531052); the two steps are those of Efthimiou 2019 (doi 10.1002/sim.8158). The
    rows of the result's data are comparisons, so that its Q tests inconsistency between them; read
    its common effects.

    Raises
    ------
    InputError
        For studies of more arms (use `binomial_network`), or a comparison without events on one
        side, of which Mantel-Haenszel gives no finite estimate.
    """
    arms, notes = _informative(studies, treatments, events, patients)
    tables: dict[tuple[str, str], list[tuple[float, float, float, float]]] = {}
    size: dict[str, float] = {}
    for study, rows in arms.items():
        if len(rows) != 2:
            raise InputError(
                f"it has {len(rows)} arms, and Mantel-Haenszel is built for two",
                where=f"study {study}",
                hint="Use the binomial model for networks with studies of more arms.",
            )
        (one, a, n), (two, c, m) = sorted(rows)
        tables.setdefault((one, two), []).append((a, n, c, m))
        size[one], size[two] = size.get(one, 0.0) + n, size.get(two, 0.0) + m
    pairs = sorted(tables)
    pooled = [_mantel_haenszel(pair, np.array(tables[pair])) for pair in pairs]
    data = network_from_contrasts(
        [f"{one}:{two}" for one, two in pairs],
        [one for one, _ in pairs],
        [two for _, two in pairs],
        [value for value, _ in pooled],
        [variance for _, variance in pooled],
        measure="OR",
        log=True,
        patients=size,
        notes=notes,
    )
    return network(data, NetworkOptions(tau2="DL", reference=reference, level=level))


def _mantel_haenszel(pair: tuple[str, str], table: Floats) -> tuple[float, float]:
    """Return the log odds ratio and its variance from rows of events and patients, (k, 4)."""
    a, n, c, m = table.T
    b, d, total = n - a, m - c, n + m
    r, s = a * d / total, b * c / total
    if not (r.sum() > 0 and s.sum() > 0):
        raise InputError(
            f"the odds ratio of {pair[0]} against {pair[1]} is not finite: one side has no event",
            where="network",
            hint="Leave this comparison out, or pool by a method with a continuity correction.",
        )
    p, q = (a + d) / total, (b + c) / total
    variance = (
        (p * r).sum() / (2 * r.sum() ** 2)
        + (p * s + q * r).sum() / (2 * r.sum() * s.sum())
        + (q * s).sum() / (2 * s.sum() ** 2)
    )
    return float(np.log(r.sum() / s.sum())), float(variance)


def binomial_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.95,
) -> RareNetwork:
    """Fit binomial counts with an effect for each study and for each treatment (common effects).

    Logistic regression by maximum likelihood, for any number of arms, without correction of empty
    cells. With very many sparse studies the study effects bias it away from no effect.

    Raises
    ------
    InputError
        For a network in several parts, or treatments whose odds ratio is not finite because all
        their arms are without events or without anything else.
    """
    arms, notes = _informative(studies, treatments, events, patients)
    rows = [(study, *arm) for study, group in arms.items() for arm in group]
    names, trials = tuple(sorted({row[1] for row in rows})), list(arms)
    n = np.array([row[3] for row in rows])
    count = np.array([row[2] for row in rows])
    _check_joined(arms)
    for name in names:
        own = np.array([row[1] == name for row in rows])
        if count[own].sum() in (0.0, n[own].sum()):
            raise InputError(
                f"its {int(own.sum())} arms hold {count[own].sum():g} events of "
                f"{n[own].sum():g}: its odds ratio is not finite",
                where=f"treatment {name}",
                hint="Leave the treatment out, or use a continuity correction.",
            )
    design = np.zeros((len(rows), len(trials) + len(names) - 1))
    for i, row in enumerate(rows):
        design[i, trials.index(row[0])] = 1.0
        if row[1] != names[0]:
            design[i, len(trials) + names.index(row[1]) - 1] = 1.0
    beta, cov, loglik = _logistic(design, count, n)
    d = np.insert(beta[len(trials) :], 0, 0.0)
    inner = np.insert(np.insert(cov[len(trials) :, len(trials) :], 0, 0.0, axis=0), 0, 0.0, axis=1)
    diagonal = np.diag(inner)
    estimate = d[:, None] - d[None, :]
    se = np.sqrt(np.maximum(diagonal[:, None] + diagonal[None, :] - 2 * inner, 0.0))
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return RareNetwork(names, estimate, se, estimate - half, estimate + half, loglik, tuple(notes))


def _logistic(design: Floats, count: Floats, n: Floats) -> tuple[Floats, Floats, float]:
    """Return estimates, covariance and log-likelihood (without the binomial coefficients)."""
    beta = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = expit(design @ beta)
        information = design.T @ ((n * p * (1 - p))[:, None] * design)
        step = np.linalg.lstsq(information, design.T @ (count - n * p), rcond=None)[0]
        step = step / max(1.0, float(np.abs(step).max()) / 2)
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            eta = design @ beta
            loglik = float((count * eta - n * np.logaddexp(0.0, eta)).sum())
            cov = np.asarray(np.linalg.inv(information), dtype=np.float64)
            return beta, cov, loglik
    raise NumericalError(
        "the binomial model does not settle: some odds ratio is not finite",
        where="network",
        hint="Look for comparisons in which one side has no event.",
    )


def _informative(
    studies: Sequence[str], treatments: Sequence[str], events: ArrayLike, patients: ArrayLike
) -> tuple[dict[str, list[tuple[str, float, float]]], list[str]]:
    """Return arms by study without the studies that tell nothing, and notes of those."""
    count, size = np.asarray(events, dtype=np.float64), np.asarray(patients, dtype=np.float64)
    bad = ~((count >= 0) & (count <= size) & (size > 0))
    if bool(bad.any()):
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{count[row]:g} events of {size[row]:g} patients on {treatments[row]} cannot be",
            where=f"study {studies[row]}",
            hint="Check the counts of this arm.",
        )
    arms: dict[str, list[tuple[str, float, float]]] = {}
    for study, treatment, a, n in zip(studies, treatments, count, size, strict=True):
        arms.setdefault(study, []).append((treatment, float(a), float(n)))
    notes = []
    for study, rows in list(arms.items()):
        total = sum(a for _, a, _ in rows)
        if total in (0.0, sum(n for _, _, n in rows)):
            what = "no event in any arm" if total == 0 else "nothing but events"
            notes.append(f"Study {study} has {what} and is left out: it tells nothing of a ratio.")
            del arms[study]
    if not arms:
        raise InputError(
            "no study is left that has events in some arm",
            where="network",
            hint="Use a risk difference, or studies with events.",
        )
    return arms, notes


def _check_joined(arms: dict[str, list[tuple[str, float, float]]]) -> None:
    """Refuse a network in several parts by name."""
    pairs = [(s, rows[i][0], rows[j][0]) for s, rows in arms.items()
             for i in range(len(rows)) for j in range(i + 1, len(rows))]  # fmt: skip
    one = np.ones(len(pairs))
    joined: NetworkData = network_from_contrasts(
        [s for s, _, _ in pairs], [a for _, a, _ in pairs], [b for _, _, b in pairs], 0 * one, one
    )
    parts = connected_parts(joined)
    if len(parts) > 1:
        named = "; ".join(", ".join(part) for part in parts)
        raise InputError(
            f"the network falls into {len(parts)} parts that no study joins: {named}",
            where="network",
            hint="Fit each part alone.",
        )
