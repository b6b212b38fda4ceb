"""The middle of many numbers without sorting them.

A sorted sample of the numbers tells between which two of it the middle most likely lies; only what
lies between them is kept, and so on until little is left. Where the guess was wrong, all is kept
and the next one is wider. Compare Floyd and Rivest, Communications of the ACM 1975,
doi 10.1145/360680.360691.
"""

from __future__ import annotations

import numpy as np

from statera.numerics.compiled import compiled

__all__ = ["median_of"]

_FEW = 400
"""Numbers that are sorted."""
_SAMPLE = 200


@compiled
def _sort(numbers):
    """Sort numbers in place, by insertion at shrinking distances (Shell)."""
    gap = 1
    while gap < numbers.shape[0] // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, numbers.shape[0]):
            x = numbers[i]
            k = i
            while k >= gap and numbers[k - gap] > x:
                numbers[k] = numbers[k - gap]
                k -= gap
            numbers[k] = x
        gap //= 3


@compiled
def median_of(numbers):
    """Return the median, the mean of the middle two of an even count; NaN where one is NaN.

    Parameters
    ----------
    numbers : (n,) float64, n > 0
        Overwritten.
    """
    n = numbers.shape[0]
    for i in range(n):
        if np.isnan(numbers[i]):
            return np.nan
    left = numbers
    count = n
    low_rank, high_rank = (n - 1) // 2, n // 2  # of what is left
    wide = 1.0
    sample = np.empty(_SAMPLE)
    while count > _FEW:
        step = count // _SAMPLE
        for i in range(_SAMPLE):
            sample[i] = left[i * step]
        _sort(sample)
        # four standard deviations of the rank of the middle in a sample
        place = _SAMPLE * (low_rank + 0.5) / count
        reach = wide * 4.0 * np.sqrt(place * (1.0 - place / _SAMPLE)) + 2.0
        first, last = int(place - reach), int(place + reach)
        low = sample[first] if first >= 0 else -np.inf
        high = sample[last] if last < _SAMPLE else np.inf
        below, inside = 0, 0
        for i in range(count):
            below += left[i] < low
            inside += (left[i] >= low) & (left[i] <= high)
        if below > low_rank or below + inside <= high_rank or (inside == count and low < high):
            if first < 0 and last >= _SAMPLE:
                break  # numbers in an order that samples do not show
            wide *= 2.0
            continue
        if low == high:
            return low
        kept = 0
        for i in range(count):
            x = left[i]
            left[kept] = x
            kept += (x >= low) & (x <= high)
        low_rank, high_rank, count, wide = low_rank - below, high_rank - below, inside, 1.0
    rest = left[:count]
    _sort(rest)
    return (rest[low_rank] + rest[high_rank]) / 2.0
