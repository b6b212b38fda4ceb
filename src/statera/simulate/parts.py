"""How subjects are divided among threads."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["parts", "stretches_of"]


def parts(n_subjects: int, workers: int) -> list[tuple[int, int]]:
    """Split subjects into contiguous parts, a few for each worker."""
    n = min(n_subjects, max(1, workers) * (4 if workers > 1 else 1))
    edges = np.linspace(0, n_subjects, n + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges) if b > a]


def stretches_of(subjects: NDArray[np.int64], workers: int) -> list[tuple[int, int]]:
    """Return stretches of neighbouring subjects, cut for the workers."""
    longest = max(1, -(-subjects.size // (4 * workers)))
    found: list[tuple[int, int]] = []
    for subject in map(int, subjects):
        if found and found[-1][1] == subject and subject - found[-1][0] < longest:
            found[-1] = (found[-1][0], subject + 1)
        else:
            found.append((subject, subject + 1))
    return found
