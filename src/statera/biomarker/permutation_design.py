"""Which labels may be exchanged with which, and the design that exchanged labels make.

A term is tested by exchanging the labels of one of its columns. A column that is constant within
subjects is exchanged between subjects, whole subjects taking each other's labels; a column that
changes within subjects is exchanged between the samples of a subject. Blocks restrict either.

Under the hypothesis that the column has no effect, and with labels that were randomised (within
blocks), each arrangement is as likely as the one observed, whatever the distribution of the
values. An interaction of a column between subjects with columns within them exchanges the former.
Terms with two columns of the same kind have no such exchange, as it would move their main effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.design import Factor, Term, coded_terms, multiplied
from statera.errors import InputError

__all__ = ["Exchange", "ExchangeDesign", "draw_orders", "exchange_of_column", "plan_terms"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Columns = Mapping[str, Floats | Factor]


@dataclass(frozen=True)
class Exchange:
    """How the labels of one column are exchanged.

    Attributes
    ----------
    column
        Whose labels.
    between
        Whether over subjects, or over the samples within each.
    unit : (n,) int
        Of each sample: the number of its subject, or its own.
    first : (u,) int
        A sample of each unit, which carries the unit's label.
    stratum : (u,) int
        Units of one stratum exchange their labels.
    log_arrangements
        Logarithm of the number of different arrangements.
    said
        As ``arm over 40 subjects within blocks``.
    """

    column: str
    between: bool
    unit: Places
    first: Places
    stratum: Places
    log_arrangements: float
    said: str


def _numbers(labels: Sequence[object]) -> Places:
    return np.unique([str(label) for label in labels], return_inverse=True)[1]


def _labels(column: Floats | Factor) -> Places:
    values = column.labels if isinstance(column, Factor) else column
    return np.asarray(np.unique(np.asarray(values), return_inverse=True)[1])


def _varies(labels: Places, within: Places) -> bool:
    """Return whether labels differ between samples of one group."""
    pairs = np.unique(np.column_stack([within, labels]), axis=0)
    return bool(pairs.shape[0] > np.unique(within).size)


def plan_terms(formula: str, columns: Columns, subjects: Places) -> dict[Term, str]:
    """Return the column whose labels are exchanged for each term; empty where there is none."""
    varies = {
        name: _varies(_labels(columns[name]), subjects)
        for term in coded_terms(formula, columns)
        for name in term
    }
    plan = {}
    for term in coded_terms(formula, columns):
        between = [name for name in term if not varies[name]]
        within = [name for name in term if varies[name]]
        chosen = between or within
        plan[term] = chosen[0] if len(chosen) == 1 else ""
    return plan


def exchange_of_column(
    column: str,
    columns: Columns,
    subjects: Places,
    blocks: Sequence[object] | None = None,
    block_name: str = "blocks",
) -> Exchange:
    """Return how the labels of a column are exchanged.

    Parameters
    ----------
    column
        Its name.
    columns
        Columns of n samples.
    subjects : (n,) int
        Numbers of the subjects; each sample its own where samples are independent.
    blocks : (n,), optional
        Within which labels are exchanged.
    block_name
        What the blocks are, as ``site``.

    Raises
    ------
    InputError
        If a subject stands in two blocks, or nothing can be exchanged.
    """
    labels = _labels(columns[column])
    block = np.zeros(labels.size, dtype=np.intp) if blocks is None else _numbers(blocks)
    between = not _varies(labels, subjects)
    if between:
        if _varies(block, subjects):
            raise InputError(
                f"{column} is exchanged between subjects, and a subject stands in two blocks",
                where="blocks",
                hint="Name a column that is the same in all samples of a subject.",
            )
        unit = subjects
        first = np.unique(subjects, return_index=True)[1]
        stratum = block[first]
    else:
        unit = np.arange(labels.size)
        first = unit
        stratum = np.unique(subjects * (int(block.max()) + 1) + block, return_inverse=True)[1]
    number = _log_arrangements(labels[first], stratum)
    if number <= 0.0:
        raise InputError(
            f"the labels of {column} cannot be exchanged: within each "
            f"{'block' if between else 'subject'} they are all the same",
            where="permutations",
            hint="Use wider blocks, or none.",
        )
    inside = f" within {block_name}" if blocks is not None else ""
    said = (
        f"{column} over {first.size} "
        + ("samples" if first.size == labels.size else "subjects")
        + inside
        if between
        else f"{column} over the samples of each subject{inside}"
    )
    return Exchange(column, between, unit, first, stratum, number, said)


def _log_arrangements(labels: Places, stratum: Places) -> float:
    """Return the logarithm of the number of ways to lay the labels out within strata."""
    sizes = np.bincount(stratum)
    alike = np.unique(np.column_stack([stratum, labels]), axis=0, return_counts=True)[1]
    return float(special.gammaln(sizes + 1.0).sum() - special.gammaln(alike + 1.0).sum())


def draw_orders(exchange: Exchange, random: np.random.Generator, count: int) -> Places:
    """Return orders (count, n): the sample whose label each sample takes.

    One random number a unit is drawn for each order, so orders do not depend on how many are
    drawn at a time.
    """
    units = exchange.first.size
    places = np.argsort(exchange.stratum, kind="stable")
    keys = exchange.stratum + random.random((count, units))
    drawn = np.argsort(keys, axis=1)
    source = np.empty_like(drawn)
    source[:, places] = drawn
    return np.asarray(exchange.first[source][:, exchange.unit])


@dataclass(frozen=True)
class ExchangeDesign:
    """Columns of the design (sum coding) with and without the exchanged column.

    Attributes
    ----------
    fixed : (n, p0) float64
        Of the terms without the column, the intercept first.
    terms
        Terms that hold the column, with the number of their columns.
    """

    fixed: Floats
    terms: tuple[tuple[Term, int], ...]
    _own: tuple[Floats, ...]
    _rest: tuple[Floats, ...]

    @staticmethod
    def of(formula: str, columns: Columns, column: str, intercept: bool) -> ExchangeDesign:
        """Return the design of a formula in which the labels of `column` are exchanged."""
        parts = coded_terms(formula, columns)
        n = next(iter(next(iter(parts.values())).values())).shape[0]
        fixed = [np.ones((n, 1))] if intercept else []
        terms, own, rest = [], [], []
        for term, blocks in parts.items():
            if column not in term:
                fixed.append(multiplied([blocks[name] for name in term]))
                continue
            others = [blocks[name] for name in term if name != column]
            own.append(blocks[column])
            rest.append(multiplied(others) if others else np.ones((n, 1)))
            terms.append((term, own[-1].shape[1] * rest[-1].shape[1]))
        return ExchangeDesign(
            np.hstack(fixed) if fixed else np.zeros((n, 0)), tuple(terms), tuple(own), tuple(rest)
        )

    def moved(self, orders: Places) -> Floats:
        """Return the columns (b, n, p1) of `terms` after labels took the orders (b, n)."""
        return np.concatenate(
            [
                multiplied([own[orders], np.broadcast_to(rest, (*orders.shape, rest.shape[1]))])
                for own, rest in zip(self._own, self._rest, strict=True)
            ],
            axis=2,
        )
