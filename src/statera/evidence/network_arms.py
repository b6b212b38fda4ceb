"""Networks from arms: events and patients, or means and deviations, to contrasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.evidence.network_data import NetworkData, network_from_contrasts

__all__ = ["network_from_counts", "network_from_means"]

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


def network_from_means(
    studies: Sequence[str],
    treatments: Sequence[str],
    mean: ArrayLike,
    sd: ArrayLike,
    patients: ArrayLike,
) -> NetworkData:
    """Build a network of mean differences from mean, standard deviation and patients by arm."""
    size = np.asarray(patients, dtype=np.float64)
    variance = np.asarray(sd, dtype=np.float64) ** 2 / size
    used = np.ones(size.size, dtype=bool)
    value = np.asarray(mean, dtype=np.float64)
    return _from_arms(studies, treatments, value, variance, size, used, "MD", False, [])


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
    size: Floats,
    used: NDArray[np.bool_],
    measure: str,
    log: bool,
    notes: Sequence[str],
) -> NetworkData:
    """Turn arms into all contrasts within studies."""
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
        pairs += [(study, a, b) for i, a in enumerate(arms) for b in arms[i + 1 :]]
    if not pairs:
        raise InputError(
            "no study is left that compares treatments",
            where="network",
            hint="Use a method without continuity correction, or a risk difference.",
        )
    left, right = [a for _, a, _ in pairs], [b for _, _, b in pairs]
    patients: dict[str, float] = {}
    for row in np.flatnonzero(used).tolist():
        patients[treatments[row]] = patients.get(treatments[row], 0.0) + float(size[row])
    return network_from_contrasts(
        [study for study, _, _ in pairs],
        [treatments[a] for a in left],
        [treatments[b] for b in right],
        value[left] - value[right],
        variance[left] + variance[right],
        measure=measure,
        log=log,
        patients=patients,
        notes=notes,
    )
