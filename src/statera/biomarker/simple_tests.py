"""Tests without a model of several terms: t, ranks and correlation, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.change_samples import paired_samples
from statera.biomarker.change_tests import (
    ChangeTests,
    kruskal_wallis,
    mann_whitney,
    paired_t,
    signed_rank,
    welch_t,
)
from statera.biomarker.correlation import CORRELATIONS, correlate
from statera.biomarker.design import Factor, build_design, parse_formula
from statera.biomarker.sample_table import SampleColumns
from statera.errors import InputError

__all__ = ["SIMPLE", "SimpleTest", "simple_test"]

Floats = NDArray[np.float64]

_TWO = ("paired", "welch", "mann-whitney", "signed-rank")
SIMPLE = (*_TWO, "kruskal-wallis", *CORRELATIONS)


@dataclass(frozen=True)
class SimpleTest:
    """One test of all analytes.

    Attributes
    ----------
    term
        The column tested.
    meaning
        What the estimate is; empty where there is none.
    numerator_df
        Degrees of freedom of the hypothesis.
    tests : ChangeTests
    notes
        Who was left out.
    """

    term: str
    meaning: str
    numerator_df: int
    tests: ChangeTests
    notes: tuple[str, ...] = ()


def simple_test(
    values: Floats, samples: SampleColumns, method: str, formula: str, level: float
) -> SimpleTest:
    """Test one column by the method chosen.

    Parameters
    ----------
    values : (m, n) float64
    samples
        Of the n columns of `values`.
    method
        One of `SIMPLE`.
    formula
        One column; for a correlation its first column is correlated and the others are held.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If the method does not fit the formula or the samples.
    """
    if method not in ("paired", "signed-rank"):
        _independent(samples, method)
    if method in CORRELATIONS:
        return _correlation(values, samples, method, formula, level)
    terms = parse_formula(formula)[1]
    column = samples.columns[terms[0][0]] if len(terms) == 1 and len(terms[0]) == 1 else None
    if method == "kruskal-wallis":
        if not isinstance(column, Factor):
            raise InputError(
                "kruskal-wallis compares the levels of one factor",
                where="--formula",
                hint="Name one column, by --factor if it holds numbers.",
            )
        found = kruskal_wallis(values, column.labels, column.levels)
        return SimpleTest(terms[0][0], "", len(column.levels) - 1, found)
    if not isinstance(column, Factor) or len(column.levels) != 2:
        raise InputError(
            f"{method} compares the two levels of one factor",
            where="--formula",
            hint="Name one column with two values, or use a model or kruskal-wallis.",
        )
    return _two_levels(values, samples, method, terms[0][0], column, level)


def _two_levels(
    values: Floats, samples: SampleColumns, method: str, name: str, column: Factor, level: float
) -> SimpleTest:
    """Compare the second level with the first."""
    first, second = column.levels
    notes: tuple[str, ...] = ()
    if method in ("paired", "signed-rank"):
        pairs = paired_samples(
            replace(samples, columns={name: column}), name, first, second
        )  # fmt: skip
        notes = pairs.notes
        known = np.any(np.isfinite(values), axis=1, keepdims=True)
        before, after = (np.where(known, v, np.nan) for v in (pairs.before, pairs.after))
        found = (paired_t if method == "paired" else signed_rank)(before, after, level)
    else:
        found = (welch_t if method == "welch" else mann_whitney)(values, column.labels, level)
        if first < second:  # these tests take the later name from the earlier one
            turned = -found.statistic
            if method == "mann-whitney":
                turned = found.n[:, 0] * found.n[:, 1] - found.statistic
            found = replace(found, estimate=-found.estimate, low=-found.high, high=-found.low,
                            statistic=turned)  # fmt: skip
    kind = {"mann-whitney": "shift", "signed-rank": "shift"}.get(method, "difference")
    return SimpleTest(name, f"{kind}, {second} less {first}", 1, found, notes)


def _independent(samples: SampleColumns, method: str) -> None:
    people = samples.subject
    if people and len(set(people)) < len(people):
        raise InputError(
            f"subjects have several samples, which {method} takes as independent",
            where="--subject",
            hint="Use paired, signed-rank, limma or a mixed model, or compare visits by --change.",
        )


def _correlation(
    values: Floats, samples: SampleColumns, method: str, formula: str, level: float
) -> SimpleTest:
    terms = parse_formula(formula)[1]
    name = terms[0][0]
    outcome = samples.columns[name]
    if isinstance(outcome, Factor) or any(len(term) > 1 for term in terms):
        raise InputError(
            f"{method} correlates with one column of numbers, the first of the formula",
            where="--formula",
            hint="Write improvement, or improvement + age + sex to hold age and sex.",
        )
    held = None
    others = [term[0] for term in terms[1:]]
    if others:
        held = build_design(" + ".join(others), samples.columns).matrix[:, 1:]
    found = correlate(values, outcome, held, method, level)
    said = f"correlation with {name}" + (f", {', '.join(others)} held" if others else "")
    return SimpleTest(name, said, 1, found)
