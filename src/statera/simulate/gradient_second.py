"""Which second derivatives are solved for, and the chain rule from these to the ones wanted.

The fewest columns belong to the individual parameters that stand in the equations: one for each,
and one for each pair of them. The chain rule through the formulas of the individual parameters,
which is symbolic and exact, makes of these what is wanted by any names. Where parameters change
within a subject, there is no one value to differentiate by: the names themselves are the columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.model import Model
from statera.numerics.expression import free_names
from statera.simulate.gradient_values import Pairs, Tangents

__all__ = ["all_pairs", "base_names", "base_tangents", "chain", "pairs_with", "unpair"]

Floats = NDArray[np.float64]


def pairs_with(wrt: Sequence[str], second: Sequence[str]) -> Pairs:
    """Return every pair of a name of `wrt` with one of `second`, each once."""
    wanted = [wrt.index(name) for name in second]
    found = {(min(j, k), max(j, k)) for j in range(len(wrt)) for k in wanted}
    return _pairs(sorted(found))


def all_pairs(n: int) -> Pairs:
    """Return every pair of n columns."""
    return _pairs([(j, k) for j in range(n) for k in range(j, n)])


def _pairs(found: Sequence[tuple[int, int]]) -> Pairs:
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return Pairs(both[:, 0].copy(), both[:, 1].copy())


def unpair(columns: Floats, pairs: Pairs, wrt: Sequence[str], second: Sequence[str]) -> Floats:
    """Return the last axis, of pairs, as two axes: of `wrt` and of `second`."""
    both = zip(pairs.one.tolist(), pairs.two.tolist(), strict=True)
    place = {pair: i for i, pair in enumerate(both)}
    wanted = [wrt.index(name) for name in second]
    order = [[place[min(j, k), max(j, k)] for k in wanted] for j in range(len(wrt))]
    return columns[..., np.array(order, dtype=np.int64).reshape(len(wrt), len(second))]


def base_names(model: Model, tangents: Tangents) -> tuple[str, ...]:
    """Return what the equations, inputs, initial states and outputs hold that depends on `wrt`."""
    formulas = [e.expression for e in model.dynamics]
    formulas += [*(o.expression for o in model.outputs), *model.initial.values()]
    for processes in model.inputs.values():
        for p in processes:
            parts = (p.bioavailability, p.lag, p.duration, p.rate, p.n, p.ktr)
            formulas += [formula for formula in parts if formula is not None]
    used = frozenset().union(*(free_names(formula) for formula in formulas))
    return tuple(sorted(used & set(tangents)))


def base_tangents(names: Sequence[str], n_subjects: int, pairs: Pairs) -> Tangents:
    """Return the derivatives of each name by itself."""
    found = {}
    for j, name in enumerate(names):
        found[name] = np.zeros((n_subjects, len(names) + pairs.size))
        found[name][:, j] = 1.0
    return found


def chain(slopes: Floats, names: Sequence[str], tangents: Tangents, pairs: Pairs) -> Floats:
    """Return derivatives by columns of `tangents` from those by `names` and all pairs of them.

    Parameters
    ----------
    slopes : (n_subjects, n_rows, n_outputs, n_base) float64
        By every name, then by `all_pairs`.
    tangents
        Of the names by the columns wanted, the last of which are second derivatives by `pairs`.
    """
    p, base = len(names), all_pairs(len(names))
    inner = np.stack([tangents[name] for name in names], axis=1)
    first = inner[:, :, : inner.shape[2] - pairs.size]
    total: Floats = np.einsum("nroa,nac->nroc", slopes[..., :p], inner)
    bends = np.empty((*slopes.shape[:3], p, p))
    bends[..., base.one, base.two] = bends[..., base.two, base.one] = slopes[..., p:]
    total[..., first.shape[2] :] += np.einsum(
        "nroab,nac,nbc->nroc", bends, first[:, :, pairs.one], first[:, :, pairs.two]
    )
    return total
