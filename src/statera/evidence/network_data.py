"""A network of trials: contrasts between treatments, and what holds it together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = [
    "NetworkData",
    "connected_parts",
    "network_from_contrasts",
    "part_of_network",
    "studies_by_pair",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class NetworkData:
    """Contrasts of all studies: every pair of arms of every study once.

    Attributes
    ----------
    treatments
        Names in alphabetical order.
    studies
        Names in the order given.
    study, first, second : (m,) int64
        Study and the two treatments of each contrast, as positions.
    y, v : (m,) float64
        Effect of `first` against `second` (logarithms of ratios) and its variance.
    measure
        Code such as ``OR``; ``log`` is true where `y` are logarithms.
    patients
        Patients by treatment; empty where not known.
    notes
        What was left out or changed, as sentences.
    """

    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    study: Ints
    first: Ints
    second: Ints
    y: Floats
    v: Floats
    measure: str = ""
    log: bool = False
    patients: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "patients", MappingProxyType(dict(self.patients)))

    def rows_of(self, study: int) -> Ints:
        """Return the rows of a study by its position."""
        return np.flatnonzero(self.study == study)

    def arms_of(self, study: int) -> tuple[int, ...]:
        """Return the treatments of a study as sorted positions."""
        rows = self.rows_of(study)
        return tuple(sorted({*self.first[rows].tolist(), *self.second[rows].tolist()}))


def network_from_contrasts(
    studies: Sequence[str],
    first: Sequence[str],
    second: Sequence[str],
    y: ArrayLike,
    v: ArrayLike,
    *,
    measure: str = "",
    log: bool = False,
    patients: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> NetworkData:
    """Build a network from one row a contrast.

    Parameters
    ----------
    studies, first, second
        Study and the two treatments of each row.
    y, v
        Effect of `first` against `second` and its variance (squared standard error). A study of
        m arms gives all m (m - 1) / 2 contrasts.

    Raises
    ------
    InputError
        Where rows do not belong together: lengths, a variance that is not positive, a treatment
        against itself, a contrast given twice or missing.
    """
    effect, variance = np.asarray(y, dtype=np.float64), np.asarray(v, dtype=np.float64)
    lengths = {len(studies), len(first), len(second), effect.size, variance.size}
    if len(lengths) != 1 or effect.size == 0:
        raise InputError(
            f"studies, treatments, effects and variances have lengths {sorted(lengths)}",
            where="network",
            hint="Give one study, two treatments, an effect and a variance a row.",
        )
    for row, name in enumerate(studies):
        _check_row(name, first[row], second[row], float(effect[row]), float(variance[row]))
    treatments = tuple(sorted({*first, *second}))
    names = tuple(dict.fromkeys(studies))
    position = {name: place for place, name in enumerate(treatments)}
    place_of = {name: place for place, name in enumerate(names)}
    data = NetworkData(
        treatments,
        names,
        np.array([place_of[name] for name in studies], dtype=np.int64),
        np.array([position[name] for name in first], dtype=np.int64),
        np.array([position[name] for name in second], dtype=np.int64),
        effect,
        variance,
        measure,
        log,
        patients or {},
        tuple(notes),
    )
    for place in range(len(names)):
        _check_pairs(data, place)
    return data


def _check_row(study: str, first: str, second: str, y: float, v: float) -> None:
    if first == second:
        raise InputError(
            f"{first} is compared with itself",
            where=f"study {study}",
            hint="Name two different treatments.",
        )
    if not (np.isfinite(y) and np.isfinite(v) and v > 0):
        raise InputError(
            f"{first} against {second} has effect {y:g} with variance {v:g}",
            where=f"study {study}",
            hint="Give a finite effect and a variance above zero, or leave the study out.",
        )


def _check_pairs(data: NetworkData, study: int) -> None:
    """Refuse a study that gives a contrast twice or leaves one out."""
    rows = data.rows_of(study)
    pairs = {
        frozenset(pair)
        for pair in zip(data.first[rows].tolist(), data.second[rows].tolist(), strict=True)
    }
    arms = len(data.arms_of(study))
    if len(pairs) != rows.size or rows.size != arms * (arms - 1) // 2:
        raise InputError(
            f"{arms} arms have {arms * (arms - 1) // 2} contrasts, and {rows.size} rows give "
            f"{len(pairs)} of them",
            where=f"study {data.studies[study]}",
            hint="Give every pair of arms once.",
        )


def connected_parts(data: NetworkData) -> tuple[tuple[str, ...], ...]:
    """Return the treatments of each connected part, the largest part first."""
    label = np.arange(len(data.treatments))
    for left, right in zip(data.first, data.second, strict=True):
        low, high = sorted((label[left], label[right]))
        label[label == high] = low
    parts = [
        tuple(data.treatments[place] for place in np.flatnonzero(label == value))
        for value in np.unique(label)
    ]
    return tuple(sorted(parts, key=lambda part: (-len(part), part)))


def studies_by_pair(data: NetworkData) -> dict[tuple[str, str], int]:
    """Return how many studies compare each pair, names in alphabetical order."""
    count: dict[tuple[str, str], int] = {}
    for left, right in zip(data.first.tolist(), data.second.tolist(), strict=True):
        low, high = sorted((left, right))
        pair = data.treatments[low], data.treatments[high]
        count[pair] = count.get(pair, 0) + 1
    return dict(sorted(count.items()))


def part_of_network(data: NetworkData, treatments: Sequence[str]) -> NetworkData:
    """Return the studies whose arms are all among `treatments`."""
    wanted = set(treatments)
    keep = [
        row
        for row in range(data.y.size)
        if {data.treatments[place] for place in data.arms_of(int(data.study[row]))} <= wanted
    ]
    return network_from_contrasts(
        [data.studies[data.study[row]] for row in keep],
        [data.treatments[data.first[row]] for row in keep],
        [data.treatments[data.second[row]] for row in keep],
        data.y[keep],
        data.v[keep],
        measure=data.measure,
        log=data.log,
        patients={name: n for name, n in data.patients.items() if name in wanted},
        notes=data.notes,
    )
