"""Permutation of labels in the association of many proteins: streamed, and free of formulas.

Every term of the formula is tested by exchanging labels (`statera.biomarker.permutation_design`):
p-values of each protein, and those that hold the family-wise error over the proteins of a term
whatever their correlation (`statera.biomarker.step_down`).

Two statistics are offered. ``null-model``: the sum of squares of the term by generalised least
squares, with the correlation within subjects and the residual variance estimated once from the
model without the labels, which no arrangement changes; any statistic makes a valid permutation
test, and this one needs no fit by arrangement. ``refit``: F of the mixed model fitted anew by
restricted likelihood to every arrangement.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor, Term, build_design, parse_formula
from statera.biomarker.permutation_design import (
    Exchange,
    ExchangeDesign,
    draw_orders,
    exchange_of_column,
    plan_terms,
)
from statera.biomarker.permutation_statistics import (
    NullModel,
    fit_null_model,
    label_free_statistics,
)
from statera.biomarker.step_down import StepDown
from statera.errors import InputError, UnknownNameError
from statera.numerics.mixed_model import OK, fit_random_intercept

__all__ = [
    "STATISTICS",
    "PermutationOptions",
    "PermutationTests",
    "PermutedTerm",
    "permute_association",
    "stream_association_permutations",
]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Columns = Mapping[str, Floats | Factor]

STATISTICS = ("null-model", "refit")


@dataclass(frozen=True)
class PermutationOptions:
    """How labels are permuted.

    Attributes
    ----------
    permutations
        Arrangements to draw, with repetition; the observed one is counted too.
    statistic
        ``null-model`` or ``refit``.
    seed
        Of the random arrangements.
    batch
        Arrangements worked on together: a matter of speed, not of results.
    """

    permutations: int = 10_000
    statistic: str = "null-model"
    seed: int = 0
    batch: int = 32

    def __post_init__(self) -> None:
        if self.statistic not in STATISTICS:
            raise UnknownNameError("statistic", self.statistic, STATISTICS)
        if self.permutations < 1 or self.batch < 1:
            raise InputError("at least one permutation is needed", where="permutations")


@dataclass(frozen=True)
class PermutedTerm:
    """P-values of one term in m proteins; nan where a protein or the term cannot be tested.

    Attributes
    ----------
    term
        As ``arm:visit``.
    exchange
        What was exchanged with what, or why nothing was.
    arrangements
        Number of different arrangements (inf where it is beyond 1e300); nan without an exchange.
    statistic, p_value, adjusted_p : (m,) float64
        As observed, p of each protein, and p that holds the family-wise error.
    """

    term: str
    exchange: str
    arrangements: float
    statistic: Floats
    p_value: Floats
    adjusted_p: Floats


@dataclass(frozen=True)
class PermutationTests:
    """Terms after `permutations` of `requested`.

    Attributes
    ----------
    terms : tuple of PermutedTerm
        In the order of the formula.
    permutations, requested
        Done, and asked for.
    status : tuple of str
        Of the proteins.
    options : PermutationOptions
    notes
        What a reader must know, as sentences.
    """

    terms: tuple[PermutedTerm, ...]
    permutations: int
    requested: int
    status: tuple[str, ...]
    options: PermutationOptions
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every permutation asked for was done."""
        return self.permutations == self.requested


@dataclass(frozen=True)
class _Work:
    """One exchanged column: its terms, statistics and counts."""

    exchange: Exchange
    design: ExchangeDesign
    statistics: Callable[[Places], tuple[Floats, ...]]
    observed: tuple[Floats, ...]
    counts: tuple[StepDown, ...]
    random: np.random.Generator
    status: tuple[str, ...]


def stream_association_permutations(
    values: Floats,
    columns: Columns,
    formula: str,
    subjects: Sequence[object] | None = None,
    options: PermutationOptions | None = None,
    *,
    blocks: Sequence[object] | None = None,
    block_name: str = "blocks",
) -> Iterator[PermutationTests]:
    """Yield the tests as permutations proceed: after each batch, and at the end.

    Parameters
    ----------
    values : (m, n) float64
        Measurements of m proteins in n samples; nan is missing.
    columns
        Columns of n values that the formula names.
    formula
        Such as ``arm * visit``.
    subjects : (n,), optional
        Whose sample it is; without, samples are independent.
    options
        See `PermutationOptions`.
    blocks : (n,), optional
        Such as sites: labels are exchanged within them only.
    block_name
        What the blocks are, in the words of the result.

    Raises
    ------
    InputError
        If lengths do not agree, the design cannot be estimated or no term can be permuted.
    UnknownNameError
        If the formula names no column.
    """
    chosen = options or PermutationOptions()
    values = np.atleast_2d(np.asarray(values, dtype=float))
    n = values.shape[1]
    build_design(formula, columns)  # refuses what cannot be estimated
    for given in (subjects, blocks):
        if given is not None and len(given) != n:
            raise InputError("subjects or blocks and values differ in length", where="permutations")
    numbers = (
        np.arange(n)
        if subjects is None
        else np.unique([str(s) for s in subjects], return_inverse=True)[1]
    )
    plan = plan_terms(formula, columns, numbers)
    works: dict[str, _Work] = {}
    refused: dict[str, str] = {}
    for place, column in enumerate(dict.fromkeys(c for c in plan.values() if c)):
        try:
            exchange = exchange_of_column(column, columns, numbers, blocks, block_name)
        except InputError as error:
            refused[column] = error.what
            continue
        random = np.random.default_rng([chosen.seed, place])
        works[column] = _begin(values, columns, formula, numbers, exchange, chosen, random)
    if not works:
        raise InputError(
            next(iter(refused.values()), "no term of the formula has labels to exchange"),
            where="permutations",
            hint="Permute a formula with one column between or within subjects in each term.",
        )
    done = 0
    while done < chosen.permutations:
        count = min(chosen.batch, chosen.permutations - done)
        for work in works.values():
            orders = draw_orders(work.exchange, work.random, count)
            for counts, drawn in zip(work.counts, work.statistics(orders), strict=True):
                counts.add(drawn)
        done += count
        yield _result(plan, works, refused, done, chosen, values.shape[0])


def _begin(
    values: Floats, columns: Columns, formula: str, subjects: Places, exchange: Exchange,
    options: PermutationOptions, random: np.random.Generator,
) -> _Work:  # fmt: skip
    """Return the work on one exchanged column, the observed statistics computed."""
    intercept = parse_formula(formula)[0]
    design = ExchangeDesign.of(formula, columns, exchange.column, intercept)
    sizes = tuple(size for _, size in design.terms)
    model = fit_null_model(values, design.fixed, subjects)
    good = np.array([s == OK for s in model.status], dtype=bool)

    def null_model(orders: Places) -> tuple[Floats, ...]:
        return label_free_statistics(model, design.moved(orders), sizes)

    def refit(orders: Places) -> tuple[Floats, ...]:
        found = [_refit(values, design, subjects, moved, sizes) for moved in design.moved(orders)]
        return tuple(np.stack(term) for term in zip(*found, strict=True))

    statistics = null_model if options.statistic == "null-model" else refit
    observed = statistics(exchange.first[exchange.unit][None])
    observed = tuple(np.where(good, f[0], np.nan) for f in observed)
    status = _status(model, observed)
    counts = tuple(StepDown(f) for f in observed)
    return _Work(exchange, design, statistics, observed, counts, random, status)


def _status(model: NullModel, observed: tuple[Floats, ...]) -> tuple[str, ...]:
    known: NDArray[np.bool_] = np.all(np.isfinite(np.stack(observed)), axis=0)
    lost = "the design cannot be estimated from the values present"
    return tuple(
        s if s != OK or k else lost for s, k in zip(model.status, known, strict=True)
    )  # fmt: skip


def _refit(
    values: Floats, design: ExchangeDesign, subjects: Places, moved: Floats, sizes: tuple[int, ...]
) -> tuple[Floats, ...]:
    """Return F (m,) of each term of the mixed model fitted to one arrangement."""
    x = np.hstack([design.fixed, moved])
    if np.unique(subjects).size == subjects.size:
        model = fit_null_model(values, design.fixed, subjects)
        return tuple(f[0] for f in label_free_statistics(model, moved[None], sizes))
    fit = fit_random_intercept(x, subjects, values)
    good = np.isfinite(fit.covariance).all(axis=(1, 2))
    found = []
    start = design.fixed.shape[1]
    for size in sizes:
        own = slice(start, start + size)
        f = np.full(values.shape[0], np.nan)
        beta = fit.beta[good, own]
        solved = np.linalg.solve(fit.covariance[good, own, own], beta[:, :, None])[:, :, 0]
        f[good] = np.einsum("mi,mi->m", beta, solved) / size
        found.append(f)
        start += size
    return tuple(found)


def _result(
    plan: Mapping[Term, str], works: Mapping[str, _Work], refused: Mapping[str, str], done: int,
    options: PermutationOptions, m: int,
) -> PermutationTests:  # fmt: skip
    blank = np.full(m, np.nan)
    terms, notes = [], []
    for term, column in plan.items():
        name = ":".join(term)
        if column not in works:
            why = refused.get(column) or (
                "it has no one column between subjects, or within them, whose exchange leaves "
                "its main effects in place"
            )
            terms.append(PermutedTerm(name, f"not permuted: {why}", math.nan, blank, blank, blank))
            notes.append(f"{name} is not permuted: {why}.")
            continue
        work = works[column]
        place = [t for t, _ in work.design.terms].index(term)
        p, adjusted = work.counts[place].p_values()
        size = work.exchange.log_arrangements
        number = math.inf if size > 690.0 else float(round(math.exp(size)))
        if number <= options.permutations:
            notes.append(
                f"{name}: only {number:.0f} arrangements of {column} differ, so p cannot fall "
                f"below {1.0 / number:.2g}."
            )
        terms.append(
            PermutedTerm(name, work.exchange.said, number, work.observed[place], p, adjusted)
        )
    status = next(iter(works.values())).status
    for work in works.values():
        status = tuple(
            a if a != OK else b for a, b in zip(status, work.status, strict=True)
        )  # fmt: skip
    return PermutationTests(
        tuple(terms), done, options.permutations, status, options, tuple(notes)
    )  # fmt: skip


def permute_association(
    values: Floats,
    columns: Columns,
    formula: str,
    subjects: Sequence[object] | None = None,
    options: PermutationOptions | None = None,
    *,
    blocks: Sequence[object] | None = None,
    progress: Callable[[PermutationTests], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PermutationTests:
    """Return the tests; where `cancelled` returns True, those of the permutations done so far.

    `progress` is called with the tests after each batch. The other parameters are those of
    `stream_association_permutations`.
    """
    result: PermutationTests | None = None
    for result in stream_association_permutations(
        values, columns, formula, subjects, options, blocks=blocks
    ):
        if progress is not None:
            progress(result)
        if cancelled is not None and cancelled():
            break
    if result is None:
        raise InputError("no permutation was done", where="permutations")
    return result
