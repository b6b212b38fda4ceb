"""How subjects are divided among threads."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

__all__ = ["parts"]


def parts(n_subjects: int, workers: int) -> list[tuple[int, int]]:
    """Split subjects into contiguous parts, a few for each worker."""
    n = min(n_subjects, max(1, workers) * (4 if workers > 1 else 1))
    edges = np.linspace(0, n_subjects, n + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges) if b > a]
