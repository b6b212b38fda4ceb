"""Input through transit compartments with its first and second derivatives, compiled.

The rate a time s after the dose (see `statera.numerics.transit`) is ``r = A exp(l)`` with
``l = (n + 1) log k + n log s - log Gamma(n + 1) - k s``. It depends on w by A, n, k and, where the
time of the dose moves, s. With ``l_j`` and ``l_jk`` the derivatives of l,

    r_j = (A_j + A l_j) e^l    r_jk = (A_jk + A_j l_k + A_k l_j + A (l_j l_k + l_jk)) e^l

which needs no division by A and holds at A = 0. Derivatives by the time of the dose have powers of
s down to n - 2, and what they add up to near s = 0 is not always the integral that a solver finds.
Up to ``START/k`` the rate is therefore held at its value there, and the dose enters with the
difference between what has come in by then, R, and what such a rate brings.

Doses stand behind the constants and their columns: from ``p[base]`` on their number, then for each
the fields below and four rows of columns, those of the time, A, n and k.
"""

from __future__ import annotations

import math

import numpy as np

from statera.numerics.compiled import compiled
from statera.numerics.special import polygamma
from statera.numerics.transit import STAGES_OF_INPUT, stage_of

__all__ = ["add_inputs", "add_slopes", "enter", "expect", "leave", "start"]

# Fields of a dose: receiving state, time given, amount, n, k, the part of l that does not depend on
# s, digamma and trigamma of n + 1.
_STATE, _GIVEN, _AMOUNT, _N, _K, _LEVEL, _PSI, _PSI_1 = range(8)
_HEAD = 8

_START = 1e-8
"""Time, in units of 1/k, up to which the rate is held."""

_RATE, _ENTERED, _SLOPE = 0, 1, 2
"""What `_add` writes: r, the amount R that has entered by then (for small s), dr/dt."""


@compiled
def _shape(what, n, psi, psi_1):
    """Return what the logarithms of r and R differ by: ``(e, a, a', a'', psi, psi')``.

    l is ``(n + 1) log k + e log s - log Gamma(e + 1) - a k s``; for R to second order in s.
    """
    if what != _ENTERED:
        return n, 1.0, 0.0, 0.0, psi, psi_1
    more, most = n + 1.0, n + 2.0
    return (
        more, more / most, 1.0 / most**2, -2.0 / most**3, psi + 1.0 / more,
        psi_1 - 1.0 / more**2,
    )  # fmt: skip


@compiled
def _turn(shape, s, n, k, d_s, d_n, d_k):
    """Return the derivative of l along a direction."""
    e, a, a_1, _, psi, _ = shape
    return (
        d_n * (np.log(k * s) - psi) + (n + 1.0) * d_k / k + e * d_s / s
        - a_1 * d_n * k * s - a * (d_k * s + k * d_s)
    )  # fmt: skip


@compiled
def _bend(shape, s, n, k, s_1, n_1, k_1, s_2, n_2, k_2):
    """Return the second derivative of l along two directions."""
    e, a, a_1, a_2, _, psi_1 = shape
    moved_1, moved_2 = k_1 * s + k * s_1, k_2 * s + k * s_2
    return (
        n_1 * (k_2 / k + s_2 / s) + n_2 * (k_1 / k + s_1 / s)
        - (n + 1.0) * k_1 * k_2 / (k * k) - psi_1 * n_1 * n_2 - e * s_1 * s_2 / (s * s)
        - a * (k_1 * s_2 + k_2 * s_1) - a_1 * (n_1 * moved_2 + n_2 * moved_1)
        - a_2 * n_1 * n_2 * k * s
    )  # fmt: skip


@compiled
def _add(what, factor, s, p, first, n_states, w, pairs, out, at):
    """Add ``factor`` times what one dose does a time s after it to ``out``, with all columns.

    ``first`` is where the dose stands; of its w columns the last ``pairs`` are second derivatives.
    """
    amount, n, k = p[first + _AMOUNT], p[first + _N], p[first + _K]
    shape = _shape(what, n, p[first + _PSI], p[first + _PSI_1])
    level = p[first + _LEVEL] + shape[0] * np.log(s) - shape[1] * k * s
    if what == _ENTERED:
        level -= np.log(n + 1.0)
    size = factor * np.exp(level)
    v = n / s - k if what == _SLOPE else 1.0
    state = int(p[first + _STATE])
    out[at + state] += size * amount * v
    when, much = first + _HEAD, first + _HEAD + w
    many, fast = much + w, much + 2 * w
    row = at + n_states + state * w
    for j in range(w - pairs):
        d_s, d_a, d_n, d_k = -p[when + j], p[much + j], p[many + j], p[fast + j]
        if d_s == 0.0 and d_a == 0.0 and d_n == 0.0 and d_k == 0.0:
            continue
        d_l = _turn(shape, s, n, k, d_s, d_n, d_k)
        total = (d_a + amount * d_l) * v
        if what == _SLOPE:
            total += amount * (d_n / s - n * d_s / (s * s) - d_k)
        out[row + j] += size * total
    tail = p.size - 1 - 2 * pairs
    for q in range(pairs):
        c, one, two = w - pairs + q, int(p[tail + q]), int(p[tail + pairs + q])
        s_1, a_1, n_1, k_1 = -p[when + one], p[much + one], p[many + one], p[fast + one]
        s_2, a_2, n_2, k_2 = -p[when + two], p[much + two], p[many + two], p[fast + two]
        d_s, d_a, d_n, d_k = -p[when + c], p[much + c], p[many + c], p[fast + c]
        l_1 = _turn(shape, s, n, k, s_1, n_1, k_1)
        l_2 = _turn(shape, s, n, k, s_2, n_2, k_2)
        both = _turn(shape, s, n, k, d_s, d_n, d_k)
        both += _bend(shape, s, n, k, s_1, n_1, k_1, s_2, n_2, k_2)
        total = d_a + a_1 * l_2 + a_2 * l_1 + amount * (l_1 * l_2 + both)
        if what == _SLOPE:
            v_1 = n_1 / s - n * s_1 / (s * s) - k_1
            v_2 = n_2 / s - n * s_2 / (s * s) - k_2
            v_c = n * (2.0 * s_1 * s_2 / s - d_s) - (n_1 * s_2 + n_2 * s_1)
            v_c = v_c / (s * s) + d_n / s - d_k
            total = total * v + (a_1 + amount * l_1) * v_2 + (a_2 + amount * l_2) * v_1
            total += amount * v_c
        out[row + c] += size * total


@compiled
def add_inputs(t, p, base, n_states, w, pairs, out, at):
    """Add the rates at which all doses enter at time t, and their columns, to slopes."""
    for d in range(int(p[base])):
        first = base + 1 + d * (_HEAD + 4 * w)
        s = t - p[first + _GIVEN]
        if s >= 0.0:
            _add(_RATE, 1.0, max(s, _START / p[first + _K]), p, first, n_states, w, pairs, out, at)


@compiled
def add_slopes(t, p, base, n_states, w, pairs, out, at):
    """Add the derivatives of what `add_inputs` adds by time."""
    for d in range(int(p[base])):
        first = base + 1 + d * (_HEAD + 4 * w)
        s = t - p[first + _GIVEN]
        if s > _START / p[first + _K]:
            _add(_SLOPE, 1.0, s, p, first, n_states, w, pairs, out, at)


@compiled
def enter(p, base, w, pairs, state, given, amount, n, k, extra, d_given, d_amount, d_n, d_k):
    """Write a dose behind the others; returns p, a larger one where it is full.

    ``extra`` of the w columns, which stand before those of pairs, do not move the dose.
    """
    size = _HEAD + 4 * w
    count = int(p[base])
    first = base + 1 + count * size
    tail = p.size - 1 - 2 * pairs
    if first + size > tail:
        larger = np.zeros(p.size + (count + 1) * size)
        larger[:first] = p[:first]
        larger[larger.size - 1 - 2 * pairs :] = p[tail:]
        p = larger
    p[base] = count + 1
    p[first + _STATE], p[first + _GIVEN], p[first + _AMOUNT] = state, given, amount
    p[first + _N], p[first + _K] = n, k
    p[first + _LEVEL] = (n + 1.0) * np.log(k) - math.lgamma(n + 1.0)
    p[first + _PSI], p[first + _PSI_1] = polygamma(0.0, n + 1.0), polygamma(1.0, n + 1.0)
    p[first + _HEAD : first + size] = 0.0
    own = d_given.size - pairs
    for j in range(d_given.size):
        column = first + _HEAD + (j if j < own else j + extra)
        p[column], p[column + w] = d_given[j], d_amount[j]
        p[column + 2 * w], p[column + 3 * w] = d_n[j], d_k[j]
    return p


@compiled
def start(p, base, n_states, w, pairs, x):
    """Add to x what the dose entered last brings beyond the rate at which it is held at first."""
    first = base + 1 + (int(p[base]) - 1) * (_HEAD + 4 * w)
    s = _START / p[first + _K]
    _add(_ENTERED, 1.0, s, p, first, n_states, w, pairs, x, 0)
    _add(_RATE, -s, s, p, first, n_states, w, pairs, x, 0)


@compiled
def expect(p, base, n_states, w, pairs, peak):
    """Raise ``peak`` to what the dose entered last will bring, as errors are measured by it."""
    first = base + 1 + (int(p[base]) - 1) * (_HEAD + 4 * w)
    middle = p[first + _N] + 1.0
    spread = np.sqrt(middle)
    for moment in (max(0.3 * middle, middle - spread), middle + spread):
        brought = np.zeros(peak.size)
        s = moment / p[first + _K]
        _add(_RATE, spread / p[first + _K], s, p, first, n_states, w, pairs, brought, 0)
        for i in range(peak.size):
            peak[i] = max(peak[i], abs(brought[i]))
    state = int(p[first + _STATE])
    peak[state] = max(peak[state], p[first + _AMOUNT])


@compiled
def leave(t, p, base, w):
    """Forget the doses that have entered by time t."""
    size = _HEAD + 4 * w
    kept = 0
    for d in range(int(p[base])):
        first, to = base + 1 + d * size, base + 1 + kept * size
        length = stage_of(STAGES_OF_INPUT, p[first + _N], p[first + _K])
        if t - p[first + _GIVEN] >= length * (1.0 - 1e-9):
            continue
        if to != first:
            for i in range(size):
                p[to + i] = p[first + i]
        kept += 1
    p[base] = kept
