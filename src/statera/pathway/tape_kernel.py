"""The loop that computes a tape of operations, and reads it backwards for derivatives.

Codes are those of `statera.pathway.formula_tape.OPERATIONS`.
"""

from __future__ import annotations

import math

from statera.numerics import special
from statera.numerics.compiled import compiled

__all__ = ["backward", "forward"]


@compiled
def forward(first, last, code, a, b, c, value, t, x, p, q, v):
    """Write the results of operations `first` to `last` to `v`.

    Parameters
    ----------
    t, x, p, q
        Time; states, parameters and placeholders, which arguments count through.
    """
    n_x = len(x)
    n_p = n_x + len(p)
    for i in range(first, last):
        k = code[i]
        if k == 0:
            found = value[i]
        elif k == 1:
            place = a[i]
            found = x[place] if place < n_x else (p[place - n_x] if place < n_p else q[place - n_p])
        elif k == 2:
            found = t
        elif k == 3:
            found = v[a[i]] + v[b[i]]
        elif k == 4:
            found = v[a[i]] * v[b[i]]
        elif k == 15:
            found = 1.0 / v[a[i]]
        elif k == 16:
            found = _power(v[a[i]], value[i])
        elif k >= 17:
            found = _function(k, v[a[i]])
        else:
            found = _joined(k, v, a[i], b[i], c[i])
        v[i - first] = found


@compiled
def _power(base, exponent):
    if exponent == 2.0:
        return base * base
    if exponent == 3.0:
        return base * base * base
    return math.pow(base, exponent)


@compiled
def _joined(k, v, a, b, c):
    """Return powers, extremes, choices and conditions (1 where they hold)."""
    if k == 5:
        return math.pow(v[a], v[b])
    if k == 6:
        return min(v[a], v[b])
    if k == 7:
        return max(v[a], v[b])
    if k == 8:
        return v[b] if v[a] != 0.0 else v[c]
    if k == 9:
        holds = v[a] < v[b]
    elif k == 10:
        holds = v[a] <= v[b]
    elif k == 11:
        holds = v[a] == v[b]
    elif k == 12:
        holds = v[a] != 0.0 and v[b] != 0.0
    elif k == 13:
        holds = v[a] != 0.0 or v[b] != 0.0
    else:
        holds = v[a] == 0.0
    return 1.0 if holds else 0.0


@compiled
def _function(k, x):
    """Return a function of one number."""
    if k == 17:
        return math.exp(x)
    if k == 18:
        return math.log(x)
    if k == 19:
        return math.sqrt(x)
    if k == 20:
        return abs(x)
    if k <= 26:
        return _circular(k, x)
    if k <= 32:
        return _inverse(k, x)
    if k == 33:
        return float(math.floor(x)) if math.isfinite(x) else x
    if k == 34:
        return float(math.ceil(x)) if math.isfinite(x) else x
    return special.lgamma(x)


@compiled
def _circular(k, x):
    if k == 21:
        return math.sin(x)
    if k == 22:
        return math.cos(x)
    if k == 23:
        return math.tan(x)
    if k == 24:
        return math.sinh(x)
    return math.cosh(x) if k == 25 else math.tanh(x)


@compiled
def _inverse(k, x):
    if k == 27:
        return math.asin(x)
    if k == 28:
        return math.acos(x)
    if k == 29:
        return math.atan(x)
    if k == 30:
        return math.asinh(x)
    return math.acosh(x) if k == 31 else math.atanh(x)


@compiled
def backward(first, root, code, a, b, c, value, v, w):
    """Write the derivatives of operation `root` by all operations up to it to `w`.

    Where a formula does not depend on a result its derivative stays 0, even if that result is not
    finite: a branch that is not taken must not spoil the others.
    """
    for i in range(root + 1):
        w[i] = 0.0
    w[root] = 1.0
    for i in range(root, -1, -1):
        slope = w[i]
        if slope == 0.0:
            continue
        j = first + i
        k = code[j]
        if k <= 2:
            continue
        if k == 3:
            w[a[j]] += slope
            w[b[j]] += slope
        elif k == 4:
            w[a[j]] += slope * v[b[j]]
            w[b[j]] += slope * v[a[j]]
        elif k == 15:
            w[a[j]] -= slope * v[i] * v[i]
        elif k == 16:
            w[a[j]] += slope * value[j] * _power(v[a[j]], value[j] - 1.0)
        elif k >= 17:
            w[a[j]] += slope * _slope(k, v[a[j]], v[i])
        elif k == 5:
            base, exponent = v[a[j]], v[b[j]]
            w[a[j]] += slope * exponent * math.pow(base, exponent - 1.0)
            if base > 0.0:  # a power of zero does not change with its exponent
                w[b[j]] += slope * v[i] * math.log(base)
        elif k == 6:
            w[a[j] if v[a[j]] <= v[b[j]] else b[j]] += slope
        elif k == 7:
            w[a[j] if v[a[j]] >= v[b[j]] else b[j]] += slope
        elif k == 8:
            w[b[j] if v[a[j]] != 0.0 else c[j]] += slope


@compiled
def _slope(k, x, y):
    """Return the derivative of `_function`, whose value is `y`."""
    if k == 17:
        return y
    if k == 18:
        return 1.0 / x
    if k == 19:
        return 0.5 / y
    if k == 20:
        return 1.0 if x >= 0.0 else -1.0
    if k == 21:
        return math.cos(x)
    if k == 22:
        return -math.sin(x)
    if k == 23:
        return 1.0 + y * y
    if k == 24:
        return math.cosh(x)
    if k == 25:
        return math.sinh(x)
    if k == 26:
        return 1.0 - y * y
    if k in (27, 28):
        return (1.0 if k == 27 else -1.0) / math.sqrt(1.0 - x * x)
    if k == 29:
        return 1.0 / (1.0 + x * x)
    if k == 30:
        return 1.0 / math.sqrt(x * x + 1.0)
    if k == 31:
        return 1.0 / math.sqrt(x * x - 1.0)
    if k == 32:
        return 1.0 / (1.0 - x * x)
    return special.polygamma(0.0, x) if k == 35 else 0.0
