"""Splits of samples into folds: classes balanced, the samples of a group kept together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError

__all__ = ["bootstrap_rows", "stratified_folds"]

Ints = NDArray[np.intp]


def stratified_folds(
    outcome: NDArray[np.bool_], groups: Sequence[str], folds: int, random: np.random.Generator
) -> Ints:
    """Return the fold (n,) of each sample.

    Groups are dealt in random order, the largest first; each goes to the fold that then stays
    closest to its share of both classes.

    Parameters
    ----------
    outcome : (n,) bool
    groups : (n,)
        Samples of one group stay in one fold.
    folds
        At least 2.
    random
        Of the order.

    Raises
    ------
    InputError
        If there are fewer groups than folds.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    if names.size < folds:
        raise InputError(
            f"{names.size} groups cannot be split into {folds} folds",
            hint="Ask for fewer folds, or group by something finer.",
        )
    count = np.zeros((names.size, 2))
    np.add.at(count, (member, outcome.astype(int)), 1.0)
    target = np.maximum(count.sum(axis=0) / folds, 1e-12)
    held = np.zeros((folds, 2))
    fold_of = np.full(names.size, -1, dtype=np.intp)
    order = random.permutation(names.size)
    # groups that hold the rarer class of their size are dealt first, so that no fold lacks it
    rare = int(count.sum(axis=0).argmin())
    order = order[np.lexsort((-count[order, rare], -count[order].sum(axis=1)))]
    ties = random.permutation(folds)
    for left, group in zip(range(names.size, 0, -1), order, strict=True):
        worse = ((held + count[group]) / target) ** 2 - (held / target) ** 2
        # of folds that need a class alike, the smaller one
        cost = np.round(worse.sum(axis=1), 9) + 1e-6 * held.sum(axis=1)
        empty = held.sum(axis=1) == 0
        if left <= empty.sum():  # the last groups go to folds that have none
            cost = np.where(empty, cost, np.inf)
        best = ties[int(np.argmin(cost[ties]))]
        held[best] += count[group]
        fold_of[group] = best
    return np.asarray(fold_of[member])


def bootstrap_rows(
    outcome: NDArray[np.bool_], subjects: Sequence[str], random: np.random.Generator
) -> Ints:
    """Return rows of subjects drawn with replacement, all samples of a subject at each draw.

    Subjects are drawn within the class of their first sample, so that no draw lacks a class.
    """
    _, first, member = np.unique(np.asarray(subjects), return_index=True, return_inverse=True)
    rows_of = [np.flatnonzero(member == s) for s in range(first.size)]
    drawn: list[Ints] = []
    for one in (True, False):
        own = np.flatnonzero(outcome[first] == one)
        drawn += [rows_of[s] for s in random.choice(own, own.size)] if own.size else []
    return np.concatenate(drawn)
