"""Networks from arms: events, events in person-time, or means and deviations, to contrasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from statera.errors import InputError
from statera.evidence.network_data import NetworkData, network_from_contrasts

__all__ = ["network_from_counts", "network_from_means", "network_from_rates"]

Floats = NDArray[np.float64]


def network_from_counts(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    patients: ArrayLike,
    *,
    measure: str = "OR",
    increment: float = 0.5,
) -> NetworkData:
    """Build a network from events and patients by arm.

    Parameters
    ----------
    events, patients : (arms,)
        Counts of each arm.
    measure
        ``OR``, ``RR`` or ``RD``.
    increment
        Added to the events and to the non-events of every arm of a study with an empty cell. A
        study without any event, or with nothing but events, tells nothing of a ratio and is left
        out with a note.

    Raises
    ------
    InputError
        For an unknown measure, counts that are not possible, or no usable study.
    """
    count, size = np.asarray(events, dtype=np.float64), np.asarray(patients, dtype=np.float64)
    if measure not in ("OR", "RR", "RD"):
        raise InputError(
            f"measure {measure} is not known for counts", where="network", hint="Use OR, RR or RD."
        )
    if bool(((count < 0) | (count > size) | (size <= 0)).any()):
        bad = int(np.flatnonzero((count < 0) | (count > size) | (size <= 0))[0])
        raise InputError(
            f"{count[bad]:g} events of {size[bad]:g} patients on {treatments[bad]} cannot be",
            where=f"study {studies[bad]}",
            hint="Check the counts of this arm.",
        )
    count, total, used, notes = _without_empty_cells(studies, count, size, measure, increment)
    share = count / total
    if measure == "OR":
        value, variance = np.log(count / (total - count)), 1 / count + 1 / (total - count)
    elif measure == "RR":
        value, variance = np.log(share), 1 / count - 1 / total
    else:
        value, variance = share, share * (1 - share) / total
    return _from_arms(
        studies, treatments, value, variance, size, used, measure, measure != "RD", notes
    )


def network_from_rates(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    time: ArrayLike,
    *,
    measure: str = "IRR",
    increment: float = 0.5,
) -> NetworkData:
    """Build a network from events in person-time by arm.

    Parameters
    ----------
    events, time : (arms,)
        Events and person-time of each arm.
    measure
        ``IRR`` or ``IRD``.
    increment
        Added to the events of every arm of a study in which some arm has none. A study without
        any event tells nothing of a ratio and is left out with a note.

    Raises
    ------
    InputError
        For an unknown measure, counts that are not possible, or no usable study.
    """
    count, total = np.asarray(events, dtype=np.float64), np.asarray(time, dtype=np.float64)
    if measure not in ("IRR", "IRD"):
        raise InputError(
            f"measure {measure} is not known for rates", where="network", hint="Use IRR or IRD."
        )
    bad = ~((count >= 0) & (total > 0))
    if bool(bad.any()):
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{count[row]:g} events in {total[row]:g} of person-time on {treatments[row]} cannot "
            "be",
            where=f"study {studies[row]}",
            hint="Check the counts of this arm.",
        )
    name, count = np.array(studies), count.copy()
    used, notes = np.ones(count.size, dtype=bool), []
    for study in dict.fromkeys(studies):
        rows = name == study
        if measure == "IRR" and not count[rows].any():
            used[rows] = False
            notes.append(
                f"Study {study} has no event in any arm and is left out: it tells nothing of a "
                "ratio."
            )
        elif bool((count[rows] == 0).any()):
            count[rows] += increment
            notes.append(f"Study {study} has an arm without events: {increment:g} added to each.")
    count[~used] = 1.0  # values of arms left out are never read: keep them computable
    if measure == "IRR":
        value, variance = np.log(count / total), 1 / count
    else:
        value, variance = count / total, count / total**2
    return _from_arms(
        studies, treatments, value, variance, None, used, measure, measure == "IRR", notes
    )


def network_from_means(
    studies: Sequence[str],
    treatments: Sequence[str],
    mean: ArrayLike,
    sd: ArrayLike,
    patients: ArrayLike,
    *,
    measure: str = "MD",
) -> NetworkData:
    """Build a network from mean, standard deviation and patients by arm.

    Parameters
    ----------
    measure
        ``MD``; ``SMD``, Hedges' g with the standard deviation pooled over all arms of a study
        (Gleser and Olkin 2009), so that its contrasts agree with each other; or ``ROM``, the log
        ratio of means with its correction of bias.

    Raises
    ------
    InputError
        For an unknown measure, deviations that are not positive, or a mean without a logarithm.
    """
    size, value = np.asarray(patients, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    spread = np.asarray(sd, dtype=np.float64)
    if measure not in ("MD", "SMD", "ROM"):
        raise InputError(
            f"measure {measure} is not known for means", where="network", hint="MD, SMD or ROM."
        )
    bad = ~((spread > 0) & (size > 0) & ((measure != "ROM") | (value > 0)))
    if bool(bad.any()):
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"mean {value[row]:g} with deviation {spread[row]:g} of {size[row]:g} patients on "
            f"{treatments[row]} cannot be used for {measure}",
            where=f"study {studies[row]}",
            hint="Deviations and patients are above zero, and means too for ratios.",
        )
    used, variance = np.ones(size.size, dtype=bool), spread**2 / size
    bend = np.zeros(size.size)
    if measure == "ROM":
        relative = variance / value**2
        value, variance = np.log(value) + relative / 2, relative
    if measure == "SMD":
        name = np.array(studies)
        for study in dict.fromkeys(studies):
            rows = name == study
            df = float((size[rows] - 1).sum())
            if df <= 1:
                raise InputError(
                    "too few patients to pool a standard deviation",
                    where=f"study {study}",
                    hint="Leave the study out.",
                )
            pooled = np.sqrt(((size[rows] - 1) * spread[rows] ** 2).sum() / df)
            exact = np.exp(gammaln(df / 2) - np.log(np.sqrt(df / 2)) - gammaln((df - 1) / 2))
            value = np.where(rows, exact * value / pooled, value)
            bend[rows] = 0.5 / size[rows].sum()
        variance = 1 / size
    return _from_arms(
        studies, treatments, value, variance, size, used, measure, measure == "ROM", [], bend
    )


def _without_empty_cells(
    studies: Sequence[str], count: Floats, size: Floats, measure: str, increment: float
) -> tuple[Floats, Floats, NDArray[np.bool_], list[str]]:
    """Return corrected counts and totals, the arms used, and notes of both."""
    name = np.array(studies)
    count, total, used = count.copy(), size.copy(), np.ones(size.size, dtype=bool)
    notes = []
    for study in dict.fromkeys(studies):
        rows = name == study
        none, all_of = bool((count[rows] == 0).all()), bool((count[rows] == total[rows]).all())
        if (none or all_of) and measure != "RD":
            used[rows] = False
            what = "no event in any arm" if none else "nothing but events"
            notes.append(f"Study {study} has {what} and is left out: it tells nothing of a ratio.")
            continue
        if bool(((count[rows] == 0) | (count[rows] == total[rows])).any()):
            count[rows] += increment
            total[rows] += 2 * increment
            notes.append(f"Study {study} has an empty cell: {increment:g} added to its cells.")
    # values of arms left out are never read: keep them computable
    count[~used], total[~used] = 1.0, 2.0
    return count, total, used, notes


def _from_arms(
    studies: Sequence[str],
    treatments: Sequence[str],
    value: Floats,
    variance: Floats,
    size: Floats | None,
    used: NDArray[np.bool_],
    measure: str,
    log: bool,
    notes: Sequence[str],
    bend: Floats | None = None,
) -> NetworkData:
    """Turn arms into all contrasts within studies; `bend` times their squares adds variance."""
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(used).tolist():
        rows.setdefault(studies[row], []).append(row)
    pairs = []
    for study, arms in rows.items():
        if len(arms) < 2:
            raise InputError(
                "a study with one arm compares nothing",
                where=f"study {study}",
                hint="Give at least two arms a study, or leave it out.",
            )
        names = [treatments[row] for row in arms]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(
                f"{twice[0]} stands twice in it",
                where=f"study {study}",
                hint="Pool the arms of one treatment, or name them apart (by dose, for instance).",
            )
        pairs += [(study, a, b) for i, a in enumerate(arms) for b in arms[i + 1 :]]
    if not pairs:
        raise InputError(
            "no study is left that compares treatments",
            where="network",
            hint="Use a difference of risks or rates, or penalise the likelihood (Firth).",
        )
    left, right = [a for _, a, _ in pairs], [b for _, _, b in pairs]
    patients: dict[str, float] = {}
    if size is not None:
        for row in np.flatnonzero(used).tolist():
            patients[treatments[row]] = patients.get(treatments[row], 0.0) + float(size[row])
    difference = value[left] - value[right]
    spread = variance[left] + variance[right]
    if bend is not None:
        spread = spread + bend[left] * difference**2
    return network_from_contrasts(
        [study for study, _, _ in pairs],
        [treatments[a] for a in left],
        [treatments[b] for b in right],
        difference,
        spread,
        measure=measure,
        log=log,
        patients=patients,
        notes=notes,
    )
