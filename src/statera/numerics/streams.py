"""Seeded random streams: one independent stream a purpose, the same for any number of threads."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["normals", "stream"]


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator for one purpose, such as ``"random effects"``.

    Streams of different purposes are independent, so that drawing more of one does not change
    another.
    """
    digest = hashlib.sha256(purpose.encode()).digest()
    words = np.frombuffer(digest[:16], dtype=np.uint32).tolist()
    return np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence([seed, *words])))


def normals(
    seed: int, purpose: str, n: int, covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw correlated normals; the first k rows do not depend on n.

    Parameters
    ----------
    n
        Number of draws.
    covariance : (k, k) float64
        Positive semi-definite.

    Returns
    -------
    (n, k) float64
    """
    k = covariance.shape[0]
    standard = stream(seed, purpose).standard_normal((n, k))
    if k == 0:
        return standard
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0.0, None)) @ vectors.T
    # not a matrix product: a library may order its sums by the number of rows, and starts threads
    draws = standard[:, :1] * root[0]
    for i in range(1, k):
        draws += standard[:, i : i + 1] * root[i]
    return np.asarray(draws, dtype=np.float64)
