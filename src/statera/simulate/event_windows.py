"""Windows with endpoints in the event records of every subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError

__all__ = ["EventWindows", "WindowsAsked", "by_windows", "event_windows", "reaching"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WindowsAsked = Literal["doses"] | Sequence[tuple[float, float]] | None
"""Dosing intervals of each subject, the same windows for all, or none."""


@dataclass(frozen=True)
class EventWindows:
    """Windows of all subjects, one after the other.

    Attributes
    ----------
    offsets : (n_subjects + 1,) int64
        Windows of subject s are ``offsets[s]`` to ``offsets[s + 1]``.
    spans : (n_windows, 2) float64
        Start and end, in the unit of time of the records.
    """

    offsets: Ints
    spans: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Largest number of windows of a subject, and 2."""
        return int(np.diff(self.offsets).max(initial=0)), 2

    def of(self, subject: int) -> Floats:
        """Return the windows of one subject, (n, 2)."""
        return self.spans[self.offsets[subject] : self.offsets[subject + 1]]

    def gather(self, measures: Floats) -> Floats:
        """Return the measures of the windows that exist, (n_windows, ...)."""
        sizes = np.diff(self.offsets)
        subject = np.repeat(np.arange(sizes.size), sizes)
        place = np.arange(self.spans.shape[0]) - np.repeat(self.offsets[:-1], sizes)
        return np.asarray(measures[subject, place])


def by_windows(
    windows: Floats | EventWindows, part: tuple[int, int]
) -> Iterator[tuple[int, int, Floats, Floats]]:
    """Yield runs of subjects with the same windows: first, last, windows and their ends sorted."""
    if not isinstance(windows, EventWindows):
        yield *part, windows, np.unique(windows.ravel())
        return
    first = part[0]
    for s in range(part[0] + 1, part[1] + 1):
        if s == part[1] or not np.array_equal(windows.of(s), windows.of(first)):
            spans = np.ascontiguousarray(windows.of(first))
            yield first, s, spans, np.unique(spans.ravel())
            first = s


def event_windows(table: EventTable, asked: WindowsAsked) -> EventWindows:
    """Return the windows of every subject.

    Raises
    ------
    InputError
        If a window is not one, starts before a subject's first record, or a subject's time goes
        back: the window would then stand for two courses.
    """
    if asked is None:
        return EventWindows(np.zeros(table.n_groups + 1, dtype=np.int64), np.zeros((0, 2)))
    if isinstance(asked, str) and asked != "doses":
        raise InputError(
            f"'{asked}' are no windows", where="windows", hint="Write 'doses' or [(0, 24)]."
        )
    found = []
    for g in range(table.n_groups):
        rows = slice(int(table.offsets[g]), int(table.offsets[g + 1]))
        time = table.time[rows]
        if (np.diff(time) < 0).any():
            raise InputError(
                f"the time of subject {table.subject_ids[g]} goes back at a reset: windows would "
                "cover two courses",
                where="windows",
                hint="Let the time run on, or simulate the courses as two subjects.",
            )
        spans = _intervals(table, rows) if isinstance(asked, str) else _same(asked)
        if spans.size and spans[:, 0].min() < time[0]:
            raise InputError(
                f"a window starts at {spans[:, 0].min():g}, before the first record of subject "
                f"{table.subject_ids[g]} ({time[0]:g})",
                where="windows",
            )
        found.append(spans)
    sizes = [spans.shape[0] for spans in found]
    return EventWindows(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
                        np.concatenate(found))  # fmt: skip


def _same(asked: Sequence[tuple[float, float]]) -> Floats:
    spans = np.asarray(asked, dtype=np.float64)
    spans = spans.reshape(0, 2) if spans.size == 0 else spans
    if spans.ndim != 2 or spans.shape[1] != 2 or not (spans[:, 1] > spans[:, 0]).all():
        raise InputError("a window needs a start and a later end", where="windows")
    if not np.isfinite(spans).all():
        raise InputError("a window needs a start and a later end", where="windows")
    return spans


def _intervals(table: EventTable, rows: slice) -> Floats:
    """Return the intervals between doses: the last ends after II, or at the last record."""
    time, evid = table.time[rows], table.evid[rows]
    resets = time[evid >= 3]
    starts: list[float] = []
    end = float(time[-1])
    for i in np.flatnonzero((evid == 1) | (evid == 4)).tolist():
        at = float(time[i])
        interval = float(table.interval[rows][i])
        cancelled = resets[resets > at].min(initial=np.inf)
        times = at + interval * np.arange(int(table.additional[rows][i]) + 1)
        starts += times[times < cancelled].tolist()
        if starts[-1] == max(starts) and interval > 0:
            end = starts[-1] + interval
        elif starts[-1] == max(starts):
            end = float(time[-1])
    edges = np.unique(starts)
    if edges.size and end > edges[-1]:
        edges = np.append(edges, end)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def reaching(table: EventTable, windows: EventWindows) -> EventTable:
    """Return the table with a record of type 2 where a subject's windows end after its last one."""
    last = table.offsets[1:] - 1
    ends = np.array([windows.of(g)[:, 1].max(initial=-np.inf) for g in range(table.n_groups)])
    short = np.flatnonzero(ends > table.time[last])
    if not short.size:
        return table
    places = table.offsets[1:][short]

    def more(column: Any, values: Any) -> Any:
        return np.insert(column, places, values)

    zeros = ("amount", "rate", "interval", "additional", "steady_state")
    columns: dict[str, Any] = {name: more(getattr(table, name), 0) for name in zeros}
    columns |= {"key": more(table.key, -1), "row": more(table.row, -1)}
    columns |= {"evid": more(table.evid, 2), "time": more(table.time, ends[short])}
    grown = np.zeros(table.n_groups + 1, dtype=np.int64)
    grown[1:][short] = 1
    covariates = {k: more(v, v[last[short]]) for k, v in table.covariates.items()}
    return replace(
        table, offsets=table.offsets + np.cumsum(grown), covariates=covariates, **columns
    )
