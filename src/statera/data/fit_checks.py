"""What is odd in data of a fit, in a sentence for each.

A finding does not make the data unusable; what does is a problem of `statera.data.check_records`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from statera.data.events import EventTable
from statera.data.fit_data import Finding

__all__ = ["KINDS", "find_oddities"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = (
    "no_doses", "no_observations", "before_first_dose", "after_last_observation",
    "duplicate_time", "missing_dv", "censored_mdv", "dv_at_dose",
    "not_positive", "logarithm",
)  # fmt: skip
"""Kinds of findings; those of missing and censored values come from `statera.data.observed`."""

_LARGEST_LOG = 30.0  # e^30 is above 10^13: hardly the logarithm of a measured value


def find_oddities(
    events: EventTable, given: Floats, used: Ints, dv: Floats, dvid: Ints, lines: Ints, log: bool
) -> tuple[Finding, ...]:
    """Return the findings, by kind in the order of `KINDS`.

    Parameters
    ----------
    events
        All records.
    given : (n_records,) float64
        DV of each record where MDV is not 1, else NaN.
    used : (n_obs,) int64
        Records with a usable observation.
    dv, dvid : (n_obs,)
        Observations, NaN where censored, and their kinds.
    lines : (n_records,) int64
        Line of each record.
    log
        Whether DV holds logarithms.
    """
    found = [
        *_by_subject(events, used, lines),
        *_duplicates(events, used, dvid, lines),
        *_values(events, given, used, dv, lines, log),
    ]
    return tuple(sorted(found, key=lambda f: (KINDS.index(f.kind), f.line)))


def _by_subject(events: EventTable, used: Ints, lines: Ints) -> Iterator[Finding]:
    dose = (events.evid == 1) | (events.evid == 4)
    observed = np.zeros(events.time.size, dtype=bool)
    observed[used] = True
    for g, name in enumerate(events.subject_ids):
        rows = np.arange(events.offsets[g], events.offsets[g + 1])
        doses, seen = rows[dose[rows]], rows[observed[rows]]
        line = int(lines[rows[0]])
        if not doses.size:
            yield Finding("no_doses", line, f"subject {name} has no dose")
        if not seen.size:
            yield Finding("no_observations", line, f"subject {name} has no usable observation")
        if not doses.size or not seen.size:
            continue
        early = seen[seen < doses[0]]
        if early.size:
            yield Finding(
                "before_first_dose",
                int(lines[early[0]]),
                f"subject {name} has {early.size} observations before the first dose",
            )
        late = doses[doses > seen[-1]]
        if late.size:
            yield Finding(
                "after_last_observation",
                int(lines[late[0]]),
                f"subject {name} has {late.size} doses after the last observation",
            )


def _duplicates(events: EventTable, used: Ints, dvid: Ints, lines: Ints) -> Iterator[Finding]:
    seen: dict[tuple[int, int, float, int], int] = {}
    subject = np.searchsorted(events.offsets, used, side="right") - 1
    resets = np.cumsum(events.evid >= 3)
    for record, g, kind in zip(used.tolist(), subject.tolist(), dvid.tolist(), strict=True):
        key = (g, kind, float(events.time[record]), int(resets[record]))
        if key in seen:
            yield Finding(
                "duplicate_time",
                int(lines[record]),
                f"subject {events.subject_ids[g]} has another observation of this kind at time "
                f"{events.time[record]:g} on line {lines[seen[key]]}",
            )
        seen.setdefault(key, record)


def _values(
    events: EventTable, given: Floats, used: Ints, dv: Floats, lines: Ints, log: bool
) -> Iterator[Finding]:
    dose = (events.evid == 1) | (events.evid == 4)
    for record in np.flatnonzero(dose & np.isfinite(given) & (given != 0)).tolist():
        yield Finding(
            "dv_at_dose", int(lines[record]), f"DV {given[record]:g} on a dose record is not used"
        )
    bad = (np.abs(dv) > _LARGEST_LOG) if log else (dv <= 0)
    kind = "logarithm" if log else "not_positive"
    for record, value in zip(used[bad].tolist(), dv[bad].tolist(), strict=True):
        what = f"DV {value:g} is hardly a logarithm" if log else f"DV {value:g} is not above 0"
        yield Finding(kind, int(lines[record]), what)
