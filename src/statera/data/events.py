"""Event records in columns, checked: doses, observations and resets of one or many subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data.check_records import record_problems
from statera.data.regimen import Regimen
from statera.errors import InputError

__all__ = ["EventTable", "events_from_columns", "events_from_regimen"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class EventTable:
    """Records sorted by subject and kept in the order in which they were given.

    Attributes
    ----------
    offsets : (n_groups + 1,) int64
        Records of group g are ``offsets[g]`` to ``offsets[g + 1]``. A single group is shared by
        all subjects.
    time, amount, rate, interval : (n_records,) float64, h, mg, mg/h, h
    evid, additional, steady_state : (n_records,) int64
    key : (n_records,) int64
        Index into `dose_keys`; -1 where the record is not a dose.
    row : (n_records,) int64
        Row of the output that the record fills; -1 where it is not an observation.
    dose_keys
        Distinct pairs of route and amount. A route may be a compartment number as text, or empty
        for the model's default.
    subject_ids
        Identifier of each group.
    covariates
        ``(n_records,)`` float64 by name; NaN where missing.
    """

    offsets: Ints
    time: Floats
    evid: Ints
    amount: Floats
    rate: Floats
    interval: Floats
    additional: Ints
    steady_state: Ints
    key: Ints
    row: Ints
    dose_keys: tuple[tuple[str, float], ...]
    subject_ids: tuple[str, ...]
    covariates: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def n_groups(self) -> int:
        """Number of groups of records."""
        return self.offsets.size - 1

    @property
    def n_rows(self) -> int:
        """Largest number of observation rows of a group."""
        return int(self.row.max(initial=-1)) + 1

    @property
    def flat_row(self) -> Ints:
        """Number of each observation record among those of all groups; -1 for all others."""
        observed = self.row >= 0
        return np.where(observed, np.cumsum(observed) - 1, -1).astype(np.int64)


def events_from_regimen(
    regimen: Regimen, times: ArrayLike, default_route: str, end: float | None = None
) -> EventTable:
    """Return records shared by all subjects: a regimen observed at the given times.

    At equal times a dose comes before an observation (``docs/events.md``).

    Raises
    ------
    InputError
        If times are not finite, negative or out of order.
    """
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or not np.isfinite(grid).all():
        raise InputError("observation times must be a list of finite numbers", where="times")
    if grid.size and (grid[0] < 0 or (np.diff(grid) < 0).any()):
        raise InputError("observation times must not be negative or decrease", where="times")
    doses = regimen.doses
    stop = max([end or 0.0, doses[-1].time, *grid[-1:]])
    keys: dict[tuple[str, float], int] = {}
    used = [keys.setdefault((d.route or default_route, d.amount), len(keys)) for d in doses]
    # the initial state holds at time 0; at equal times it comes first, then doses
    sizes = [1, len(doses), grid.size]
    time = np.concatenate([[0.0], [d.time for d in doses], grid])
    order = np.append(np.lexsort((np.repeat([-1, 0, 1], sizes), time)), time.size)

    def column(given: Sequence[float], otherwise: float, dtype: type) -> Any:
        """Return a column of what doses hold, and something else in all other records."""
        full: NDArray[Any] = np.full(order.size, otherwise, dtype=dtype)
        full[1 : 1 + len(doses)] = given
        return full[order]

    row = np.full(order.size, -1, dtype=np.int64)
    row[1 + len(doses) : -1] = np.arange(grid.size)
    rates = [d.amount / d.duration if d.duration else 0.0 for d in doses]
    return EventTable(
        offsets=np.array([0, order.size], dtype=np.int64),
        time=np.append(time, stop)[order],
        evid=np.repeat([2, 1, 0, 2], [*sizes, 1])[order].astype(np.int64),
        amount=column([d.amount for d in doses], 0.0, np.float64),
        rate=column(rates, 0.0, np.float64),
        interval=column([d.interval for d in doses], 0.0, np.float64),
        additional=column([d.additional for d in doses], 0, np.int64),
        steady_state=column([int(d.steady_state) for d in doses], 0, np.int64),
        key=column(used, -1, np.int64),
        row=row[order],
        dose_keys=tuple(keys),
        subject_ids=("all",),
    )


def events_from_columns(
    subject: Sequence[Any],
    time: ArrayLike,
    evid: ArrayLike,
    amount: ArrayLike,
    route: Sequence[str] | None = None,
    rate: ArrayLike | None = None,
    interval: ArrayLike | None = None,
    additional: ArrayLike | None = None,
    steady_state: ArrayLike | None = None,
    compartment: ArrayLike | None = None,
    covariates: Mapping[str, ArrayLike] | None = None,
) -> EventTable:
    """Return records of many subjects from NONMEM-like columns of equal length.

    Parameters
    ----------
    subject
        Identifier of each record's subject; a subject's records must stand together.
    time, evid, amount, rate, interval, additional, steady_state
        TIME, EVID, AMT, RATE, II, ADDL and SS. Time may go back at a reset (EVID 3 or 4).
    route
        Route of each dose record by name: of the model's inputs, or of a state.
    compartment
        CMT: number of the state, from 1, for records without a route; 0 is the default route.
    covariates
        Values on every record by name, NaN where missing. What they mean between records is
        decided when simulating.

    Raises
    ------
    InputError
        If a column is of the wrong length or holds a value that is not allowed; the first
        offending record is named, counted from 1.
    """
    n = len(subject)
    floats = {
        "time": time, "amount": amount, "rate": rate, "interval": interval,
    }  # fmt: skip
    values: dict[str, Any] = {name: _column(name, column, n) for name, column in floats.items()}
    values["evid"] = _whole("evid", evid, n)
    values["additional"] = _whole("additional", additional, n)
    values["steady_state"] = _whole("steady_state", steady_state, n)
    if n == 0:
        raise InputError("there are no records")
    routes = _routes(route, compartment, n)
    ids = [str(s) for s in subject]
    for i, sentence in record_problems(values, ids):
        raise InputError(sentence, where=f"record {i + 1}")
    starts = [0] + [i for i in range(1, n) if ids[i] != ids[i - 1]]
    groups = [ids[i] for i in starts]
    if len(set(groups)) != len(groups):
        twice = next(g for i, g in enumerate(groups) if g in groups[:i])
        raise InputError(f"the records of subject {twice} do not stand together")
    offsets = np.array([*starts, n], dtype=np.int64)
    keys: dict[tuple[str, float], int] = {}
    key = np.full(n, -1, dtype=np.int64)
    for i in np.flatnonzero((values["evid"] == 1) | (values["evid"] == 4)).tolist():
        pair = (routes[i], float(values["amount"][i]))
        key[i] = keys.setdefault(pair, len(keys))
    return EventTable(
        offsets=offsets,
        key=key,
        row=_rows(values["evid"], offsets),
        dose_keys=tuple(keys),
        subject_ids=tuple(groups),
        covariates={k: _column(k, v, n) for k, v in (covariates or {}).items()},
        **values,
    )


def _rows(evid: Ints, offsets: Ints) -> Ints:
    """Return numbers of the observation records of every group, from 0; -1 for all others."""
    observed = evid == 0
    count = np.cumsum(observed) - observed
    row = count - np.repeat(count[offsets[:-1]], np.diff(offsets))
    return np.where(observed, row, -1).astype(np.int64)


def _routes(route: Sequence[str] | None, compartment: ArrayLike | None, n: int) -> list[str]:
    """Return the route of every record: by name, else the compartment's number, else empty."""
    if route is not None and len(route) != n:
        raise InputError(f"column 'route' has {len(route)} values, expected {n}")
    numbers = _whole("compartment", compartment, n)
    if (numbers < 0).any():
        record = int(np.argmax(numbers < 0)) + 1
        raise InputError("CMT must not be negative", where=f"record {record}")
    names = [""] * n if route is None else [str(r) for r in route]
    return [
        name or (str(number) if number else "")
        for name, number in zip(names, numbers.tolist(), strict=True)
    ]


def _whole(name: str, column: ArrayLike | None, n: int) -> Ints:
    """Return a column as whole numbers; zeros where it is not given."""
    numbers = _column(name, column, n)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 1e9)
    if not whole.all():
        record = int(np.argmin(whole)) + 1
        raise InputError(f"column '{name}' needs whole numbers", where=f"record {record}")
    return numbers.astype(np.int64)


def _column(name: str, column: ArrayLike | None, n: int) -> Floats:
    """Return a column as numbers; zeros where it is not given."""
    if column is None:
        return np.zeros(n)
    try:
        array = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"column '{name}' holds something that is not a number") from None
    if array.shape != (n,):
        raise InputError(f"column '{name}' has {array.size} values, expected {n}")
    return array.copy()
