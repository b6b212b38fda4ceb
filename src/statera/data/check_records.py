"""What is wrong with event records, in a sentence for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["record_problems"]


def record_problems(values: Mapping[str, Any], ids: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the index and the problem of every record that cannot be used, rule by rule.

    Parameters
    ----------
    values
        ``(n_records,)`` arrays by name, see `statera.data.events_from_columns`.
    ids
        Subject of each record.
    """
    time, evid, amount, rate = (values[k] for k in ("time", "evid", "amount", "rate"))
    interval, additional, steady = (values[k] for k in ("interval", "additional", "steady_state"))
    dose = (evid == 1) | (evid == 4)
    same = np.array([i > 0 and ids[i] == ids[i - 1] for i in range(len(ids))], dtype=bool)
    steps = np.diff(time, prepend=time[:1])
    constant = (steady > 0) & (interval == 0) & (amount == 0) & (rate > 0)
    problems = [
        (~np.isfinite(time), "time is not a finite number"),
        (same & (steps < 0) & (evid != 3) & (evid != 4), "time goes back within the subject"),
        ((evid < 0) | (evid > 4), "EVID must be 0, 1, 2, 3 or 4"),
        (dose & ~(np.isfinite(amount) & (amount >= 0)), "a dose must be a number, not negative"),
        (dose & ~(np.isfinite(rate) & ((rate >= 0) | (rate == -1) | (rate == -2))),
         "RATE must be 0, positive, -1 or -2"),
        (dose & (amount == 0) & ~constant, "a dose record has amount 0"),
        (~(np.isfinite(interval) & (interval >= 0)), "II must be a number, not negative"),
        (additional < 0, "ADDL must not be negative"),
        (dose & (additional > 0) & (interval <= 0), "ADDL needs II above zero"),
        ((steady < 0) | (steady > 2), "SS must be 0, 1 or 2"),
        (dose & (steady > 0) & (interval <= 0) & ~constant,
         "SS needs II above zero, or AMT 0 and a RATE above zero"),
    ]  # fmt: skip
    for wrong, sentence in problems:
        for i in np.flatnonzero(wrong).tolist():
            yield i, f"{sentence} (subject {ids[i]}, time {time[i]:g})"
