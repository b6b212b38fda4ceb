"""What happens to states and sensitivities at an instant: jumps, flags, events; compiled.

Sensitivities are kept in blocks of eight columns, see `statera.numerics.rodas5p_columns`: column j
of row i of n rows stands at ``(j // 8) 8 n + 8 i + j % 8``. At an instant T that depends on what
the columns stand for, the solutions before and after agree on T itself, so that
``S += (f- - f+) dT``, and a state set to v has ``S = dv - f+ dT``.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.lanes import LANES

__all__ = [
    "along",
    "is_on",
    "jump",
    "read_flags",
    "shift_states",
    "turn",
    "turn_due",
]


@compiled
def along(table, first, last, entries, shift, n, n_p, s, dp, instant, m, out):
    """Write the derivative of a quantity along every column.

    The columns of its slopes ``entries[shift + e]`` stand at ``table[e]`` for e from `first` to
    `last`: states, then parameters, then time, which moves by `instant`.
    """
    for j in range(m):
        block, lane = j // LANES, j % LANES
        total = 0.0
        for e in range(first, last):
            column = table[e]
            value = entries[shift + e]
            if column < n:
                factor = s[LANES * (block * n + column) + lane]
            elif column < n + n_p:
                factor = dp[LANES * (block * n_p + column - n) + lane]
            else:
                factor = instant[j]
            if factor != 0.0:
                total += value * factor
        out[j] = total


@compiled
def jump(n, before, after, instant, m, s):
    """Let sensitivities jump where the right-hand side does, at an instant that moves."""
    for j in range(m):
        if instant[j] != 0.0:
            block, lane = j // LANES, j % LANES
            for i in range(n):
                if before[i] != after[i]:
                    s[LANES * (block * n + i) + lane] += (before[i] - after[i]) * instant[j]


@compiled
def shift_states(n, slope, sign, instant, m, s):
    """Add ``sign slope dT`` to the sensitivities: follow a solution to an instant that moves."""
    for j in range(m):
        if instant[j] != 0.0:
            block, lane = j // LANES, j % LANES
            for i in range(n):
                s[LANES * (block * n + i) + lane] += sign * slope[i] * instant[j]


@compiled
def is_on(quantity, strict):
    """Return a flag as written: whether the quantity is above zero, or not below it."""
    return 1.0 if quantity > 0.0 or (quantity == 0.0 and not strict) else 0.0


@compiled
def read_flags(roots, t, x, p, n_p, n_flags, strict, timed, before, quantity):
    """Turn flags whose quantity has changed by a jump; `before` are quantities before it.

    A quantity that has not changed keeps its flag: at a crossing it is zero up to rounding, which
    says nothing. Flags may stand in quantities, so this is repeated.
    """
    for _ in range(n_flags + 1):
        roots(t, x, 0, p, quantity, 0)
        changed = False
        for q in range(n_flags):
            if not timed[q] and quantity[q] != before[q]:
                on = is_on(quantity[q], strict[q])
                before[q] = quantity[q]
                if on != p[n_p + q]:
                    p[n_p + q] = on
                    changed = True
        if not changed:
            return


@compiled
def turn(
    rates, roots, root_slopes, table, root_first, n, n_p, n_flags, group, strict, timed, which, t,
    x, p, s, dp, m, instant, before, after, values, quantity, rest,
):  # fmt: skip
    """Turn the flags of a group at a crossing, and let the sensitivities jump.

    Parameters
    ----------
    root_first
        Where in `table` the first row of the slopes of quantities begins.
    which
        A flag of the group.
    instant : (m,) float64
        Takes the derivative of the instant.
    before, after : (n,) float64
        Take the right-hand sides.
    values, quantity, rest : float64
        Work space for quantities with slopes, for quantities, and for both.
    """
    rates(t, x, 0, p, before, 0)
    if m > 0:
        root_slopes(t, x, 0, p, values, 0)
        first, last = table[root_first + which], table[root_first + which + 1]
        begin = table[root_first]
        speed = 0.0
        for e in range(first, last):
            value = values[n_flags + e - begin]
            if table[e] < n:
                speed += value * before[table[e]]
            elif table[e] == n + n_p:
                speed += value
        instant[:m] = 0.0
        along(table, first, last, values, n_flags - begin, n, n_p, s, dp, instant, m, rest)
        for j in range(m):
            moved = -rest[j] / speed if rest[j] != 0.0 else 0.0
            # a quantity that only touches zero has no derivative of its instant
            instant[j] = moved if np.isfinite(moved) else 0.0
    roots(t, x, 0, p, quantity, 0)
    for q in range(n_flags):
        rest[q] = quantity[q]
    for q in range(n_flags):
        if group[q] == group[which]:
            p[n_p + q] = 1.0 - p[n_p + q]
    read_flags(roots, t, x, p, n_p, n_flags, strict, timed, rest, quantity)
    rates(t, x, 0, p, after, 0)
    if m > 0:
        jump(n, before, after, instant, m, s)


@compiled
def turn_due(
    rates, roots, root_slopes, table, root_first, n, n_p, n_flags, group, strict, timed,
    switch_time, jumped, t, x, p, s, dp, m, instant, before, after, values, quantity, rest,
):  # fmt: skip
    """Turn the flags whose known instants have come; return whether the right-hand side jumped.

    `jumped` says whether it did already; other arguments as in `turn`.
    """
    for q in range(n_flags):
        if switch_time[q] <= t:
            turn(rates, roots, root_slopes, table, root_first, n, n_p, n_flags, group, strict,
                 timed, q, t, x, p, s, dp, m, instant, before, after, values, quantity,
                 rest)  # fmt: skip
            for other in range(n_flags):
                if group[other] == group[q]:
                    switch_time[other] = np.inf
            for i in range(n):
                jumped = jumped or before[i] != after[i]
    return jumped
