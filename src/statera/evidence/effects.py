"""Effects of several studies: what every method of evidence synthesis takes in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.evidence.measures import Measure, measure_of

__all__ = ["Effects", "effects_of"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """Effects of k studies with their sampling variances.

    Attributes
    ----------
    measure
        Code of the measure, such as ``OR``.
    y, v : (k,) float64
        Effect on the pooled scale (logarithms of ratios) and its sampling variance; NaN where the
        row has no effect, with the reason in `status`.
    names
        Of the studies.
    log
        True where `y` are logarithms, printed as exponentials.
    group
        Subgroup of each study; empty where not given.
    cluster
        Who may share people or data: registry, trial, laboratory; empty where not given.
    notes
        What a reader must know of all rows, as sentences.
    columns
        What was read beside, by name: counts, person-time, risk of bias, certainty; k values each.
    status
        Empty for a usable row, else a sentence that says why it has no effect.
    """

    measure: str
    y: Floats
    v: Floats
    names: tuple[str, ...]
    log: bool = False
    group: tuple[str, ...] = ()
    cluster: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    status: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.names)
        if self.y.shape != (k,) or self.v.shape != (k,):
            raise InputError(
                f"{k} names, {self.y.size} effects and {self.v.size} variances do not belong "
                "together",
                where="effects",
                hint="Give one name, effect and variance a study.",
            )
        for what, values in (("group", self.group), ("cluster", self.cluster)):
            _check_length(what, values, k)
        for what, column in self.columns.items():
            _check_length(what, column, k)
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))
        if not self.status:
            object.__setattr__(self, "status", ("",) * k)
        _check_length("status", self.status, k)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def definition(self) -> Measure:
        """The measure with its name, scale and value of no effect."""
        return measure_of(self.measure)

    @property
    def is_usable(self) -> NDArray[np.bool_]:
        """(k,) bool, True where a row has an effect with a positive, finite variance."""
        usable = np.isfinite(self.y) & np.isfinite(self.v) & (self.v > 0.0)
        if any(self.status):
            usable &= np.array([not s for s in self.status], dtype=bool)
        return np.asarray(usable)

    @property
    def se(self) -> Floats:
        """(k,) float64, standard errors on the pooled scale."""
        return np.asarray(np.sqrt(np.where(self.v >= 0.0, self.v, np.nan)))

    def take(self, rows: ArrayLike | Sequence[int]) -> Effects:
        """Return the rows with these numbers, or where a mask is True, in the order given."""
        chosen = np.asarray(rows)
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen.astype(np.intp)

        def pick(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(values[i] for i in index) if values else ()

        return replace(
            self,
            y=self.y[index],
            v=self.v[index],
            names=pick(self.names),
            group=pick(self.group),
            cluster=pick(self.cluster),
            columns={name: pick(column) for name, column in self.columns.items()},
            status=pick(self.status),
        )

    def usable(self) -> Effects:
        """Return the rows that have an effect."""
        usable = self.is_usable
        return self if usable.all() else self.take(usable)

    def omitted(self) -> tuple[tuple[str, str], ...]:
        """Return name and reason of each row without an effect."""
        reasons = []
        for i in np.flatnonzero(~self.is_usable):
            reasons.append((self.names[i], self.status[i] or _reason(self.y[i], self.v[i])))
        return tuple(reasons)

    def numbers(self, column: str) -> Floats:
        """Return a column as numbers (k,): NaN where it is text, empty, or there is no such column.

        A heading such as ``total`` may stand over words, which are carried along as they are.
        """
        found = np.full(len(self), np.nan)
        for i, value in enumerate(self.columns.get(column, ())):
            try:
                found[i] = math.nan if value is None or value == "" else float(value)
            except (TypeError, ValueError):
                continue
        return found

    def natural(self, values: ArrayLike) -> Floats:
        """Return values of the pooled scale on the natural one, such as exponentials of logs.

        The Freeman-Tukey scales use the harmonic mean of members or person-time.
        """
        sizes = "total" if self.columns.get("total") else "time"
        size = None
        if self.columns.get(sizes):
            numbers = self.numbers(sizes)[self.is_usable]
            if numbers.size and (numbers > 0.0).all():
                size = float(numbers.size / np.sum(1.0 / numbers))
        return self.definition.natural(values, size)


def effects_of(
    y: ArrayLike,
    v: ArrayLike,
    names: Sequence[str] | None = None,
    measure: str = "GEN",
    *,
    group: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
) -> Effects:
    """Return effects from values and variances on the pooled scale.

    Parameters
    ----------
    y, v : (k,) float64
        Effects (logarithms of ratios) and sampling variances.
    names
        Of the studies; numbered where not given.
    measure
        Code of the measure.
    group, cluster
        Subgroup of each study, and who may share people or data.
    """
    known = measure_of(measure)
    effects = np.atleast_1d(np.asarray(y, dtype=np.float64)).ravel()
    variances = np.atleast_1d(np.asarray(v, dtype=np.float64)).ravel()
    called = tuple(names) if names is not None else study_names(effects.size)
    return Effects(
        known.code,
        effects,
        variances,
        called,
        known.log,
        tuple(str(g) for g in group) if group is not None else (),
        tuple(str(c) for c in cluster) if cluster is not None else (),
    )


def study_names(k: int) -> tuple[str, ...]:
    """Return names for studies that have none."""
    return tuple(f"study {i + 1}" for i in range(k))


def _check_length(what: str, values: Sequence[Any], k: int) -> None:
    if values and len(values) != k:
        raise InputError(
            f"column '{what}' has {len(values)} values for {k} studies",
            where=what,
            hint="Give one value a study.",
        )


def _reason(y: float, v: float) -> str:
    if not np.isfinite(y):
        return "the effect is missing"
    if not np.isfinite(v):
        return "the variance is missing"
    return f"the variance {v:g} is not above 0"
