"""Points that fill the space of standard normal and chi-square variables, kept between patients.

They depend on nothing but the random stream and their number, so that patients with the same seed
share them: the next patient takes them as they are, and the stream goes on where it would have.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

__all__ = ["StandardPoints", "standard_points"]

Floats = NDArray[np.float64]
_Key = tuple[object, ...]
_Entry = tuple["StandardPoints", dict[str, object], int]
"""Points, the state of the stream after them, and how many streams it has given away for them."""

_LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1."""
_MOST_KEPT, _LARGEST = 8, 400_000
"""Sets that are kept, and numbers in one of them."""


class StandardPoints:
    """Points of one draw.

    Attributes
    ----------
    normal : (n, q) float64
    """

    def __init__(self, uniform: Floats) -> None:
        self.normal: Floats = np.asarray(ndtri(uniform[:, :-1]))
        self.normal.flags.writeable = False
        self._last = np.ascontiguousarray(uniform[:, -1])
        self._roots: dict[float, Floats] = {}

    def chi(self, degrees: float) -> Floats:
        """Return ``sqrt(chi-square / degrees)``, (n,), independent of the normal variables."""
        if degrees not in self._roots:
            half = 0.5 * degrees
            found = np.sqrt(gammaincinv(half, self._last) / half)
            found.flags.writeable = False
            self._roots[degrees] = found
        return self._roots[degrees]


@lru_cache(maxsize=1)
def _kept() -> tuple[OrderedDict[_Key, _Entry], Lock]:
    return OrderedDict(), Lock()


def standard_points(source: np.random.Generator, count: int, q: int) -> StandardPoints:
    """Return points from a scrambled Sobol sequence, and draw its scrambling from `source`.

    It fills space more evenly than independent draws do: means over it are about half as noisy
    (Owen 1997, doi 10.1137/S0036142994277468).
    """
    kept, lock = _kept()
    key = _state_of(source, count, q)
    with lock:
        found = None if key is None else kept.get(key)
        if found is not None and key is not None:
            kept.move_to_end(key)
    if found is not None:
        points, source.bit_generator.state, children = found
        _children(source).spawn(children)
        return points
    before = _children(source).n_children_spawned
    points = StandardPoints(_uniform(source, count, q))
    if key is not None:
        children = _children(source).n_children_spawned - before
        with lock:
            kept[key] = points, dict(source.bit_generator.state), children
            while len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
    return points


def _uniform(source: np.random.Generator, count: int, q: int) -> Floats:
    from scipy.stats import qmc  # noqa: PLC0415  slow to load

    most = int(np.ceil(np.log2(max(count, 2))))
    uniform = qmc.Sobol(q + 1, scramble=True, seed=source).random_base2(most)[:count]
    return np.clip(uniform, _LEAST, 1.0 - _LEAST)


def _children(source: np.random.Generator) -> np.random.SeedSequence:
    """Return what streams of their own come from: a scrambled sequence takes one of them."""
    found = source.bit_generator.seed_seq
    assert isinstance(found, np.random.SeedSequence)  # those of `statera.numerics.streams` have one
    return found


def _state_of(source: np.random.Generator, count: int, q: int) -> _Key | None:
    """Return what the points depend on; None where that is not a few numbers, or they are many.

    That is the stream's own state and the streams that it has given away: scipy scrambles by one
    of these, which the state does not tell.
    """
    state = source.bit_generator.state
    numbers = state["state"]
    if count * (q + 1) > _LARGEST or not all(type(n) is int for n in numbers.values()):
        return None
    seed = _children(source)
    rest = (state.get("has_uint32"), state.get("uinteger"))
    given = (str(seed.entropy), seed.spawn_key, seed.n_children_spawned)
    return (state["bit_generator"], *numbers.values(), *rest, *given, count, q)
